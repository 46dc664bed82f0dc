"""The attempt's folder: all that runner and keeper say to each other, and all that is left when one of them dies.

Owns the names in the folder, how a file gets there (whole or not at all), the start ticket, and what a runner does with
a folder that it finds. Knows no server and starts no process. Format 1; a keeper of the release before reads it too.

    work.json     runner   what is to be done; nothing secret
    keeper.pid    keeper   which process it is, and since which boot
    lock          keeper   held for its whole life
    ready         keeper   prepared; or ``not_prepared``, with the reason
    intent        runner   the permit is about to be handed over
    start.ticket  one of them, by an atomic link: ``keeper`` (the bot may have started) or ``void`` (it never will)
    started       keeper   the bot's process
    spool         keeper   output, in frames
    usage.json    keeper   what the bot uses now
    limit         keeper   the limit that the bot reached; the server is to let the bot know
    screen.json   keeper   its virtual screen, with ``xauthority`` and ``screen.log``
    equipment.json, series.json, processes.json, screenshot.png
                  keeper   what people may want to know when it fails: see ``equipment`` and ``evidence``
    stop          runner   the bot is to end
    fence         runner   until when the bot may run without a word of the server, where that is limited
    exit          keeper   how the bot ended; the runner writes it for a keeper that was killed
    acked         runner   the server knows; the folder may go
"""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bottool import wire
from bottool.process import same_boot
from bottool_runner.settings import PLUGIN_SECONDS, PREPARE_SECONDS
from bottool_runner.system import is_locked, make_lasting

FORMAT = 1
T = TypeVar("T")
_NAME = re.compile(r"(\d+)-(\d+)")
_DOOMED = ".doomed-"
_UNFINISHED = ".new-"
_MADE_BY_KEEPER = (
    *("ready", "not_prepared", "keeper.pid", "spool", "usage.json", "limit", "stop", "keeper.log"),
    *("xauthority", "screen.log", "screen.json", "equipment.json"),
    *("series.json", "processes.json", "screenshot.png"),
)


class Assignment(msgspec.Struct, kw_only=True, frozen=True):
    """``work.json``: what the keeper must know to prepare the bot. Holds no secret."""

    format: int = FORMAT
    work: wire.Work
    cache: str
    output_limit_bytes: int
    prepare_seconds: float = PREPARE_SECONDS
    plugin_seconds: float = PLUGIN_SECONDS


class Process(msgspec.Struct, kw_only=True, frozen=True):
    """``keeper.pid`` and ``started``: a process, told apart from a later one with the same number."""

    pid: int
    create_time: float
    boot_id: str
    prepared_seconds: float = 0.0
    group: str = ""
    """The control group that holds the bot's processes, where there is one."""


class Intent(msgspec.Struct, kw_only=True, frozen=True):
    boot_id: str
    """Only a keeper of this boot can get the permit."""


class NotPrepared(wire.HandBack, kw_only=True, frozen=True):
    """``not_prepared``: what the runner tells the server."""


class Ticket(StrEnum):
    FREE = ""
    KEEPER = "keeper"
    VOID = "void"


class Next(StrEnum):
    """What a runner does with a folder whose keeper it does not hold by a pipe."""

    BEGIN = "begin"
    """Nobody was ever given the permit: prepare again, under the same attempt."""
    HAND_BACK = "hand back"
    VOID = "void"
    """The bot never ran and never will."""
    FOLLOW = "follow"
    REPORT = "report"
    DIED = "died"
    """The keeper was killed, or the machine restarted: end what is left, then report that."""
    DELETE = "delete"


class AttemptFolder:
    """One folder below ``attempts``; its name is ``<task id>-<attempt>``."""

    def __init__(self, path: Path) -> None:
        found = _NAME.fullmatch(path.name)
        if found is None:
            raise ValueError(f"'{path.name}' is no attempt's folder")
        self.path = path
        self.task_id, self.attempt = int(found[1]), int(found[2])

    @classmethod
    def create(cls, attempts: Path, assignment: Assignment) -> "AttemptFolder":
        """Make the folder with its ``work.json``, whole or not at all. It must not exist."""
        work = assignment.work
        folder = attempts / f"{work.task_id}-{work.attempt}"
        fresh = attempts / f"{_UNFINISHED}{folder.name}-{uuid.uuid4().hex}"
        fresh.mkdir(mode=0o700)
        _write(fresh / "work.json", msgspec.json.encode(assignment))
        make_lasting(fresh)
        fresh.rename(folder)
        make_lasting(attempts)
        return cls(folder)

    @property
    def name(self) -> str:
        return self.path.name

    def taken_at(self) -> float:
        """When the runner took it, in seconds since 1970; the same for every runner that finds it."""
        return self._written_at("work.json")

    def ran_seconds(self) -> float:
        """How long its bot was seen to run, for want of a keeper's word: until the last thing that the keeper wrote."""
        last = max(self._written_at("spool"), self._written_at("usage.json"))
        return max(0.0, last - self._written_at("started")) if self.has("started") else 0.0

    def _written_at(self, name: str) -> float:
        try:
            return (self.path / name).stat().st_mtime
        except OSError:
            return 0.0

    @property
    def spool(self) -> Path:
        return self.path / "spool"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def bot(self) -> Path:
        """The bot's own working folder."""
        return self.path / "bot"

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    def read(self, name: str, kind: type[T]) -> T | None:
        """What a file says; ``None`` when it is missing, torn, or says something else."""
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def assignment(self) -> Assignment | None:
        """``None`` as well when a runner that is newer than this one wrote it for another attempt or format."""
        said = self.read("work.json", Assignment)
        if said is None or said.format != FORMAT or (said.work.task_id, said.work.attempt) != self.key:
            return None
        return said

    @property
    def key(self) -> tuple[int, int]:
        """The fencing token."""
        return self.task_id, self.attempt

    def publish(self, name: str, content: Any) -> None:
        """Put a file in its place, whole, to last; replaces an older one."""
        with self._temporary(name, content) as fresh:
            fresh.replace(self.path / name)
        make_lasting(self.path)

    def publish_once(self, name: str, content: Any) -> bool:
        """Put a file in its place unless one is there; ``False`` then. Of two who try, exactly one succeeds."""
        with self._temporary(name, content) as fresh:
            try:
                _link(fresh, self.path / name)
            except FileExistsError:
                return False
        make_lasting(self.path)
        return True

    def show(self, name: str, content: Any) -> None:
        """As ``publish``, for what may be lost at a power cut."""
        fresh = self.path / f".{name}-{os.getpid()}"
        fresh.write_bytes(msgspec.json.encode(content))
        fresh.replace(self.path / name)

    @contextlib.contextmanager
    def _temporary(self, name: str, content: Any) -> Iterator[Path]:
        fresh = self.path / f".{name}-{uuid.uuid4().hex}"
        try:
            _write(fresh, msgspec.json.encode(content))
            yield fresh
        finally:
            fresh.unlink(missing_ok=True)

    def take_ticket(self, who: Ticket) -> bool:
        """Decide for ever whether the bot may have started. ``False`` when it was decided before."""
        return self.publish_once("start.ticket", who)

    def ticket(self) -> Ticket:
        """Who took it. One that cannot be read counts as the keeper's: then the bot may have started."""
        if not self.has("start.ticket"):
            return Ticket.FREE
        return self.read("start.ticket", Ticket) or Ticket.KEEPER

    def last_words(self) -> str:
        """The last line that the keeper itself printed."""
        try:
            lines = (self.path / "keeper.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else "its keeper said nothing"

    def wipe(self) -> None:
        """Remove what a keeper made that never had a permit, so that another may begin."""
        for name in _MADE_BY_KEEPER:
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.bot, ignore_errors=True)

    def delete(self) -> None:
        """Remove the folder. What cannot be removed now is taken away by ``clear`` at a later start."""
        doomed = self.path.with_name(f"{_DOOMED}{self.name}-{uuid.uuid4().hex}")
        with contextlib.suppress(OSError):
            self.path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def found(attempts: Path) -> list[AttemptFolder]:
    """The folders of attempts that a runner before this one left, oldest task first; removes what is half-made."""
    folders = []
    for path in attempts.iterdir():
        if path.name.startswith((_DOOMED, _UNFINISHED)):
            shutil.rmtree(path, ignore_errors=True)
        elif _NAME.fullmatch(path.name):
            folders.append(AttemptFolder(path))
    return sorted(folders, key=lambda folder: folder.key)


def settle(folder: AttemptFolder) -> Next:
    """What to do with a folder as it stands; may decide the start ticket. Repeating it gives the same, or later news.

    Only for a runner that holds no pipe to a keeper of this folder, or whose keeper has ended.
    """
    if folder.has("acked"):
        return Next.DELETE
    ticket = folder.ticket()
    if ticket is Ticket.FREE and not folder.has("intent"):
        if folder.read("not_prepared", NotPrepared) is not None:
            return Next.HAND_BACK
        if folder.assignment() is not None:
            return Next.BEGIN
    if ticket is Ticket.FREE:
        ticket = Ticket.VOID if folder.take_ticket(Ticket.VOID) else folder.ticket()
    return Next.VOID if ticket is Ticket.VOID else _after_the_ticket(folder)


def _after_the_ticket(folder: AttemptFolder) -> Next:
    """The keeper took the ticket. The order counts: it publishes the exit before it lets go of the lock.

    A held lock proves that the keeper lives, whatever is thought of the machine's boot: no lock survives that.
    """
    locked = is_locked(folder.lock)
    if folder.read("exit", wire.Ended) is not None:
        return Next.REPORT
    return Next.FOLLOW if locked else Next.DIED


def other_boot(folder: AttemptFolder, boot_id: str) -> bool:
    """True when the machine was started anew since the keeper was: nothing of it can live."""
    # Of the two only the intent is sure to be there after a power cut.
    known = (folder.read("intent", Intent), folder.read("keeper.pid", Process))
    return any(each is not None and not same_boot(each.boot_id, boot_id) for each in known)


def _write(path: Path, data: bytes) -> None:
    with open(path, "xb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name that must be free.

    A file system without links gets the next best: the name is still taken by exactly one, and if that one dies before
    the content is there, the torn file reads as "may have started".
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        _write(target, source.read_bytes())
