"""``Language``: what a language plugin provides. The contract, with the defaults that core needs.

Core calls these methods and nothing else of a plugin. ``recognises``, ``validate`` and ``inspect`` may be called
anywhere; ``build`` by the command line; ``prepare`` and ``command`` in the keeper's process on a runner's machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from bottool.model import Command, Inspection, Installation, Package, Problem, Project, Tool

API_VERSION = 1
"""The plugin interface that this bottool speaks. It changes only when the meaning of a member changes."""


class Language(ABC):
    """A kind of bots. One instance per process, made by its plugin; holds no state.

    ``name`` is what ``bot.toml`` says in ``language``: lower case and unique. ``technologies`` are the literals of
    Maestro's deploy calls that this language serves; ``title`` is for people. ``looks_for`` names in a few words the
    files by which ``recognises`` decides, for the message about a folder that is no bot; ``""`` when it never decides.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    technologies: ClassVar[tuple[str, ...]]
    looks_for: ClassVar[str] = ""
    api_version: ClassVar[int] = API_VERSION

    @abstractmethod
    def recognises(self, folder: Path) -> bool:
        """True when this language would build ``folder``, which has no ``bot.toml``.

        Cheap: looks at names of files, at most reads a small one. Two languages that say yes are an error which asks
        for ``language =`` in ``bot.toml``; there is no order among them.
        """

    @abstractmethod
    def scaffold(self, folder: Path, name: str, template: str) -> None:
        """Write a minimal bot into the empty ``folder``; what it writes passes ``validate`` and succeeds when run.

        ``name`` is a valid bot id. ``template`` is ``""`` for the default; an unknown one raises ``ProjectError``
        that names those there are. Without arguments the bot runs offline; with the arguments of a task it reads the
        task's parameters, reports items and finishes its task through the server's Maestro interface.
        """

    @abstractmethod
    def identify(self, folder: Path) -> tuple[str, str]:
        """Bot id and version as the project's own files say them; ``""`` for what they do not say."""

    @abstractmethod
    def validate(self, project: Project) -> Iterable[Problem]:
        """What would stop build or run. Uses no network and changes nothing."""

    @abstractmethod
    def build(self, project: Project, output: Path) -> Path:
        """Write exactly one archive into the existing folder ``output`` and return its path.

        The source folder stays untouched; the same input gives the same bytes. The manifest from
        ``bottool.archive.manifest_bytes`` lies inside as ``bottool.json`` (root of a zip, root folder of a tar.gz,
        ``META-INF/bottool.json`` of a jar). The file is named ``<bot id>-<version>.<ext>`` unless the format demands
        another name.

        :raises BuildError: when a tool fails; carries its last 50 lines.
        :raises ToolMissing: when a tool is not on this machine.
        """

    @abstractmethod
    def inspect(self, package: Package) -> Inspection:
        """What can be told of a package without running it; treats it as hostile: reads, never extracts or imports."""

    @abstractmethod
    def environment_key(self, installation: Installation) -> str:
        """A text that changes when, and only when, the prepared environment must be another one; ``""`` for none.

        Contains everything that counts: the interpreter's version, the platform, the dependencies with their lock.
        Equal keys share one environment on a machine.
        """

    @abstractmethod
    def prepare(self, installation: Installation, environment: Path) -> None:
        """Make the environment for ``installation`` in the existing, empty folder ``environment``.

        May use the network. Never called twice for one folder: after a kill half-way core throws the folder away and
        calls again with a new one. It is never moved afterwards.

        :raises BuildError: when a tool fails; carries its last 50 lines.
        :raises ToolMissing: when no interpreter fits.
        """

    @abstractmethod
    def command(self, installation: Installation) -> Command:
        """How to start the bot. Starts nothing, sees no secret.

        The current folder of the bot is ``installation.folder``, a fresh copy of the package's files.
        """

    @abstractmethod
    def toolchain(self) -> Sequence[Tool]:
        """The programs that this language needs, found or not. At most a second; nothing is installed."""
