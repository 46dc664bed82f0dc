"""ONE attempt, told in order: fetch, prepare, ask, hand over, follow, report, delete.

Runs in a thread of its own. All that it must not forget is in the attempt's folder, so it may be dropped at any line
and begun again by ``settle``: after a restart of the runner, and after a failure that nobody foresaw. Knows neither how
work is got nor what else the runner does.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from bottool import wire
from bottool.environments import Cache
from bottool.errors import BottoolError, Conflict, NotFound
from bottool.model import Reason
from bottool_runner.backoff import Backoff
from bottool_runner.fetching import fetched
from bottool_runner.gateway import Closing
from bottool_runner.handover import KEEPERS_LOG, HandedPermit, KeeperProcess
from bottool_runner.journal import AttemptFolder, Intent, Next, NotPrepared, Process, Ticket, other_boot, settle
from bottool_runner.leftovers import silent_keeper, stop_processes
from bottool_runner.limits import LimitNews
from bottool_runner.sending import EvidenceSender, OutputSender
from bottool_runner.surroundings import Gone, Surroundings
from bottool_runner.system import is_locked, wait_until_unlocked

log = logging.getLogger("bottool.runner")

T = TypeVar("T")
State = Literal["preparing", "ready", "starting", "running", "reporting"]

_LOOK_SECONDS = 0.1
_FOLLOW_SECONDS = 0.1
"""Between two looks for new output; what else happens, the keeper tells at once."""
_LOCK_LOOK_SECONDS = 0.5
_KEEPER_END_SECONDS = 10.0
_STUCK_SECONDS = 30.0


class Execution:
    """``run`` is called once, in its own thread; the rest may be called from the runner's loop at any time."""

    def __init__(self, folder: AttemptFolder, around: Surroundings) -> None:
        self.folder = folder
        self.state: State = "preparing"
        self._around = around
        self._keeper: KeeperProcess | None = None
        self._gone = threading.Event()
        self._stop = threading.Event()
        self._unwanted = threading.Event()
        self.is_over = False
        """The server has heard all of it; what is left is to clear away, which takes no slot."""
        self.last_word = ""
        self.outcome: wire.Ended | None = None
        self._has_told_start = False
        self._looked_at_lock = 0.0
        self._output = OutputSender(folder.spool, self._send_output, self._say)
        self._limit = LimitNews(folder, self._tell_limit, Gone)
        self._evidence = EvidenceSender(folder, around.gateway)
        self._fault: NotPrepared | None = None
        self._backoff = Backoff()
        self._cache = Cache(around.cache)

    # For the runner's loop.

    def heed(self, verdict: str) -> None:
        """Take note of what the server said. ``interrupt`` is for the bot, which asks the server itself."""
        if verdict == "gone":
            self._gone.set()
        elif verdict == "stop":
            self._stop.set()
        if (keeper := self._keeper) is not None:
            keeper.wake()

    def give_back(self) -> None:
        """Do not start its bot, if that was not decided yet: the runner takes no work any more."""
        self._unwanted.set()

    def alive(self) -> wire.AttemptAlive:
        usage = self.folder.read("usage.json", dict[str, float]) if self.state == "running" else None
        return wire.AttemptAlive(
            task_id=self.folder.task_id, attempt=self.folder.attempt, state=self.state, usage=usage or {}
        )

    # The story.

    def run(self) -> None:
        """See the attempt to its end, or to the runner's: a bot that runs lives on under its keeper."""
        act: Callable[[], None] | None = self._see_through
        while act is not None:
            act = self._what_follows(act)
        self._cache.release()

    def _what_follows(self, act: Callable[[], None]) -> Callable[[], None] | None:
        try:
            act()
        except Gone:
            self._say("is no longer ours")
            return self._drop
        except Closing:
            return self._leave
        except Exception as error:  # noqa: BLE001 - one attempt must not end the runner, nor be forgotten
            self._say(f"stumbled: {error}", level=logging.ERROR, exc_info=True)
            if act == self._leave:
                return None
            return self._leave if self._around.closing.wait(self._backoff.next_seconds(error)) else act
        return None

    def _see_through(self) -> None:
        if self._keeper is not None:
            self._keeper.let_go()
        step = settle(self.folder)
        if step is Next.BEGIN:
            step = self._begin()
        while step is Next.FOLLOW:
            step = self._follow()
        if step is Next.DIED:
            self._end_leftovers()
            step = Next.REPORT
        if step is Next.HAND_BACK:
            self._hand_back()
        elif step is Next.VOID:
            self._report_void()
        elif step is Next.REPORT:
            self._report()
        self.is_over = True
        self._around.room_made()
        self._delete()

    def _begin(self) -> Next:
        """From nothing to a keeper that has the permit."""
        if self._unwanted.is_set():
            return self._prevented()
        try:
            keeper = self._prepare()
        except OSError as error:
            self._fault = NotPrepared(reason=f"this machine cannot prepare it: {error.strerror or error}")
            return Next.HAND_BACK
        if keeper is None and not self._stop.is_set():
            return Next.HAND_BACK
        permit = self._ask_permit() if keeper is not None else None
        if keeper is None or permit is None or self._stop.is_set():
            return self._prevented()
        self.state = "starting"
        self.folder.publish("intent", Intent(boot_id=self._around.boot_id))
        keeper.hand_over(
            HandedPermit(server=self._around.settings.server, workspace=permit.workspace, token=permit.token)
        )
        return Next.FOLLOW

    def _prevented(self) -> Next:
        """Nothing was handed over yet: decide that nothing will be."""
        self.folder.take_ticket(Ticket.VOID)
        return Next.VOID

    def _prepare(self) -> KeeperProcess | None:
        """A keeper that is ready for the permit; ``None`` when it could not prepare the bot, or need not any more."""
        self._let_go_of_keeper()
        self._clear_the_place()
        if not self._fetch_package():
            return None
        self._keeper = KeeperProcess(self.folder.path, self._around.nursery.begin)
        is_ready = self._await_ready(self._keeper)
        self._cache.release()  # the keeper has what it needs
        return self._keeper if is_ready else None

    def _clear_the_place(self) -> None:
        """A keeper of an earlier runner lost its pipe and is ending; wait for that, then remove what it made.

        Looking for processes means asking each one of the machine, so a folder that never had a keeper is left alone.
        """
        if not self.folder.has(KEEPERS_LOG):
            return
        if not wait_until_unlocked(self.folder.lock, _KEEPER_END_SECONDS):
            self._say("has an old keeper that does not end; it is killed", level=logging.WARNING)
        stop_processes(self.folder, self._around.boot_id)
        self.folder.wipe()

    def _fetch_package(self) -> bool:
        """Have the package in the cache; ``False`` when what arrives is another one, again and again."""
        assignment = self.folder.assignment()
        if assignment is None:
            raise ValueError(f"'{self.folder.path}' says nothing about its work")

        def download(target: Path) -> None:
            self._persist(lambda: self._around.gateway.package(*self.folder.key, target))

        path = fetched(self._cache, assignment.work, self.folder.path, download)
        if path is None:
            wanted = assignment.work.sha256
            self._fault = NotPrepared(reason=f"the package that the server sends is not {wanted}", permanent=True)
            return False
        self.folder.show("package", str(path))
        return True

    def _await_ready(self, keeper: KeeperProcess) -> bool:
        """``False`` when the keeper could not prepare the bot and it is known why, or when a person stops it."""
        # The keeper keeps this time itself, and says more about it; one that is stuck altogether cannot.
        deadline = time.monotonic() + self._around.settings.prepare_seconds + _STUCK_SECONDS
        while not self.folder.has("ready"):
            had_ended = keeper.has_ended()
            if self._stop.is_set() or self.folder.read("not_prepared", NotPrepared) is not None:
                return False
            late = time.monotonic() > deadline
            if late or (had_ended and not self.folder.has("ready")):
                self._fault = silent_keeper(self.folder, self._around.boot_id, is_late=late)
                return False
            self._pause(_LOOK_SECONDS)
        self.state = "ready"
        return True

    def _ask_permit(self) -> wire.Permit | None:
        """Ask until it is given, and again when the leases ran out meanwhile: this machine may have slept.

        ``None`` when it is refused. It may have been given before, with an answer that got lost, and the attempt called
        lost since; then only the word that nothing ran puts the task back.
        """
        while True:
            try:
                permit = self._persist(lambda: self._around.gateway.permit(*self.folder.key))
            except Gone:
                return None
            if self._around.leases_hold():
                return permit
            self._pause(_LOCK_LOOK_SECONDS)

    def _follow(self) -> Next:
        """Stay with a keeper that has the permit until it has ended; say what is to be done then."""
        self.state = "running" if self.folder.has("started") else "starting"
        while self._keeper_lives():
            self._tell_start()
            self._limit.look()
            self._output.send_all()
            self._evidence.now_and_then()
            if self._stop.is_set() and not self.folder.has("stop"):
                self.folder.publish("stop", "stop")
                self.folder.take_ticket(Ticket.VOID)  # succeeds only ahead of the keeper, and then nothing starts
            self._pause(_FOLLOW_SECONDS)
        return settle(self.folder)

    def _keeper_lives(self) -> bool:
        if self.folder.read("exit", wire.Ended) is not None:
            return False
        if self._keeper is not None:
            return not self._keeper.has_ended()
        now = time.monotonic()
        if now < self._looked_at_lock + _LOCK_LOOK_SECONDS:
            return True
        self._looked_at_lock = now
        return is_locked(self.folder.lock)

    # What is said to the server.

    def _tell_start(self) -> None:
        if self._has_told_start:
            return
        start = self.folder.read("started", Process)
        if start is not None:
            body = wire.Started(
                pid=start.pid,
                boot_id=start.boot_id,
                prepared_seconds=start.prepared_seconds,
                equipment=self._around.equipment.digest_of(self.folder),
            )
            self.state = "running"
            self._persist(lambda: self._around.gateway.started(*self.folder.key, body))
            self._has_told_start = True

    def _tell_limit(self, said: wire.LimitReached) -> None:
        self._persist(lambda: self._around.gateway.limit(*self.folder.key, said))

    def _send_output(self, offset: int, frames: bytes) -> int:
        return self._persist(lambda: self._around.gateway.output(*self.folder.key, offset, frames))

    def _hand_back(self) -> None:
        self.state = "reporting"
        fault = self._fault or self.folder.read("not_prepared", NotPrepared) or NotPrepared(reason="its keeper failed")
        self._say(f"could not be prepared: {fault.reason}", level=logging.WARNING)
        try:
            self._persist(lambda: self._around.gateway.hand_back(*self.folder.key, fault))
        except Gone:
            # A runner before this one may have got the permit, and then only the ticket proves that nothing ran.
            self._prevented()
            self._report_void()

    def _report_void(self) -> None:
        self.state = "reporting"
        self._persist(lambda: self._around.gateway.void(*self.folder.key, "the bot was not started"))
        self._say("is given back: its bot was not started")

    def _report(self) -> None:
        self.state = "reporting"
        self._tell_start()
        self._output.send_all()
        ended = self.folder.read("exit", wire.Ended)
        if ended is None:
            raise ValueError("the report is missing")
        self.outcome = ended
        finished = self._persist(lambda: self._around.gateway.finish(*self.folder.key, ended))
        self._evidence.at_end(self._failed, wanted=finished.evidence_wanted)
        exit_code = "" if ended.exit_code is None else f" with exit status {ended.exit_code}"
        self._say(f"ended: {ended.reason}{exit_code}")

    def _persist(self, call: Callable[[], T]) -> T:
        """Make a call until it is answered for good."""
        try:
            return self._around.gateway.persist(call, self._failed)
        except (Conflict, NotFound) as error:
            raise Gone from error

    def _failed(self, error: BottoolError) -> None:
        self._say(f"waits for the server: {error}", level=logging.WARNING)
        if self._gone.is_set():
            raise Gone

    # Endings.

    def _end_leftovers(self) -> None:
        """The keeper was killed: end what it left, and write the report that it could not write."""
        restarted = other_boot(self.folder, self._around.boot_id)
        left = () if restarted else stop_processes(self.folder, self._around.boot_id)
        message = "the machine was restarted while the bot ran" if restarted else "the bot's keeper was killed"
        ended = wire.Ended(
            report_key=uuid.uuid4().hex,
            reason=Reason.DIED.value,
            message=message,
            duration_seconds=self.folder.ran_seconds(),
            left_behind=list(left),
            output_bytes=self._output.size_bytes(),
        )
        self.folder.publish("exit", ended)

    def _drop(self) -> None:
        """Make sure that the bot does not run, and forget the attempt."""
        self.folder.take_ticket(Ticket.VOID)
        self.folder.publish("stop", "gone")
        if self._keeper is not None:
            self._keeper.let_go()
        assignment = self.folder.assignment()
        grace_seconds = assignment.work.grace_seconds if assignment else 0.0
        if not wait_until_unlocked(self.folder.lock, grace_seconds + _KEEPER_END_SECONDS):
            stop_processes(self.folder, self._around.boot_id)
        self._delete()

    def _leave(self) -> None:
        """The runner ends. What was not started is given back now if the server hears it, else at the next start."""
        if self.folder.has("intent") or not self.folder.take_ticket(Ticket.VOID):
            if self._keeper is not None:
                self._keeper.forget()
            return
        if self._keeper is not None:
            self._keeper.let_go()
        try:
            self._around.gateway.void(*self.folder.key, "the runner was stopped")
        except (Conflict, NotFound):
            pass
        except BottoolError as error:
            self._say(f"is given back at the next start: {error}", level=logging.WARNING)
            self._let_go_of_keeper()
            return
        self._delete()

    def _delete(self) -> None:
        """The server knows all; nobody needs the folder any more."""
        with contextlib.suppress(OSError):  # a full disk; then the folder's new name says the same
            self.folder.publish("acked", {})
        self._let_go_of_keeper()
        wait_until_unlocked(self.folder.lock, _KEEPER_END_SECONDS)
        self.folder.delete()

    def _let_go_of_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.let_go()
            if not self._keeper.collect(_KEEPER_END_SECONDS):
                self._keeper.forget()
            self._keeper = None

    def _pause(self, seconds: float) -> None:
        """Wait a moment or for news of the keeper, unless the attempt or the runner is at its end."""
        if self._gone.is_set():
            raise Gone
        wait = self._around.closing.wait if self._keeper is None else self._keeper.wait_for_news
        wait(seconds)
        if self._around.closing.is_set():
            raise Closing

    def _say(self, what: str, *, level: int = logging.INFO, exc_info: bool = False) -> None:
        self.last_word = what
        log.log(level, "task %s, attempt %s %s", *self.folder.key, what, exc_info=exc_info)
