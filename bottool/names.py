"""What a bot is called by the files around it: BotCity's project file, the scripts that packed it, its folder.

Copied projects keep the old name somewhere, so the names are compared and what differs is told. Reads small files
only, in whatever encoding; runs none of them.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottool.model import LABEL, Problem, Severity

_SCRIPTS = ("build.sh", "build.ps1", "build.bat")
_ZIP = re.compile(r"""["'\s=]([^"'\s/\\$%*{}][^"'/\\$%*{}\n]*?)\.zip\b""", re.IGNORECASE)
_LIMIT_BYTES = 200_000
_LONGEST_LABEL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """``project_file`` is what the one ``.botproj`` says, ``""`` without one or with several.

    ``packages`` are the names of the archives that the build scripts write, by script and without ending.
    """

    project_file: str = ""
    project_files: tuple[str, ...] = ()
    packages: Mapping[str, str]


def read(folder: Path) -> Names:
    """All names that the files in ``folder`` say; broken files say nothing."""
    try:
        found = tuple(sorted(each.name for each in folder.iterdir() if each.suffix == ".botproj"))
    except OSError:
        found = ()
    one = _of_project_file(folder / found[0]) if len(found) == 1 else ""
    packages = {script: name for script in _SCRIPTS if (name := _of_script(folder / script))}
    return Names(project_file=one, project_files=found, packages=packages)


def text_of(data: bytes) -> str:
    """Text in the encoding that its first bytes tell, otherwise UTF-8 or, failing that, Latin-1; never an error."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return text_of(file.read(_LIMIT_BYTES))
    except OSError:
        return ""


def _of_project_file(path: Path) -> str:
    """Its ``name``; the file's own where it says none."""
    try:
        said = json.loads(_read(path))
        name = said.get("name") if isinstance(said, dict) else None
    except (ValueError, RecursionError):
        name = None
    return name.strip() if isinstance(name, str) and name.strip() else path.stem


def _of_script(path: Path) -> str:
    found = _ZIP.search(_read(path))
    return found[1].strip() if found else ""


def as_label(name: str) -> str:
    """``name`` as a bot id can be: accents left away, other signs turned into ``-``; ``""`` when nothing is left."""
    if LABEL.fullmatch(name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-._")[:_LONGEST_LABEL].rstrip("-._")


def notes(used: str, said: Mapping[str, str], names: Names) -> list[Problem]:
    """Complaints about names that differ from ``used``, the bot id; ``said`` are all names by who says them."""
    found = []
    if len(names.project_files) > 1:
        found.append(_note(f"several .botproj files lie here ({', '.join(names.project_files)}); '{used}' is used"))
    others = {who: name for who, name in said.items() if as_label(name).casefold() != used.casefold()}
    if others:
        who = ", ".join(f"{who} says '{name}'" for who, name in others.items())
        found.append(_note(f"the names of this bot disagree: '{used}' is used, but {who}", _hint(used)))
    return found


def changed(used: str, name: str) -> Problem:
    """The note about a name that can be no bot id."""
    return _note(f"'{name}' cannot be a bot id, so that '{used}' is used", _hint(used))


def _note(message: str, hint: str = 'say which in bot.toml: id = "…"; remove the others') -> Problem:
    return Problem(severity=Severity.WARNING, code="name_disagrees", message=message, hint=hint)


def _hint(used: str) -> str:
    return f'say which in bot.toml: id = "{used}" (bottool adopt writes it)'
