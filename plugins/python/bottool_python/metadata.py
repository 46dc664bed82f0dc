"""What a bot's own files say of it: id, version, the Python it wants, declared dependencies.

Reads ``.botproj``, ``VERSION``, ``pyproject.toml`` (also Poetry's own table), ``conda.yaml``, ``.python-version``,
``setup.py`` (by its syntax tree, literals only), ``PKG-INFO`` and ``requires.txt``. Anything broken counts as not
said; telling a person what is broken is the business of ``checks``.
"""

import ast
import itertools
import re
import tomllib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottool_python import conda, layout, poetry
from bottool_python.tree import Tree

if TYPE_CHECKING:  # it takes longer to import than most of what is asked here takes
    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Dependencies that a file declares; ``path`` is that file, ``""`` when there is none."""

    path: str = ""
    lines: tuple[str, ...] = ()


def bot_id(tree: Tree) -> str:
    """The package of the older layout, whose name the bot id must be there; else what BotCity's project file says."""
    found = layout.find(tree)
    package = found.entry if found and found.package else ""
    return package or layout.botproj_name(tree) or _text(pyproject(tree).get("name"))


def version(tree: Tree) -> str:
    from_file = (tree.read("VERSION") or b"").decode("utf-8-sig", "replace").split()
    return (from_file or [""])[0] or _text(pyproject(tree).get("version")) or _text(_setup_py(tree, "version"))


def requires_python(tree: Tree) -> str:
    """The range of Python versions, such as ``>=3.11``; ``""`` when any will do.

    ``.python-version`` narrows it: ``3.11.4`` there means any 3.11, because patches differ from machine to machine.
    """
    wide = (
        _text(pyproject(tree).get("requires-python"))
        or poetry.python_range(_poetry(tree))
        or _text(_pkg_info(tree).get("Requires-Python"))
        or _text(_setup_py(tree, "python_requires"))
        or conda.read(tree).python
    )
    chosen = re.match(
        r"\s*(?:cpython-|python-)?(3\.\d+)", (tree.read(".python-version") or b"").decode("utf-8", "replace")
    )
    return ",".join(filter(None, (wide, f"=={chosen[1]}.*"))) if chosen else wide


def declared(tree: Tree) -> Declared:
    """The dependencies of a bot that has no ``requirements.txt``: the first file that declares any."""
    for path, lines in (
        ("pyproject.toml", _texts(pyproject(tree).get("dependencies"))),
        ("pyproject.toml", poetry.dependencies(_poetry(tree))),
        ("PKG-INFO", _unconditional(_texts(_pkg_info(tree).get_all("Requires-Dist")))),
        *_requires_txt(tree),
        ("setup.py", _texts(_setup_py(tree, "install_requires"))),
        (conda.read(tree).path, conda.read(tree).lines),
    ):
        if lines:
            return Declared(path=path, lines=lines)
    return Declared()


def of_pyproject(tree: Tree) -> "tuple[Requirement, ...]":
    """What ``pyproject.toml`` declares, whatever else the bot has; lines that are no requirements are left out."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for line in _texts(pyproject(tree).get("dependencies")) or poetry.dependencies(_poetry(tree)):
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return tuple(found)


def pyproject(tree: Tree) -> Mapping[str, Any]:
    """The table ``[project]``; empty when there is none."""
    return _table(_pyproject(tree).get("project"))


def command(tree: Tree) -> tuple[str, str, str] | None:
    """Name, module and function of the command that ``pyproject.toml`` installs; the first of several."""
    tables = (pyproject(tree).get("scripts"), _tool_poetry(tree).get("scripts"))
    said = [each for table in tables for each in _table(table).items()]
    for name, target in said:
        match = re.fullmatch(r"([\w.]+)\s*:\s*(\w+)", _text(target))
        if match:
            return name, match[1], match[2]
    return None


def _poetry(tree: Tree) -> Mapping[str, Any]:
    """The table ``[tool.poetry.dependencies]``."""
    return _table(_tool_poetry(tree).get("dependencies"))


def _tool_poetry(tree: Tree) -> Mapping[str, Any]:
    return _table(_table(_pyproject(tree).get("tool")).get("poetry"))


def _pyproject(tree: Tree) -> Mapping[str, Any]:
    try:
        return tomllib.loads((tree.read("pyproject.toml") or b"").decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return {}


def _setup_py(tree: Tree, keyword: str) -> Any:
    """The value of a keyword of ``setup(…)``, if it is written as a literal."""
    source = tree.read("setup.py")
    try:
        with warnings.catch_warnings(action="ignore"):
            nodes = ast.walk(ast.parse(source or b""))
            calls = [node for node in nodes if isinstance(node, ast.Call)]
        values = [each.value for call in calls for each in call.keywords if each.arg == keyword]
        return ast.literal_eval(values[0]) if values else None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _pkg_info(tree: Tree) -> Any:
    from email.parser import HeaderParser

    text = (tree.read("PKG-INFO") or b"").decode("utf-8", "replace")
    return HeaderParser().parsestr(text)


def _requires_txt(tree: Tree) -> list[tuple[str, tuple[str, ...]]]:
    """What older setuptools wrote beside ``PKG-INFO``: the lines before the first ``[extra]``."""
    found = []
    for name in tree.names:
        if name.endswith(".egg-info/requires.txt") and name.count("/") == 1:
            text = (tree.read(name) or b"").decode("utf-8", "replace")
            lines = itertools.takewhile(lambda line: not line.startswith("["), text.splitlines())
            found.append((name, tuple(line.strip() for line in lines if line.strip())))
    return found


def _unconditional(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line for line in lines if not _is_extra(line))


def _is_extra(line: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        marker = Requirement(line).marker
    except InvalidRequirement:
        return False
    return marker is not None and "extra" in str(marker)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(each for each in value if isinstance(each, str))


def range_of(bot: Tree, options: layout.Options) -> str:
    """The Python versions that the bot wants; ``bot.toml`` counts before the bot's other files."""
    return options.requires_python or requires_python(bot)
