"""``bottool run``: a bot on this machine, built, prepared and started exactly as a runner does it."""

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from bottool.cli.failures import INTERRUPTED
from bottool.cli.options import project_options
from bottool.cli.state import State
from bottool.errors import BuildError, LaunchError, WaitTimeout
from bottool.model import Limits, Outcome, Package, Reason


@click.command("run")
@click.argument("bot", default=".", metavar="[FOLDER|PACKAGE]", type=click.Path(path_type=Path))
@click.option("--timeout", "timeout_seconds", type=click.FloatRange(min=0), help="Stop it after so many seconds.")
@click.option("--grace", "grace_seconds", type=float, default=10.0, help="Seconds to end in, before it is killed.")
@project_options
@click.pass_context
def command(ctx: click.Context, /, bot: Path, timeout_seconds: float | None, grace_seconds: float, **said: str) -> None:
    """Build the bot in FOLDER (or take a PACKAGE), prepare it and run it here.

    Exits with the bot's own status. Its environment is kept for the next time.
    """
    state = ctx.ensure_object(State)
    limits = Limits(timeout_seconds=timeout_seconds, grace_seconds=grace_seconds)
    terminal = Terminal()
    with tempfile.TemporaryDirectory(prefix="bottool-run-", ignore_cleanup_errors=True) as work:
        package = take(state, bot, Path(work), said)
        outcome = run_here(state, package, Path(work) / "files", limits, terminal)
    ctx.exit(exit_status(outcome, terminal))


def take(state: State, bot: Path, work: Path, said: dict[str, str]) -> Package:
    """The package to run: built from a folder into ``work``, or the archive itself."""
    from bottool import project
    from bottool.build import build, open_package

    if bot.is_file():
        return open_package(bot, state.plugins, **said)
    return build(state.plugins, project.find(bot, state.plugins, **said), work / "package").package


def run_here(state: State, package: Package, files: Path, limits: Limits, terminal: "Terminal") -> Outcome:
    from bottool.environments import Cache, make_ready
    from bottool.run import run

    installation = make_ready(state.plugins, package, Cache(state.cache), files, note)
    with terminal.listening():
        return run(
            state.plugins,
            installation,
            task=None,
            limits=limits,
            output=terminal.write,
            stop_requested=terminal.wants_end.is_set,
        )


def note(text: str) -> None:
    """What is being prepared: to stderr, out of the way of the bot's own output."""
    click.echo(f"· {text}", err=True)


class Terminal:
    """Where the bot's output goes, and from where Ctrl-C comes: once asks the bot to end, twice ends us."""

    def __init__(self) -> None:
        self.wants_end = threading.Event()
        self.interrupted = False

    def write(self, stream: int, data: bytes) -> None:
        target = sys.stdout.buffer if stream == 1 else sys.stderr.buffer
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
