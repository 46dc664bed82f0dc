"""The nemesis: what goes wrong next is drawn from a seed, and everything that it did is written down.

Each fault ends by itself after its time, so that several may hold at once; ``heal`` ends them all.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from nemesis.installation import USERS, Installation, Machine
from nemesis.proxy import Weather
from nemesis.users import Log

JOURNAL = [
    f"journal.{name}.{when}"
    for name in ("package", "keeper.pid", "ready", "intent", "start.ticket", "started", "exit", "acked", "delete")
    for when in ("before", "after")
]
RUNNER = [
    f"{name}.{when}"
    for name in (
        *("runner.create", "runner.claim.json", "runner.hand_over", "keeper.launch", "keeper.spool-closed"),
        *(f"gateway.{call}" for call in ("sync", "package", "permit", "started", "output", "finish", "void")),
    )
    for when in ("before", "after")
]
SERVER = [
    *(
        f"server.{name}.{when}"
        for name in ("create", "sync", "permit", "started", "void", "finish", "_act", "_each", "package_file")
        for when in ("before", "after")
    ),
    *(
        f"server.inside.{kind}"
        for kind in ("leased", "permitted", "started", "voided", "ended", "retried", "cancelled", "lease_lapsed")
    ),
]
POINTS = [*JOURNAL, *RUNNER, *SERVER]

KILLS = {"kill runner": 20, "kill server": 5, "kill keeper": 10, "kill bot": 8, "kill machine": 3, "crash point": 26}
OTHERS = {
    "stop runner": 2,
    "stop server": 1,
    "stop keeper": 2,
    "freeze machine": 2,
    "stall at point": 5,
    "cut": 3,
    "swallow": 2,
    "one way": 2,
    "bad network": 6,
    "fill runner's disk": 2,
    "fill server's disk": 1,
    "jump clock": 1,
}
EVERYTHING = KILLS | OTHERS
TRAP_SECONDS = 6
AT_BUSY = 0.7
MOST_AT_ONCE = 2
"""So many faults last at the same time: under more of them nobody would get anything done that could go wrong."""


@dataclass(kw_only=True)
class Nemesis:
    site: Installation
    log: Log
    draw: random.Random
    plan: dict[str, int] = field(default_factory=lambda: dict(EVERYTHING))
    """Faults by weight."""
    points: list[str] = field(default_factory=lambda: list(POINTS))
    did: "Counter[str]" = field(default_factory=Counter)
    _due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    _fired: int = 0
    _lasting: int = 0

    @property
    def kills(self) -> int:
        """Processes that were ended without being asked, at random and at named points."""
        return sum(count for name, count in self.did.items() if name.startswith("kill ")) + self._fired

    def strike(self) -> None:
        """Do one thing, if there is something to do it to."""
        self.settle()
        kinds = [each for each in self.plan if each in KILLS or self._lasting < MOST_AT_ONCE]
        if not kinds:
            return
        kind = self.draw.choices(kinds, [self.plan[each] for each in kinds])[0]
        done = getattr(self, f"_{kind.replace(' ', '_').replace(chr(39), '')}")()
        if done:
            self.did[kind] += 1
            self.log.write(fault=kind, what=done)

    def settle(self) -> None:
        """End what has lasted long enough, start again what died, count the traps that were sprung."""
        now = time.monotonic()
        over = [end for at, end in self._due if at <= now]
        self._due = [each for each in self._due if each[0] > now]
        for end in over:
            end()
        for name in self.site.revive():
            self.log.write(restarted=name)
        self._take_traps_away()
        self._count_fired()

    def heal(self) -> None:
        for _, end in self._due:
            end()
        self._due = []
        for trap in (self.site.folder / "traps").iterdir():
            trap.unlink(missing_ok=True)
        self.site.proxy.clear()
        self.settle()

    def _take_traps_away(self) -> None:
        """Those that nobody came by: too many would make every process die at its first step."""
        for trap in (self.site.folder / "traps").iterdir():
            with suppress(FileNotFoundError):
                if time.time() - trap.stat().st_mtime > TRAP_SECONDS:
                    trap.unlink()

    def _count_fired(self) -> None:
        died = [each for each in (self.site.folder / "fired").iterdir() if each.read_text() == "die"]
        for _ in range(len(died) - self._fired):
            self.did["died at point"] += 1
        self._fired = len(died)

    def _later(self, seconds: float, end: Callable[[], None]) -> None:
        def over() -> None:
            self._lasting -= 1
            end()

        self._lasting += 1
        self._due.append((time.monotonic() + seconds, over))

    def _machine(self) -> Machine:
        return self.site.machines[self.draw.choice(sorted(self.site.machines))]

    def _busy(self) -> Machine:
        """Rather one whose bots run: there a fault may do harm."""
        busy = [each for each in self.site.machines.values() if next(each.processes("started"), None)]
        return self.draw.choice(busy) if busy and self.draw.random() < AT_BUSY else self._machine()

    # Kills. Each says whom it hit; nothing when there was nobody.

    def _kill_runner(self) -> str:
        machine = self._busy()
        alive = self.site.starter.is_alive(machine.pid)
        return machine.name if alive and self.site.kill(machine.pid) else ""

    def _kill_server(self) -> str:
        alive = self.site.starter.is_alive(self.site.server_pid)
        return "server" if alive and self.site.kill(self.site.server_pid) else ""

    def _kill_keeper(self) -> str:
        return self._kill_one("keeper.pid")

    def _kill_bot(self) -> str:
        return self._kill_one("started")

    def _kill_one(self, name: str) -> str:
        machine = self._busy()
        found = list(machine.processes(name))
        if not found:
            return ""
        process = self.draw.choice(found)
        return f"{machine.name} {process.pid}" if self.site.kill(process.pid) else ""

    def _kill_machine(self) -> str:
        """All of a machine at once, and what comes back has another boot id."""
        machine = self._machine()
        if not self.site.starter.is_alive(machine.pid):
            return ""
        with suppress(psutil.Error):
            psutil.Process(machine.pid).suspend()  # so that it starts nothing meanwhile
        for _ in range(3):
            for process in self._all_of(machine):
                self.site.kill(process.pid)
        self.site.kill(machine.pid)
        self.site.starter.wait(machine.pid)
        for _ in range(3):
            for process in self._all_of(machine):
                self.site.kill(process.pid)
        machine.boots += 1
        machine.boot()
        return machine.name

    def _all_of(self, machine: Machine) -> list[psutil.Process]:
        """Runner, keepers, bots and what they started: all that have this machine's boot in their variables."""
        boot = str(self.site.folder / f"{machine.name}.boot")
        found = []
        for process in self.site.marked():
            with suppress(psutil.Error, OSError):
                if process.environ().get("NEMESIS_BOOT") == boot:
                    found.append(process)
        return found

    def _crash_point(self) -> str:
        return self._set_trap("die")

    def _stall_at_point(self) -> str:
        return self._set_trap(f"stall {self.draw.uniform(0.5, 6):.2f}")

    def _set_trap(self, order: str) -> str:
        point = self.draw.choice(self.points)
        trap = self.site.folder / "traps" / point
        fresh = self.site.folder / f".{point}"
        fresh.write_text(order)
        fresh.replace(trap)
        return f"{point} {order}"

    # Faults that last.

    def _stop_runner(self) -> str:
        machine = self._busy()
        return self._pause([machine.pid], self.draw.uniform(0.5, 9)) if self._is_up(machine) else ""

    def _stop_server(self) -> str:
        up = self.site.starter.is_alive(self.site.server_pid)
        return self._pause([self.site.server_pid], self.draw.uniform(0.5, 7)) if up else ""

    def _stop_keeper(self) -> str:
        found = list(self._machine().processes("keeper.pid"))
        return self._pause([self.draw.choice(found).pid], self.draw.uniform(0.5, 5)) if found else ""

    def _freeze_machine(self) -> str:
        machine = self._machine()
        if not self._is_up(machine):
            return ""
        return self._pause([process.pid for process in self._all_of(machine)], self.draw.uniform(1, 10))

    def _is_up(self, machine: Machine) -> bool:
        return self.site.starter.is_alive(machine.pid)

    def _pause(self, pids: list[int], seconds: float) -> str:
        def go_on() -> None:
            for pid in pids:
                _signal(pid, signal.SIGCONT)

        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        self._later(seconds, go_on)
        return f"{pids} for {seconds:.1f} s"

    def _cut(self) -> str:
        return self._weather(Weather(is_cut=True), self.draw.uniform(0.2, 9))

    def _swallow(self) -> str:
        return self._weather(Weather(swallows=True), self.draw.uniform(0.2, 9))

    def _one_way(self) -> str:
        return self._weather(Weather(is_deaf=True), self.draw.uniform(0.2, 6))

    def _bad_network(self) -> str:
        chance = self.draw.uniform
        weather = Weather(
            delay=self.draw.choice([0.0, 0.3, 2.0]),
            loses_answer=chance(0, 0.3),
            loses_request=chance(0, 0.2),
            repeats=chance(0, 0.5),
            repeats_after=chance(0.1, 5),
        )
        return self._weather(weather, self.draw.uniform(1, 8))

    def _weather(self, weather: Weather, seconds: float) -> str:
        name = self.draw.choice([USERS, *sorted(self.site.machines)])

        def clear() -> None:
            if self.site.proxy.lines[name].weather is weather:
                self.site.proxy.set(name, Weather())

        self.site.proxy.set(name, weather)
        self._later(seconds, clear)
        return f"{name} for {seconds:.1f} s: {weather}"

    def _fill_runners_disk(self) -> str:
        return self._flag("full-runner", self.draw.uniform(0.2, 3))

    def _fill_servers_disk(self) -> str:
        return self._flag("full-server", self.draw.uniform(0.2, 3)) if self.site.database == "sqlite" else ""

    def _flag(self, name: str, seconds: float) -> str:
        flag = self.site.folder / name
        flag.touch()
        self._later(seconds, lambda: flag.unlink(missing_ok=True))
        return f"{name} for {seconds:.1f} s"

    def _jump_clock(self) -> str:
        """The server's clock, forwards or backwards by up to two hours; it stays there."""
        offset = self.draw.choice([-1, 1]) * self.draw.choice([30, 600, 3600, 7200])
        fresh = self.site.folder / ".clock-offset"
        fresh.write_text(str(offset))
        fresh.replace(self.site.folder / "clock-offset")
        return f"{offset} s"

    def _kill_database(self) -> str:
        hit = self.site.postgres is not None and self.site.postgres.kill_a_backend(self.draw.random())
        return "a backend" if hit else ""


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
