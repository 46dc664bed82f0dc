"""An installation becomes an outcome: the one way to run a bot, on a developer's machine and in the keeper.

Tells one execution from its start to its end. Knows no server; who needs the output, the start or the usage hands in
a function. A bot that fails, or cannot be started, is an ``Outcome``; when ``run`` returns or raises, nothing of the
bot lives any more.
"""

import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bottool import launcher, settings
from bottool.arguments import full_command
from bottool.errors import BottoolError, LaunchError
from bottool.model import Installation, Limits, Outcome, Reason, TaskContext, Usage
from bottool.plugins import Plugins
from bottool.process import ProcessTree, start

_LOOK_SECONDS = 0.1
_USAGE_SECONDS = 1.0
_OUTPUT_SECONDS = 5.0
"""How long the rest of the output may take once no process is left to write any."""


def run(  # noqa: PLR0913 - five moments that a caller may watch, each by its own function
    plugins: Plugins,
    installation: Installation,
    *,
    task: TaskContext | None,
    limits: Limits,
    output: Callable[[int, bytes], None],
    stop_requested: Callable[[], bool] = lambda: False,
    started: Callable[[ProcessTree], None] = lambda _tree: None,
    usage: Callable[[Usage], None] = lambda _usage: None,
    ended: Callable[[Outcome], None] = lambda _outcome: None,
) -> Outcome:
    """Start the bot, watch it, stop its whole tree, and say how it ended.

    ``output(stream, data)`` is called from other threads, one call at a time. ``stop_requested`` is asked ten times a
    second and must be quick. ``started`` is called once, right after the start; what it raises stops the bot and comes
    out again, as does ``KeyboardInterrupt``. ``usage`` is called every second while the bot runs. ``ended`` hears how a
    bot that was started ended before the plugins do, which may take their time over it.
    """
    began = time.monotonic()
    try:
        tree = _launch(plugins, installation, task, output)
    except BottoolError as error:
        return Outcome(reason=Reason.NOT_LAUNCHED, message=f"{error} ({error.hint})" if error.hint else str(error))
    try:
        started(tree)
        watch = _Watch(tree=tree, limits=limits, began=time.monotonic(), stop_requested=stop_requested, usage=usage)
        reason, peak = watch.until_end()
        if reason is not Reason.EXITED:
            tree.stop(limits.grace_seconds)
        left_behind = tree.sweep()
    except BaseException:
        _abandon(tree, limits)
        raise
    tree.close(_OUTPUT_SECONDS)
    outcome = Outcome(
        reason=reason,
        exit_code=tree.poll(),
        duration_seconds=time.monotonic() - began,
        message=_message(reason, tree, limits),
        left_behind=left_behind,
        peak=_higher(peak, tree.usage()),
    )
    ended(outcome)
    plugins.task_finished(installation, outcome)
    return outcome


def _launch(
    plugins: Plugins, installation: Installation, task: TaskContext | None, output: Callable[[int, bytes], None]
) -> ProcessTree:
    language = plugins.language(installation.package.language)
    command = plugins.launch(installation, plugins.command(language, installation))
    folder = installation.folder / command.folder
    for name, target in command.links.items():
        _link(folder / name, target)
    arguments, variables = full_command(command, task, installation.folder)
    if task is not None:
        variables["PATH"] = launcher.with_program(variables.get("PATH", ""), settings.cache_folder())
    return start(arguments, folder=folder, variables=variables, output=output)


def _link(link: Path, target: Path) -> None:
    """Let ``link`` point to ``target``; what the package brought itself under that name stays and is used."""
    if link.exists() and not link.is_symlink():
        return
    try:
        link.unlink(missing_ok=True)
        if sys.platform == "win32" and target.is_dir():
            # A symbolic link needs a privilege on Windows; a junction does not.
            import _winapi

            _winapi.CreateJunction(str(target), str(link))
        else:
            link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        raise LaunchError(f"cannot link '{link}' to '{target}': {error.strerror}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    tree: ProcessTree
    limits: Limits
    began: float
    stop_requested: Callable[[], bool]
    usage: Callable[[Usage], None]

    def until_end(self) -> tuple[Reason, Usage]:
        """Wait for the bot's end, or for a reason to end it; and the highest usage seen."""
        peak = self.tree.usage()
        sample_at = self.began + _USAGE_SECONDS
        while self.tree.wait(self._until(sample_at)) is None:
            if self.stop_requested():
                return Reason.STOPPED, peak
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline:
                return Reason.TIMED_OUT, peak
            if now >= sample_at:
                sample_at = now + _USAGE_SECONDS
                seen = self.tree.usage()
                peak = _higher(peak, seen)
                self.usage(seen)
        return Reason.EXITED, peak

    @property
    def _deadline(self) -> float | None:
        return None if self.limits.timeout_seconds is None else self.began + self.limits.timeout_seconds

    def _until(self, sample_at: float) -> float:
        """How long to wait before looking around again."""
        next_at = sample_at if self._deadline is None else min(sample_at, self._deadline)
        return min(_LOOK_SECONDS, max(0.0, next_at - time.monotonic()))


def _abandon(tree: ProcessTree, limits: Limits) -> None:
    """Leave nothing behind on the way out; a second Ctrl-C cuts the grace time short."""
    try:
        tree.stop(limits.grace_seconds)
    finally:
        tree.stop(0.0)
        tree.close(0.0)


def _higher(one: Usage, other: Usage) -> Usage:
    return Usage(
        cpu_seconds=max(one.cpu_seconds, other.cpu_seconds),
        memory_bytes=max(one.memory_bytes, other.memory_bytes),
        processes=max(one.processes, other.processes),
    )


def _message(reason: Reason, tree: ProcessTree, limits: Limits) -> str:
    said = {
        Reason.TIMED_OUT: f"ran longer than its limit of {limits.timeout_seconds:g} seconds and was stopped"
        if limits.timeout_seconds is not None
        else "",
        Reason.STOPPED: "was stopped on request",
        Reason.EXITED: _exit_message(tree.poll() or 0),
    }[reason]
    lost = f"its output could not be kept: {tree.output_error}" if tree.output_error else ""
    alive = "not all of its processes could be stopped" if tree.members() else ""
    return "; ".join(part for part in (said, lost, alive) if part)


def _exit_message(exit_code: int) -> str:
    if exit_code >= 0:
        return f"ended with exit status {exit_code}" if exit_code else ""
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"
