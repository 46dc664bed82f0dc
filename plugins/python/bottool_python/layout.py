"""Where a Python bot starts: a script, or a package with a ``__main__.py`` as in the older template.

Also what ``bot.toml`` says of that, and BotCity's project file. Knows no dependencies and no version.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bottool_python.tree import Tree

SCRIPTS = ("bot.py", "main.py")
DEPENDENCY_FILES = (
    "requirements.txt",
    "pyproject.toml",
    "requirements.lock",
    "pylock.toml",
    "Pipfile",
    "conda.yaml",
    "environment.yml",
)
OPTIONS = ("requirements", "constraints", "requires-python", "arguments")
WITHOUT_ARGUMENTS = "none"
"""The value of ``arguments`` of a bot that reads its command line itself, and knows nothing of a task's."""
TEMPLATE_HINT = "make a bot from the template first, for example with cookiecutter"
_NO_BOTS = frozenset({"tests", "test", "docs", "build", "dist"})
_SDIST_FILES = frozenset({"setup.py", "pyproject.toml", "PKG-INFO"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The table ``[python]`` of ``bot.toml``: two files, a range of versions, and whether a task adds arguments."""

    requirements: str = ""
    constraints: str = ""
    requires_python: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``root`` is ``""``, or the wrapping folder with its ``/``; everything else is relative to it.

    ``entry`` is the file ``bot.py``, or the package ``BotTable`` when ``package`` is true.
    """

    entry: str
    root: str = ""
    package: bool = False
    robocorp: bool = False
    """True for the tasks of a Robocorp robot, which its own runner starts."""

    @property
    def file(self) -> str:
        """The file that Python starts with."""
        return f"{self.entry}/__main__.py" if self.package else self.entry


def find(tree: Tree, wanted: str = "") -> Layout | None:
    """Where the bot starts; ``None`` when nothing says so. ``wanted`` is the entry that ``bot.toml`` names."""
    for root in dict.fromkeys(("", tree.wrapper())):
        inner = tree.below(root)
        found = _wanted(inner, wanted) if wanted else _script(inner) or _package(inner) or _robocorp(inner)
        if found:
            return replace(found, root=root)
    return None


def is_project(tree: Tree) -> bool:
    """True for a folder that is a bot's source: the zip layout, or a described package that can be started."""
    top = set(tree.top)
    described = bool(top & set(DEPENDENCY_FILES)) or any(name.endswith(".botproj") for name in top)
    # A package of a larger program may have a module of that name.
    if ("bot.py" in top and (described or "__init__.py" not in top)) or _robocorp(tree):
        return True
    if "main.py" in top:
        return described
    # A template is no bot, but whoever points at one is told so.
    template = any(name.startswith("{{") and name.endswith("/__main__.py") for name in tree.names)
    return bool(top & {"setup.py", "pyproject.toml"}) and (template or _package(tree) is not None)


def options_of(table: Mapping[str, Any]) -> Options:
    """The options as far as they are texts; ``checks`` complains about the others."""
    texts = {key: table[key] for key in OPTIONS if isinstance(table.get(key), str)}
    return Options(
        requirements=texts.get("requirements", ""),
        constraints=texts.get("constraints", ""),
        requires_python=texts.get("requires-python", ""),
        arguments=texts.get("arguments", ""),
    )


def said(tree: Tree) -> tuple[str, Options]:
    """The entry and the options that the ``bot.toml`` inside a package says; empty when there is none."""
    try:
        values = tomllib.loads((tree.read("bot.toml") or b"").decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        values = {}
    entry, table = values.get("entry"), values.get("python")
    return entry if isinstance(entry, str) else "", options_of(table if isinstance(table, dict) else {})


def botproj_name(tree: Tree) -> str:
    """The name that BotCity's project file says; ``""`` without one, or with several."""
    files = [name for name in tree.top if name.endswith(".botproj")]
    if len(files) != 1:
        return ""
    try:
        name = json.loads(tree.read(files[0]) or b"").get("name")
    except (ValueError, AttributeError, RecursionError):
        name = None
    return name if isinstance(name, str) and name else files[0].removesuffix(".botproj")


def _wanted(tree: Tree, wanted: str) -> Layout | None:
    entry = wanted.replace("\\", "/").removeprefix("./").rstrip("/")
    if entry in tree.names:
        return Layout(entry=entry)
    package = entry.replace(".", "/")
    return Layout(entry=package, package=True) if f"{package}/__main__.py" in tree.names else None


def _script(tree: Tree) -> Layout | None:
    return next((Layout(entry=name) for name in SCRIPTS if name in tree.top), None)


def _robocorp(tree: Tree) -> Layout | None:
    """A robot whose ``robot.yaml`` lets Robocorp's runner start ``tasks.py``."""
    is_one = {"robot.yaml", "tasks.py"} <= set(tree.top) and b"robocorp.tasks" in (tree.read("robot.yaml") or b"")
    return Layout(entry="tasks.py", robocorp=True) if is_one else None


def _package(tree: Tree) -> Layout | None:
    """The one package that can be started; among several the one that bears the project's name."""
    if not _SDIST_FILES & set(tree.top):
        return None
    packages = [name.partition("/")[0] for name in tree.names if name.endswith("/__main__.py") and name.count("/") == 1]
    packages = [name for name in packages if name not in _NO_BOTS and name.isidentifier()]
    named = [name for name in packages if name == botproj_name(tree)]
    chosen = named or packages
    return Layout(entry=chosen[0], package=True) if len(chosen) == 1 else None
