"""Which Maven artifacts a jar brings: by the descriptors that Maven leaves in it, and by the jars that lie inside.

The bot's own artifact is none of its dependencies; its own pom tells which of the others it asks for itself. Everything
is read in place, nothing is unpacked; a jar inside is opened only where that costs little.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ProjectError
from bottool.model import Dependency
from bottool_java import pom

_TEXT_LIMIT_BYTES = 1_000_000
_INNER_LIMIT_BYTES = 20_000_000
_INNER_LIMIT = 2000
"""So large may a jar inside be, and so many are looked at."""
_PROPERTIES = re.compile(r"META-INF/maven/([^/]+)/([^/]+)/pom\.properties")
_INNER = re.compile(r"(?:BOOT-INF/lib|WEB-INF/lib|lib|libs)/([^/]+)\.jar")
_NAMED = re.compile(r"(.+?)-(\d[\w.+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One artifact; ``group`` is empty for a jar that only its file's name tells of."""

    group: str
    name: str
    version: str

    @property
    def full(self) -> str:
        return f"{self.group}:{self.name}".lstrip(":")


def dependencies(path: Path, bot_id: str = "") -> tuple[Dependency, ...]:
    """The artifacts in the jar but for the bot's own, sorted; ``direct`` are those that the bot's own pom names."""
    with zipfile.ZipFile(path) as archive:
        own = set(_of_descriptors(archive))
        found = own | set(_of_inner_jars(archive))
        poms = {each.full: each_pom for each in own if (each_pom := _pom_of(archive, each))}
    bot = _bot(own, poms, bot_id)
    asked = {f"{each.group}:{each.name}" for each in poms[bot].dependencies} if bot in poms else set()
    asked_by_name = {full.partition(":")[2]: full for full in asked}
    made: dict[str, Dependency] = {}
    for each in sorted(found, key=lambda one: (not one.group, one.full, one.version)):
        full = each.full if each.group else asked_by_name.get(each.name, each.name)
        if each.full != bot:
            made.setdefault(
                f"{full} {each.version}",
                Dependency(name=full, version=each.version, ecosystem="maven", direct=full in asked),
            )
    return tuple(made[key] for key in sorted(made))


def _of_descriptors(archive: zipfile.ZipFile) -> Iterator[_Found]:
    for name in archive.namelist():
        if _PROPERTIES.fullmatch(name):
            lines = _read(archive, name).decode("utf-8", "replace").splitlines()
            said = {key: value.strip() for key, _, value in (line.partition("=") for line in lines)}
            if said.get("artifactId"):
                yield _Found(group=said.get("groupId", ""), name=said["artifactId"], version=said.get("version", ""))


def _of_inner_jars(archive: zipfile.ZipFile) -> Iterator[_Found]:
    inner = [each for each in archive.infolist() if _INNER.fullmatch(each.filename)]
    for each in inner[:_INNER_LIMIT]:
        match = _INNER.fullmatch(each.filename)
        stem = match[1] if match else ""
        named = _NAMED.fullmatch(stem)
        by_name = _Found(group="", name=named[1] if named else stem, version=named[2] if named else "")
        # An artifact that others were packed into has their descriptors too.
        yield next((one for one in _inside(archive, each) if one.name == by_name.name), by_name)


def _inside(archive: zipfile.ZipFile, inner: zipfile.ZipInfo) -> list[_Found]:
    """What a jar inside says of itself; nothing where it is too large, or no jar."""
    if inner.file_size > _INNER_LIMIT_BYTES:
        return []
    try:
        with archive.open(inner) as file:
            content = file.read(_INNER_LIMIT_BYTES)
        with zipfile.ZipFile(io.BytesIO(content)) as jar:
            return list(_of_descriptors(jar))
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError):
        return []


def _pom_of(archive: zipfile.ZipFile, artifact: _Found) -> pom.Pom | None:
    name = f"META-INF/maven/{artifact.group}/{artifact.name}/{pom.FILE_NAME}"
    if name not in archive.NameToInfo:
        return None
    try:
        return pom.understood(_read(archive, name))
    except ProjectError:
        # A stranger's pom may be anything; then nothing is known of it.
        return None


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(_TEXT_LIMIT_BYTES)


def _bot(own: set[_Found], poms: Mapping[str, pom.Pom], bot_id: str) -> str:
    """The artifact that is the bot itself: it bears its id, or is the one that no other asks for; ``""`` if unknown."""
    named = [each.full for each in own if each.name == bot_id]
    if len(named) == 1:
        return named[0]
    asked = {f"{each.group}:{each.name}" for described in poms.values() for each in described.dependencies}
    first = [full for full in poms if full not in asked]
    return first[0] if len(first) == 1 else ""
