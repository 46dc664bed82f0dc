"""A round: an installation at work under the nemesis, then a drain with everybody back, then a history in its folder."""

import json
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bottool.errors import BottoolError
from bottool_web.store.database import Store
from nemesis import history
from nemesis.bots import BOTS
from nemesis.checker import CHECKS, Violation, check
from nemesis.faults import EVERYTHING, POINTS, Nemesis
from nemesis.history import History
from nemesis.installation import Installation, wait_for
from nemesis.users import Log, Users, Wanted

DRAIN_SECONDS = 90
SURVIVOR_SECONDS = 10
LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``kills`` or ``seconds``, whichever comes first; ``every`` is the mean pause between two faults."""

    seed: int
    kills: int = 1_000_000
    seconds: float = 3600.0
    database: str = "sqlite"
    mutant: str = ""
    machines: int = 3
    every: float = 0.12
    kills_a_start: float = 2.0
    """So many kills for each bot that starts at most, or a slow machine would only ever restart."""
    open_tasks: int = 12
    tasks_a_change: float = 4.0
    faults: Mapping[str, int] = field(default_factory=lambda: EVERYTHING)
    points: Sequence[str] = tuple(POINTS)
    bots: Collection[str] = ()
    """Tasks of these only; empty: of all."""
    drain_seconds: float = DRAIN_SECONDS
    template: Path | None = None
    until: Collection[str] = ()
    """Stop as soon as one of these checks complains of the history so far."""


@dataclass(frozen=True, kw_only=True)
class Done:
    history: History
    violations: list[Violation]
    did: dict[str, int]
    kills: int
    fired: dict[str, int]
    """Crash points and stalls by name."""
    seconds: float


def make_template(folder: Path) -> Path:
    """An installation that is set up and stopped, for rounds to begin with."""
    folder.mkdir(parents=True)
    site = Installation(folder=folder, draw=random.Random(0))
    try:
        site.set_up_template()
    finally:
        site.close()
    return folder


def run(folder: Path, plan: Plan, say: Callable[[str], None] = lambda _: None) -> Done:
    """Leaves nothing running, whatever happens."""
    began = time.monotonic()
    draw = random.Random(plan.seed)
    folder.mkdir(parents=True, exist_ok=True)
    site = Installation(folder=folder, draw=draw, database=plan.database, mutant=plan.mutant)
    log, asked = Log(folder / "nemesis.jsonl"), Log(folder / "requests.jsonl")
    try:
        site.set_up(plan.machines, plan.template)
        nemesis = Nemesis(site=site, log=log, draw=draw, plan=dict(plan.faults), points=list(plan.points))
        if site.postgres is not None:
            nemesis.plan["kill database"] = 2
        _play(site, nemesis, plan, asked, say)
    finally:
        for each in (log, asked):
            each.close()
        site.close()
    found = history.load(folder)
    return Done(
        history=found,
        violations=check(found),
        did=dict(nemesis.did),
        kills=nemesis.kills,
        fired=found.round["fired"],
        seconds=time.monotonic() - began,
    )


def _play(site: Installation, nemesis: Nemesis, plan: Plan, asked: Log, say: Callable[[str], None]) -> None:
    store = Store(site.database_address)
    try:
        with site.client(site.port) as client:
            token = str(client._http.headers["Authorization"]).split()[1]
        bots = [bot for bot in BOTS if not plan.bots or bot.name in plan.bots]
        wanted = Wanted(bots=bots, open_tasks=plan.open_tasks, tasks_a_change=plan.tasks_a_change)
        users = Users(f"http://127.0.0.1:{site.users_port}", token, asked, nemesis.draw, wanted)
        users.begin()
        try:
            _torment(store, users, nemesis, plan, say)
        finally:
            nemesis.heal()
            users.end()
        drained = _drain(store, nemesis, plan.drain_seconds)
        say(f"drained in {drained:.1f} s")
        _settle_processes(site)
        site.wait_for_server()
        history.dump_outputs(f"http://127.0.0.1:{site.port}", token, store, site.folder)
        exits = site.stop()
        survivors = _survivors(site)
        history.dump_tables(store, site.folder)
        _write_round(site, nemesis, plan, {"exits": exits, "survivors": survivors, "drained_seconds": drained})
    finally:
        store.close()


def _torment(store: Store, users: Users, nemesis: Nemesis, plan: Plan, say: Callable[[str], None]) -> None:
    witness = nemesis.site.folder / "witness"
    wait_for(lambda: witness.stat().st_size, "the first bot starts")
    began = told = looked = time.monotonic()
    while nemesis.kills < plan.kills and time.monotonic() < began + plan.seconds:
        starts = witness.read_bytes().count(b"start ")
        if nemesis.kills <= plan.kills_a_start * starts:
            nemesis.strike()
        else:
            nemesis.settle()
        with suppress(BottoolError):
            users.open_tasks = history.waiting_or_running(store)
        if time.monotonic() > told + 10:
            told = time.monotonic()
            say(f"{told - began:5.0f} s  {nemesis.kills} kills, {users.created} tasks")
        if plan.until and time.monotonic() > looked + LOOK_SECONDS:
            looked = time.monotonic()
            if _complaints(store, nemesis, plan):
                return
        time.sleep(nemesis.draw.expovariate(1 / plan.every))


def _complaints(store: Store, nemesis: Nemesis, plan: Plan) -> bool:
    folder = nemesis.site.folder
    with suppress(BottoolError):
        history.dump_tables(store, folder)
        _write_round(nemesis.site, nemesis, plan, {"exits": {}, "survivors": [], "drained_seconds": 0})
        found = history.load(folder)
        return any(True for name in plan.until for _ in CHECKS[name](found))
    return False


def _drain(store: Store, nemesis: Nemesis, most_seconds: float) -> float:
    """Wait until every task has its result and every attempt its end; returns how long it took."""
    began = time.monotonic()
    while time.monotonic() < began + most_seconds:
        nemesis.settle()
        with suppress(BottoolError):
            if history.unsettled(store) == 0:
                break
        time.sleep(0.1)
    return time.monotonic() - began


def _settle_processes(site: Installation) -> None:
    """Keepers end and folders go a moment after their report was taken."""
    deadline = time.monotonic() + SURVIVOR_SECONDS
    while time.monotonic() < deadline and any(any(m.attempts.iterdir()) for m in site.machines.values()):
        time.sleep(0.05)


def _survivors(site: Installation) -> list[str]:
    deadline = time.monotonic() + SURVIVOR_SECONDS
    while (left := site.marked()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [_described(process) for process in left]


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:200]}"
    except psutil.Error:
        return str(process.pid)


def _write_round(site: Installation, nemesis: Nemesis, plan: Plan, more: dict[str, object]) -> None:
    automations = (site.folder / "automations.jsonl").read_text(encoding="utf-8").splitlines()
    by_label = {row["label"]: row["id"] for row in map(json.loads, automations)}
    fired: dict[str, int] = {}
    for path in (site.folder / "fired").iterdir():
        point = path.name.partition("~")[0]
        fired[point] = fired.get(point, 0) + 1
    said = {
        "seed": plan.seed,
        "database": plan.database,
        "mutant": plan.mutant,
        "slots": max(machine.slots for machine in site.machines.values()),
        "max_attempts": {str(by_label[bot.name]): bot.max_attempts for bot in BOTS},
        "clock_jumped": (site.folder / "clock-offset").exists(),
        "kills": nemesis.kills,
        "did": dict(nemesis.did),
        "fired": fired,
        **more,
    }
    (site.folder / "round.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
