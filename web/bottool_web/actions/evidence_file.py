"""Everything that is known of a task that did not succeed, as one zip of files that people and programs can read."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import BottoolError, NotFound
from bottool_web.actions import changes
from bottool_web.actions.changes import Since
from bottool_web.actions.masking import masker_of
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import artifacts, events, evidence, output, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

MOST_LINES = 500
MOST_OUTPUT_BYTES = 2 * 1024 * 1024
_CHUNKS = 64
README = """What is known of task {task.id} of the automation '{task.automation}', which is {task.state}.

{message}
summary.json      the task, its outcome, its package with checksum, and what has changed since it last worked
changes.txt       the same changes as lines
output.txt        the last {lines} lines that the bot printed, on either stream
usage.csv         processor, memory, processes and open files of the whole process tree, from its start on
processes.txt     the process tree as it was seen last, {tree_at:g} s after the start
environment.json  the language, the interpreter, the system and what was installed
parameters.json   the task's parameters; what is named like a secret is hidden
events.txt        what happened to the task, oldest first
screenshot.png    what the bot's screen showed at its end, where it had one

A file that is missing here is one of which nothing is known. Times are UTC. Secrets that the bot has read from the
server are masked in all of them; what else its output and its screen show was not looked at.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All of it, as it was read in one look."""

    task: wire.Task
    ran: Row | None
    told: wire.AttemptEvidence
    picture: wire.Artifact | None
    events: list[wire.Event]
    since: Since
    chunks: list[Row]


@action("output.read")
def pack(site: Site, who: Principal, task_id: int, attempt: int | None = None) -> tuple[str, Iterator[bytes]]:
    """The name of the file and its bytes, whatever state the task is in. Without ``attempt`` the newest one's.

    :raises NotFound: when there is no such task or attempt.
    """
    known = site.store.read(lambda tx: _known(tx, who, task_id, attempt))
    masker = masker_of(site, who, known.ran.attempt_id) if known.ran is not None else None
    masked: Callable[[str], str] = masker.text if masker is not None else str
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in _texts(site, known):
            file.writestr(_named(known, name), masked(text))
        if (picture := _picture(site, known)) is not None:
            file.writestr(_named(known, "screenshot.png"), picture, zipfile.ZIP_STORED)
    return f"task-{task_id}-evidence.zip", iter([packed.getvalue()])


def _named(known: Known, name: str) -> zipfile.ZipInfo:
    ended = known.task.ended_at or known.task.changed_at
    info = zipfile.ZipInfo(f"task-{known.task.id}/{name}", ended.astimezone(UTC).timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _known(tx: sa.Connection, who: Principal, task_id: int, number: int | None) -> Known:
    row = tasks.row(tx, who.scope, task_id)
    ran = evidence.ran(tx, who.scope, row, number)
    if ran is None and number is not None:
        raise NotFound(f"task {task_id} has no attempt {number}", f"its newest is {row.attempt}")
    kept = evidence.find(tx, who.scope, ran.attempt_id) if ran is not None else None
    return Known(
        task=tasks.get(tx, who.scope, task_id),
        ran=ran,
        told=msgspec.convert(kept.told if kept is not None else {}, wire.AttemptEvidence, strict=False),
        picture=_artifact(tx, who, kept.artifact_id) if kept is not None else None,
        events=events.of_task(tx, who.scope, task_id),
        since=changes.since_it_worked(tx, who, row),
        chunks=output.last_chunks(tx, who.scope, ran.attempt_id, limit=_CHUNKS) if ran is not None else [],
    )


def _artifact(tx: sa.Connection, who: Principal, artifact_id: int | None) -> wire.Artifact | None:
    """``None`` as well when somebody has taken it away."""
    try:
        return artifacts.get(tx, who.scope, artifact_id) if artifact_id is not None else None
    except NotFound:
        return None


def _texts(site: Site, known: Known) -> Iterator[tuple[str, str]]:
    task, told = known.task, known.told
    message = f"{task.message}\n" if task.message else ""
    yield (
        "README.txt",
        README.format(task=task, message=message, lines=MOST_LINES, tree_at=told.processes_at),
    )
    yield "summary.json", _json(_summary(known))
    yield "changes.txt", "\n".join(_change_lines(known.since)) + "\n"
    if known.chunks:
        yield "output.txt", _last_lines(site, known)
    if told.usage:
        yield "usage.csv", _csv(told.usage)
    if told.processes:
        yield "processes.txt", _tree(told.processes)
    if known.ran is not None and known.ran.told is not None:
        yield "environment.json", _json(known.ran.told)
    yield "parameters.json", _json({label: _plain(label, value) for label, value in task.parameters.items()})
    yield "events.txt", "".join(_event_line(event) for event in known.events)


def _plain(label: str, value: Any) -> Any:
    return changes.HIDDEN if changes.shown(label, value) == changes.HIDDEN else value


def _summary(known: Known) -> dict[str, Any]:
    ran, since = known.ran, known.since
    plain: dict[str, Any] = msgspec.to_builtins(known.task)
    del plain["parameters"]
    return {
        "task": plain,
        "package": {"version": ran.version, "file_name": ran.file_name, "sha256": ran.sha256} if ran else None,
        "runner": ran.machine_id if ran else None,
        "last_worked": since.task_id,
        "changes": [msgspec.to_builtins(change) for change in since.changes],
        "not_compared": list(since.unknown),
        "notes": known.told.notes,
    }


def _change_lines(since: Since) -> Iterator[str]:
    if since.task_id is None:
        yield "No task of this automation before this one succeeded, so there is nothing to compare."
        return
    yield f"Since task {since.task_id}, the last one that succeeded:"
    yield from (f"  {change.line}" for change in since.changes)
    if not since.changes:
        yield "  nothing that is known has changed"
    if since.unknown:
        yield f"  not known of both, so not compared: {', '.join(since.unknown)}"


def _last_lines(site: Site, known: Known) -> str:
    """From the end back, until there are enough lines or bytes."""
    attempt_id = known.ran.attempt_id if known.ran is not None else 0
    parts: list[bytes] = []
    size = lines = 0
    for row in reversed(known.chunks):
        printed = _printed(site.files.read_chunk(attempt_id, row.start)[: row.size_bytes])
        parts.insert(0, printed)
        size, lines = size + len(printed), lines + printed.count(b"\n")
        if lines > MOST_LINES or size > MOST_OUTPUT_BYTES:
            break
    text = b"".join(parts)[-MOST_OUTPUT_BYTES:].decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-MOST_LINES:]) + "\n"


def _printed(chunk: bytes) -> bytes:
    """What was printed, and bottool's own notes as lines; nothing of a damaged chunk."""
    try:
        return b"".join(
            b"[bottool] " + frame.data + b"\n" if frame.stream is wire.Stream.NOTE else frame.data
            for frame in wire.frames(chunk)
        )
    except ValueError:
        return b""


def _csv(points: list[wire.UsagePoint]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seconds", "cpu_percent", "memory_bytes", "processes", "open_files"])
    writer.writerows([each.at, each.cpu_percent, each.memory_bytes, each.processes, each.open_files] for each in points)
    return text.getvalue()


def _tree(processes: list[wire.SeenProcess]) -> str:
    """One line each, children below their parents and moved in."""
    known = {each.pid for each in processes}
    children: dict[int, list[wire.SeenProcess]] = {}
    for each in processes:
        children.setdefault(each.parent if each.parent in known and each.parent != each.pid else 0, []).append(each)
    lines = ["    PID  MEMORY MB  CPU s  STATUS      COMMAND"]
    waiting = [(each, 0) for each in reversed(children.pop(0, []))]
    while waiting:
        each, depth = waiting.pop()
        memory = each.memory_bytes / 2**20
        command = " ".join((each.command or each.name).split())
        start = f"{each.pid:>7}  {memory:>9.1f}  {each.cpu_seconds:>5.1f}  {each.status:<10}  "
        lines.append(start + "  " * min(depth, 20) + command)
        waiting += [(child, depth + 1) for child in reversed(children.pop(each.pid, []))]
    return "\n".join(lines) + "\n"


def _event_line(event: wire.Event) -> str:
    moved = f" {event.old} -> {event.new}" if event.new and event.new != event.old else ""
    detail = f" {json.dumps(event.detail, ensure_ascii=False, default=str)}" if event.detail else ""
    attempt = f" attempt {event.attempt}" if event.attempt else ""
    return f"{event.at.isoformat(timespec='milliseconds')} {event.kind}{attempt}{moved} by {event.actor}{detail}\n"


def _picture(site: Site, known: Known) -> bytes | None:
    if known.picture is None or known.picture.state != "stored":
        return None
    try:
        return site.files.artifact(known.picture.sha256).read_bytes()
    except (BottoolError, OSError):
        return None


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
