"""What a Python bot really runs with: read from its environment, which nothing is started for."""

import re
from pathlib import Path

from bottool.model import Dependency, Equipment
from bottool_python.tree import LIMIT_BYTES

_INFO = ".dist-info"


def of_environment(environment: Path) -> Equipment:
    """The interpreter that the environment was made with, and the distributions in it."""
    return Equipment(interpreter=_interpreter(environment), dependencies=tuple(_installed(environment)))


def _interpreter(environment: Path) -> str:
    said = _lines(environment / "pyvenv.cfg")
    name = said.get("implementation", "Python").replace("CPython", "Python")
    return f"{name} {said.get('version_info') or said.get('version', '')}".strip()


def _lines(path: Path) -> dict[str, str]:
    """``name = value``, as ``pyvenv.cfg`` has it (Source: docs.python.org, "venv")."""
    with path.open(encoding="utf-8", errors="replace") as file:
        pairs = [line.partition("=") for line in file.read(LIMIT_BYTES).splitlines()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _installed(environment: Path) -> list[Dependency]:
    """Their folders' names tell name and version (Source: packaging.python.org, "Recording installed projects")."""
    found = []
    for place in ("lib/python*/site-packages", "Lib/site-packages"):
        for folder in environment.glob(f"{place}/*{_INFO}"):
            name, _, version = folder.name.removesuffix(_INFO).partition("-")
            plain = re.sub(r"[-_.]+", "-", name).lower()
            found.append(Dependency(name=plain, version=version, ecosystem="pypi"))
    return sorted(set(found), key=lambda each: each.name)
