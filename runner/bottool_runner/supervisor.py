"""The runner process: one session, one loop. Takes work into free slots, and hears of everything through one queue.

Owns which attempts are in hand and when the process ends. Signals only put a word into the queue. Knows neither what an
attempt does (``execution``) nor when a call is made (``sync``).
"""

import logging
import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import msgspec

from bottool import wire
from bottool.errors import BottoolError, PluginError, Unauthorized
from bottool.process import boot_id
from bottool_runner import fence, machine
from bottool_runner.budget import Budget
from bottool_runner.conf_bcf import stamp
from bottool_runner.duty import Duty
from bottool_runner.equipment import Teller
from bottool_runner.execution import Execution
from bottool_runner.gateway import Gateway
from bottool_runner.hands import Hands
from bottool_runner.home import Home, Identity
from bottool_runner.journal import Assignment, AttemptFolder, found
from bottool_runner.settings import RunnerSettings
from bottool_runner.status import Board, Status
from bottool_runner.surroundings import Surroundings
from bottool_runner.sync import Answer, HeldCall
from bottool_runner.system import signals_to_end, steady_clock

log = logging.getLogger("bottool.runner")

_FAREWELL_SECONDS = 15.0
_LOOK_SECONDS = 1.0
_DISK_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An execution's thread is at its end."""

    key: tuple[int, int]


class RoomMade:
    """The server has heard all of an attempt: its slot is free, though its folder is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What this machine can do."""

    abilities: wire.Capabilities


class EndPlease:
    """Somebody wants the runner to end."""


Event = Answer | Ended | Learned | RoomMade | EndPlease


class Supervisor:
    """Made for one run. ``home`` is open, and ``identity`` has a token."""

    def __init__(self, settings: RunnerSettings, home: Home, identity: Identity) -> None:
        self._settings = settings
        self._home = home
        self._identity = identity
        self._abilities = home.abilities()
        self._session_id = uuid.uuid4().hex
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._gateway = Gateway(settings.server, identity.token, self._closing)
        self._call = HeldCall(send=self._gateway.sync, deliver=self._events.put, clock=steady_clock)
        self._claim_key = home.claim_key()
        self._executions: dict[tuple[int, int], tuple[Execution, threading.Thread]] = {}
        self._budget = Budget(
            settings.cache,
            home.folder,
            limit_bytes=settings.cache_limit_bytes,
            floor_bytes=settings.disk_floor_bytes,
        )
        self._taken = 0
        self._is_connected: bool | None = None
        self._has_learned = False
        self._conf_stamp = stamp(settings.conf) if settings.conf else (0, 0)
        self._connection = ""
        self._started_at = time.time()
        self._duty = Duty(settings, home.folder, time.monotonic)
        self._board = Board(home.folder)
        self._hands = Hands()
        self._around = Surroundings(
            settings=settings,
            gateway=self._gateway,
            cache=settings.cache,
            boot_id=boot_id(),
            closing=self._closing,
            leases_hold=lambda: self._call.leases_hold,
            equipment=Teller(self._gateway),
            room_made=lambda: self._events.put(RoomMade()),
        )

    def end_please(self) -> None:
        """Ask the runner to end; from any thread or signal handler. Bots that run live on under their keepers."""
        self._events.put(EndPlease())

    def run(self) -> int:
        """Work until asked to end, or until ``duty`` ends it; returns how many attempts were seen to their end.

        :raises Unauthorized: when the server does not take this runner's token.
        """
        self._around.nursery.warm_up()
        for folder in found(self._home.attempts):
            self._see_to(folder)
        threading.Thread(target=self._learn, name="learn", daemon=True).start()
        ended = 0
        try:
            while not self._is_done(ended):
                self._show()
                event = self._next_event()
                if isinstance(event, EndPlease):
                    break
                if isinstance(event, Ended):
                    self._forget(event.key)
                    self._budget.attempt_ended()
                    ended += 1
                elif isinstance(event, RoomMade):
                    self._call.room_made()
                elif isinstance(event, Learned):
                    self._remember(event.abilities)
                elif event is not None:
                    self._take(event)
        finally:
            self._close()
        return ended

    def _is_done(self, ended: int) -> bool:
        if self._duty.listen():
            self._call.hurry()
        why = self._duty.ends(len(self._executions), ended)
        if why:
            log.info("the runner ends: %s", why)
        return bool(why)

    def _forget(self, key: tuple[int, int]) -> None:
        execution, _ = self._executions.pop(key)
        self._call.room_made()
        self._board.add(self._hands.let_go(execution))

    def _show(self) -> None:
        able = self._abilities or wire.Capabilities()
        self._board.show(
            Status(
                pid=os.getpid(),
                machine_id=self._identity.machine_id,
                server=self._settings.server,
                workspace=self._identity.workspace,
                version=machine.version(),
                started_at=self._started_at,
                mode=self._duty.mode,
                reason=self._duty.reason,
                unready=self._budget.lacking,
                connected=self._is_connected is True,
                connection=self._connection,
                slots=self._settings.slots,
                languages=able.languages,
                display=able.display,
                tags=able.tags,
                conf=str(self._settings.conf or ""),
                in_hand=[self._hands.shown(execution) for execution, _ in self._executions.values()],
            )
        )

    def _next_event(self) -> Event | None:
        self._budget.tick()
        wait_seconds = self._call.tick(self._message)
        try:
            # Never without a limit: on Windows a wait for ever does not notice Ctrl-C.
            return self._events.get(timeout=min(_LOOK_SECONDS, wait_seconds or _LOOK_SECONDS))
        except queue.Empty:
            return None

    # What this machine can do. Bots that run are seen to before that is known; work is not taken.

    def _learn(self) -> None:
        """Look again and again, in a thread of its own: languages, tools and screens come and go."""
        is_over, was_changed = False, False
        while not is_over:
            try:
                abilities = machine.capabilities(self._settings.tags)
            except (PluginError, OSError) as error:
                log.warning("what this machine can run is not known: %s", error)
                abilities = self._abilities or wire.Capabilities()
            self._events.put(Learned(abilities=abilities))
            is_over = self._closing.wait(self._settings.learn_seconds)
            was_changed = was_changed or self._tell_of_change()

    def _tell_of_change(self) -> bool:
        conf = self._settings.conf
        if conf is None or stamp(conf) == self._conf_stamp:
            return False
        log.warning("'%s' was changed; this runner goes by what it said at its start: start it again", conf)
        return True

    def _remember(self, abilities: wire.Capabilities) -> None:
        if abilities != self._abilities or not self._has_learned:
            display = f"; screen: {abilities.screen.described()}" if abilities.screen else ""
            can = ", ".join(abilities.languages) or "nothing yet"
            log.info("'%s' can run: %s%s", self._identity.machine_id, can, display)
        self._has_learned = True
        if abilities != self._abilities:
            self._abilities = abilities
            self._home.remember_abilities(abilities)
            self._call.hurry()

    # What is said.

    def _message(self) -> wire.Sync:
        free = self._free_slots()
        return wire.Sync(
            session_id=self._session_id,
            installation_id=self._identity.installation_id,
            claim_key=self._claim_key if free else "",
            free_slots=free,
            slots=self._settings.slots,
            hold_seconds=self._settings.hold_seconds,
            draining=not self._duty.takes_work,
            paused=self._duty.is_paused,
            reason=self._duty.reason,
            capabilities=self._capabilities(),
            hostname=machine.hostname(),
            system=machine.system(),
            version=machine.version(),
            attempts=[execution.alive() for execution in self._busy()],
            fences=True,
        )

    def _capabilities(self) -> wire.Capabilities:
        """What this machine can do, and why it takes no task at this moment."""
        reasons = [self._budget.lacking] if self._budget.lacking else []
        return msgspec.structs.replace(self._abilities or wire.Capabilities(), unready=reasons)

    def _free_slots(self) -> int:
        if self._abilities is None or self._budget.lacking:
            return 0
        # What is being cleared away takes no slot, unless so much of it is that the disk does not keep up.
        in_hand = max(len(self._busy()), len(self._executions) - self._settings.slots)
        return self._duty.room(in_hand, self._taken)

    def _busy(self) -> list[Execution]:
        return [execution for execution, _ in self._executions.values() if not execution.is_over]

    # What is heard.

    def _take(self, answer: Answer) -> None:
        synced = self._call.take(answer)
        if synced is None:
            self._lost_contact(answer.error)
            return
        if self._is_connected is not True:
            log.info("connected to %s as '%s'", self._settings.server, self._identity.machine_id)
        self._is_connected, self._connection = True, ""
        for verdict in synced.verdicts:
            known = self._executions.get((verdict.task_id, verdict.attempt))
            if known is not None:
                known[0].heed(verdict.verdict)
                if verdict.verdict != "gone":
                    self._draw_fence(known[0].folder, answer, synced)
        if synced.work:
            self._accept(answer, synced)
        elif synced.claim_key_used and answer.claim_key == self._claim_key:
            self._claim_key = self._home.new_claim_key()

    def _lost_contact(self, error: Exception | None) -> None:
        if isinstance(error, Unauthorized):
            raise error
        if self._is_connected is not False:
            hint = f" ({error.hint})" if isinstance(error, BottoolError) and error.hint else ""
            log.warning("no contact with %s: %s%s; trying on", self._settings.server, error, hint)
        self._is_connected, self._connection = False, str(error)

    def _draw_fence(self, folder: AttemptFolder, answer: Answer, synced: wire.Synced) -> None:
        fence.draw(folder, self._around.boot_id, sent_at=answer.sent_at, lease_seconds=synced.lease_seconds)

    def _accept(self, answer: Answer, synced: wire.Synced) -> None:
        """Write the work down; only then is any of it done. Meanwhile the claim key is put away, before the next call.

        Found at a start beside work that it has brought, a key is not used again, so the two may lie here together.
        """
        try:
            for work in filter(self._is_new, synced.work):
                folder = self._write_down(work)
                log.info("task %s, attempt %s taken", *folder.key)
                self._draw_fence(folder, answer, synced)
                self._see_to(folder)
            if answer.claim_key == self._claim_key:
                self._claim_key = self._home.new_claim_key()
        except OSError as error:
            # The server gives it again for the same key, or to another runner when the lease has ended.
            log.error("work cannot be written down: %s", error)  # noqa: TRY400 - no trace for a full disk
            self._call.rest(_DISK_SECONDS)

    def _is_new(self, work: wire.Work) -> bool:
        return not (self._home.attempts / f"{work.task_id}-{work.attempt}").exists()

    def _write_down(self, work: wire.Work) -> AttemptFolder:
        settings = self._settings
        assignment = Assignment(
            work=work,
            cache=str(settings.cache),
            output_limit_bytes=settings.output_limit_bytes,
            prepare_seconds=settings.prepare_seconds,
            plugin_seconds=settings.plugin_seconds,
        )
        return AttemptFolder.create(self._home.attempts, assignment)

    def _see_to(self, folder: AttemptFolder) -> None:
        self._hands.take(folder)
        execution = Execution(folder, self._around)
        if not self._duty.takes_work:
            # A call that was under way when the wish came has brought it.
            execution.give_back()
        thread = threading.Thread(target=self._execute, args=(execution,), name=f"attempt {folder.name}", daemon=True)
        self._executions[folder.key] = (execution, thread)
        self._taken += 1
        thread.start()

    def _execute(self, execution: Execution) -> None:
        try:
            execution.run()
        finally:
            self._events.put(Ended(key=execution.folder.key))

    def _close(self) -> None:
        """Let every attempt come to rest: what was not started is given back, what runs is left to its keeper."""
        self._closing.set()
        self._budget.close()
        deadline = time.monotonic() + _FAREWELL_SECONDS
        for _, thread in list(self._executions.values()):
            thread.join(max(0.0, deadline - time.monotonic()))
        self._around.nursery.close()
        self._gateway.close()
        self._show()


def end_on_signals(end_please: Callable[[], None]) -> None:
    """Let Ctrl-C and its like ask for the end; a second one ends the process at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        end_please()

    for number in signals_to_end():
        signal.signal(number, handle)
