"""``bottool plugin``: for those who write plugins."""

import re
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from bottool.cli import present
from bottool.cli.options import json_option
from bottool.errors import Conflict, ProjectError

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_WORDS = ("PLUGIN_PACKAGE", "PLUGIN_CLASS", "PLUGIN_TITLE", "PLUGIN_LITERAL", "PLUGIN_NAME")


@click.group("plugin")
def command() -> None:
    """Write a plugin of your own; 'bottool plugins' lists those that are installed."""


@command.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it. [default: ./bottool-NAME]")
@json_option
def new(name: str, folder: Path | None, as_json: bool) -> None:
    """Write a distribution with a plugin for the language NAME, which works and passes its tests at once."""
    if not _NAME.fullmatch(name):
        raise ProjectError(
            f"'{name}' cannot be a language's name", "lower-case letters and digits, parts joined by '-' or '_'"
        )
    target = (folder or Path(f"bottool-{name}")).absolute()
    write(name, target)
    if as_json:
        present.as_json({"language": name, "folder": target})
    shown = target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target
    present.done(f"wrote a plugin for '{name}' into {shown}", f'pip install -e "{shown}[test]"', f"pytest {shown}")


def write(name: str, target: Path) -> None:
    """Write the distribution, whole or not at all.

    :raises Conflict: when ``target`` is there already and is no empty folder.
    """
    is_there = target.exists()
    if is_there and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"'{target}' is there already and is not empty", "use another name or --folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
        fresh = Path(work) / target.name
        _write_folder(resources.files("bottool.cli").joinpath("scaffold", "plugin"), fresh, _words(name))
        if is_there:
            target.rmdir()
        fresh.rename(target)


def _words(name: str) -> dict[str, str]:
    """What the words of the scaffold stand for."""
    parts = [part.capitalize() for part in re.split("[-_]", name)]
    said = (name.replace("-", "_"), "".join(parts), " ".join(parts), name.upper().replace("-", "_"), name)
    return dict(zip(_WORDS, said, strict=True))


def _write_folder(source: Traversable, target: Path, words: dict[str, str]) -> None:
    target.mkdir()
    for each in source.iterdir():
        if each.name == "__pycache__":
            continue
        called = {
            "package": f"bottool_{words['PLUGIN_PACKAGE']}",
            "bot.entry": f"bot.{words['PLUGIN_NAME']}",
            "gitignore": ".gitignore",
        }.get(each.name, each.name)
        if each.is_dir():
            _write_folder(each, target / called, words)
            continue
        text = each.read_text(encoding="utf-8")
        for word, said in words.items():
            text = text.replace(word, said)
        (target / called).write_text(text, encoding="utf-8", newline="")
