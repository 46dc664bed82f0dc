"""A round through the cache, in a process of its own and behind all others: look, shrink, make copies ahead.

``python -m bottool_runner.upkeep CACHE --limit BYTES --free BYTES``, one at a time per cache. May be killed at any
point. Says at its end what it did, as one line of JSON.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import msgspec
import psutil

from bottool import cache_use, working_folder
from bottool.environments import TREES
from bottool.locks import locked_if_free
from bottool.shelf import Shelf, Thing
from bottool.working_folder import SPARES

_MEASURE_SECONDS = 600.0
_SPARE_DAYS = 7
_MOST_SPARES = 16
_MOST_LABELS = 40
_LABEL = 200


class Done(msgspec.Struct, kw_only=True):
    """What a round did, in words for the log, and never more of them than a pipe holds."""

    damaged: list[str] = []
    removed: list[str] = []
    freed_bytes: int = 0
    spares: list[str] = []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bottool_runner.upkeep")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--free", type=int, required=True)
    said = parser.parse_args(arguments)
    _stand_behind()
    shelf = Shelf(said.cache)
    (shelf.root / "locks").mkdir(parents=True, exist_ok=True)
    with locked_if_free(shelf.root / "locks" / "upkeep.lock") as is_ours:
        if is_ours:
            done = go_round(shelf, limit_bytes=said.limit, free_bytes=said.free)
            done.damaged, done.removed, done.spares = (
                [label[:_LABEL] for label in names[:_MOST_LABELS]]
                for names in (done.damaged, done.removed, done.spares)
            )
            sys.stdout.write(msgspec.json.encode(done).decode() + "\n")
    return 0


def go_round(shelf: Shelf, *, limit_bytes: int, free_bytes: int) -> Done:
    """One round. Measures only when the last measurement is old, or the disk is nearly full."""
    done = Done()
    (shelf.root / SPARES / working_folder.WANTED).unlink(missing_ok=True)
    shelf.sweep()
    _look(shelf, done)
    known = cache_use.summary(shelf.root)
    is_old = known is None or not 0 <= time.time() - known.at < _MEASURE_SECONDS
    if known is None or is_old or cache_use.free(shelf.root) < free_bytes or known.size_bytes > limit_bytes:
        things = cache_use.measured(shelf)
        removed = cache_use.shrunk(shelf, things, limit_bytes=limit_bytes, free_bytes=free_bytes)
        done.removed = [f"{kept.thing.kind} {kept.label}" for kept in removed]
        done.freed_bytes = sum(kept.size_bytes for kept in removed)
        known = cache_use.summary(shelf.root)
    _make_spares(shelf, limit_bytes - (known.size_bytes if known else 0), free_bytes, done)
    return done


def _look(shelf: Shelf, done: Done) -> None:
    """Has a bot damaged what it used? What it uses now or has used since the last round is looked at."""
    mark = shelf.root / ".looked"
    since = mark.stat().st_mtime if mark.exists() else 0.0
    mark.touch()
    for thing in [each for kind in cache_use.MADE for each in shelf.things(kind)]:
        shelf.remove_stale(thing)
        folder = shelf.made(thing)
        if folder is None or (shelf.used_at(thing) < since and not shelf.in_use(thing)):
            continue
        about = shelf.about(thing)
        if not shelf.check(thing, folder):
            done.damaged.append(f"{thing.kind} {about.label if about else thing.key}")


def _make_spares(shelf: Shelf, room_bytes: int, free_bytes: int, done: Done) -> None:
    """For what was used of late, the latest first, as far as budget and disk have room."""
    oldest = time.time() - _SPARE_DAYS * 86400
    recent = sorted(shelf.things(TREES), key=shelf.used_at, reverse=True)[:_MOST_SPARES]
    for thing in recent:
        size_bytes = cache_use.wants_spare(shelf, thing) if shelf.used_at(thing) > oldest else 0
        if not size_bytes or size_bytes > min(room_bytes, cache_use.free(shelf.root) - free_bytes):
            continue
        with contextlib.suppress(OSError):
            if working_folder.make_spare(shelf, thing):
                done.spares.append(_label(shelf, thing))
                room_bytes -= size_bytes
    shelf.release()


def _label(shelf: Shelf, thing: Thing) -> str:
    about = shelf.about(thing)
    return about.label if about else thing.key


def _stand_behind() -> None:
    """Let bots have the processor and the disk first, where the system can tell."""
    own = psutil.Process()
    with contextlib.suppress(OSError, psutil.Error, AttributeError):
        if sys.platform == "win32":
            own.nice(psutil.IDLE_PRIORITY_CLASS)
        else:
            own.nice(19)
    with contextlib.suppress(OSError, psutil.Error, AttributeError, ValueError):
        if sys.platform == "linux":
            own.ionice(psutil.IOPRIO_CLASS_IDLE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
