"""``bottool new``: a folder with a minimal bot that runs."""

import tempfile
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.state import State
from bottool.errors import Conflict, ProjectError, did_you_mean
from bottool.model import LABEL


@click.command("new")
@click.argument("language", required=False)
@click.argument("name", required=False)
@click.option("--template", default="", help="Another template than the language's usual one.")
@click.option("--list", "as_list", is_flag=True, help="List the languages and their templates, the usual one first.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it. [default: ./NAME]")
@json_option
@click.pass_obj
def command(state: State, /, language: str | None, name: str | None, folder: Path | None, **options: Any) -> None:
    """Write a minimal bot NAME in LANGUAGE into a new folder."""
    if options["as_list"]:
        _list(state, language, as_json=options["as_json"])
        return
    if not language or not name:
        missing = "NAME" if language else "LANGUAGE and NAME"
        raise click.UsageError(f"missing {missing}; 'bottool new --list' shows languages and templates")
    if not LABEL.fullmatch(name):
        raise ProjectError(f"'{name}' cannot be a bot's id", "letters, digits, '.', '_' and '-', at most 100")
    target = (folder or Path(name)).absolute()
    scaffold(state, language, name, options["template"], target)
    shown = _shown(target)
    if options["as_json"]:
        present.as_json({"bot_id": name, "language": language, "folder": target})
    present.done(f"wrote the bot '{name}' into {shown}", f"bottool run {shown}", f"bottool deploy {shown} --release")


def _list(state: State, language: str | None, *, as_json: bool) -> None:
    shown = [state.plugins.language(language)] if language else list(state.plugins.languages.values())
    rows = [{"language": each.name, "title": each.title, "templates": each.templates} for each in shown]
    columns = {
        "LANGUAGE": lambda row: row["language"],
        "TITLE": lambda row: row["title"],
        "TEMPLATES": lambda row: row["templates"] or "(one)",
    }
    present.listing(rows, columns, json=as_json, empty="no language is installed")


def scaffold(state: State, language: str, name: str, template: str, target: Path) -> None:
    """Write the bot, whole or not at all.

    :raises ProjectError: when there is no such language or template.
    :raises Conflict: when ``target`` is there already and is no empty folder.
    """
    chosen = state.plugins.language(language)
    if template and chosen.templates and template not in chosen.templates:
        raise ProjectError(
            f"there is no template '{template}' for {language}; there are: {', '.join(chosen.templates)}",
            did_you_mean(template, chosen.templates) or "'bottool new --list' shows them all",
        )
    is_there = target.exists()
    if is_there and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"'{target}' is there already and is not empty", "use another name or --folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
        fresh = Path(work) / target.name
        fresh.mkdir()
        chosen.scaffold(fresh, name, template)
        if is_there:
            target.rmdir()
        fresh.rename(target)


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
