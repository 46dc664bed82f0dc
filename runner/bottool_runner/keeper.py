"""The keeper: a process of its own for one attempt, which prepares the bot, starts it, and sees it to its end.

Forked by the nursery, or ``python -m bottool_runner.keeper FOLDER`` with the permit's pipe as input and the news' as
output. It speaks to its runner through the attempt's folder; it never speaks to the server. It outlives the runner.
Plugins run here, so one that crashes or hangs costs one task. It starts the bot only when it has the permit *and* the
start ticket, and takes the ticket at most once; a keeper whose runner died before it had the permit ends without a
trace.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import msgspec

from bottool import process, stopping, wire
from bottool.archive import read_manifest
from bottool.errors import ArchiveError, BottoolError, BuildError
from bottool.limits import Reached
from bottool.model import Installation, Outcome, Package, Reason, TaskContext, Usage
from bottool.platform_process import descendant_pids
from bottool.plugins import Plugins, one_line
from bottool_runner import equipment, fence
from bottool_runner.display import display_lock, take_display
from bottool_runner.evidence import Recorder
from bottool_runner.handover import KEEPERS_LOG, HandedPermit
from bottool_runner.journal import Assignment, AttemptFolder, NotPrepared, Process, Ticket
from bottool_runner.limits import limits_of, said_of, told_as
from bottool_runner.output import Spool
from bottool_runner.patience import Patience, TooLong
from bottool_runner.screens import BotScreen
from bottool_runner.system import FileLock, keep_pipes_to_myself

PluginsFor = Callable[[str], Plugins | None]
"""The plugins that are enough for a technology; ``None`` where that is not known, and then all are loaded."""

_LOCK_SECONDS = 30.0
"""Longer than a runner looks at the lock, and than a keeper before this one needs to end."""
_PUBLISH_SECONDS = 600.0
_ORPHANED = 3


class PermitPipe:
    """The end of the pipe from which the permit comes. ``lost`` is called when it ends without one."""

    def __init__(self, handle: int, lost: Callable[[], None]) -> None:
        self._handle = handle
        self._lost = lost
        self._came = threading.Event()
        self._permit: HandedPermit | None = None
        threading.Thread(target=self._read, name="permit", daemon=True).start()

    def wait(self) -> HandedPermit:
        """Block until the permit is here."""
        self._came.wait()
        if self._permit is None:
            raise ValueError("the pipe said that a permit came")
        return self._permit

    def _read(self) -> None:
        line = b""
        while not line.endswith(b"\n"):
            piece = _read(self._handle)
            if not piece:
                self._lost()
                return
            line += piece
        self._permit = msgspec.json.decode(line, type=HandedPermit)
        self._came.set()
        with contextlib.suppress(OSError):  # a plugin may have closed what is not its own
            os.close(self._handle)


def _read(handle: int) -> bytes:
    """``b""`` as well when the handle was closed by a stranger: then no permit can come any more."""
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""


class News:
    """The end of the pipe by which the runner learns that there is something new in the folder."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def tell(self) -> None:
        """A few times in a keeper's life, so that the pipe never fills up. The runner may be gone."""
        with contextlib.suppress(OSError):
            os.write(self._handle, b".")


def main(arguments: list[str]) -> int:
    """A keeper with a Python of its own. The exit status says nothing: the folder does."""
    permit, news = keep_pipes_to_myself()
    return keep(Path(arguments[0]).absolute(), permit, news)


def keep(path: Path, permit: int, news: int, plugins_for: PluginsFor = lambda _: None) -> int:
    """Keep the attempt in that folder, to the end of this process."""
    folder = AttemptFolder(path)
    screens: list[BotScreen] = []
    pipe = PermitPipe(permit, lost=lambda: _end_without_a_trace(screens))
    if not FileLock(folder.lock).acquire(_LOCK_SECONDS):  # held until this process ends
        return 1
    assignment = folder.assignment()
    if assignment is None:
        return 1
    screens.append(BotScreen(assignment.work.display, folder))
    try:
        Keeper(folder, assignment, (pipe, News(news)), screens[0]).keep(plugins_for)
    finally:
        screens[0].close()
    return 0


def _end_without_a_trace(screens: list[BotScreen]) -> None:
    """There will be no permit: end what prepares, and this process with it. What is half-made is known as such."""
    for screen in screens:
        screen.close()
    stopping.end(lambda: stopping.living(descendant_pids(os.getpid())), 0.0)
    os._exit(_ORPHANED)


class Keeper:
    def __init__(
        self, folder: AttemptFolder, assignment: Assignment, pipes: tuple[PermitPipe, News], screen: BotScreen
    ) -> None:
        self._folder = folder
        self._assignment = assignment
        self._pipe, self._news = pipes
        self._screen = screen
        self._recorder = Recorder(folder, screen)
        self._boot_id = process.boot_id()
        self._patience = Patience(folder.path / KEEPERS_LOG)
        self._fence = fence.Watch(folder, self._boot_id, fenced=assignment.work.fenced)
        self._spool = Spool(folder.spool, assignment.output_limit_bytes)
        self._told_to_end = threading.Event()
        self._prepared_seconds = 0.0
        self._phase = "prepare"
        self._has_started = False
        self._has_told_end = False

    def keep(self, plugins_for: PluginsFor) -> None:
        self._folder.show("keeper.pid", self._process_of(os.getpid(), 0.0))
        process.become_subreaper()
        try:
            self._patience.begin(self._assignment.prepare_seconds, self._give_up_preparing)
            plugins = plugins_for(self._assignment.work.technology) or Plugins.load()
            installation = self._prepare(plugins)
            self._patience.end()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a language's plugin may raise anything
            self._patience.end()
            self._folder.publish("not_prepared", not_prepared(error))
            traceback.print_exc()
            return
        if self._assignment.work.display.kind == "screen":
            take_display(display_lock(), self._spool.note)  # held until this process ends
        self._folder.show("ready", {"prepared_seconds": self._prepared_seconds})
        self._news.tell()
        permit = self._pipe.wait()
        who = Ticket.VOID if self._stop_requested() else Ticket.KEEPER
        if not self._folder.take_ticket(who) or who is Ticket.VOID:
            return
        self._publish_exit(self._launch(plugins, installation, permit))

    def _prepare(self, plugins: Plugins) -> Installation:
        from bottool.environments import Cache, make_ready

        began = time.monotonic()
        work = self._assignment.work
        path = Path(self._folder.read("package", str) or "")
        package = Package(
            path=path,
            bot_id=work.bot_id,
            version=work.version,
            language=plugins.for_technology(work.technology).name,
            sha256=work.sha256,
            size_bytes=work.size_bytes,
            manifest=read_manifest(path),
            command=work.command,
        )
        cache = Cache(Path(self._assignment.cache))  # what it gives is in use until this process ends
        installation = make_ready(plugins, package, cache, self._folder.bot, self._note)
        equipment.note(plugins, installation, cache.root, self._folder)
        self._screen.open()
        self._prepared_seconds = time.monotonic() - began
        return installation

    def _note(self, text: str) -> None:
        self._phase = "unpack" if text.startswith("unpacking ") else "environment"
        self._spool.note(text)

    def _launch(self, plugins: Plugins, installation: Installation, permit: HandedPermit) -> Outcome:
        from bottool.run import run

        work = self._assignment.work
        self._spool.hide(permit.token)
        self._recorder.secret = permit.token
        signal.signal(signal.SIGTERM, lambda *_: self._told_to_end.set())
        self._patience.begin(self._assignment.plugin_seconds, self._give_up_starting)
        try:
            outcome = run(
                plugins,
                installation,
                task=TaskContext(
                    server=permit.server, task_id=work.task_id, workspace=permit.workspace, token=permit.token
                ),
                limits=replace(limits_of(work), grace_seconds=self._fence.grace_seconds(work.grace_seconds)),
                output=self._spool.write,
                variables=self._screen.variables,
                stop_requested=self._stop_requested,
                started=self._publish_start,
                usage=self._show_usage,
                asking=self._publish_limit,
                ending=lambda: _unless_the_disk_is_full(self._recorder.ending),
                # Before any plugin looks at it: whatever happens to this process then, the bot's end is known.
                ended=lambda outcome: self._publish_exit(self._named_rightly(outcome)),
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the bot's end must be told
            self._patience.end()
            reason = Reason.DIED if self._has_started else Reason.NOT_LAUNCHED
            return Outcome(reason=reason, message=f"the keeper failed: {one_line(error)}")
        return self._named_rightly(outcome)

    def _named_rightly(self, outcome: Outcome) -> Outcome:
        """A bot that ended because the machine told its keeper to end was not stopped by a person."""
        if outcome.reason is not Reason.STOPPED or self._folder.has("stop"):
            return outcome
        if self._fence.has_passed():
            return replace(outcome, reason=Reason.FENCED, message=fence.MESSAGE)
        return replace(
            outcome, reason=Reason.DIED, message="its keeper was told to end, as when the machine shuts down"
        )

    def _stop_requested(self) -> bool:
        return self._told_to_end.is_set() or self._folder.has("stop") or self._fence.has_passed()

    def _publish_start(self, tree: process.ProcessTree) -> None:
        self._has_started = True
        self._patience.end()
        self._recorder.begin(tree)
        started = Process(
            pid=tree.pid,
            create_time=tree.create_time,
            boot_id=self._boot_id,
            prepared_seconds=round(self._prepared_seconds, 3),
            group=tree.group,
        )
        if self._fence.has_passed():  # since the ticket was taken, as when a plugin took its time over the start
            tree.stop(0.0)
        _unless_the_disk_is_full(lambda: self._folder.show("started", started))
        self._news.tell()

    def _show_usage(self, usage: Usage) -> None:
        _unless_the_disk_is_full(lambda: self._folder.show("usage.json", asdict(usage)))
        _unless_the_disk_is_full(lambda: self._recorder.sample(usage))

    def _publish_limit(self, reached: Reached) -> None:
        """The runner tells the server, and the bot reads there that it should end."""
        limit = said_of(reached)
        self._spool.note(f"{limit.message} and is asked to end")
        _unless_the_disk_is_full(lambda: self._folder.publish("limit", limit))

    def _publish_exit(self, outcome: Outcome) -> None:
        """Try for a long time: on a full disk the bot's end must not get lost as soon as there is room.

        The first end that is told counts; afterwards the runner may delete the folder at any moment.
        """
        if self._has_told_end:
            return
        self._patience.end()
        if outcome.reason not in {Reason.EXITED, Reason.NOT_LAUNCHED} and outcome.message:
            self._spool.note(outcome.message)
        self._spool.close()
        told = told_as(outcome, self._assignment.work)
        ended = ended_of(told, output_bytes=self._folder.spool.stat().st_size)
        deadline = time.monotonic() + _PUBLISH_SECONDS
        while True:
            try:
                self._folder.publish_once("exit", ended)
                self._has_told_end = True
                self._news.tell()
                # What plugins do from here on changes nothing any more.
                self._patience.begin(self._assignment.plugin_seconds, _end_at_last)
                return
            except OSError:
                if time.monotonic() > deadline or not self._folder.path.exists():
                    raise
                time.sleep(1.0)

    def _give_up_preparing(self, late: TooLong) -> None:
        """Called beside a main thread that hangs."""
        fault = NotPrepared(
            reason=f"it was not made ready within {late.seconds:g} seconds; it was at {late.where}",
            phase=self._phase,
            hint="the runner's option --prepare-limit sets that time",
            output=late.stack,
        )
        self._folder.publish("not_prepared", fault)
        _end_without_a_trace([self._screen])

    def _give_up_starting(self, late: TooLong) -> None:
        """Likewise. Nothing was started, or it is ended before that is told."""
        stopping.end(lambda: stopping.living(descendant_pids(os.getpid())), 0.0)
        reason = Reason.DIED if self._has_started else Reason.NOT_LAUNCHED
        message = f"a plugin took longer than {late.seconds:g} seconds over the start; it was at {late.where}"
        self._publish_exit(Outcome(reason=reason, message=message))
        os._exit(_ORPHANED)

    def _process_of(self, pid: int, otherwise: float) -> Process:
        return Process(pid=pid, create_time=process.create_time_of(pid) or otherwise, boot_id=self._boot_id)


def not_prepared(error: BaseException) -> NotPrepared:
    """What the server is told. Only an archive that is refused is refused everywhere."""
    if not isinstance(error, BottoolError):
        return NotPrepared(reason=one_line(error))
    ran = vars(error) if isinstance(error, BuildError) else error.details
    return NotPrepared(
        reason=one_line(error),
        permanent=isinstance(error, ArchiveError),
        phase=str(error.details.get("phase", "unpack" if isinstance(error, ArchiveError) else "prepare")),
        hint=error.hint,
        tool=ran.get("tool", ""),
        exit_status=ran.get("exit_status"),
        output=ran.get("output", ""),
    )


def _end_at_last(late: TooLong) -> None:
    """The bot's end is told, and a plugin that was told of it does not come to one."""
    sys.stderr.write(f"a plugin took longer than {late.seconds:g} seconds over the end of the bot\n{late.stack}\n")
    _end_without_a_trace([])


def ended_of(outcome: Outcome, *, output_bytes: int) -> wire.Ended:
    """The report of an outcome, with a key of its own: a repeated report is known by it."""
    return wire.Ended(
        report_key=uuid.uuid4().hex,
        reason=outcome.reason.value,
        exit_code=outcome.exit_code,
        duration_seconds=outcome.duration_seconds,
        message=outcome.message,
        left_behind=list(outcome.left_behind),
        output_bytes=output_bytes,
        peak=asdict(outcome.peak) if outcome.peak else {},
        steps=dict(outcome.steps),
    )


def _unless_the_disk_is_full(write: Callable[[], None]) -> None:
    """What people merely like to know must not end a bot that works."""
    try:
        write()
    except OSError:
        traceback.print_exc()


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # Not the interpreter's own way out: it waits for threads, and plugins may have left some.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
