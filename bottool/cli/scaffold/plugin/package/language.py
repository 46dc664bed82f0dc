"""The contract of a language, fulfilled for PLUGIN_TITLE. ``bottool.language.Language`` documents each member."""

import platform
import sys
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from bottool import archive
from bottool.errors import LaunchError, ProjectError
from bottool.language import Language
from bottool.model import Command, Inspection, Installation, Package, Problem, Project, Severity, Tool

ENTRY = "bot.PLUGIN_NAME"
LOCK = "PLUGIN_NAME.lock"
_LOCK_LIMIT_BYTES = 1_000_000


def interpreter() -> Tool:
    """The program that runs a bot: a stand-in, until it is looked for with ``shutil.which``."""
    return Tool(
        name="python",
        found=True,
        version=platform.python_version(),
        path=sys.executable,
        needed_for="run",
        hint="",
    )


class PLUGIN_CLASS(Language):
    name = "PLUGIN_NAME"
    title = "PLUGIN_TITLE"
    technologies = ("PLUGIN_LITERAL",)
    looks_for = ENTRY

    def recognises(self, folder: Path) -> bool:
        return (folder / ENTRY).is_file()

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        if template:
            raise ProjectError(f"there is no template '{template}' for PLUGIN_NAME", "leave it out: there is one only")
        for file in resources.files("bottool_PLUGIN_PACKAGE").joinpath("scaffold").iterdir():
            # Bytes: line ends stay as they are on every system.
            (folder / file.name).write_bytes(file.read_bytes().replace(b"BOT_ID", name.encode()))

    def identify(self, folder: Path) -> tuple[str, str]:
        """``bot.toml`` says both."""
        return "", ""

    def validate(self, project: Project) -> Iterable[Problem]:
        entry = project.entry or ENTRY
        if not (project.folder / entry).is_file():
            yield Problem(
                severity=Severity.ERROR,
                code="no_entry",
                message=f"there is no '{entry}' to start",
                hint=f'write it, or say another in bot.toml: entry = "{ENTRY}"',
                path=entry,
            )

    def build(self, project: Project, output: Path) -> Path:
        entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
        if project.lock:
            entries[project.lock.file] = project.lock.data
        package = output / f"{project.bot_id}-{project.version}.zip"
        archive.pack_zip(package, entries, manifest=archive.manifest(project, entry=project.entry or ENTRY))
        return package

    def inspect(self, package: Package) -> Inspection:
        """A package may come from anybody: what it says is only text."""
        entry = package.manifest.get("entry")
        names = archive.check(package.path).names
        return Inspection(entry=entry if isinstance(entry, str) else ENTRY if ENTRY in names else "")

    def environment_key(self, installation: Installation) -> str:
        """Everything that the environment depends on, and nothing else."""
        return f"{interpreter().version}\n{_lock(installation)}"

    def prepare(self, installation: Installation, environment: Path) -> None:
        """Install here what the lock names; may use the network, and is never called twice for one folder."""
        (environment / LOCK).write_text(_lock(installation), encoding="utf-8")

    def command(self, installation: Installation) -> Command:
        """What starts the bot; bottool adds server, task, token and workspace behind it."""
        entry = installation.package.manifest.get("entry") or ENTRY
        if not (installation.folder / str(entry)).is_file():
            raise LaunchError(f"'{installation.package.bot_id}' cannot start: there is no '{entry}' in it")
        return Command(arguments=(interpreter().path, str(entry)))

    def toolchain(self) -> Sequence[Tool]:
        return (interpreter(),)


def _lock(installation: Installation) -> str:
    path = installation.folder / LOCK
    return path.read_bytes()[:_LOCK_LIMIT_BYTES].decode("utf-8", "replace") if path.is_file() else ""
