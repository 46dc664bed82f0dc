"""``bottool run``: a bot on this machine, built, prepared and started exactly as a runner does it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import click

from bottool.cli.failures import INTERRUPTED
from bottool.cli.masking import Masks
from bottool.cli.options import json_option, project_options
from bottool.cli.state import State
from bottool.errors import BuildError, LaunchError, WaitTimeout
from bottool.local import Credentials, LocalReport, LocalServer, LocalWork
from bottool.model import Limits, Outcome, Package, Reason

FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked of one run."""

    limits: Limits
    parameters: Mapping[str, Any]
    credentials: Credentials = field(repr=False)
    with_server: bool


@click.command("run")
@click.argument("bot", default=".", metavar="[FOLDER|PACKAGE]", type=click.Path(path_type=Path))
@click.option("--param", "-p", "said_parameters", multiple=True, help="NAME=TEXT, or NAME:=JSON; may be repeated.")
@click.option("--params", "parameters_file", type=FILE, help="Parameters from a file: JSON or TOML.")
@click.option("--credentials", "credentials_file", type=FILE, help='TOML or JSON: [label] key = "value".')
@click.option("--no-server", is_flag=True, help="Start it plainly, without a task and a server to report to.")
@click.option("--timeout", "timeout_seconds", type=click.FloatRange(min=0), help="Stop it after so many seconds.")
@click.option("--grace", "grace_seconds", type=float, default=10.0, help="Seconds to end in, before it is killed.")
@project_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, bot: Path, as_json: bool, **options: Any) -> None:
    """Build the bot in FOLDER (or take a PACKAGE), prepare it and run it here.

    It gets a task and a server of its own, which live as long as the run; what it reported is shown at the end. Exits
    with the bot's own status, or with 1 when the bot finished its task as failed.
    """
    from bottool.cli import run_report
    from bottool.cli.run_place import place

    state = ctx.ensure_object(State)
    wish = _wish(bot, options)
    terminal = Terminal(only_stderr=as_json)
    with place(os.getpid()) as work:
        package = take(state, bot, work, {name: options[name] for name in ("language", "bot_id", "version")})
        outcome, report = run_here(state, package, work, wish, terminal)
    status = exit_status(outcome, terminal)
    if run_report.contradicts(report, outcome):
        status = 1
    if as_json:
        run_report.as_json(report, outcome, status)
    elif report is not None:
        run_report.show(report, outcome)
    ctx.exit(status)


def _wish(bot: Path, options: Mapping[str, Any]) -> Wish:
    from bottool.cli import run_inputs

    folder = bot.parent if bot.is_file() else bot
    credentials, warning = run_inputs.credentials_of(options["credentials_file"], folder)
    if warning:
        click.echo(f"warning: {warning}", err=True)
    return Wish(
        limits=Limits(timeout_seconds=options["timeout_seconds"], grace_seconds=options["grace_seconds"]),
        parameters=run_inputs.parameters_of(options["said_parameters"], options["parameters_file"]),
        credentials=credentials,
        with_server=not options["no_server"],
    )


def take(state: State, bot: Path, work: Path, said: dict[str, str]) -> Package:
    """The package to run: built from a folder into ``work``, or the archive itself."""
    from bottool.build import How, build
    from bottool.cli.located import find
    from bottool.cli.validate import show
    from bottool.opening import open_package

    if bot.is_file():
        return open_package(bot, state.plugins, **said)
    found = find(state, bot, said)
    # With the cache, so that it has the lock that other builds of the same sources have.
    how = How(once=True)
    built = build(state.plugins, found, work / "package", cache=state.cache, note=note, how=how)
    show(built.problems, err=True)
    return built.package


def run_here(
    state: State, package: Package, work: Path, wish: Wish, terminal: "Terminal"
) -> tuple[Outcome, LocalReport | None]:
    """Make the bot ready and run it; what it reported is ``None`` where no server answered it."""
    from bottool.cli import run_report
    from bottool.environments import Cache, make_ready
    from bottool.run import run

    installation = make_ready(state.plugins, package, Cache(state.cache), work / "files", note)
    with _server(state, package, work / "server", wish) as server, terminal.listening():
        task = server.task if server else None
        terminal.hide(*([task.token] if task else []), *_values(wish.credentials))
        outcome = run(
            state.plugins,
            installation,
            task=task,
            limits=wish.limits,
            output=terminal.write,
            stop_requested=terminal.wants_end.is_set,
        )
        terminal.close()
        if server is None or outcome.reason is Reason.NOT_LAUNCHED:
            return outcome, None
        return outcome, run_report.without(server.ended(outcome), _values(wish.credentials))


@contextmanager
def _server(state: State, package: Package, folder: Path, wish: Wish) -> Iterator[LocalServer | None]:
    """The plugins' server for this run; ``None`` when it is not wanted, or nobody brings one."""
    if not wish.with_server:
        yield None
        return
    technologies = state.plugins.language(package.language).technologies
    work = LocalWork(
        folder=folder,
        bot_id=package.bot_id,
        version=package.version,
        technology=technologies[0] if technologies else package.language.upper(),
        parameters=wish.parameters,
        credentials=wish.credentials,
    )
    folder.mkdir(mode=0o700)
    offered = state.plugins.local_server(work)
    if offered is None:
        note("nothing answers the bot's calls here: install bottool-web, or say --no-server")
        yield None
        return
    with offered as server:
        yield server


def _values(credentials: Credentials) -> list[str]:
    return [value for keys in credentials.values() for value in keys.values()]


def note(text: str) -> None:
    """What is being prepared: to stderr, out of the way of the bot's own output."""
    click.echo(f"· {text}", err=True)


class Terminal:
    """Where the bot's output goes, and from where Ctrl-C comes: once asks the bot to end, twice ends us."""

    def __init__(self, *, only_stderr: bool = False) -> None:
        self.wants_end = threading.Event()
        self.interrupted = False
        self._only_stderr = only_stderr
        self._masks = {1: Masks(()), 2: Masks(())}

    def hide(self, *secrets: str) -> None:
        """From now on show ``*`` instead of these texts."""
        self._masks = {stream: Masks(secrets) for stream in self._masks}

    def close(self) -> None:
        """Show what waited because it looked like the beginning of a secret."""
        for stream, mask in self._masks.items():
            self._show(stream, mask.rest())

    def write(self, stream: int, data: bytes) -> None:
        self._show(stream, self._masks[stream].pass_on(data))

    def _show(self, stream: int, data: bytes) -> None:
        target = sys.stdout.buffer if stream == 1 and not self._only_stderr else sys.stderr.buffer
        try:
            target.write(data)
            target.flush()
        except BrokenPipeError:
            self.wants_end.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, the first Ctrl-C (or SIGTERM) only asks the bot to end."""
        signals = [signal.SIGINT, signal.SIGTERM]
        before = {number: signal.signal(number, self._asked) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        if self.wants_end.is_set():
            raise KeyboardInterrupt
        self.interrupted = True
        self.wants_end.set()
        click.echo("stopping the bot; once more ends it at once", err=True)


def exit_status(outcome: Outcome, terminal: Terminal) -> int:
    """The bot's own status; 128 + N for a death by signal N, as shells say it.

    :raises LaunchError: when it could not be started.
    :raises WaitTimeout: when it was stopped for taking too long.
    """
    if outcome.left_behind:
        note(f"stopped what the bot left behind: {', '.join(outcome.left_behind)}")
    if outcome.reason is Reason.NOT_LAUNCHED:
        raise LaunchError(outcome.message)
    if outcome.reason is Reason.NOT_PREPARED:
        raise BuildError(outcome.message)
    if outcome.reason is Reason.TIMED_OUT:
        raise WaitTimeout(f"the bot was stopped after {outcome.duration_seconds:.0f} s", "raise --timeout")
    if outcome.reason is Reason.STOPPED:
        return INTERRUPTED if terminal.interrupted else 0
    code = outcome.exit_code or 0
    return 128 - code if code < 0 else code
