"""``Language``: what a language plugin provides. The contract, with the defaults that core needs.

Core calls these methods and nothing else of a plugin. ``recognises``, ``validate`` and ``inspect`` may be called
anywhere; ``build`` by the command line; ``prepare`` and ``command`` in the keeper's process on a runner's machine.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from bottool.errors import BuildError
from bottool.model import Command, Equipment, Inspection, Installation, Lock, Package, Problem, Project, Tool

API_VERSION = 1
"""The plugin interface that this bottool speaks. It changes only when the meaning of a member changes."""


class Language(ABC):
    """A kind of bots. One instance per process, made by its plugin; holds no state.

    ``name`` is what ``bot.toml`` says in ``language``: lower case and unique. ``technologies`` are the literals of
    Maestro's deploy calls that this language serves; ``title`` is for people. ``looks_for`` names in a few words the
    files by which ``recognises`` decides, for the message about a folder that is no bot; ``""`` when it never decides.
    ``templates`` are those of ``scaffold``, the default first. ``compiles`` is true when a package may hold
    what is made at build, beside the project's own files.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    technologies: ClassVar[tuple[str, ...]]
    looks_for: ClassVar[str] = ""
    templates: ClassVar[tuple[str, ...]] = ()
    compiles: ClassVar[bool] = False
    api_version: ClassVar[int] = API_VERSION

    @abstractmethod
    def recognises(self, folder: Path) -> bool:
        """True when this language would build ``folder``, which has no ``bot.toml``.

        Cheap: looks at names of files, at most reads a small one. Two languages that say yes are an error which asks
        for ``language =`` in ``bot.toml``; there is no order among them.
        """

    def not_a_bot(self, folder: Path) -> str:  # noqa: ARG002 - a language that never says so
        """What ``folder`` is instead, when it is of this language but no bot; ``""`` when there is nothing to say.

        Completes a sentence that begins with the folder: ``a Next.js application``, ``a pytest suite``, ``a library``,
        ``a template whose {{ }} are not filled in``. Asked for folders that are recognised too: what it names is then
        refused, unless ``bot.toml`` says that it is a bot. As cheap as ``recognises``. A second line, where there is
        one, is the hint: how to run it as a bot all the same.
        """
        return ""

    def scripts(self, folder: Path) -> Sequence[str]:  # noqa: ARG002 - a language without single scripts
        """Files with which a bot in ``folder`` could start, the likeliest first, where nothing says which it is.

        Relative, with ``/``. Asked only about a folder that no language recognises, to name them to its owner, and to
        know the language of a file that somebody points at.
        """
        return ()

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

    def entry_of(self, project: Project) -> str:  # noqa: ARG002 - a language whose bots have no such file
        """What the bot starts with, as ``entry`` in ``bot.toml`` names it; ``""`` when nothing can or need be named."""
        return ""

    def lock_key(self, project: Project) -> str:  # noqa: ARG002 - a language without locks
        """A text that changes when another lock must be resolved; ``""`` when the folder has one, or none is needed."""
        return ""

    def lock(self, project: Project) -> Lock:
        """Resolve what the project depends on. Called only where ``lock_key`` is not empty; may use the network.

        :raises BuildError: when nothing satisfies what the project asks for: it could never be installed.
        :raises Unreachable: when no index answers; the package is then built without a lock.
        :raises ToolMissing: likewise, when the resolver is not on this machine.
        """
        raise BuildError(f"{self.title} resolves no lock for '{project.bot_id}'")

    def build_key(self, project: Project) -> str | None:  # noqa: ARG002 - a language that is always built anew
        """What the package's bytes depend on beside the project's files, its lock and bottool: versions of tools.

        With equal keys and an untouched folder the package that is there is taken as it is. ``None``: always build.
        """
        return None

    @abstractmethod
    def build(self, project: Project, output: Path) -> Path:
        """Write exactly one archive into the existing folder ``output`` and return its path.

        The source folder stays untouched; the same input gives the same bytes. ``bottool.archive`` packs, and writes
        the manifest that is handed to it (``archive.manifest``) as ``bottool.json`` at the root of a zip, in the root
        folder of a tar.gz or as ``META-INF/bottool.json`` of a jar. ``project.lock`` is packed under its name. The file
        is called ``<bot id>-<version>.<ext>`` unless the format demands another name.

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
        Equal keys share one environment on a machine. A few milliseconds: it is asked before every start.
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

    def equipment(self, installation: Installation) -> Equipment:
        """What a bot of this installation, which is prepared, really runs with: for people who compare two runs.

        Asked once for a package in an environment, and kept. Without an own answer, the first tool of ``toolchain``
        that running needs, and what ``inspect`` tells of the package.
        """
        run = next((tool for tool in self.toolchain() if tool.found and tool.needed_for == "run"), None)
        interpreter = f"{run.name} {run.version}".strip() if run else ""
        return Equipment(interpreter=interpreter, dependencies=self.inspect(installation.package).dependencies)

    @abstractmethod
    def toolchain(self) -> Sequence[Tool]:
        """The programs that this language needs, found or not. At most a second; nothing is installed."""
