"""The language ``java``: recognises Maven and Gradle projects; the other modules build, inspect and start them.

A jar carries its dependencies; what a machine must have is a Java that is new enough. The bot itself is never run here.
The other modules are imported when they are asked: every command that looks for a bot asks whether this is one.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bottool.errors import ProjectError
from bottool.language import Language
from bottool.model import LABEL, Command, Inspection, Installation, Package, Problem, Project, Tool
from bottool.settings import base_variables
from bottool_java import marks

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class Java(Language):
    name = "java"
    title = "Java"
    technologies = ("JAVA",)
    compiles = True
    looks_for = f"{marks.POM} or {marks.GRADLE[0]}"
    templates = ("maven", "assembly")

    def recognises(self, folder: Path) -> bool:
        return marks.is_project(folder)

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        from importlib.resources import files

        chosen = template or self.templates[0]
        if chosen not in self.templates:
            listed = ", ".join(self.templates)
            raise ProjectError(f"there is no template '{template}' for java", f"there are: {listed}")
        for source in (files("bottool_java") / "scaffold" / "both", files("bottool_java") / "scaffold" / chosen):
            _write(source, folder, name)

    def identify(self, folder: Path) -> tuple[str, str]:
        from bottool_java import building, gradle, pom

        if building.uses_gradle(folder):
            script = gradle.read(folder)
            said = (script.name, script.version) if script else ("", "")
        else:
            try:
                project = pom.read(folder)
            except ProjectError:
                # validate says what is wrong with it.
                return "", ""
            said = (project.artifact, project.version)
        name, version = (text if LABEL.fullmatch(text) else "" for text in said)
        return name, version

    def validate(self, project: Project) -> Iterable[Problem]:
        from bottool_java import checks

        return checks.problems_of(project)

    def not_a_bot(self, folder: Path) -> str:
        from bottool_java import other_things

        return other_things.what_else(folder)

    def build_key(self, project: Project) -> str | None:
        from bottool_java import building

        return building.build_key(project)

    def build(self, project: Project, output: Path) -> Path:
        from bottool_java import building

        return building.build(project, output)

    def inspect(self, package: Package) -> Inspection:
        from bottool_java import inspecting

        return inspecting.inspect(package)

    def environment_key(self, installation: Installation) -> str:
        from bottool_java import running

        return running.environment_key(installation)

    def prepare(self, installation: Installation, environment: Path) -> None:
        from bottool_java import running

        running.prepare(installation, environment)

    def command(self, installation: Installation) -> Command:
        from bottool_java import running

        return running.command(installation)

    def toolchain(self) -> Sequence[Tool]:
        from bottool_java import jdk, maven

        variables = base_variables()
        found = jdk.installed(variables)
        first = found[0] if found else None
        compiling = next((each for each in found if each.compiles), None)
        program = maven.on_path(variables)
        return (
            Tool(
                name="java",
                found=first is not None,
                version=first.version if first else "",
                path=str(first.java) if first else "",
                needed_for="run",
                hint=jdk.install_hint(),
            ),
            Tool(
                name="jdk",
                found=compiling is not None,
                version=compiling.version if compiling else "",
                path=str(compiling.home) if compiling else "",
                needed_for="build",
                hint=jdk.install_hint(),
            ),
            Tool(
                name="maven",
                found=program is not None,
                version=maven.version(program) if program else "",
                path=str(program or ""),
                needed_for="build",
                hint=maven.install_hint("Maven"),
            ),
        )


def _write(source: "Traversable", folder: Path, name: str) -> None:
    """Copy a template; ``__BOT_ID__`` stands for the bot's name."""
    for each in source.iterdir():
        target = folder / each.name
        if each.is_dir():
            target.mkdir(exist_ok=True)
            _write(each, target, name)
        elif each.name != "__init__.py" and not each.name.endswith(".pyc"):
            text = each.read_text(encoding="utf-8").replace("__BOT_ID__", name)
            target.write_text(text, encoding="utf-8", newline="\n")
