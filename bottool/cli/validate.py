"""``bottool validate``: what would stop a bot from being built or run."""

from collections.abc import Sequence
from pathlib import Path

import click

from bottool.cli import present
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.state import State
from bottool.model import Problem, Severity

EXIT_WITH_ERRORS = 3


@click.command("validate")
@folder_argument
@project_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, folder: Path, as_json: bool, **said: str) -> None:
    """Say what is wrong with the bot in FOLDER; nothing is changed.

    Exit status 3 when there are errors; warnings alone are no failure.
    """
    from bottool import project

    plugins = ctx.ensure_object(State).plugins
    found = project.find(folder, plugins, **said)
    problems = plugins.validate(found)
    if as_json:
        present.as_json(
            {"bot_id": found.bot_id, "version": found.version, "language": found.language, "problems": problems}
        )
    else:
        show(problems)
        _summary(f"'{found.bot_id}' {found.version} in {found.language}", problems, folder)
    if any(problem.severity is Severity.ERROR for problem in problems):
        ctx.exit(EXIT_WITH_ERRORS)


def show(problems: Sequence[Problem], *, err: bool = False) -> None:
    """One line per problem, as ``path:line: error: message``, and its hint."""
    from bottool.build import described

    for problem in problems:
        where, _, message = described(problem).partition(": ") if problem.path else ("", "", problem.message)
        click.echo(f"{where}: {problem.severity}: {message}" if where else f"{problem.severity}: {message}", err=err)
        if problem.hint:
            click.echo(f"  hint: {problem.hint}", err=err)


def _summary(bot: str, problems: Sequence[Problem], folder: Path) -> None:
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    if not problems:
        present.done(f"{bot} is fine", "bottool build" if folder == Path() else f"bottool build {folder}")
    else:
        click.echo(f"{bot}: {errors} errors, {warnings} warnings", err=True)
