"""Jars that a project carries itself, and that Maven finds in no repository.

Projects of this kind come with a script that runs ``mvn install:install-file`` once per jar, on each machine. Instead,
a repository made of those jars is laid into the copy that is built, and the copy's pom names it. What Maven keeps of it
in the user's local repository is seen by no project with other jars. Knows the layout of a Maven repository; runs
nothing.
"""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from bottool_java.pom import FILE_NAME, Artifact, Pom

_FOLDERS = ("lib", "libs")
_SCRIPTS = frozenset({".sh", ".bat", ".cmd", ".ps1"})
_SCRIPT_LIMIT_BYTES = 200_000
_OPTION = re.compile(r"""-D(file|groupId|artifactId|version)=("[^"]*"|'[^']*'|\S+)""")
_REPOSITORY_FOLDER = ".bottool-libraries"


def provide(folder: Path, project: Pom) -> bytes | None:
    """Make the project's own jars known to Maven in ``folder``, a copy.

    Returns the pom as it was when it had to be changed, else ``None``.
    """
    found = {artifact: jar for artifact, jar in _found(folder, project) if jar.is_file()}
    if not found:
        return None
    repository = folder / _REPOSITORY_FOLDER
    for artifact, jar in found.items():
        _lay(repository, artifact, jar)
    path = folder / FILE_NAME
    original = path.read_bytes()
    changed = _with_repository(original, _identifier(found))
    if changed is None:
        return None
    path.write_bytes(changed)
    return original


def _found(folder: Path, project: Pom) -> Iterator[tuple[Artifact, Path]]:
    """Dependencies with their jars: by a file's name, which the project's own install script overrides."""
    named = {str(each): each for each in project.dependencies if each.group and each.name and each.version}
    for artifact in named.values():
        for place in _FOLDERS:
            for name in (f"{artifact.name}.jar", f"{artifact.name}-{artifact.version}.jar"):
                yield artifact, folder / place / name
    for coordinates, file in _scripted(folder):
        inside = (folder / file).resolve()
        if coordinates in named and inside.is_relative_to(folder.resolve()):
            yield named[coordinates], inside


def _scripted(folder: Path) -> Iterator[tuple[str, str]]:
    """Coordinates and file of each ``install:install-file`` line; the script is read, never run."""
    scripts = sorted(each for each in folder.iterdir() if each.suffix in _SCRIPTS and each.is_file())
    for script in scripts:
        with script.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_SCRIPT_LIMIT_BYTES)
        for line in text.splitlines():
            said = {key: value.strip("\"'") for key, value in _OPTION.findall(line)} if "install-file" in line else {}
            if len(said) == 4:  # noqa: PLR2004 - the four options of the pattern
                coordinates = ":".join((said["groupId"], said["artifactId"], said["version"]))
                yield coordinates, said["file"].replace("\\", "/")


def _lay(repository: Path, artifact: Artifact, jar: Path) -> None:
    target = repository.joinpath(*artifact.group.split("."), artifact.name, artifact.version)
    target.mkdir(parents=True, exist_ok=True)
    name = f"{artifact.name}-{artifact.version}"
    shutil.copyfile(jar, target / f"{name}.jar")
    (target / f"{name}.pom").write_bytes(_own_pom(artifact, jar) or _plain_pom(artifact))


def _own_pom(artifact: Artifact, jar: Path) -> bytes | None:
    """The pom that lies in the jar, as ``install:install-file`` would take it; it brings the jar's dependencies."""
    try:
        with zipfile.ZipFile(jar) as archive:
            content = archive.read(f"META-INF/maven/{artifact.group}/{artifact.name}/{FILE_NAME}")
    except (KeyError, OSError, zipfile.BadZipFile):
        return None
    # A parent would have to come from a repository, which is what there is none of.
    return None if b"<parent>" in content or artifact.version.encode() not in content else content


def _plain_pom(artifact: Artifact) -> bytes:
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>{escape(artifact.group)}</groupId><artifactId>{escape(artifact.name)}</artifactId>"
        f"<version>{escape(artifact.version)}</version></project>"
    ).encode()


def _identifier(found: dict[Artifact, Path]) -> str:
    """Differs when a jar differs: Maven keeps what it got from a repository under the repository's id."""
    digest = hashlib.sha256()
    for artifact, jar in sorted(found.items(), key=lambda item: str(item[0])):
        digest.update(f"{artifact}\0".encode())
        digest.update(hashlib.sha256(jar.read_bytes()).digest())
    return f"bottool-{digest.hexdigest()[:12]}"


def _with_repository(content: bytes, identifier: str) -> bytes | None:
    """The pom with one repository more; None when it is written in a way that this cannot change."""
    address = f"file://${{project.basedir}}/{_REPOSITORY_FOLDER}"
    entry = f"<repository><id>{identifier}</id><url>{address}</url></repository>".encode()
    for tag, added in ((b"<repositories>", entry), (b"</project>", b"<repositories>" + entry + b"</repositories>")):
        # The first <repositories> may stand in a profile or in distributionManagement's neighbourhood: only a pom
        # that has exactly one is changed.
        if content.count(tag) == 1:
            at = content.index(tag) + (len(tag) if tag == b"<repositories>" else 0)
            return content[:at] + added + content[at:]
        if tag in content:
            return None
    return None
