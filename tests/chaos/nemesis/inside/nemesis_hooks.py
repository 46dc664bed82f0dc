"""What a round changes in the real modules: named points at which a process may die or stall, a clock, a disk, a boot.

Standard library only. A **trap** is a file named like a point, in the round's folder ``traps``; the first process that
comes by takes it away by a rename, so that it fires once, and the renamed file says which points were hit.
"""

import functools
import os
import sys
import time
import uuid
from datetime import timedelta
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path

FOLDER = Path(os.environ.get("NEMESIS", "/nonexistent"))
KILLED = 137
JOURNAL = "bottool_runner.journal"
GATEWAY = ("sync", "package", "permit", "started", "output", "finish", "void", "hand_back")


def at(point):
    """Die or stall here when a trap is set."""
    fired = FOLDER / "fired" / f"{point}~{uuid.uuid4().hex}"
    try:
        os.rename(FOLDER / "traps" / point, fired)
    except OSError:
        return
    order, _, seconds = fired.read_text().partition(" ")
    if order == "die":
        os._exit(KILLED)
    time.sleep(float(seconds))


def around(owner, name, point):
    """Make a point before and after a method. ``point`` is text, or gives text for the arguments; empty: no point."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments, **named):
        said = point if isinstance(point, str) else point(*arguments)
        if not said:
            return original(*arguments, **named)
        at(f"{said}.before")
        answer = original(*arguments, **named)
        at(f"{said}.after")
        return answer

    setattr(owner, name, wrapped)


# One function for each module that is changed; it gets the module.


def journal(module):
    folder = module.AttemptFolder
    created = folder.create.__func__

    def create(cls, attempts, assignment):
        at("runner.create.before")
        made = created(cls, attempts, assignment)
        at("runner.create.after")
        return made

    folder.create = classmethod(create)
    for name in ("publish", "publish_once", "show"):
        around(folder, name, lambda _, what, *__: f"journal.{what}")
    around(folder, "delete", "journal.delete")
    written = module._write

    def write(path, data):
        check_disk("runner")
        written(path, data)

    module._write = write


def home(module):
    around(module.Home, "_put", lambda _, name, *__: f"runner.{name}")


def gateway(module):
    for name in GATEWAY:
        around(module.Gateway, name, f"gateway.{name}")


def handover(module):
    around(module.KeeperProcess, "hand_over", "runner.hand_over")


def backoff(module):
    """A round is short: leases last seconds, and so do the pauses between tries."""
    module.FIRST_SECONDS, module.LONGEST_SECONDS = 0.2, 2.0


def run(module):
    around(module, "start", "keeper.launch")


def output(module):
    around(module.Spool, "close", "keeper.spool-closed")


def process(module):
    """A machine that was cut from power comes back with another boot id."""
    real = module.boot_id

    def boot_id():
        try:
            return Path(os.environ["NEMESIS_BOOT"]).read_text()
        except (KeyError, OSError):
            return real()

    module.boot_id = boot_id


def database(module):
    """Before a write is asked for, inside its transaction, and after its commit, before anybody hears of it."""
    around(module.Store, "write", lambda _, work: f"server.{work.__qualname__.split('.')[0]}")
    in_savepoint = module._in_savepoint

    def limited(connection, work):
        check = (FOLDER / "full-server").exists()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() if check else 2**30
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        return in_savepoint(connection, work)

    module._in_savepoint = limited


def moves(module):
    taken = module.take

    def take(tx, scope, step):
        taken(tx, scope, step)
        at(f"server.inside.{step.kind}")

    module.take = take


def setup(module):
    """The server's wall clock, which somebody may set."""
    opened = module.open_site

    def open_site(settings):
        site = opened(settings)
        real = site.now
        object.__setattr__(site, "now", lambda: real() + timedelta(seconds=clock_offset()))
        return site

    module.open_site = open_site


def clock_offset():
    try:
        return float((FOLDER / "clock-offset").read_text() or 0)
    except (OSError, ValueError):
        return 0.0


def check_disk(whose):
    if (FOLDER / f"full-{whose}").exists():
        raise OSError(28, "No space left on device")


HOOKS = {
    JOURNAL: [journal],
    "bottool_runner.backoff": [backoff],
    "bottool_runner.home": [home],
    "bottool_runner.gateway": [gateway],
    "bottool_runner.handover": [handover],
    "bottool_runner.output": [output],
    "bottool.run": [run],
    "bottool.process": [process],
    "bottool_web.store.database": [database],
    "bottool_web.store.moves": [moves],
    "bottool_web.actions.setup": [setup],
}


def names(module):
    """Of the module and of the classes that it defines."""
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    return {*vars(module), *(f"{each.__name__}.{name}" for each in own for name in vars(each))}


class Changing(Loader):
    """Loads a module as it is, and changes it then."""

    def __init__(self, loader, changes):
        self._loader, self._changes = loader, changes

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        before = names(module)
        for change in self._changes:
            change(module)
        # A function that has another name by now would be changed without effect.
        if new := names(module) - before:
            raise AttributeError(f"'{module.__name__}' has no {sorted(new)} to change")

    def __getattr__(self, name):
        return getattr(self._loader, name)


class Finder(MetaPathFinder):
    def __init__(self, hooks):
        self._hooks = hooks

    def find_spec(self, name, path=None, target=None):
        if name not in self._hooks:
            return None
        for finder in sys.meta_path:
            found = finder.find_spec(name, path, target) if finder is not self else None
            if found is not None and found.loader is not None:
                found.loader = Changing(found.loader, self._hooks[name])
                return found
        return None


def install():
    hooks = {name: list(changes) for name, changes in HOOKS.items()}
    if mutant := os.environ.get("NEMESIS_MUTANT"):
        import nemesis_mutants

        for name, change in nemesis_mutants.MUTANTS[mutant].items():
            hooks.setdefault(name, []).append(change)
    sys.meta_path.insert(0, Finder(hooks))
