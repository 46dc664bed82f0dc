"""``bottool runner cache``: what this machine keeps to be quick, and making room.

Parses and calls; what is heavy is imported inside.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.cache_use import Kept
    from bottool.shelf import Shelf

_GIGABYTE = 1_000_000_000


@click.command("cache")
@click.option("--limit", type=click.FloatRange(0), metavar="GB", help="Remove the longest unused until the rest fits.")
@click.option("--clean", is_flag=True, help="Remove all that nobody uses.")
@click.option("--check", is_flag=True, help="Read every file, and forget what is not as it was made.")
@json_option
@click.pass_obj
def cache(state: State, *, limit: float | None, clean: bool, check: bool, as_json: bool) -> None:
    """List what this machine keeps: packages, their files, environments, copies made ahead, stores of languages.

    All of it can be made again. What a bot uses at this moment is never removed.
    """
    from bottool import cache_use
    from bottool.shelf import Shelf

    if clean and limit is not None:
        raise click.UsageError("--clean removes more than any --limit; give one of them")
    shelf = Shelf(state.cache)
    if check:
        _check(shelf)
    things = cache_use.measured(shelf)
    if clean or limit is not None:
        limit_bytes = 0 if clean else int((limit or 0) * _GIGABYTE)
        removed = cache_use.shrunk(shelf, things, limit_bytes=limit_bytes, free_bytes=0)
        present.done(f"{len(removed)} things removed, {present.size(sum(kept.size_bytes for kept in removed))}")
        things = cache_use.measured(shelf)
    _show(shelf, things, as_json=as_json)


def _check(shelf: "Shelf") -> None:
    from bottool import cache_use

    for thing in [each for kind in cache_use.MADE for each in shelf.things(kind)]:
        folder, about = shelf.made(thing), shelf.about(thing)
        if folder is not None and not shelf.check(thing, folder, read_all=True):
            label = about.label if about else thing.key
            present.done(f"{thing.kind} {label}: damaged, will be made anew when it is needed")


def _show(shelf: "Shelf", things: "list[Kept]", *, as_json: bool) -> None:
    from bottool import cache_use

    columns = {
        "KIND": lambda kept: kept.thing.kind,
        "WHAT": lambda kept: kept.label,
        "SIZE": lambda kept: present.size(kept.size_bytes),
        "LAST USED": lambda kept: present.ago(datetime.fromtimestamp(kept.used_at, UTC)) if kept.used_at else "",
        "IN USE": lambda kept: kept.in_use,
    }
    if as_json:
        rows = [
            {
                "kind": kept.thing.kind,
                "key": kept.thing.key,
                "label": kept.label,
                "size_bytes": kept.size_bytes,
                "last_used_at": datetime.fromtimestamp(kept.used_at, UTC) if kept.used_at else None,
                "in_use": kept.in_use,
            }
            for kept in things
        ]
        present.as_json(rows)
        return
    present.listing(things, columns, json=False, empty=f"the cache '{shelf.root}' is empty")
    if things:
        total = present.size(cache_use.Total.of(things).size_bytes)
        click.echo(f"\n{total} in '{shelf.root}', {present.size(cache_use.free(shelf.root))} free on its disk")
