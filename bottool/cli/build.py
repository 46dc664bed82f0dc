"""``bottool build``: a folder becomes one archive that can be deployed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bottool.cli import present
from bottool.cli.located import find, find_all
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.progress import bar
from bottool.cli.state import State
from bottool.cli.validate import show
from bottool.errors import BottoolError, ProjectError

if TYPE_CHECKING:
    from bottool.build import Built
    from bottool.model import Project
    from bottool.preview import Preview
    from bottool.sources import LeftOutGroup

VERSION_CONTROL = "version control"
"""As ``sources`` calls it, which is not loaded for a package that is up to date."""
_NAMED = 2
"""How many names are shown of what is left out for one reason."""
_SAID = ("language", "bot_id", "version")


@click.command("build")
@folder_argument
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the package. [default: dist in the bot's]")
@click.option("--all", "every", is_flag=True, help="Build every bot in FOLDER and below.")
@click.option("--list", "only_list", is_flag=True, help="Show what would be packed and what not; build nothing.")
@click.option("--fresh", is_flag=True, help="Build even what has not changed.")
@click.option("--relock", is_flag=True, help="Resolve anew what the bot depends on.")
@click.option("--no-lock", is_flag=True, help="Do not resolve what the bot depends on.")
@project_options
@json_option
@click.pass_obj
def command(state: State, /, folder: Path, **options: Any) -> int:
    """Build the bot in FOLDER into a package.

    A package that is there and made of the same files is taken as it is.
    """
    if options["relock"] and options["no_lock"]:
        raise click.UsageError("--relock and --no-lock exclude each other")
    said = {name: options[name] for name in _SAID}
    if options["every"]:
        return _build_all(state, folder, said, options)
    project = find(state, folder, said)
    if options["only_list"]:
        _list(state, project, options)
        return 0
    built = _build(state, project, options)
    if options["as_json"]:
        present.as_json(_described(built))
        return 0
    show(built.problems, err=True)
    _show_left_out(built.left_out_by_reason)
    click.echo(built.package.path)
    present.done(_summary(built), f"bottool deploy {built.package.path}")
    return 0


def _build(state: State, project: "Project", options: Mapping[str, Any]) -> "Built":
    from bottool.build import How, build

    with bar(f"packing {project.bot_id}") as progress:
        how = How(fresh=options["fresh"], relock=options["relock"], locked=not options["no_lock"], progress=progress)
        output = options["out"] or project.folder / "dist"
        return build(state.plugins, project, output, cache=state.cache, note=_note, how=how)


def _note(text: str) -> None:
    click.echo(f"· {text}", err=True)


def _summary(built: "Built") -> str:
    package = built.package
    what = f"{package.bot_id} {package.version}"
    size = f"{package.language}, {present.size(package.size_bytes)}, sha256 {package.sha256[:12]}…"
    return f"{what} is up to date ({size})" if built.up_to_date else f"built {what} ({size})"


def _show_left_out(groups: "Sequence[LeftOutGroup]", *, of: str = "") -> None:
    """One line about all that was not packed, but for version control, which nobody expects in a package."""
    groups = [each for each in groups if each.why != VERSION_CONTROL]
    if not groups:
        return
    files, size_bytes = sum(each.files for each in groups), sum(each.size_bytes for each in groups)
    what = ", ".join(map(_group, groups))
    count = f"{files} file" if files == 1 else f"{files} files"
    click.echo(f"{f'{of}: ' if of else ''}left out {count}, {present.size(size_bytes)}: {what}", err=True)


def _group(group: "LeftOutGroup") -> str:
    names = ", ".join(group.names[:_NAMED])
    if len(group.names) > _NAMED:
        return f"{group.why} ({names} and {len(group.names) - _NAMED} more)"
    return f"{names} ({group.why})"


# What would be packed.


def _list(state: State, project: "Project", options: Mapping[str, Any]) -> None:
    from bottool.preview import preview

    seen = preview(state.plugins, project, options["out"] or project.folder / "dist")
    compiles = state.plugins.language(project.language).compiles
    if options["as_json"]:
        present.as_json(_as_object(project, seen, compiles=compiles))
        return
    present.table(["SIZE", "FILE"], [[present.size(each.size_bytes), each.name] for each in seen.files])
    for group in seen.left_out:
        for name in group.names:
            click.echo(f"left out: {name} ({group.why})", err=True)
    _show_left_out(seen.left_out)
    if len(seen.files) > len(seen.biggest()):
        click.echo("the ten biggest:", err=True)
        for each in seen.biggest():
            click.echo(f"  {present.size(each.size_bytes):>8}  {each.name}", err=True)
    added = ["bottool.json", *(["a lock"] if seen.needs_lock else []), *(["what is compiled"] if compiles else [])]
    total = f"{len(seen.files)} files, {present.size(seen.size_bytes)} before packing"
    click.echo(f"{total}; the build adds {', '.join(added)}", err=True)
    if seen.refused:
        click.echo(f"warning: this cannot be packed: {seen.refused}", err=True)


def _as_object(project: "Project", seen: "Preview", *, compiles: bool) -> dict[str, object]:
    return {
        "bot_id": project.bot_id,
        "version": project.version,
        "language": project.language,
        "files": seen.files,
        "size_bytes": seen.size_bytes,
        "biggest": seen.biggest(),
        "left_out": seen.left_out,
        "compiles": compiles,
        "needs_lock": seen.needs_lock,
        "refused": seen.refused,
    }


def _described(built: "Built") -> dict[str, object]:
    package = built.package
    return {
        "path": package.path,
        "bot_id": package.bot_id,
        "version": package.version,
        "language": package.language,
        "sha256": package.sha256,
        "size_bytes": package.size_bytes,
        "up_to_date": built.up_to_date,
        "problems": built.problems,
        "left_out": built.left_out,
        "left_out_by_reason": built.left_out_by_reason,
    }


# Several bots at once.


def _build_all(state: State, folder: Path, said: Mapping[str, str], options: Mapping[str, Any]) -> int:
    """Each on its own; what fails does not stop the others. Returns the status of the worst."""
    projects = _projects(state, find_all(state, folder, said), said)
    _refuse_twins([each for _, each in projects if not isinstance(each, BottoolError)])
    if options["only_list"]:
        return _list_all(state, projects, options)
    results: list[tuple[Path, Built | BottoolError]] = []
    for where, project in projects:
        results.append((where, project if isinstance(project, BottoolError) else _attempt(state, project, options)))
    rows = [_row(where.relative_to(folder.resolve()), result) for where, result in results]
    if options["as_json"]:
        present.as_json(rows)
    else:
        for where, result in results:
            if not isinstance(result, BottoolError):
                whose = where.relative_to(folder.resolve()).as_posix().removeprefix(".")
                show(result.problems, err=True, within=whose)
                _show_left_out(result.left_out_by_reason, of=whose)
        columns = ("folder", "bot_id", "version", "result", "package")
        present.table([each.upper() for each in columns], [[row.get(each, "") for each in columns] for row in rows])
    return max((result.exit_code for _, result in results if isinstance(result, BottoolError)), default=0)


def _projects(
    state: State, folders: Sequence[Path], said: Mapping[str, str]
) -> "list[tuple[Path, Project | BottoolError]]":
    from bottool import project

    found: list[tuple[Path, Project | BottoolError]] = []
    for folder in folders:
        try:
            found.append((folder, project.find(folder, state.plugins, **said)))
        except BottoolError as error:
            found.append((folder, error))
    return found


def _refuse_twins(projects: "Sequence[Project]") -> None:
    seen: dict[str, Path] = {}
    for project in projects:
        other = seen.setdefault(project.bot_id.casefold(), project.folder)
        if other != project.folder:
            raise ProjectError(
                f"two bots are called '{project.bot_id}': '{other}' and '{project.folder}'; nothing was built",
                'give each its own in its bot.toml: id = "…"',
            )


def _attempt(state: State, project: "Project", options: Mapping[str, Any]) -> "Built | BottoolError":
    try:
        return _build(state, project, options)
    except BottoolError as error:
        return error


def _row(where: Path, result: "Built | BottoolError") -> dict[str, object]:
    if isinstance(result, BottoolError):
        return {"folder": where, "result": f"failed: {result.message}", "code": result.code, "hint": result.hint}
    return {
        "folder": where,
        "result": "up to date" if result.up_to_date else "built",
        "package": result.package.path,
        **{name: value for name, value in _described(result).items() if name != "path"},
    }


def _list_all(
    state: State, projects: "Sequence[tuple[Path, Project | BottoolError]]", options: Mapping[str, Any]
) -> int:
    worst = 0
    for where, project in projects:
        if isinstance(project, BottoolError):
            click.echo(f"{where}: {project.message}", err=True)
            worst = max(worst, project.exit_code)
        else:
            click.echo(f"{where}:", err=True)
            _list(state, project, options)
    return worst
