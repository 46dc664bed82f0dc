"""``bottool lock``: the exact versions of what a bot depends on, written beside its sources."""

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.located import find
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.state import State
from bottool.errors import ProjectError

if TYPE_CHECKING:
    from bottool.model import Lock, Project

_SHOWN = 40
_CHECKSUM = re.compile(r"\S{40,}")
"""Nobody reads those."""


@click.command("lock")
@folder_argument
@click.option("--upgrade", is_flag=True, help="Resolve anew, although there is a lock.")
@project_options
@json_option
@click.pass_obj
def command(state: State, /, folder: Path, upgrade: bool, as_json: bool, **said: str) -> None:
    """Resolve what the bot in FOLDER depends on, and write it beside its sources.

    Every build and every machine then uses the same versions. Without --upgrade a lock that fits stays as it is.
    """
    project = find(state, folder, said)
    lock = _resolve(state, project, upgrade=upgrade)
    if lock is None:
        _tell_nothing(project, as_json=as_json)
        return
    path = project.folder / lock.file
    before = path.read_bytes() if path.is_file() else None
    if before != lock.data:
        _write(path, lock.data)
    changes = _changes(before or b"", lock.data)
    if as_json:
        present.as_json({"path": path, "changed": before != lock.data, "changes": changes})
        return
    for line in changes[:_SHOWN]:
        click.echo(line)
    if len(changes) > _SHOWN:
        click.echo(f"… and {len(changes) - _SHOWN} more lines", err=True)
    what = "is unchanged" if before == lock.data else "was written" if before is None else "was brought up to date"
    present.done(f"'{path}' {what}", "commit it with the bot's sources")


def _resolve(state: State, project: "Project", *, upgrade: bool) -> "Lock | None":
    from bottool import resolved

    key = resolved.lock_key(state.plugins, project)
    if not key and not upgrade:
        return None
    click.echo(f"· resolving what '{project.bot_id}' depends on", err=True)
    return resolved.resolve(state.plugins, project)


def _tell_nothing(project: "Project", *, as_json: bool) -> None:
    if as_json:
        present.as_json({"path": None, "changed": False, "changes": []})
        return
    present.done(f"'{project.bot_id}' has its lock, or needs none; --upgrade resolves anew")


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise ProjectError(
            f"'{path}' cannot be written: {error.strerror}", "allow this user into the folder"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _changes(before: bytes, after: bytes) -> list[str]:
    """Lines that went and came, as ``- name==1`` and ``+ name==2``, without comments and checksums."""
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
    found = []
    for line in difflib.unified_diff(old, new, n=0, lineterm=""):
        text = line[1:].strip().rstrip("\\").strip()
        if line.startswith(("+++", "---", "@@")) or not text or text.startswith("#") or _CHECKSUM.search(text):
            continue
        found.append(f"{line[0]} {text}")
    return found
