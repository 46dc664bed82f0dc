"""``validate`` as a whole: what a project's language finds, what other plugins find, and what core finds in any bot.

Core reads each text file of the package once, and says nothing that would cost a secret: never its value.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from bottool import finding_rules, names
from bottool.bot_toml import FILE_NAME
from bottool.errors import ProjectError
from bottool.model import Problem, Project, Severity
from bottool.plugins import Plugins
from bottool.sources import LeftOut, source_files, walked_once

MOST_PER_CODE = 20
_BIG_BYTES = 1_000_000
_BIGGEST = 10
_READ_BYTES = 400_000
"""Of a larger file only the beginning is read: it is data."""
_BINARY_SIGN = b"\0"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_GENERATED = frozenset(
    {"package-lock.json", "pnpm-lock.yaml", "yarn.lock", "poetry.lock", "uv.lock", "requirements.lock", "bottool.json"}
)
_PACKING_SCRIPTS = frozenset(
    {"build.sh", "build.bat", "build.ps1", "install.sh", "install.bat", "deploy.bat", "deploy.sh"}
)
_WINDOWS_FILES = frozenset({".exe", ".dll", ".msi"})
_TEXT = finding_rules.CODE | finding_rules.CONFIGURATION | finding_rules.PROSE
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1}

_MESSAGES = {
    "secret_in_code": (
        "{} is written into the code",
        "keep it as a credential on the server, and change it: it is known now",
    ),
    "absolute_path": (
        "'{}' is a path of one machine",
        "take it from a parameter, or make it relative to the bot's folder",
    ),
    "windows_only": ("'{}' is there on Windows only", "run this bot on Windows runners, or look the program up"),
}


def problems_of(plugins: Plugins, project: Project) -> list[Problem]:
    """Everything to say of a project, errors first; of one code at most 20, then how many more there are.

    :raises PluginError: when a plugin fails; names it.
    :raises ProjectError: when the files cannot be listed, for example because of a link that leads out.
    """
    with walked_once(project.folder):
        found = [*project.notes, *plugins.validate(project), *_own(project)]
    return collapsed(sorted(_once(found), key=lambda each: _ORDER[each.severity]))


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Without what is said twice of one line: a language may know more of it, and comes first."""
    seen = set()
    for each in problems:
        place = (each.code, each.path, each.message if each.line is None else each.line)
        if place not in seen:
            seen.add(place)
            yield each


def collapsed(problems: Iterable[Problem]) -> list[Problem]:
    """The same without the 21st and later ones of a code; one line says how many those are."""
    problems = list(problems)
    kept: list[Problem] = []
    seen: Counter[tuple[Severity, str]] = Counter()
    for each in problems:
        seen[each.severity, each.code] += 1
        if seen[each.severity, each.code] <= MOST_PER_CODE:
            kept.append(each)
    for (severity, code), count in seen.items():
        if count > MOST_PER_CODE:
            more = f"and {count - MOST_PER_CODE} more of the kind '{code}'"
            kept.append(Problem(severity=severity, code=code, message=more))
    return kept


def _own(project: Project) -> Iterator[Problem]:
    sources = source_files(project.folder, project.exclude)
    sizes: dict[str, int] = {}
    for name, path in sources.files:
        try:
            sizes[name] = path.stat().st_size
            yield from _in_file(name, path, sizes[name])
        except OSError as error:
            # It was there when the folder was listed; whether that matters is up to what is built next.
            yield _warning("unreadable_file", f"it cannot be read: {error.strerror}", "look at its permissions", name)
    yield from _big_files(sizes)
    yield from _windows_files(sizes)
    yield from _left_out(sources.omitted)


def _in_file(name: str, path: Path, size: int) -> Iterator[Problem]:
    suffix = finding_rules.suffix_of(name)
    base = PurePosixPath(name).name
    if suffix not in _TEXT or base in _GENERATED or base.endswith((".min.js", ".min.css")) or not size:
        return
    with path.open("rb") as file:
        data = file.read(_READ_BYTES)
    if _BINARY_SIGN in data and not data.startswith(_UTF_16):
        return
    text = names.text_of(data)
    line, position, told = 1, 0, set()
    for hit in finding_rules.hits(text, suffix):
        if hit.code != "secret_in_code" and (base in _PACKING_SCRIPTS or suffix in {".xml", ".sql"}):
            continue
        line += text.count("\n", position, hit.position)
        position = hit.position
        if (hit.code, line) in told:
            continue
        told.add((hit.code, line))
        message, hint = _MESSAGES[hit.code]
        yield _warning(hit.code, message.format(hit.what), hint, name, line)


def _big_files(sizes: dict[str, int]) -> Iterator[Problem]:
    big = sorted((name for name, size in sizes.items() if size > _BIG_BYTES), key=lambda name: (-sizes[name], name))
    if not big:
        return
    shown = ", ".join(f"{name} ({_megabytes(sizes[name])})" for name in big[:_BIGGEST])
    more = f" and {len(big) - _BIGGEST} more" if len(big) > _BIGGEST else ""
    total = _megabytes(sum(sizes[name] for name in big))
    what = "one file is" if len(big) == 1 else f"{len(big)} files are"
    message = f"{what} larger than 1 MB, {total} in all: {shown}{more}"
    yield _warning("big_file", message, f'leave out what the bot does not read: exclude = ["…"] in {FILE_NAME}', big[0])


def _windows_files(sizes: dict[str, int]) -> Iterator[Problem]:
    found = sorted(name for name in sizes if PurePosixPath(name).suffix.lower() in _WINDOWS_FILES)
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        message = f"'{found[0]}'{more} comes with the bot and works on Windows only"
        yield _warning(
            "windows_only", message, "run this bot on Windows runners, or use what each machine has", found[0]
        )


def _left_out(left_out: Iterable[LeftOut]) -> Iterator[Problem]:
    for each in left_out:
        name = each.name
        if PurePosixPath(name).name == ".env":
            keys = _keys(each.path)
            hint = "set its values on the server, as credentials or as parameters" + (f": {keys}" if keys else "")
            yield _warning("dotenv_left_out", f"'{name}' is left out of the package", hint, name)


def _keys(path: Path) -> str:
    """The names, never the values, that a ``.env`` sets."""
    try:
        text = names.text_of(path.read_bytes()[:_READ_BYTES])
    except OSError:
        return ""
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    found = [
        key.strip() for key, equals, _ in (line.partition("=") for line in lines) if equals and not key.startswith("#")
    ]
    found = [key for key in dict.fromkeys(found) if key.replace("_", "").isalnum()]
    return ", ".join(found[:_BIGGEST])


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _warning(code: str, message: str, hint: str, path: str, line: int | None = None) -> Problem:
    return Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=path, line=line)


def as_problem(error: ProjectError) -> Problem:
    """A bot that cannot even be read, as a finding among those of the other bots of a repository."""
    return Problem(severity=Severity.ERROR, code="bad_project", message=error.message, hint=error.hint)
