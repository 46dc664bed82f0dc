"""``bottool artifact``: hand a result file in, find it, get it back."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options, task_option
from bottool.cli.state import State

COLUMNS: dict[str, Callable[[Any], object]] = {
    "ARTIFACT": lambda each: each.id,
    "TASK": lambda each: each.task_id,
    "AUTOMATION": lambda each: each.automation,
    "NAME": lambda each: each.name,
    "SIZE": lambda each: present.size(each.size_bytes) if each.state == "stored" else "no file yet",
    "TYPE": lambda each: each.media_type,
    "CREATED": lambda each: each.created_at,
    "BY": lambda each: each.created_by,
}
id_argument = click.argument("artifact_id", type=click.IntRange(min=1), metavar="ARTIFACT")


@click.group("artifact")
def command() -> None:
    """Result files of tasks."""


@command.command("send")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@task_option
@click.option("--name", default="", help="What it is called. [default: the file's name]")
@server_options
@json_option
@click.pass_obj
def send(state: State, /, file: Path, task_id: int, name: str, as_json: bool) -> None:
    """Hand FILE in as a result of a task."""
    from bottool.cli import rest
    from bottool.cli.progress import bar
    from bottool.wire import IDEMPOTENCY_HEADER, Artifact

    query = {"task_id": task_id, "name": name or None}
    with bar(f"sending {file.name}") as told:
        headers = {IDEMPOTENCY_HEADER: uuid.uuid4().hex}
        made = state.client().upload(rest.path("artifacts"), file, headers, query=query, type=Artifact, told=told)
    if as_json:
        present.as_json(made)
        return
    present.done(
        f"artifact {made.id}: {made.name} ({present.size(made.size_bytes)})", f"bottool artifact get {made.id}"
    )


@command.command("list")
@click.option("--task", "task_id", type=int, help="Only files of this task.")
@click.option("--automation", help="Only files of this automation's tasks.")
@click.option("--name", help="Only files whose name has this part.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Only files of the last so many days.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_artifacts(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List result files, newest first."""
    from bottool.cli import rest
    from bottool.wire import Artifact

    found = rest.newest(state.client(), rest.path("artifacts"), Artifact, query=query, limit=limit)
    present.listing(found, COLUMNS, json=as_json, empty="no result files; 'bottool artifact send FILE' hands one in")


@command.command("show")
@id_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, /, artifact_id: int, as_json: bool) -> None:
    """Show what is known of one result file."""
    found = _get(state.client(), artifact_id)
    if as_json:
        present.as_json(found)
        return
    present.fields(
        {
            "artifact": found.id,
            "task": found.task_id,
            "automation": found.automation,
            "name": found.name,
            "file": found.file_name,
            "state": found.state,
            "size": present.size(found.size_bytes),
            "type": found.media_type,
            "sha256": found.sha256,
            "repository": found.repository,
            "created": f"{present.moment(found.created_at)} by {found.created_by}",
            "attempt": found.attempt,
            "stored": found.stored_at,
        }
    )


@command.command("get")
@id_argument
@click.option("--out", type=click.Path(path_type=Path), help="The file to write, or a folder. [default: .]")
@server_options
@click.pass_obj
def get(state: State, /, artifact_id: int, out: Path | None) -> None:
    """Fetch a result file; it appears when it is whole and its checksum is right."""
    from bottool.cli import rest
    from bottool.cli.progress import bar
    from bottool.errors import NotFound

    client = state.client()
    found = _get(client, artifact_id)
    if found.state != "stored":
        raise NotFound(f"artifact {artifact_id} has no file yet", "its upload has not come, or broke off")
    target = out or Path()
    if target.is_dir():
        # A name that a bot chose: no folder, and no hidden file of whoever types this.
        target /= Path(found.file_name).name.lstrip(".") or f"artifact-{artifact_id}"
    with bar(f"fetching {target.name}") as told:
        client.download(f"{rest.path('artifacts', artifact_id)}/file", target, sha256=found.sha256, told=told)
    click.echo(target)


@command.command("delete")
@id_argument
@server_options
@click.pass_obj
def delete(state: State, /, artifact_id: int) -> None:
    """Take a result file away, for good."""
    from bottool.cli import rest

    state.client().delete(rest.path("artifacts", artifact_id))
    present.done(f"deleted artifact {artifact_id}")


def _get(client: Any, artifact_id: int) -> Any:
    from bottool.cli import rest
    from bottool.wire import Artifact

    return client.get(rest.path("artifacts", artifact_id), type=Artifact)
