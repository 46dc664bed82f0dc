"""How an error of a command ends the program: one line and a hint on stderr, or JSON, and the exit status."""

import io
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence

import click

from bottool import __version__, settings
from bottool.errors import BottoolError, BuildError

INTERRUPTED = 130


def prepare_streams() -> None:
    """A character that the terminal's code page does not have becomes ``?``, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def wants_json(arguments: Sequence[str]) -> bool:
    """True when ``--json`` is said before ``--``; known even where parsing failed."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in ours


def tell(error: BottoolError | click.ClickException, *, as_json: bool) -> int:
    """Show an expected error; returns its exit status."""
    found = _usage(error) if isinstance(error, click.ClickException) else _ours(error)
    status = found.pop("exit_code")
    if as_json:
        click.echo(json.dumps({"error": found}, ensure_ascii=False, default=str), err=True)
        return int(str(status))
    if found.get("output"):
        click.echo(str(found["output"]).rstrip(), err=True)
        if isinstance(error, BuildError) and error.details.get("log"):
            click.echo("· all that it printed: the same command with --json", err=True)
    click.echo(f"error: {found['message']}", err=True)
    if found["hint"]:
        click.echo(f"hint: {found['hint']}", err=True)
    return int(str(status))


def _ours(error: BottoolError) -> dict[str, object]:
    output = {"output": error.output} if isinstance(error, BuildError) and error.output else {}
    return {
        "code": error.code,
        "message": " ".join(error.message.split()),
        "hint": " ".join(error.hint.split()),
        "details": error.details,
        "exit_code": error.exit_code,
        **output,
    }


def _usage(error: click.ClickException) -> dict[str, object]:
    """Click's own errors, in our manner: lower case, without a full stop."""
    near = getattr(error, "possibilities", None)
    message = " ".join((error.message if near else error.format_message()).split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"'{context.command_path} --help' shows what it takes" if context else ""
    return {
        "code": "bad_usage",
        "message": message[:1].lower() + message[1:],
        "hint": f"did you mean '{near[0]}'?" if near else hint,
        "details": {},
        "exit_code": error.exit_code,
    }


def interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def reader_has_gone() -> int:
    """The program that read our output has enough (``| head``): end without a word, also at the last flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def unexpected(error: Exception, arguments: Sequence[str]) -> int:
    """A fault of ours: the details go to a file that can be sent along, without variables and their secrets."""
    said = " ".join(str(error).split())
    line = f"unexpected {type(error).__name__}: {said}" if said else f"unexpected {type(error).__name__}"
    text = (
        f"bottool {__version__}\npython {sys.version}\nsystem {platform.platform()}\n"
        f"arguments {list(arguments)}\n\n{''.join(traceback.format_exception(error))}"
    )
    hint = "this is a fault in bottool or in a plugin; the report can be sent along"
    try:
        folder = settings.cache_folder() / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        report.write_text(text, encoding="utf-8")
    except OSError:
        click.echo(text, err=True)
        return tell(BottoolError(line, hint), as_json=wants_json(arguments))
    return tell(BottoolError(f"{line}; report: {report}", hint), as_json=wants_json(arguments))
