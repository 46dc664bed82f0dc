"""The values that parts of bottool hand to each other: frozen, made by keyword, checked where they are made.

Nothing here reads a disk or knows a language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""What a bot id, a version, an automation's label and a machine id may look like (match the whole text)."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding of ``validate``. ``path`` is relative to the project, with ``/``; ``line`` counts from 1."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    path: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The exact versions of all that a bot depends on, as a file that lies beside its sources.

    ``file`` is its name in the project's folder and in the package (``requirements.lock``, ``package-lock.json``).
    """

    file: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that a language needs on a machine. ``version`` and ``path`` are empty when it was not found."""

    name: str
    found: bool
    version: str = ""
    path: str = ""
    needed_for: str = "run"
    """``build``, ``run`` or ``build and run``."""
    hint: str = ""
    """What to type or install when it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A bot's source folder, as ``project.find`` recognised it.

    ``options`` is the table of ``bot.toml`` that bears the language's name; ``exclude`` holds the extra glob patterns
    of ``bot.toml``, relative to the folder. ``notes`` are what was odd when the project was read, such as names that
    disagree. ``lock`` is the one to pack although it does not lie in the folder; ``None`` when the folder has its own
    or none is needed.
    """

    folder: Path
    language: str
    bot_id: str
    version: str
    entry: str = ""
    """File or module to start, as ``bot.toml`` names it; empty when the language decides."""
    exclude: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    lock: Lock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """``version`` is exact, or empty when nothing says it; ``ecosystem`` is the type of a package URL without ``pkg:``
    (``pypi``, ``maven``, ``npm``, ``gem``). A Maven artifact is called ``group:artifact``, an npm package by its scope.
    """

    name: str
    version: str = ""
    licence: str = ""
    ecosystem: str = ""
    direct: bool = False
    """True for what the bot's author asked for, false for what came along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One archive that can be deployed: immutable, known by its checksum.

    ``manifest`` is what ``bottool.json`` inside it says (empty for a package that another tool made). It is a hint,
    never trusted: nothing is opened or run because of it alone.
    """

    path: Path
    bot_id: str
    version: str
    language: str
    sha256: str
    size_bytes: int
    manifest: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    """The command line that a person typed for this version on the server; only the command language uses it."""
    notes: tuple[Problem, ...] = ()
    """What was odd when it was opened, such as a bot id that it cannot have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a language can tell of a package without running it."""

    entry: str = ""
    requires: str = ""
    """The interpreter range, for example ``>=3.11``; empty when any will do."""
    dependencies: tuple[Dependency, ...] = ()
    locked: bool = False
    """True when ``dependencies`` is all of them, with the versions that will be installed."""
    problems: tuple[Problem, ...] = ()
    bot_id: str = ""
    """The id that the package itself can only have: the name of the Python package in BotCity's older layout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A package unpacked on this machine.

    ``folder`` holds its files (a jar or a single file lies there under its own name). ``environment`` is the prepared
    folder of dependencies, shared between installations with an equal key; ``None`` when the bot needs none.
    ``store`` is a folder of the language's own on the disk of all environments: what it keeps there makes the next one
    quicker. Many processes use it at once; it may be emptied, but for its folder ``keep``, while nothing is prepared.
    ``None`` when there is none.
    """

    package: Package
    folder: Path
    environment: Path | None = None
    store: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a bot really runs with. ``interpreter`` is for people and comparable, such as ``Python 3.11.7``."""

    interpreter: str = ""
    dependencies: tuple[Dependency, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start an installed bot. Holds no server address and no token: core adds those.

    ``arguments`` is the argv without what a task adds. With ``placeholders`` core replaces ``{path}``,
    ``{maestro_server}``, ``{maestro_taskid}``, ``{maestro_token}`` (and ``{server}``, ``{task}``, ``{token}``,
    ``{workspace}``) inside each argument instead of appending server, task id, token and workspace.
    ``links`` are names in the bot's working folder that must point into the environment (``node_modules``).
    ``folder`` is the bot's current folder, relative to the installation's; ``""`` is that one itself. An archive that
    wraps everything in one folder needs it.
    """

    arguments: tuple[str, ...]
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    placeholders: bool = False
    links: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What a bot learns of the task it works on. ``token`` is a secret: keep it out of files, logs and reprs."""

    server: str
    task_id: int
    workspace: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``None`` means no limit. All but the times count the whole process tree."""

    timeout_seconds: float | None = None
    silence_seconds: float | None = None
    """How long a bot may print nothing."""
    memory_bytes: int | None = None
    processes: int | None = None
    output_bytes: int | None = None
    disk_bytes: int | None = None
    """What its working folder may take up on the disk."""
    interrupt_seconds: float = 0.0
    """How long a bot that reached a limit may take to end by itself once it was interrupted, before the signal."""
    grace_seconds: float = 10.0
    """How long a bot may take to end after the signal, before it is killed."""


class Reason(StrEnum):
    """Why an attempt ended, as the keeper saw it: a closed list."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    SILENT = "silent"
    """It printed nothing for too long."""
    OUT_OF_MEMORY = "out_of_memory"
    """By its own limit, or because the system's memory killer ended it."""
    TOO_MANY_PROCESSES = "too_many_processes"
    TOO_MUCH_OUTPUT = "too_much_output"
    TOO_MUCH_DISK = "too_much_disk"
    STOPPED = "stopped"
    """A person asked for it."""
    DIED = "died"
    """The keeper itself was killed, or the machine restarted; the bot's own end was not seen."""
    FENCED = "fenced"
    """Its machine lost contact and ended it, so that it may be started elsewhere."""
    NOT_PREPARED = "not_prepared"
    """Never started: the package or its environment could not be made ready on this machine."""
    NOT_LAUNCHED = "not_launched"
    """Never started: the operating system refused to start the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Of the whole process tree, at one moment. ``cpu_seconds`` counts from the start.

    ``memory_bytes`` counts pages that processes share once for each. ``open_files`` are files, pipes and connections.
    """

    cpu_seconds: float
    memory_bytes: int
    processes: int
    open_files: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a bot's process ended.

    ``exit_code`` is ``None`` when the process never ran or its end was not seen; a death by signal N is ``-N``.
    ``left_behind`` names the processes that outlived the bot and were stopped, for example ``("chrome × 3",)``.
    ``steps`` says when it was ``asked``, ``signalled`` and ``killed``, as far as that was done, in seconds since the
    epoch by the machine's clock.
    """

    reason: Reason
    exit_code: int | None = None
    duration_seconds: float = 0.0
    message: str = ""
    left_behind: tuple[str, ...] = ()
    peak: Usage | None = None
    steps: Mapping[str, float] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """True only for a bot that ended by itself with exit status 0."""
        return self.reason is Reason.EXITED and self.exit_code == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What people of one channel are told. ``address`` is a secret: do not print it, and keep it nowhere.

    ``severity`` is ``info``, ``warn`` or ``error``; ``text`` is plain unless ``html``. ``reference`` is the same when a
    notification is tried again.
    """

    address: str = field(repr=False)
    title: str
    text: str
    severity: str = "info"
    html: bool = False
    reference: str = ""
