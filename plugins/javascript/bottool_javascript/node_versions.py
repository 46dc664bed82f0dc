"""Finds every Node.js on this machine, and knows their versions without starting them twice.

Looks where version switchers keep theirs. A version stands in the folder's name there; of any other program it is asked
once, and the answer kept with size and time of the program. Installs nothing.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_SECONDS = 10
_KEPT = "node-versions.json"
_IS_WINDOWS = sys.platform == "win32"
_PROGRAM = "node.exe" if _IS_WINDOWS else "bin/node"


def switchers(variables: Mapping[str, str]) -> Iterator[str]:
    """Patterns of programs below folders that bear a version's number, ``{base}`` given."""
    home = variables.get("HOME") or variables.get("USERPROFILE") or str(Path("~").expanduser())
    data = variables.get("XDG_DATA_HOME") or f"{home}/.local/share"
    nvm = variables.get("NVM_DIR") or f"{home}/.nvm"
    volta = variables.get("VOLTA_HOME") or f"{home}/.volta"
    yield f"{nvm}/versions/node/*/bin/node"
    yield f"{volta}/tools/image/node/*/{_PROGRAM}"
    for fnm in filter(None, (variables.get("FNM_DIR"), f"{data}/fnm", f"{home}/.fnm", variables.get("APPDATA", ""))):
        inner = f"{fnm}/fnm" if fnm == variables.get("APPDATA") else fnm
        yield f"{inner}/node-versions/*/installation/{_PROGRAM}"
    if _IS_WINDOWS:
        yield f"{variables.get('NVM_HOME') or variables.get('APPDATA', home) + '/nvm'}/v*/node.exe"
        yield f"{variables.get('ProgramFiles', 'C:/Program Files')}/nodejs/node.exe"
        return
    yield f"{variables.get('ASDF_DATA_DIR') or f'{home}/.asdf'}/installs/nodejs/*/bin/node"
    yield f"{data}/mise/installs/node/*/bin/node"
    yield f"{home}/.nodenv/versions/*/bin/node"
    yield f"{variables.get('N_PREFIX') or '/usr/local'}/n/versions/node/*/bin/node"
    if sys.platform == "darwin":
        yield f"{home}/Library/Application Support/fnm/node-versions/*/installation/bin/node"
        yield "/opt/homebrew/opt/node*/bin/node"
        yield "/usr/local/opt/node*/bin/node"


def others(variables: Mapping[str, str]) -> list[Path]:
    """The programs of version switchers, each once; links such as ``lts`` lead to one of them."""
    found: dict[Path, Path] = {}
    for pattern in switchers(variables):
        base, star, rest = pattern.partition("*")
        folder, prefix = base.rsplit("/", 1)
        below = Path(folder).glob(f"{prefix}*{rest}") if star else iter([Path(pattern)])
        with contextlib.suppress(OSError):
            for path in below:
                if path.is_file():
                    found.setdefault(path.resolve(), path)
    return list(found.values())


def version_of(program: Path, kept: Path | None = None) -> str:
    """Without the ``v``; empty when it cannot be started. ``kept`` is a folder that remembers."""
    if named := _named(program):
        return named
    try:
        found = program.stat()
    except OSError:
        return ""
    sign = f"{program}|{found.st_size}|{found.st_mtime_ns}"
    known = _known(kept)
    if sign in known:
        return known[sign]
    said = _asked(program)
    if said and kept:
        _keep(kept, {**{key: value for key, value in known.items() if not key.startswith(f"{program}|")}, sign: said})
    return said


def _named(program: Path) -> str:
    """The version in a switcher's folder name: ``versions/node/v20.11.1/bin/node``."""
    parents = [part.name for part in program.parents][:3]
    return next((match[1] for name in parents if (match := _VERSION.fullmatch(name))), "")


def _known(kept: Path | None) -> dict[str, str]:
    if kept is None:
        return {}
    try:
        said = json.loads((kept / _KEPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}


def _keep(kept: Path, known: Mapping[str, str]) -> None:
    part = kept / f"{_KEPT}.{os.getpid()}.part"
    with contextlib.suppress(OSError):
        part.write_text(json.dumps(known), encoding="utf-8")
        part.replace(kept / _KEPT)


def _asked(program: Path) -> str:
    try:
        ended = subprocess.run(
            [str(program), "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip().removeprefix("v")
