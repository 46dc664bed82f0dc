"""A project becomes a package: validated, locked, built by its language, checked, and put in its place when complete.

Knows no server. What a language packed by its own means is judged as if a stranger had made it, so that no package is
refused later for what could have been said here. A folder that is as it was is not built again.
"""

import glob
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bottool import __version__, resolved, stamps
from bottool.errors import ArchiveError, BottoolError, PluginError, ProjectError
from bottool.ignore_files import files_above
from bottool.model import Package, Problem, Project, Severity
from bottool.plugins import Plugins, listed, one_line
from bottool.sources import LeftOutGroup, Sources, source_files, walked_once

if TYPE_CHECKING:
    from bottool.packing import Progress

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """``problems`` are warnings: errors stop a build. ``left_out`` says what was not packed, and why.

    ``up_to_date`` is true when the package was there already and nothing has changed since it was made.
    """

    package: Package
    problems: tuple[Problem, ...]
    left_out: tuple[str, ...]
    left_out_by_reason: tuple[LeftOutGroup, ...] = ()
    up_to_date: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a person may ask of a build.

    ``fresh`` builds even what has not changed; ``relock`` resolves anew what is kept; without ``locked`` no lock is
    resolved. ``once`` is for a package that goes away again: nothing is remembered of it but its lock. ``progress``
    hears how many bytes of how many are packed.
    """

    fresh: bool = False
    relock: bool = False
    locked: bool = True
    once: bool = False
    progress: "Progress | None" = None


def build(
    plugins: Plugins,
    project: Project,
    output: Path,
    *,
    cache: Path | None = None,
    note: Note = lambda _text: None,
    how: How | None = None,
) -> Built:
    """Write the project's package into the folder ``output``, which is made when it is not there.

    A package of the same bot and name is replaced. On any error ``output`` holds what it held before. The project's
    own folder is not touched, but for ``output`` when that lies in it. In ``cache`` stay resolved locks, and what tells
    that nothing has changed; without it all is made anew. ``note`` hears in a few words what takes time.

    :raises ProjectError: when the project has errors (all are listed, and ``details["problems"]`` holds them), when a
        file changes while it is packed, or when a file of another bot is in the way.
    :raises ArchiveError: when no package could hold the project's files; names the file.
    :raises BuildError: when a language's tool fails, or nothing satisfies what the bot depends on.
    """
    how = how or How()
    output = output.resolve()
    project = without_output(project, output)
    began_ns = time.time_ns()
    if how.relock and how.locked:
        _locked(plugins, project, cache, note, how)
    stamp = None if cache is None or how.once else _place_of_stamp(cache, project, output)
    if stamp and not how.fresh and (known := _unchanged(plugins, project, stamp, cache, how, began_ns)):
        return known
    with walked_once(project.folder):
        return _built(plugins, project, output, stamp, (cache, note, how, began_ns))


def _built(
    plugins: Plugins,
    project: Project,
    output: Path,
    stamp: Path | None,
    said: tuple[Path | None, Note, How, int],
) -> Built:
    from bottool import archive, packing
    from bottool.placing import output_folder, workplace

    cache, note, how, began_ns = said
    problems = [*project.notes, *plugins.validate(project)]
    _refuse_errors(project, problems)
    project, missing = _locked(plugins, project, cache, note, replace(how, relock=False))
    if project.lock and any(each.code == "missing_module" for each in problems):
        # A lock also says what the requirements bring along.
        problems = [*project.notes, *plugins.validate(project)]
    problems += missing
    with output_folder(output):
        sources = sources_of(project, output)
        state = stamps.look(project.folder, sources, (), began_ns)
        with workplace(output) as work, packing.told_to(how.progress or (lambda _done, _all: None)):
            made = _build_one(plugins, project, work)
            manifest = archive.check_packed(made)
            target = output / made.name
            _place(made, target, project)
    built = Built(
        package=_package(target, project, manifest),
        problems=tuple(problems),
        left_out=sources.left_out,
        left_out_by_reason=sources.left_out_by_reason(),
    )
    if stamp:
        _remember(plugins, project, built, (stamp, state, sources, began_ns), cache, how)
    return built


def _locked(
    plugins: Plugins, project: Project, cache: Path | None, note: Note, how: How
) -> tuple[Project, tuple[Problem, ...]]:
    if how.locked:
        return resolved.with_lock(plugins, project, cache, note, anew=how.relock)
    if not resolved.lock_key(plugins, project):
        return project, ()
    return project, (resolved.not_locked("packed without a lock, as asked"),)


def _place_of_stamp(cache: Path, project: Project, output: Path) -> Path:
    return stamps.place(cache, *map(str, (project.folder, output, project.bot_id, project.version, project.language)))


def _key(plugins: Plugins, project: Project, lock_key: str, cache: Path | None, how: How) -> str:
    """What a package depends on beside its folder; empty when that cannot be told."""
    language = plugins.language(project.language)
    try:
        own = language.build_key(project)
    except Exception as error:  # a stranger's code may raise anything
        if isinstance(error, BottoolError):
            return ""
        plugin = plugins.owner(language.name)
        raise PluginError(f"plugin '{plugin}' failed in {language.name}.build_key: {one_line(error)}") from error
    lock = resolved.kept(language, lock_key, cache) if how.locked else "none"
    if own is None or lock is None:
        return ""
    code = getattr(sys.modules.get(type(language).__module__), "__file__", None) or ""
    said = (
        *(__version__, own, lock, project.entry, project.exclude, stamps.state_of_file(Path(code))),
        *(sorted(project.options.items()), [str(each) for each in files_above(project.folder)]),
        [asdict(each) for each in project.notes],
    )
    return hashlib.sha256(json.dumps(said, default=str).encode("utf-8", "surrogateescape")).hexdigest()


def _unchanged(
    plugins: Plugins, project: Project, place: Path, cache: Path | None, how: How, began_ns: int
) -> Built | None:
    """The package that is there, when nothing has changed since it was built."""
    stamp = stamps.read(place)
    if stamp is None or stamp.package_state != stamps.state_of_file(stamp.package.path):
        return None
    if stamp.key != _key(plugins, project, stamp.lock_key, cache, how) or not stamps.holds(stamp.state):
        return None
    if stamp.state.doubtful:
        stamps.write(place, replace(stamp, state=stamps.renewed(stamp.state, began_ns)))
    return Built(
        package=stamp.package,
        problems=stamp.problems,
        left_out=stamp.left_out,
        left_out_by_reason=stamp.left_out_by_reason,
        up_to_date=True,
    )


def _remember(
    plugins: Plugins,
    project: Project,
    built: Built,
    seen: tuple[Path, stamps.State, Sources, int],
    cache: Path | None,
    how: How,
) -> None:
    """Keep what tells the next build that nothing has changed, where that can be told."""
    place, state, sources, began_ns = seen
    project = replace(project, lock=None)
    lock_key = resolved.lock_key(plugins, project)
    key = _key(plugins, project, lock_key, cache, how)
    packed = built.package.manifest.get("files")
    if not key or not isinstance(packed, dict):
        return
    known = {name for name, _ in sources.files}
    if more := [name for name in packed if name not in known and (project.folder / name).is_file()]:
        # A language may keep what is left out as a rule; then it was looked at too late to be trusted by its times.
        state = stamps.look(project.folder, sources, more, began_ns)
    stamp = stamps.Stamp(
        key=key,
        lock_key=lock_key,
        state=state,
        package=built.package,
        package_state=stamps.state_of_file(built.package.path),
        problems=built.problems,
        left_out=built.left_out,
        left_out_by_reason=built.left_out_by_reason,
    )
    stamps.write(place, stamp)


def sources_of(project: Project, output: Path) -> Sources:
    """The files to pack. That packages do not hold the folder of packages goes without saying."""
    found = source_files(project.folder, project.exclude)
    omitted = tuple(each for each in found.omitted if each.path != output)
    return replace(found, omitted=omitted, left_out=tuple(map(str, omitted)))


def without_output(project: Project, output: Path) -> Project:
    """The project with ``output`` excluded when it lies inside: no package may hold the packages before it."""
    if output == project.folder:
        raise ProjectError(f"'{output}' is the bot's own folder; a package cannot be written there", "use '--out dist'")
    if not output.is_relative_to(project.folder):
        return project
    inside = output.relative_to(project.folder).as_posix()
    return replace(project, exclude=(*project.exclude, f"/{glob.escape(inside)}"))


def _refuse_errors(project: Project, problems: list[Problem]) -> None:
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        raise ProjectError(
            f"'{project.bot_id}' cannot be built: {'; '.join(described(each) for each in errors)}",
            next((each.hint for each in errors if each.hint), ""),
            problems=[asdict(each) for each in problems],
        )


def described(problem: Problem) -> str:
    """A problem on one line: ``bot.py:3: message``."""
    line = "" if problem.line is None else f":{problem.line}"
    return f"{problem.path}{line}: {problem.message}" if problem.path else problem.message


def _build_one(plugins: Plugins, project: Project, work: Path) -> Path:
    """The one archive that the language wrote into ``work``."""
    language = plugins.language(project.language)
    plugin = plugins.owner(language.name)
    try:
        made = language.build(project, work)
    except BottoolError:
        raise
    except Exception as error:
        raise PluginError(f"plugin '{plugin}' failed in build: {one_line(error)}") from error
    found = [path.name for path in sorted(work.iterdir())]
    if found != [made.name] or made.parent != work or not made.is_file():
        raise PluginError(f"plugin '{plugin}' built '{made}', but its output holds: {listed(found)}")
    return made


def _place(made: Path, target: Path, project: Project) -> None:
    """Give the package its name; what another bot has there stays, even when it came this moment."""
    from bottool.placing import put

    if not put(made, target):
        _refuse_another_bot(target, project)
        made.replace(target)


def _refuse_another_bot(target: Path, project: Project) -> None:
    if not target.exists():
        return
    from bottool import archive

    try:
        owner = str(archive.read_manifest(target).get("bot_id", "")) if target.is_file() else ""
    except ArchiveError:
        owner = ""
    if owner != project.bot_id:
        whose = f"is a package of the bot '{owner}'" if owner else f"is no package of '{project.bot_id}'"
        raise ProjectError(f"'{target}' {whose} and is not overwritten", "remove it, or use another '--out'")


def _package(path: Path, project: Project, said: dict[str, object]) -> Package:
    from bottool import archive

    return Package(
        path=path,
        bot_id=project.bot_id,
        version=project.version,
        language=project.language,
        sha256=archive.sha256_of(path),
        size_bytes=path.stat().st_size,
        manifest=said,
    )
