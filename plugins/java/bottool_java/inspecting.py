"""What can be told of a jar without running it: for the server's page about a version, and for validation at upload."""

from collections.abc import Iterator
from pathlib import Path

from bottool import archive
from bottool.model import Inspection, Package, Problem, Severity
from bottool_java import descriptors, jars, jdk, signatures

_NEWEST_IMAGINABLE = 40
"""No Java of this number is near; a class file that wants one is damaged, or was never made by a compiler."""


def inspect(package: Package) -> Inspection:
    archive.check(package.path)
    jar = jars.read(package.path)
    dependencies = descriptors.dependencies(package.path, package.bot_id)
    return Inspection(
        entry=jar.main_class,
        requires=f">={jar.feature}" if jar.feature else "",
        dependencies=dependencies,
        # What runs is what is inside: nothing is fetched when the bot is made ready.
        locked=not jar.class_path,
        problems=tuple(_problems(jar, package.path)),
    )


def _problems(jar: jars.Jar, path: Path) -> Iterator[Problem]:
    yield from _cannot_start(jar)
    if jar.class_path:
        yield _problem(
            Severity.WARNING, "thin_jar", f"the jar needs other files beside it (Class-Path: {jar.class_path[:60]})"
        )
    if jar.feature > _NEWEST_IMAGINABLE:
        major = jar.feature + jdk.CLASS_VERSION_BASE
        yield _problem(
            Severity.ERROR,
            "jar_for_unknown_java",
            f"its classes have the version {major}, for a Java {jar.feature} that does not exist",
        )
    if name := signatures.altered(path):
        yield _problem(Severity.ERROR, "jar_altered", f"the jar is signed, but '{name}' is not what was signed")


def _cannot_start(jar: jars.Jar) -> Iterator[Problem]:
    if not jar.manifest:
        yield _problem(Severity.ERROR, "jar_no_manifest", "the jar has no META-INF/MANIFEST.MF")
    if not jar.main_class:
        yield _problem(Severity.ERROR, "jar_no_main_class", "the jar has no Main-Class in its manifest")
    elif jar.classes and not jars.holds(jar.path, f"{jar.main_class.replace('.', '/')}.class"):
        yield _problem(
            Severity.ERROR, "jar_main_class_missing", f"the jar does not hold its Main-Class {jar.main_class}"
        )
    if not jar.classes:
        yield _problem(Severity.ERROR, "jar_no_classes", "the jar holds no classes")


def _problem(severity: Severity, code: str, message: str) -> Problem:
    return Problem(severity=severity, code=code, message=message, hint="build it with 'bottool build'")
