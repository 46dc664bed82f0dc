"""What a bot printed: taken from its runner piece by piece, and read back from any place.

Offsets count bytes of the runner's spool, whose bytes never change. Bytes are on the disk before their row is written,
so what is counted is there; a piece that comes twice is taken once.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound, StaleAttempt, TooBig, Unavailable
from bottool.states import FINAL, AttemptState, TaskState
from bottool_web.actions import fencing
from bottool_web.actions.masking import masker_of
from bottool_web.actions.output_masking import masked_frames
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import attempts, output, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

PIECE_LIMIT_BYTES = 4 * 1024 * 1024
CHUNKS_AT_ONCE = 64
CHUNKS_BEFORE = 8
"""So many of the last pieces are looked at for the beginning of a secret that ends in a new one."""
TAIL_BYTES = 16 * 1024
TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    attempt_id: int
    have: int


@action("attempt.work")
def append_output(site: Site, who: Principal, task_id: int, number: int, offset: int, data: bytes) -> wire.Appended:
    """Keep the whole frames of ``data``, which begin at ``offset`` of the spool; the answer says how far it is here.

    :raises Conflict: when bytes before ``offset`` are missing; ``details["next_offset"]`` says from where.
    :raises InvalidInput: when no frame starts there.
    :raises StaleAttempt: when the attempt was replaced, or ended without a report.
    :raises TooBig: when it would be more than the site takes of one attempt; what is here stays.
    """
    place = _place(site, who, task_id, number)
    if offset > place.have or offset < 0:
        raise Conflict(f"the output from byte {place.have} is missing", "send it first", next_offset=place.have)
    new = _whole(data[place.have - offset :], offset)
    if not new:
        return wire.Appended(next_offset=place.have)
    if place.have + len(new) > site.settings.output_limit_bytes:
        raise TooBig(
            f"the bot printed more than {site.settings.output_limit_bytes} bytes, which is all that is kept",
            "print less, or raise 'output_limit_bytes' of the site",
        )
    masker = masker_of(site, who, place.attempt_id)
    if masker is not None:
        new = masked_frames(masker, _before(site, who, place), new)
    site.files.write_chunk(place.attempt_id, place.have, new)
    if not site.store.write(lambda tx: output.add_chunk(tx, who.scope, place.attempt_id, place.have, len(new))):
        # The same piece came twice at once, and the other one was quicker.
        place = _place(site, who, task_id, number)
        return wire.Appended(next_offset=place.have)
    site.hints.send(f"output:{task_id}")
    return wire.Appended(next_offset=place.have + len(new))


def _before(site: Site, who: Principal, place: _Place) -> bytes:
    """The frames that were kept last."""
    if not place.have:
        return b""
    rows = site.store.read(lambda tx: output.last_chunks(tx, who.scope, place.attempt_id, limit=CHUNKS_BEFORE))
    return b"".join(site.files.read_chunk(place.attempt_id, row.start)[: row.size_bytes] for row in rows)


def _place(site: Site, who: Principal, task_id: int, number: int) -> _Place:
    """Where the output of the attempt goes on.

    :raises StaleAttempt: when no more of it is wanted; only that writes anything.
    """
    found = site.store.read(lambda tx: attempts.find(tx, who.scope, task_id, number))
    if found is not None and found.runner_id == who.id and not _is_over(found):
        return _Place(attempt_id=found.id, have=found.output_bytes)

    def refuse(tx: sa.Connection) -> _Place | StaleAttempt:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if _is_over(held.attempt):
            return fencing.refuse(tx, site, who, held, "output")
        return _Place(attempt_id=held.attempt.id, have=held.attempt.output_bytes)

    return fencing.in_one_write(site, refuse)


def _is_over(attempt: Row) -> bool:
    """An attempt that ended with a report may still send what it printed before."""
    return bool(attempt.state == AttemptState.ENDED and not attempt.report_key)


def _whole(data: bytes, offset: int) -> bytes:
    try:
        whole = data[: wire.whole_frames(data)]
    except ValueError as error:
        raise InvalidInput(f"the output at byte {offset}: {error}", "send it from a frame's head") from error
    if data and not whole:
        raise InvalidInput(f"the output at byte {offset} holds no whole frame", "send at least one whole frame")
    return whole


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPart:
    """``data``: whole frames. ``ended``: nothing will follow ``next_offset``."""

    attempt: int
    data: bytes
    next_offset: int
    ended: bool


@action("output.read")
def read_output(
    site: Site,
    who: Principal,
    task_id: int,
    *,
    after: int = 0,
    attempt: int | None = None,
    limit_bytes: int = 1024 * 1024,
) -> tuple[bytes, int, bool]:
    """Whole frames from byte ``after`` on, the offset that follows them, and whether the output ends there.

    ``attempt`` of ``None`` is the newest one. About ``limit_bytes``, but at least one frame when there is one.

    :raises NotFound: when there is no such task or attempt.
    :raises InvalidInput: when no frame starts at ``after``.
    """
    part = part_of_output(site, who, task_id, after=after, attempt=attempt, limit_bytes=limit_bytes)
    return part.data, part.next_offset, part.ended


@action("output.read")
def part_of_output(
    site: Site,
    who: Principal,
    task_id: int,
    *,
    after: int = 0,
    attempt: int | None = None,
    limit_bytes: int = 1024 * 1024,
) -> OutputPart:
    """As ``read_output``, and it says which attempt's output it is (0 before the first)."""
    task, row = site.store.read(lambda tx: _attempt_of(tx, who, task_id, attempt))
    if row is None:
        return OutputPart(attempt=0, data=b"", next_offset=0, ended=TaskState(task.state) in FINAL)
    after = min(max(after, 0), row.output_bytes)
    data = _bytes(site, who, row, after, limit_bytes)
    try:
        data = data[: wire.whole_frames(data)]
    except ValueError as error:
        raise InvalidInput(f"'after' is {after}: {error}", "use an offset that an answer gave", path="after") from error
    following = after + len(data)
    ended = row.state == AttemptState.ENDED and following >= row.output_bytes
    return OutputPart(attempt=row.number, data=data, next_offset=following, ended=ended)


@action("output.read")
def bytes_before(site: Site, who: Principal, task_id: int, attempt: int, before: int) -> bytes:
    """The frames in front of ``before``, as far as they lie in one piece with it: a reader that goes on there can see
    in which state they left a text's decoding.
    """
    _, row = site.store.read(lambda tx: _attempt_of(tx, who, task_id, attempt))
    if row is None or before <= 0 or before > row.output_bytes:
        return b""
    first = site.store.read(lambda tx: output.chunks(tx, who.scope, row.id, before - 1, limit=1))
    if not first:
        return b""
    return site.files.read_chunk(row.id, first[0].start)[: before - first[0].start]


def _attempt_of(tx: sa.Connection, who: Principal, task_id: int, number: int | None) -> tuple[Row, Row | None]:
    task = tasks.row(tx, who.scope, task_id)
    wanted = task.attempt if number is None else number
    row = attempts.find(tx, who.scope, task_id, wanted) if wanted else None
    if row is None and number is not None:
        raise NotFound(f"task {task_id} has no attempt {number}", f"its newest is {task.attempt}")
    return task, row


def _bytes(site: Site, who: Principal, attempt: Row, after: int, limit_bytes: int) -> bytes:
    """From ``after`` on, chunk by chunk, until there are more than ``limit_bytes`` or a chunk is not there."""
    rows = site.store.read(lambda tx: output.chunks(tx, who.scope, attempt.id, after, limit=CHUNKS_AT_ONCE))
    parts, size = [], 0
    for row in rows:
        piece = site.files.read_chunk(attempt.id, row.start)[: row.size_bytes]
        if len(piece) < row.size_bytes:
            raise Unavailable(
                f"a piece of the output of task {attempt.task_id} is missing on the server's disk",
                "restore it from a backup; the rest is whole",
            )
        piece = piece[max(after - row.start, 0) :]
        if size and size + len(piece) > limit_bytes:
            break
        parts.append(piece)
        size += len(piece)
    return b"".join(parts)


def last_lines(site: Site, who: Principal, task_id: int, number: int) -> str:
    """The last lines that the bot printed, on either stream: for the message of a task that failed."""

    def find(tx: sa.Connection) -> tuple[int, list[Row]]:
        row = attempts.find(tx, who.scope, task_id, number)
        if row is None or row.runner_id != who.id or not row.output_bytes:
            return 0, []
        return row.id, output.last_chunks(tx, who.scope, row.id, limit=CHUNKS_AT_ONCE)

    attempt_id, rows = site.store.read(find)
    printed = b""
    for row in reversed(rows):
        # A chunk may have megabytes: no more of them than the message needs.
        if len(printed) >= TAIL_BYTES:
            break
        printed = _printed(site.files.read_chunk(attempt_id, row.start)[: row.size_bytes]) + printed
    lines = printed[-TAIL_BYTES:].decode("utf-8", "replace").replace("\0", "").splitlines()
    return "\n".join(lines[-TAIL_LINES:]).strip()


def _printed(chunk: bytes) -> bytes:
    """What the bot itself printed; nothing when the chunk is damaged: a report must not fail over its message."""
    try:
        return b"".join(frame.data for frame in wire.frames(chunk) if frame.stream is not wire.Stream.NOTE)
    except ValueError:
        return b""
