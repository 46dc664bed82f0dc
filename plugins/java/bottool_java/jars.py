"""Reads jars: what starts them, for which Java they were compiled, what is in them; chooses the one that is the bot.

Nothing is extracted and nothing is run. Sizes are limited, since a jar may come from anywhere.
"""

import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bottool.errors import ArchiveError, BuildError
from bottool_java.jdk import feature_of_class_version

MANIFEST = "META-INF/MANIFEST.MF"
_TEXT_LIMIT_BYTES = 1_000_000
_CLASSES_READ = 4000
_CLASS_MAGIC = b"\xca\xfe\xba\xbe"
_NOT_THE_BOT = re.compile(r"(^original-.*|-(sources|javadoc|tests|test-sources))\.jar$")
_FAT = re.compile(r"-(jar-with-dependencies|all|fat|uber|shaded)\.jar$")
_OF_THIS_MACHINE = (b"Built-By", b"Build-Jdk", b"Build-Time", b"Build-Timestamp", b"Bnd-LastModified", b"Build-Host")
"""Attributes that build tools write and that differ from machine to machine or from minute to minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """``feature`` is the Java that its newest class needs; 0 when it holds none.

    ``main_class`` is what starts it; ``own_main_class`` what its manifest says, which is usually the same.
    """

    path: Path
    main_class: str
    classes: int
    feature: int
    size_bytes: int
    own_main_class: str = ""
    class_path: str = ""
    manifest: bool = True


def read(path: Path) -> Jar:
    """What the jar at ``path`` is.

    :raises ArchiveError: when it is no jar that can be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            manifest = _text(archive, MANIFEST) if MANIFEST in names else ""
            classes = [name for name in names if name.endswith(".class")]
            said = attributes(manifest)
            main_class = said.get("Main-Class", "").strip()
            feature = _feature(archive, classes)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise ArchiveError(f"'{path.name}' is no jar that can be read: {error}", reason="not_an_archive") from error
    return Jar(
        path=path,
        main_class=main_class,
        classes=len(classes),
        feature=feature,
        size_bytes=path.stat().st_size,
        own_main_class=main_class,
        class_path=said.get("Class-Path", "").strip(),
        manifest=bool(manifest),
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


def holds(path: Path, name: str) -> bool:
    """True when the jar has a member of that name."""
    with zipfile.ZipFile(path) as archive:
        return name in archive.namelist()


def holds_others(path: Path, needed: Iterable[str]) -> bool:
    """True when the jar holds something of the artifacts ``group:name:version``: their descriptors, their packages or
    the jars themselves. False only when there is no trace of any of them.
    """
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    folders = {name.rpartition("/")[0] for name in names if name.endswith(".class")}
    packages = {"/".join(folder.split("/")[:2]) for folder in folders if not folder.startswith("META-INF/")}
    for each in needed:
        group, name, *_ = (*each.split(":"), "")
        place = "/".join(group.split(".")[:2])
        inside = f"META-INF/maven/{group}/{name}/"
        if place in packages or any(one.startswith(inside) or f"/{name}-" in one for one in names):
            return True
    # Some artifacts hold packages that are called otherwise than their group.
    return len(packages) > 1


def choose(paths: Iterable[Path], folder: Path, main_class: str = "") -> Jar:
    """The jar that can be started: it has a Main-Class and classes; of several the fat one, else that of most classes.

    ``main_class`` starts a jar that holds it, whatever the jar's own manifest says.

    :raises BuildError: when none can be; says what is wrong with each.
    """
    found = [_started_by(read(path), main_class) for path in sorted(paths) if not _NOT_THE_BOT.search(path.name)]
    runnable = [jar for jar in found if jar.main_class and jar.classes and holds(jar.path, _class_file(jar.main_class))]
    if runnable:
        return max(runnable, key=lambda jar: (bool(_FAT.search(jar.path.name)), jar.classes, jar.size_bytes))
    if not found:
        raise BuildError(
            "the build made no jar", 'the packaging in pom.xml must be "jar", and its last phase "package"'
        )
    listed = "; ".join(f"'{jar.path.relative_to(folder).as_posix()}' {_defect(jar)}" for jar in found)
    raise BuildError(
        f"the build made no jar that can be started: {listed}",
        "name the class with main() as mainClass in the configuration of maven-jar-plugin (or of the plugin that"
        ' makes the jar with its dependencies), or in bot.toml as [java] main = "…"',
    )


def _started_by(jar: Jar, main_class: str) -> Jar:
    if not main_class or not holds(jar.path, _class_file(main_class)):
        return jar
    return replace(jar, main_class=main_class)


def _class_file(main_class: str) -> str:
    return f"{main_class.replace('.', '/')}.class"


def _defect(jar: Jar) -> str:
    if not jar.classes:
        return "holds no classes"
    return f"does not hold its Main-Class {jar.main_class}" if jar.main_class else "has no Main-Class in its manifest"


def without_attribute(manifest: bytes, name: bytes) -> bytes:
    """A manifest's lines without that attribute of its main section."""
    kept, dropping, main_section = [], False, True
    for line in manifest.splitlines(keepends=True):
        main_section = main_section and bool(line.strip())
        if not line.startswith(b" "):
            dropping = main_section and line.split(b":", 1)[0] == name
        if not dropping:
            kept.append(line)
    return b"".join(kept)


def steady_manifest(path: Path) -> bytes:
    """The jar's manifest without what differs between two builds of the same source."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read(MANIFEST) if MANIFEST in archive.namelist() else b""
    for name in _OF_THIS_MACHINE:
        content = without_attribute(content, name)
    return content
