"""An installation becomes an outcome: the one way to run a bot, on a developer's machine and in the keeper.

Tells one execution from its start to its end. Knows no server; who needs the output, the start or the usage hands in
a function. A bot that fails, or cannot be started, is an ``Outcome``; when ``run`` returns or raises, nothing of the
bot lives any more.
"""

import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from bottool import launcher, settings
from bottool.arguments import full_command
from bottool.errors import BottoolError, LaunchError
from bottool.limits import Guard, Heard, Reached, higher
from bottool.memory_killer import MemoryKiller
from bottool.model import Installation, Limits, Outcome, Reason, TaskContext, Usage
from bottool.plugins import Plugins
from bottool.process import ProcessTree, start
from bottool.stopping import Steps

_LOOK_SECONDS = 0.1
_OUTPUT_SECONDS = 5.0
"""How long the rest of the output may take once no process is left to write any."""


def run(  # noqa: PLR0913 - six moments that a caller may watch, each by its own function
    plugins: Plugins,
    installation: Installation,
    *,
    task: TaskContext | None,
    limits: Limits,
    output: Callable[[int, bytes], None],
    variables: Mapping[str, str] = MappingProxyType({}),
    stop_requested: Callable[[], bool] = lambda: False,
    started: Callable[[ProcessTree], None] = lambda _tree: None,
    usage: Callable[[Usage], None] = lambda _usage: None,
    asking: Callable[[Reached], None] = lambda _reached: None,
    ending: Callable[[], None] = lambda: None,
    ended: Callable[[Outcome], None] = lambda _outcome: None,
) -> Outcome:
    """Start the bot, watch it, stop its whole tree, and say how it ended.

    ``variables`` come on top of those of the machine and the language. ``output(stream, data)`` is called from other
    threads, one call at a time. ``stop_requested`` is asked ten times a second and must be quick. ``started`` is called
    once, right after the start; what it raises stops the bot and comes out again, as does ``KeyboardInterrupt``.
    ``usage`` is called every second or so while the bot runs. ``asking`` is called when a limit is reached and the bot
    may have ``interrupt_seconds`` to end by itself: who can tell the bot, tells it. ``ending`` is called when the bot
    has ended or will be stopped, while what it started still is there. ``ended`` hears how a bot that was started ended
    before the plugins do, which may take their time over it.
    """
    began = time.monotonic()
    heard = Heard(output)
    try:
        tree = _launch(plugins, installation, task, heard, variables)
    except BottoolError as error:
        return Outcome(reason=Reason.NOT_LAUNCHED, message=f"{error} ({error.hint})" if error.hint else str(error))
    try:
        killer = MemoryKiller.beside(tree.pid)
        started(tree)
        guard = Guard(tree=tree, limits=limits, folder=installation.folder, heard=heard, usage=usage)
        watch = _Watch(tree=tree, guard=guard, stop_requested=stop_requested, asking=asking)
        end = watch.until_end()
        ending()
        if tree.poll() is None:
            tree.stop(limits.grace_seconds, Steps(taken=watch.steps.taken, hurry=watch.is_urgent))
        elif not watch.steps.taken and _was_killed(tree) and killer.has_killed():
            end = _End(reason=Reason.OUT_OF_MEMORY, message=_KILLED_FOR_MEMORY)
        left_behind = tree.sweep()
    except BaseException:
        _abandon(tree, limits)
        raise
    tree.close(_OUTPUT_SECONDS)
    outcome = Outcome(
        reason=end.reason,
        exit_code=tree.poll(),
        duration_seconds=time.monotonic() - began,
        message=_message(end, tree, watch.steps),
        left_behind=left_behind,
        peak=higher(guard.peak, tree.usage()),
        steps=dict(watch.steps.taken),
    )
    ended(outcome)
    plugins.task_finished(installation, outcome)
    return outcome


def _launch(
    plugins: Plugins,
    installation: Installation,
    task: TaskContext | None,
    output: Callable[[int, bytes], None],
    more: Mapping[str, str],
) -> ProcessTree:
    language = plugins.language(installation.package.language)
    command = plugins.launch(installation, plugins.command(language, installation))
    folder = installation.folder / command.folder
    for name, target in command.links.items():
        _link(folder / name, target)
    command = replace(command, variables={**command.variables, **more})
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
class _End:
    """Why a bot is at its end; ``message`` is empty where the reason says all."""

    reason: Reason
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    tree: ProcessTree
    guard: Guard
    stop_requested: Callable[[], bool]
    asking: Callable[[Reached], None]
    steps: Steps = field(default_factory=Steps)

    def until_end(self) -> _End:
        """Wait for the bot's end, or for a reason to end it, and then for a bot that was asked to end by itself."""
        while self.tree.wait(self._until_next_look()) is None:
            if self.stop_requested():
                return _End(reason=Reason.STOPPED)
            reached = self.guard.look()
            if reached is not None:
                self._ask(reached)
                return _End(reason=reached.reason, message=reached.message)
        return _End(reason=Reason.EXITED)

    def _ask(self, reached: Reached) -> None:
        seconds = self.guard.limits.interrupt_seconds
        if seconds <= 0 or reached.urgent:
            return
        self.steps.take("asked")
        self.asking(reached)
        deadline = time.monotonic() + seconds
        while self.tree.wait(_LOOK_SECONDS) is None and time.monotonic() < deadline:
            if self.stop_requested() or self.is_urgent():
                return

    def is_urgent(self) -> bool:
        """So far above a limit that waiting may harm the machine."""
        reached = self.guard.look()
        return reached is not None and reached.urgent

    def _until_next_look(self) -> float:
        return min(_LOOK_SECONDS, max(0.0, self.guard.next_at - time.monotonic()))


def _abandon(tree: ProcessTree, limits: Limits) -> None:
    """Leave nothing behind on the way out; a second Ctrl-C cuts the grace time short."""
    try:
        tree.stop(limits.grace_seconds)
    finally:
        tree.stop(0.0)
        tree.close(0.0)


def _message(end: _End, tree: ProcessTree, steps: Steps) -> str:
    said = {
        Reason.STOPPED: "was stopped on request",
        Reason.EXITED: _exit_message(tree.poll() or 0),
    }.get(end.reason, end.message)
    if end.message and end.message != _KILLED_FOR_MEMORY:
        was_stopped = "signalled" in steps.taken or "killed" in steps.taken
        said += " and was stopped" if was_stopped else " and ended when it was asked to"
    lost = f"its output could not be kept: {tree.output_error}" if tree.output_error else ""
    alive = "not all of its processes could be stopped" if tree.members() else ""
    return "; ".join(part for part in (said, lost, alive) if part)


_KILLED_FOR_MEMORY = "out of memory: the system's memory killer ended it"
_KILLED_IN_A_SHELL = 137
"""How a shell says that what it started was killed: 128 and the signal."""


def _was_killed(tree: ProcessTree) -> bool:
    return sys.platform != "win32" and tree.poll() in {-signal.SIGKILL, _KILLED_IN_A_SHELL}


def _exit_message(exit_code: int) -> str:
    if exit_code == _KILLED_IN_A_SHELL and sys.platform != "win32":
        return f"ended with exit status {exit_code}: a program of it was ended by SIGKILL, perhaps out of memory"
    if exit_code >= 0:
        return f"ended with exit status {exit_code}" if exit_code else ""
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return f"was ended by signal {-exit_code}"
    return f"was ended by {name}" + (", perhaps out of memory" if name == "SIGKILL" else "")
