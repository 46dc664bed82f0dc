"""Which Python a bot gets: the one that runs bottool if it fits, else another on this machine, else a fetched one.

Nothing is fetched unless the owner of the machine said from where: ``BOTTOOL_PYTHON_MIRROR`` (an address or a folder,
or ``default`` for uv's own source), or one of uv's variables for that. An interpreter that appears by itself on a
runner would surprise its owner.
"""

import hashlib
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bottool.errors import BuildError, ToolMissing
from bottool.settings import base_variables
from bottool_python import files, tool

MIRROR = "BOTTOOL_PYTHON_MIRROR"
_UV_SOURCES = ("UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreters:
    """``store`` is the language's folder on this machine, if there is one: fetched interpreters come to lie there."""

    store: Path | None

    def identity(self, requires: str) -> str:
        """What an environment for this range depends on. Starts nothing: it is asked before every start.

        A path that is remembered and gone counts, so that an environment whose interpreter was removed is made anew.
        """
        if is_here(requires):
            return f"{sys.implementation.cache_tag} {platform.python_version()} {sys.base_prefix}"
        seen = self._remembered(requires)
        gone = seen[:-1] if seen and Path(seen[-1]).exists() else seen
        return " ".join((sys.implementation.name, requires, *gone))

    def choose(self, requires: str) -> str:
        """The path of an interpreter in the range.

        :raises ToolMissing: when none is here and none may be, or can be, fetched.
        """
        if is_here(requires):
            return sys.executable
        variables = self._variables()
        try:
            path = tool.run(["python", "find", "--no-project", requires], Path.cwd(), "looking for Python", variables)
        except BuildError:
            path = self._fetched(requires, variables)
        path = path.strip()
        seen = self._remembered(requires)
        if self.store and (not seen or seen[-1] != path):
            files.write_whole(self._record(requires), "\n".join((*seen, path)).encode())
        return path

    def _fetched(self, requires: str, variables: Mapping[str, str]) -> str:
        here = f"the bot wants Python {requires}, and none on this machine fits (here is {platform.python_version()})"
        source = _source(base_variables())
        if source is None or self.store is None:
            raise ToolMissing(
                here, f"install one, change requires-python, or let bottool fetch it: {MIRROR}=default, or an address"
            )
        allowed = {**variables, "UV_PYTHON_DOWNLOADS": "manual"}
        mirror = ["--mirror", source] if source else []
        try:
            tool.run(
                ["python", "install", "--no-bin", *mirror, requires], Path.cwd(), f"fetching Python {requires}", allowed
            )
            return tool.run(["python", "find", "--no-project", requires], Path.cwd(), "looking for Python", variables)
        except BuildError as error:
            raise ToolMissing(f"{here}; {error.message}", f"install one, or name another {MIRROR}") from error

    def _variables(self) -> dict[str, str]:
        never = {"UV_PYTHON_DOWNLOADS": "never"}
        return never | ({"UV_PYTHON_INSTALL_DIR": str(self.store / "pythons")} if self.store else {})

    def _remembered(self, requires: str) -> tuple[str, ...]:
        try:
            return tuple(self._record(requires).read_text(encoding="utf-8").splitlines()) if self.store else ()
        except OSError:
            return ()

    def _record(self, requires: str) -> Path:
        name = hashlib.sha256(requires.encode()).hexdigest()[:16]
        return (self.store or Path()) / "interpreters" / name


def is_here(requires: str) -> bool:
    """True when the Python that runs bottool fits.

    A range that is none fits: validate tells it, and a package from elsewhere gets a chance.
    """
    try:
        return SpecifierSet(requires).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        return True


def _source(variables: Mapping[str, str]) -> str | None:
    """Where interpreters may come from: an address, ``""`` for what uv's own variables say, ``None`` for nowhere."""
    said = variables.get(MIRROR, "")
    if said and said != "default":
        folder = Path(said).expanduser()
        return folder.absolute().as_uri() if folder.is_dir() else said
    return "" if said or any(variables.get(name) for name in _UV_SOURCES) else None
