"""A project becomes a package: validated, built by its language, checked, and put in its place only when complete.

Knows no server. What a language builds is judged as if a stranger had made it, so that no package is refused later for
what could have been said here.
"""

import glob
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bottool import archive
from bottool.errors import ArchiveError, BottoolError, PluginError, ProjectError
from bottool.model import Package, Problem, Project, Severity
from bottool.opening import open_package
from bottool.plugins import Plugins, listed, one_line

__all__ = ["Built", "build", "described", "open_package"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """``problems`` are warnings: errors stop a build. ``left_out`` says what was not packed, and why."""

    package: Package
    problems: tuple[Problem, ...]
    left_out: tuple[str, ...]


def build(plugins: Plugins, project: Project, output: Path) -> Built:
    """Write the project's package into the folder ``output``, which is made when it is not there.

    A package of the same bot and name is replaced. On any error ``output`` holds what it held before. The project's
    own folder is not touched, but for ``output`` when that lies in it.

    :raises ProjectError: when the project has errors (all are listed, and ``details["problems"]`` holds them), or
        when a file of another bot is in the way.
    :raises BuildError: when a language's tool fails.
    """
    output = output.resolve()
    project = _without_output(project, output)
    problems = plugins.validate(project)
    _refuse_errors(project, problems)
    with _folder(output), tempfile.TemporaryDirectory(prefix=".building-", dir=output) as work:
        made = _build_one(plugins, project, Path(work))
        archive.check(made)
        target = output / made.name
        _refuse_another_bot(target, project)
        made.replace(target)
    left_out = archive.source_files(project.folder, project.exclude).left_out
    return Built(package=_package(target, project), problems=tuple(problems), left_out=left_out)


def _without_output(project: Project, output: Path) -> Project:
    """The project with ``output`` excluded when it lies inside: no package may hold the packages before it."""
    if output == project.folder:
        raise ProjectError(f"'{output}' is the bot's own folder; a package cannot be written there", "use '--out dist'")
    if not output.is_relative_to(project.folder):
        return project
    inside = output.relative_to(project.folder).as_posix()
    return replace(project, exclude=(*project.exclude, f"/{glob.escape(inside)}"))


@contextmanager
def _folder(output: Path) -> Iterator[None]:
    """Make the folder, and take it away again when nothing comes to lie in it."""
    missing = [folder for folder in (output, *output.parents) if not folder.exists()]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"'{output}' cannot be made: {error.strerror}", "name another folder by '--out'") from error
    try:
        yield
    finally:
        for folder in missing:
            # What holds something stays.
            with suppress(OSError):
                folder.rmdir()


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


def _refuse_another_bot(target: Path, project: Project) -> None:
    if not target.exists():
        return
    try:
        owner = str(archive.read_manifest(target).get("bot_id", "")) if target.is_file() else ""
    except ArchiveError:
        owner = ""
    if owner != project.bot_id:
        whose = f"is a package of the bot '{owner}'" if owner else f"is no package of '{project.bot_id}'"
        raise ProjectError(f"'{target}' {whose} and is not overwritten", "remove it, or use another '--out'")


def _package(path: Path, project: Project) -> Package:
    return Package(
        path=path,
        bot_id=project.bot_id,
        version=project.version,
        language=project.language,
        sha256=archive.sha256_of(path),
        size_bytes=path.stat().st_size,
        manifest=archive.read_manifest(path),
    )
