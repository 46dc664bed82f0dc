"""``bottool validate``: what would stop a bot from being built or run, and what may surprise its owner."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bottool.cli import present
from bottool.cli.located import find, find_all
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.state import State
from bottool.errors import NotFound, did_you_mean
from bottool.model import Problem, Severity

if TYPE_CHECKING:
    from bottool.model import Project

EXIT_WITH_ERRORS = 3


@click.command("validate")
@folder_argument
@click.option("--all", "every", is_flag=True, help="Every bot in FOLDER and below.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Print SARIF 2.1.0, for code hosts and editors.")
@click.option("--explain", metavar="CODE", help="Print the page about a kind of problem; looks at no bot.")
@project_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, folder: Path, explain: str | None, **options: Any) -> None:
    """Say what is wrong with the bot in FOLDER; nothing is changed.

    Exit status 3 when there are errors; warnings alone are no failure, unless --strict.
    """
    if explain is not None:
        click.echo(_page(explain))
        return
    state = ctx.ensure_object(State)
    said = {name: options[name] for name in ("language", "bot_id", "version")}
    checked = _check_all(state, folder, said) if options["every"] else _check_one(state, folder, said)
    _print(checked, folder, options)
    wrong = {Severity.ERROR, Severity.WARNING} if options["strict"] else {Severity.ERROR}
    if any(problem.severity in wrong for each in checked.values() for problem in each.problems):
        ctx.exit(EXIT_WITH_ERRORS)


class Checked:
    """A bot with its problems; ``project`` is ``None`` for one that could not even be read."""

    def __init__(self, project: "Project | None", problems: Sequence[Problem]) -> None:
        self.project = project
        self.problems = problems


def _check_one(state: State, folder: Path, said: Mapping[str, str]) -> dict[Path, Checked]:
    from bottool.findings import problems_of

    project = find(state, folder, said)
    return {project.folder: Checked(project, problems_of(state.plugins, project))}


def _check_all(state: State, folder: Path, said: Mapping[str, str]) -> dict[Path, Checked]:
    """Every bot by its folder; one that cannot be read costs itself only."""
    from bottool import project
    from bottool.errors import ProjectError
    from bottool.findings import as_problem, problems_of

    checked: dict[Path, Checked] = {}
    for each in find_all(state, folder, said):
        try:
            found = project.find(each, state.plugins, language=said["language"])
            checked[each] = Checked(found, problems_of(state.plugins, found))
        except ProjectError as error:
            checked[each] = Checked(None, [as_problem(error)])
    twice = project.twice([each.project for each in checked.values() if each.project])
    for each, problem in twice.items():
        checked[each] = Checked(checked[each].project, [*checked[each].problems, problem])
    return checked


def _print(checked: Mapping[Path, Checked], folder: Path, options: Mapping[str, Any]) -> None:
    if options["as_sarif"]:
        from bottool.cli import sarif

        root = folder.resolve() if folder.is_dir() else folder.resolve().parent
        log = sarif.log_of({each: found.problems for each, found in checked.items()}, root)
        click.echo(json.dumps(log, indent=1))
    elif options["as_json"]:
        described = [_described(each, found) for each, found in checked.items()]
        present.as_json({"bots": described} if options["every"] else described[0])
    else:
        for each, found in checked.items():
            _show_bot(each, found, within=folder.resolve() if options["every"] else None)


def _described(folder: Path, found: Checked) -> dict[str, Any]:
    from bottool.pages import page_of

    project = found.project
    known = {"bot_id": project.bot_id, "version": project.version, "language": project.language} if project else {}
    pages = {problem.code: page_of(problem.code) for problem in found.problems}
    problems = [
        {**asdict(problem), "page": page.name if (page := pages[problem.code]) else ""} for problem in found.problems
    ]
    return {**known, "folder": folder, "problems": problems}


def _show_bot(folder: Path, found: Checked, *, within: Path | None) -> None:
    from bottool.pages import page_of

    inside = folder.relative_to(within).as_posix() if within and within != folder else ""
    show(found.problems, within=inside)
    project = found.project
    bot = f"'{project.bot_id}' {project.version} in {project.language}" if project else f"'{inside or folder}'"
    if inside and project:
        bot = f"{inside}: {bot}"
    errors = sum(problem.severity is Severity.ERROR for problem in found.problems)
    warnings = len(found.problems) - errors
    if found.problems:
        click.echo(f"{bot}: {_counted(errors, 'error')}, {_counted(warnings, 'warning')}", err=True)
        code = next((each.code for each in found.problems if page_of(each.code)), "")
        if code:
            click.echo(f"  more about one: bottool validate --explain {code}", err=True)
    else:
        present.done(f"{bot} is fine", f"bottool build {_typed(folder)}".rstrip())


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _typed(folder: Path) -> str:
    """The folder as a person types it after a command."""
    here = Path.cwd()
    if folder == here:
        return ""
    name = str(folder.relative_to(here) if folder.is_relative_to(here) else folder)
    return f'"{name}"' if " " in name else name


def show(problems: Sequence[Problem], *, err: bool = False, within: str = "") -> None:
    """One line per problem, as ``path:line: error: message [code]``, and its hint; ``within`` is put before paths."""
    for problem in problems:
        path = f"{within}/{problem.path}".strip("/") if problem.path else within
        line = "" if problem.line is None else f":{problem.line}"
        where = f"{path}{line}: " if path else ""
        click.echo(f"{where}{problem.severity}: {problem.message} [{problem.code}]", err=err)
        if problem.hint:
            click.echo(f"  hint: {problem.hint}", err=err)


def _page(code: str) -> str:
    """:raises NotFound: when the code has no page."""
    from bottool.pages import codes, page_of

    page = page_of(code)
    if page is None:
        hint = did_you_mean(code, codes()) or "'bottool validate' shows codes in brackets"
        raise NotFound(f"there is no page about '{code}'", hint)
    return page.text.rstrip()
