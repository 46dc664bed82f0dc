"""A Java project becomes one jar that starts by itself: copied, built by its own tool, chosen, and written anew.

Knows both build tools and jars; runs no bot, and does not touch the project.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from bottool import archive
from bottool.errors import BuildError
from bottool.model import Project
from bottool.settings import base_variables
from bottool_java import gradle, jars, jdk, libraries, marks, maven, options, pom, signatures

_CLASS_NAME = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*")
_OUTPUTS = {"target": ("pom.xml",), "build": marks.GRADLE}
"""Where build tools write, and which file beside it says so."""
_LINE_BYTES = 70


def uses_gradle(folder: Path) -> bool:
    """True for a project of Gradle. One that has both is Maven's, whose files say more without being run."""
    return not (folder / pom.FILE_NAME).is_file() and marks.gradle_script_of(folder) is not None


def build(project: Project, output: Path) -> Path:
    """Write the package of ``project`` into ``output``."""
    target = output / f"{project.bot_id}-{project.version}.jar"
    with tempfile.TemporaryDirectory(prefix="bottool-java-", ignore_cleanup_errors=True) as scratch:
        # The tool writes into the folder that it builds, and must not touch the project.
        folder = Path(scratch).resolve() / "project"
        _copy(project, folder)
        before = frozenset(folder.rglob("*.jar"))
        original = _run_tool(project, folder)
        made = [path for path in folder.rglob("*.jar") if path not in before]
        jar = _chosen(project, folder, made)
        _refuse_thin(jar, project.folder)
        added = _added(project, jar, original)
        clean = signatures.without_broken(jar.path, Path(scratch) / "clean.jar")
        manifest = archive.manifest(
            project,
            entry=jar.main_class,
            requires=f">={jar.feature}" if jar.feature else "",
            java=options.for_manifest(project, jar.feature),
        )
        archive.rewrite_jar(clean, target, added, manifest=manifest)
    return target


def java_for(folder: Path) -> jdk.Installed:
    """The JDK that builds the project in ``folder``.

    :raises ToolMissing: when none fits.
    """
    script = gradle.read(folder) if uses_gradle(folder) else None
    if script is not None:
        # A toolchain may compile with another one; Gradle itself runs on this.
        return jdk.for_building(base_variables(), script.release, newest=script.newest_java)
    return jdk.for_building(base_variables(), pom.read(folder).release)


def build_key(project: Project) -> str | None:
    """Versions of the tools, where nothing but them and the files decides what is built."""
    if uses_gradle(project.folder) or maven.wrapper(project.folder):
        return None
    described = pom.read(project.folder)
    versions = [described.version, *(each.version for each in described.dependencies)]
    # A snapshot, a range or a version that the parent says may be another one tomorrow.
    if (
        described.has_parent
        or described.modules
        or any(not each or each[0] in "[(" or "SNAPSHOT" in each for each in versions)
    ):
        return None
    program = maven.on_path(base_variables())
    java = java_for(project.folder)
    return f"maven {maven.version(program) if program else '?'} jdk {java.build}"


def _run_tool(project: Project, folder: Path) -> bytes | None:
    """The pom as it was when it had to be changed for the build."""
    if uses_gradle(folder):
        _gradle(project, folder)
        return None
    return _maven(project, folder)


def _maven(project: Project, folder: Path) -> bytes | None:
    described = pom.read(folder)
    original = libraries.provide(folder, described)
    extra = options.of_project(project).get("maven_arguments", ())
    maven.package(folder, described, java_for(project.folder), base_variables(), extra)
    return original


def _gradle(project: Project, folder: Path) -> None:
    script = gradle.read(folder)
    if script is not None:
        extra = options.of_project(project).get("gradle_arguments", ())
        gradle.package(folder, script, java_for(project.folder), base_variables(), extra)


def _copy(project: Project, folder: Path) -> None:
    sources = dict(archive.source_files(project.folder, project.exclude).files)
    for name, source in sources.items():
        if _in_output(name, sources):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _in_output(name: str, sources: Mapping[str, Path]) -> bool:
    """True below a folder where an earlier build left its jars, in the project or in one of its modules."""
    parts = name.split("/")
    for at, part in enumerate(parts[:-1]):
        prefix = "/".join(parts[:at]) + "/" if at else ""
        if any(f"{prefix}{sign}" in sources for sign in _OUTPUTS.get(part, ())):
            return True
    return False


def main_class_of(project: Project) -> str:
    """The class that ``bot.toml`` names: ``main`` of ``[java]``, or ``entry``."""
    said = str(options.of_project(project).get("main") or project.entry)
    return said if _CLASS_NAME.fullmatch(said) else ""


def _chosen(project: Project, folder: Path, made: list[Path]) -> jars.Jar:
    """The jar that ``jar =`` in ``bot.toml`` names, by a pattern relative to the project; else the one that fits."""
    main = main_class_of(project)
    pattern = options.of_project(project).get("jar", "")
    if not pattern:
        return jars.choose(made, folder, main)
    named = [path for path in made if fnmatch(path.relative_to(folder).as_posix(), pattern)]
    if not named:
        there = ", ".join(f"'{path.relative_to(folder).as_posix()}'" for path in sorted(made)) or "no jar"
        raise BuildError(f"the build made nothing that matches jar = '{pattern}'", f"it made {there}")
    return jars.choose(named, folder, main)


def _refuse_thin(jar: jars.Jar, folder: Path) -> None:
    """Refuse a jar that leaves out what it needs: it would end with NoClassDefFoundError on every machine but this."""
    missing = ""
    if jar.class_path:
        missing = f"its manifest points to other files (Class-Path: {jar.class_path[:60]})"
    elif (needed := _needed(folder)) and jar.classes and not jars.holds_others(jar.path, needed):
        missing = f"{needed[0]} is not inside"
    if missing:
        raise BuildError(
            f"the jar '{jar.path.name}' does not hold the bot's dependencies: {missing}",
            "let maven-assembly-plugin (or the shadow plugin of Gradle) pack them into the jar;"
            " see the page about thin_jar, or 'bottool new java NAME --template assembly'",
        )


def _needed(folder: Path) -> tuple[str, ...]:
    """The dependencies that the bot needs when it runs, as ``group:artifact:version``."""
    if uses_gradle(folder):
        script = gradle.read(folder)
        return script.dependencies if script and not script.packs_dependencies else ()
    described = pom.read(folder)
    if described.has_parent or described.packs_dependencies:
        return ()
    return tuple(str(each) for each in described.dependencies if each.needed_to_run)


def _added(project: Project, jar: jars.Jar, original_pom: bytes | None) -> dict[str, bytes]:
    """Members to add to the jar, or to put in the place of those that would differ at the next build."""
    manifest = jars.steady_manifest(jar.path)
    if jar.main_class != jar.own_main_class:
        manifest = _with_main_class(manifest, jar.main_class)
    added = {jars.MANIFEST: manifest}
    if original_pom is not None:
        described = pom.read(project.folder)
        name = f"META-INF/maven/{described.properties['project.groupId']}/{described.artifact}/{pom.FILE_NAME}"
        if jars.holds(jar.path, name):
            added[name] = original_pom
    return added


def _with_main_class(manifest: bytes, main_class: str) -> bytes:
    """The manifest with that ``Main-Class`` right after its first line; a line has at most 72 bytes."""
    first, _, rest = (manifest or b"Manifest-Version: 1.0\r\n").partition(b"\n")
    line = f"Main-Class: {main_class}".encode()
    parts = [line[:_LINE_BYTES], *(b" " + line[at : at + 69] for at in range(_LINE_BYTES, len(line), 69))]
    return first.rstrip(b"\r") + b"\r\n" + b"\r\n".join(parts) + b"\r\n" + jars.without_attribute(rest, b"Main-Class")
