"""The language ``java``: recognises Maven projects, builds them into a jar that starts by itself, and starts it.

A jar carries its dependencies, so that there is no environment to prepare; what a machine must have is a Java that is
new enough. The bot itself is never run here.
"""

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path
from typing import Any

from bottool import archive
from bottool.errors import BuildError, LaunchError, ProjectError
from bottool.language import Language
from bottool.model import LABEL, Command, Inspection, Installation, Package, Problem, Project, Tool
from bottool.settings import base_variables
from bottool_java import jars, jdk, libraries, maven, pom
from bottool_java.checks import OPTIONS, problems_of

_TEMPLATES = ("maven",)
_UTF8 = ("-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-Dstderr.encoding=UTF-8")
"""What Java 18 and later do for files anyway (JEP 400); the output's encoding follows the machine in every version."""


class Java(Language):
    name = "java"
    title = "Java"
    technologies = ("JAVA",)
    looks_for = pom.FILE_NAME

    def recognises(self, folder: Path) -> bool:
        return (folder / pom.FILE_NAME).is_file()

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        if template and template not in _TEMPLATES:
            raise ProjectError(f"there is no template '{template}' for java", f"there is: {', '.join(_TEMPLATES)}")
        source = files("bottool_java") / "scaffold"
        main = folder / "src" / "main" / "java" / "bot"
        main.mkdir(parents=True)
        for target, file in ((folder / pom.FILE_NAME, "pom.xml"), (main / "Bot.java", "Bot.java")):
            text = (source / file).read_text(encoding="utf-8").replace("__BOT_ID__", name)
            target.write_text(text, encoding="utf-8", newline="\n")

    def identify(self, folder: Path) -> tuple[str, str]:
        try:
            project = pom.read(folder)
        except ProjectError:
            # validate says what is wrong with it.
            return "", ""
        said = (project.artifact, project.version)
        name, version = (text if LABEL.fullmatch(text) else "" for text in said)
        return name, version

    def validate(self, project: Project) -> Iterable[Problem]:
        return problems_of(project)

    def build(self, project: Project, output: Path) -> Path:
        described = pom.read(project.folder)
        variables = base_variables()
        java = jdk.for_building(variables, described.release)
        target = output / f"{project.bot_id}-{project.version}.jar"
        with tempfile.TemporaryDirectory(prefix="bottool-java-", ignore_cleanup_errors=True) as scratch:
            # Maven writes into the folder that it builds, and must not touch the project.
            folder = Path(scratch).resolve() / "project"
            _copy(project, folder)
            before = frozenset(folder.rglob("*.jar"))
            original = libraries.provide(folder, described)
            maven.package(folder, java, variables, _options(project).get("maven_arguments", ()))
            made = [path for path in folder.rglob("*.jar") if path not in before]
            jar = _chosen(project, folder, made)
            manifest = archive.manifest(project, entry=jar.main_class, java=jar.feature)
            archive.rewrite_jar(jar.path, target, _added(project, jar, original), manifest=manifest)
        return target

    def inspect(self, package: Package) -> Inspection:
        archive.check(package.path)
        jar = jars.read(package.path)
        return Inspection(
            entry=jar.main_class,
            requires=f">={jar.feature}" if jar.feature else "",
            dependencies=jars.dependencies(package.path),
            problems=jars.problems(jar),
        )

    def environment_key(self, installation: Installation) -> str:  # noqa: ARG002 - a jar brings all that it needs
        return ""

    def prepare(self, installation: Installation, environment: Path) -> None:
        """Nothing to make; asked all the same, it finds out early that this machine's Java is too old."""
        del environment
        self.command(installation)

    def command(self, installation: Installation) -> Command:
        found = sorted(each for each in installation.folder.iterdir() if each.suffix.lower() == ".jar")
        if len(found) != 1:
            what = "no jar" if not found else f"{len(found)} jars: {', '.join(each.name for each in found)}"
            raise LaunchError(f"the package of '{installation.package.bot_id}' holds {what}", "a Java bot is one jar")
        jar = jars.read(found[0])
        if not jar.main_class:
            raise LaunchError(f"'{found[0].name}' has no Main-Class in its manifest", "build it with 'bottool build'")
        variables = base_variables()
        java = jdk.for_running(variables, jar.feature)
        return Command(
            arguments=(str(java.java), *_UTF8, "-jar", str(found[0])),
            variables=jdk.utf8_locale(variables),
        )

    def toolchain(self) -> Sequence[Tool]:
        variables = base_variables()
        found = jdk.installed(variables)
        running = found[0] if found else None
        compiling = next((each for each in found if each.compiles), None)
        program = maven.on_path(variables)
        return (
            Tool(
                name="java",
                found=running is not None,
                version=running.version if running else "",
                path=str(running.java) if running else "",
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
                hint=maven.install_hint(),
            ),
        )


def _options(project: Project) -> dict[str, Any]:
    """The options of ``bot.toml`` that are of the right type; ``validate`` reports the others."""
    return {name: value for name, value in project.options.items() if name in OPTIONS and OPTIONS[name](value)}


def _copy(project: Project, folder: Path) -> None:
    sources = dict(archive.source_files(project.folder, project.exclude).files)
    for name, source in sources.items():
        if _in_module_output(name, sources):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _in_module_output(name: str, sources: Mapping[str, Path]) -> bool:
    """True below the ``target`` of a module, where an earlier build left its jars."""
    module, found, _ = name.rpartition("/target/")
    return bool(found) and f"{module}/{pom.FILE_NAME}" in sources


def _chosen(project: Project, folder: Path, made: list[Path]) -> jars.Jar:
    """The jar that ``jar =`` in ``bot.toml`` names, by a pattern relative to the project; else the one that fits."""
    pattern = _options(project).get("jar", "")
    if not pattern:
        return jars.choose(made, folder)
    named = [path for path in made if fnmatch(path.relative_to(folder).as_posix(), pattern)]
    if not named:
        there = ", ".join(f"'{path.relative_to(folder).as_posix()}'" for path in sorted(made)) or "no jar"
        raise BuildError(f"Maven made nothing that matches jar = '{pattern}'", f"it made {there}")
    return jars.choose(named, folder)


def _added(project: Project, jar: jars.Jar, original_pom: bytes | None) -> dict[str, bytes]:
    """Members to add to the jar, or to put in the place of those that would differ at the next build."""
    added = {jars.MANIFEST: jars.steady_manifest(jar.path)}
    if original_pom is not None:
        described = pom.read(project.folder)
        name = f"META-INF/maven/{described.properties['project.groupId']}/{described.artifact}/{pom.FILE_NAME}"
        if jars.holds(jar.path, name):
            added[name] = original_pom
    return added
