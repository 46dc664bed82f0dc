"""``bottool demo``: one bot per language that this machine can run, from its first line to its result."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.cli.local_site import LocalSite
    from bottool.cli.samples import Sample
    from bottool.cli.toolchains import Ability

NAME = "demo"
COLUMNS = {
    "LANGUAGE": lambda sample: sample.language,
    "BOT": lambda sample: f"{sample.bot_id} {sample.version}".strip(),
    "TASK": lambda sample: sample.task_id,
    "STATUS": lambda sample: sample.status,
    "ITEMS": lambda sample: sample.items,
    "DURATION": lambda sample: present.duration(sample.duration_seconds),
    "MESSAGE": lambda sample: sample.message,
}


@click.command("demo")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Keep the site's data in this folder.")
@click.option("--stay", is_flag=True, help="Keep server and runner running until Ctrl-C.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the server. [default: a free one]")
@json_option
@click.pass_context
def command(ctx: click.Context, data: Path | None, stay: bool, port: int | None, as_json: bool) -> None:
    """Show the whole way: new, validate, build, deploy, release, run, result, in every language found here.

    Starts a server and a runner on this machine; everything is put away at the end unless --stay or --data.
    """
    from bottool.cli import samples, toolchains
    from bottool.cli.children import Children, ending_on_signals, wait_for_end
    from bottool.cli.local_site import start_site, variables_for_children

    plugins = ctx.ensure_object(State).plugins
    with ending_on_signals(), _folder(data) as folder:
        abilities = toolchains.of(plugins)
        able = [each.name for each in abilities if each.can_build and each.can_run]
        with Children(folder / "logs", variables_for_children()) as children:
            site = start_site(children, folder, name=NAME, port=port, slots=max(1, len(able)))
            results = samples.run_all(plugins, site, able, folder / "samples")
            unable = [each for each in abilities if each.name not in able]
            _show(results, unable, site, stays=stay, as_json=as_json)
            if stay:
                wait_for_end(children)
    ctx.exit(0 if results and all(sample.succeeded for sample in results) else 1)


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="bottool-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _show(
    results: "Sequence[Sample]", unable: "Sequence[Ability]", site: "LocalSite", *, stays: bool, as_json: bool
) -> None:
    if as_json:
        cannot = [{"language": each.name, "missing": each.missing, "hints": each.hints} for each in unable]
        present.as_json({"server": site.server, "email": site.email, "results": results, "cannot_run": cannot})
        return
    click.echo()
    present.listing(results, COLUMNS, json=False, empty="this machine can run no language")
    click.echo()
    for each in unable:
        click.echo(f"{each.title}: not run, as this machine has no {' and no '.join(each.missing)}.")
        for hint in each.hints:
            click.echo(f"  type: {hint}")
    present.fields({"dashboard": site.server, "e-mail": site.email, "password": site.password})
    click.echo("running; Ctrl-C ends it" if stays else "stopped; 'bottool demo --stay' keeps it running", err=True)
