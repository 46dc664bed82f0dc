"""Knows whether a folder is as it was when its package was built, by looking at its files instead of reading them.

A stamp holds the package and the state of all that it was made of: of each file and folder the time of change, size and
number. As with git's index, what was changed too shortly before the stamp was made may change again without showing
it; of such files the content counts, of such folders the names in them. Knows no language and builds nothing.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bottool.ignore_files import files_above
from bottool.model import Package, Problem, Severity
from bottool.sources import LeftOutGroup, Sources

_FORMAT = 1
_RACY_NS = 2_500_000_000
"""File systems round times, the coarsest to two seconds."""
_KEPT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a folder was. ``digest`` is of the state of ``paths``; ``doubtful`` what its times do not prove."""

    paths: tuple[str, ...]
    digest: str
    doubtful: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A package that was built. ``key`` is what it depends on beside the folder's files.

    ``lock_key`` is what the language said, which it reads from the folder: as long as that stays, so does it.
    """

    key: str
    lock_key: str
    state: State
    package: Package
    package_state: str
    problems: tuple[Problem, ...]
    left_out: tuple[str, ...]
    left_out_by_reason: tuple[LeftOutGroup, ...]


def look(folder: Path, sources: Sources, more: Iterable[str], now_ns: int) -> State:
    """The state of ``folder``; ``more`` are names of files in it that count too, though ``sources`` leaves them out.

    ``now_ns`` is the time before anything was looked at.
    """
    paths = {str(path) for path in sources.folders} | {str(path) for _, path in sources.files}
    paths |= {str(path) for path in files_above(folder)}
    known = {name for name, _ in sources.files}
    for name in more:
        if name not in known and (folder / name).is_file():
            here = folder / name
            paths |= {str(here), *(str(each) for each in here.parents if each.is_relative_to(folder))}
    ordered = tuple(sorted(paths))
    digest, changed = _digest(ordered)
    doubtful = {path: _content(path) for path, when in changed.items() if when > now_ns - _RACY_NS}
    return State(paths=ordered, digest=digest, doubtful=doubtful)


def renewed(state: State, now_ns: int) -> State:
    """A state that holds, with less that is doubtful: time has passed. ``now_ns`` is the time before it was checked."""
    _, changed = _digest(state.doubtful)
    doubtful = {
        path: content for path, content in state.doubtful.items() if changed.get(path, now_ns) > now_ns - _RACY_NS
    }
    return State(paths=state.paths, digest=state.digest, doubtful=doubtful)


def _digest(paths: Iterable[str]) -> tuple[str, dict[str, int]]:
    """Of the states of all paths; and when each was changed last."""
    states: list[tuple[int, ...]] = []
    changed: dict[str, int] = {}
    stat = os.stat
    for path in paths:
        try:
            found = stat(path)
        except OSError:
            states.append(())
            continue
        # The link count of a folder and its size change only with its time.
        states.append((found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode))
        changed[path] = max(found.st_mtime_ns, found.st_ctime_ns)
    return hashlib.sha256(repr(states).encode()).hexdigest(), changed


def _content(path: str) -> str:
    """Of a file its content, of a folder its names; empty when it is neither, or cannot be read."""
    try:
        if Path(path).is_dir():
            names = sorted(each.name for each in Path(path).iterdir())
            return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def holds(state: State) -> bool:
    """True when everything is as it was."""
    return _digest(state.paths)[0] == state.digest and all(
        _content(path) == content for path, content in state.doubtful.items()
    )


def state_of_file(path: Path) -> str:
    """Of one file, by its times, size and number; empty when it is not there."""
    return "" if not path.is_file() else _digest([str(path)])[0]


def place(cache: Path, *what: str) -> Path:
    """Where the stamp of a build is kept, which ``what`` names."""
    return cache / "builds" / f"{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]}.json"


def read(path: Path) -> Stamp | None:
    """A stamp that was kept; ``None`` when there is none, or none that can be read."""
    try:
        said = json.loads(path.read_bytes())
        return _of_json(said) if said.pop("format") == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, stamp: Stamp) -> None:
    """Keep a stamp; nothing is lost when that fails but time. The oldest of very many go."""
    said = {"format": _FORMAT, **_plain(stamp)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.stem}.{os.getpid()}.part")
        part.write_text(json.dumps(said, default=_plain, separators=(",", ":")), "utf-8")
        part.replace(path)
        kept = sorted(path.parent.glob("*.json"), key=lambda each: each.stat().st_mtime_ns)
        for old in kept[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _plain(value: Any) -> Any:
    """One level of a value of ours; ``asdict`` would copy every name of a large project."""
    return str(value) if isinstance(value, Path) else {each.name: getattr(value, each.name) for each in fields(value)}


def _of_json(said: dict[str, Any]) -> Stamp:
    package = said["package"]
    state = said["state"]
    return Stamp(
        key=said["key"],
        lock_key=said["lock_key"],
        state=State(paths=tuple(state["paths"]), digest=state["digest"], doubtful=state["doubtful"]),
        package=Package(**{**package, "path": Path(package["path"]), "notes": _problems(package["notes"])}),
        package_state=said["package_state"],
        problems=_problems(said["problems"]),
        left_out=tuple(said["left_out"]),
        left_out_by_reason=tuple(
            LeftOutGroup(**{**each, "names": tuple(each["names"])}) for each in said["left_out_by_reason"]
        ),
    )


def _problems(said: Iterable[dict[str, Any]]) -> tuple[Problem, ...]:
    return tuple(Problem(**{**each, "severity": Severity(each["severity"])}) for each in said)
