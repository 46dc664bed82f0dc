"""Reads jars: what starts them, for which Java they were compiled, what is in them; chooses the one that is the bot.

Nothing is extracted and nothing is run. Sizes are limited, since a jar may come from anywhere.
"""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ArchiveError, BuildError
from bottool.model import Dependency, Problem, Severity
from bottool_java.jdk import feature_of_class_version

MANIFEST = "META-INF/MANIFEST.MF"
_TEXT_LIMIT_BYTES = 1_000_000
_CLASSES_READ = 4000
_CLASS_MAGIC = b"\xca\xfe\xba\xbe"
_NOT_THE_BOT = re.compile(r"(^original-.*|-(sources|javadoc|tests|test-sources))\.jar$")
_POM_PROPERTIES = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_OF_THIS_MACHINE = ("Built-By", "Build-Jdk", "Build-Time", "Build-Timestamp", "Bnd-LastModified", "Build-Host")
"""Attributes that build tools write and that differ from machine to machine or from minute to minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """``feature`` is the Java that its newest class needs; 0 when it holds none."""

    path: Path
    main_class: str
    classes: int
    feature: int
    size_bytes: int


def read(path: Path) -> Jar:
    """What the jar at ``path`` is.

    :raises ArchiveError: when it is no jar that can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            manifest = _text(archive, MANIFEST) if MANIFEST in names else ""
            classes = [name for name in names if name.endswith(".class")]
            main_class = attributes(manifest).get("Main-Class", "").strip()
            feature = _feature(archive, classes)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArchiveError(f"'{path.name}' is no jar that can be read: {error}", reason="not_an_archive") from error
    return Jar(
        path=path,
        main_class=main_class,
        classes=len(classes),
        feature=feature,
        size_bytes=path.stat().st_size,
    )


def _text(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return file.read(_TEXT_LIMIT_BYTES).decode("utf-8", errors="replace")


def _feature(archive: zipfile.ZipFile, classes: list[str]) -> int:
    """Classes for newer Javas in a multi-release jar and module descriptors are skipped: older Javas ignore them."""
    newest = 0
    counted = (name for name in classes if "META-INF/" not in name and not name.endswith("module-info.class"))
    for name, _ in zip(counted, range(_CLASSES_READ), strict=False):
        with archive.open(name) as file:
            head = file.read(8)
        if head.startswith(_CLASS_MAGIC):
            newest = max(newest, int.from_bytes(head[6:8], "big"))
    # Java 1.0 to 1.4 all count as the oldest.
    return max(feature_of_class_version(newest), 1) if newest else 0


def attributes(manifest: str) -> dict[str, str]:
    """The main section of a manifest. Lines that start with a blank continue the one before (72-byte lines)."""
    found: dict[str, str] = {}
    last = ""
    for line in manifest.splitlines():
        if not line.strip():
            break
        if line.startswith(" ") and last:
            found[last] += line[1:]
        elif ": " in line:
            last, value = line.split(": ", 1)
            found[last] = value
    return found


def dependencies(path: Path) -> tuple[Dependency, ...]:
    """The Maven artifacts whose descriptors lie in the jar, sorted; the bot's own is among them."""
    with zipfile.ZipFile(path) as archive:
        texts = [_text(archive, name) for name in archive.namelist() if _POM_PROPERTIES.fullmatch(name)]
    found = set()
    for text in texts:
        said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
        if said.get("artifactId"):
            name = f"{said.get('groupId', '').strip()}:{said['artifactId'].strip()}".lstrip(":")
            found.add((name, said.get("version", "").strip()))
    return tuple(Dependency(name=name, version=version) for name, version in sorted(found))


def holds(path: Path, name: str) -> bool:
    """True when the jar has a member of that name."""
    with zipfile.ZipFile(path) as archive:
        return name in archive.namelist()


def problems(jar: Jar) -> tuple[Problem, ...]:
    """What would keep the jar from starting."""
    found = []
    if not jar.main_class:
        found.append(("jar_no_main_class", "the jar has no Main-Class in its manifest"))
    if not jar.classes:
        found.append(("jar_no_classes", "the jar holds no classes"))
    return tuple(
        Problem(severity=Severity.ERROR, code=code, message=message, hint="build it with 'bottool build'")
        for code, message in found
    )


def choose(paths: Iterable[Path], folder: Path) -> Jar:
    """The jar that can be started: it has a Main-Class and classes; of several the fat one, else the biggest.

    :raises BuildError: when none can be; says what is wrong with each.
    """
    found = [read(path) for path in sorted(paths) if not _NOT_THE_BOT.search(path.name)]
    runnable = [jar for jar in found if jar.main_class and jar.classes]
    if runnable:
        return max(runnable, key=lambda jar: ("jar-with-dependencies" in jar.path.name, jar.size_bytes))
    if not found:
        raise BuildError("Maven made no jar", 'the packaging in pom.xml must be "jar", and its last phase "package"')
    listed = "; ".join(f"'{jar.path.relative_to(folder).as_posix()}' {_defect(jar)}" for jar in found)
    raise BuildError(
        f"Maven made no jar that can be started: {listed}",
        "name the class with main() as mainClass in the configuration of maven-jar-plugin (or of the plugin that"
        " makes the jar with its dependencies); see the sample that 'bottool new --language java' writes",
    )


def _defect(jar: Jar) -> str:
    return "holds no classes" if not jar.classes else "has no Main-Class in its manifest"


def steady_manifest(path: Path) -> bytes:
    """The jar's manifest without what differs between two builds of the same source."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read(MANIFEST)
    kept = []
    dropping = False
    main_section = True
    for line in content.splitlines(keepends=True):
        main_section = main_section and bool(line.strip())
        if not line.startswith(b" "):
            name = line.split(b":", 1)[0].decode("utf-8", errors="replace")
            dropping = main_section and name in _OF_THIS_MACHINE
        if not dropping:
            kept.append(line)
    return b"".join(kept)
