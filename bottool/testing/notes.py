"""``Notes``: a whole language of sixty lines, for tests that need one and do not care which.

It builds, prepares and runs, and needs nothing but the Python that runs the tests. A plugin's author may read it as the
shortest example of a language that passes ``LanguageContract``.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bottool import archive
from bottool.errors import ProjectError
from bottool.language import Language
from bottool.model import Command, Inspection, Installation, Package, Problem, Project, Severity, Tool


class Notes(Language):
    """A bot is a Python program called ``bot.note``; its environment is a file that holds a word."""

    name = "notes"
    title = "Notes"
    technologies = ("NOTES",)
    looks_for = "bot.note"

    def recognises(self, folder: Path) -> bool:
        return (folder / "bot.note").is_file()

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        if template:
            raise ProjectError(f"there is no template '{template}' for notes", "leave it out")
        (folder / "bot.note").write_text(f"print('{name}')\n", encoding="utf-8")
        (folder / "bot.toml").write_text(f'id = "{name}"\nlanguage = "notes"\n', encoding="utf-8")

    def identify(self, folder: Path) -> tuple[str, str]:  # noqa: ARG002 - bot.toml says both
        return "", ""

    def validate(self, project: Project) -> Iterable[Problem]:
        entry = project.entry or "bot.note"
        if not (project.folder / entry).is_file():
            yield Problem(
                severity=Severity.ERROR, code="no_entry", message=f"'{entry}' is missing", hint="write it", path=entry
            )

    def build(self, project: Project, output: Path) -> Path:
        entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
        package = output / f"{project.bot_id}-{project.version}.zip"
        archive.pack_zip(package, entries, manifest=archive.manifest(project, entry=project.entry or "bot.note"))
        return package

    def inspect(self, package: Package) -> Inspection:
        return Inspection(entry=str(archive.read_manifest(package.path).get("entry", "")))

    def environment_key(self, installation: Installation) -> str:  # noqa: ARG002 - one for all
        return "one word"

    def prepare(self, installation: Installation, environment: Path) -> None:  # noqa: ARG002 - the same for all
        (environment / "word").write_text("ready", encoding="utf-8")

    def command(self, installation: Installation) -> Command:
        entry = str(installation.package.manifest.get("entry", "bot.note"))
        return Command(arguments=(sys.executable, "-X", "utf8", entry))

    def toolchain(self) -> Sequence[Tool]:
        return (Tool(name="python", found=True, version="3", path=sys.executable, needed_for="build and run"),)
