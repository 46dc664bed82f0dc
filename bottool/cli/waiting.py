"""Waits for the end of a task and shows what its bot prints meanwhile; goes on after the server was away."""

import sys
import time
from collections.abc import Callable

import click

from bottool.cli import present, rest
from bottool.client import Client
from bottool.errors import TaskFailed, Unavailable, Unreachable, WaitTimeout
from bottool.states import FINAL, TaskState
from bottool.wire import ENDED_HEADER, NEXT_OFFSET_HEADER, Frame, Stream, Task, frames

SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 1.0
AWAY_SECONDS = 60.0
"""How long the server may be away before waiting is given up."""
LAST_WORDS_SECONDS = 60.0
"""How long the output of a task with a result may be silent before it is given up: a bot reports before it ends, its
runner sends after that, and on a busy machine both take their time.
"""

Write = Callable[[Frame], object]


def until_end(client: Client, task_id: int, *, follow: bool, timeout_seconds: float | None) -> Task:
    """Wait for the task's result; with ``follow`` its output is shown.

    :raises WaitTimeout: when it takes longer than ``timeout_seconds``; the task goes on.
    """
    watch = _Watch(client, task_id, to_terminal if follow else None)
    deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
    try:
        while not watch.look():
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(
                    f"task {task_id} is '{watch.task.state if watch.task else 'unknown'}' after {timeout_seconds:g} s",
                    f"it goes on; 'bottool task explain {task_id}' says what it waits for",
                )
            watch.pause(deadline)
    except KeyboardInterrupt:
        click.echo(f"task {task_id} goes on; 'bottool task stop {task_id}' ends it", err=True)
        raise
    return watch.ended()


def show_output(client: Client, task_id: int, *, follow: bool, write: Write | None = None) -> None:
    """Write what was printed so far; with ``follow`` until the task has ended."""
    watch = _Watch(client, task_id, write or to_terminal)
    while not (watch.look() if follow else not watch.read_once()):
        if follow:
            watch.pause(None)


def judge(task: Task) -> None:
    """Say how it ended.

    :raises TaskFailed: when it did not succeed.
    """
    took = present.took(task)
    items = present.items_of(task)
    how = f"task {task.id} {task.state}{f' in {took}' if took else ''}{f', {items} items' if items else ''}"
    if task.state != TaskState.SUCCEEDED:
        said = f": {task.message}" if task.message else ""
        raise TaskFailed(f"{how}{said}", f"'bottool task output {task.id}' shows what it printed")
    click.echo(how, err=True)


def to_terminal(frame: Frame) -> None:
    """The bot's stdout to stdout, everything else to stderr, byte by byte as it was printed; a note is its own line."""
    if frame.stream is Stream.NOTE:
        click.echo(b"\xc2\xb7 " + frame.data, err=True)
        return
    target = sys.stdout.buffer if frame.stream is Stream.STDOUT else sys.stderr.buffer
    target.write(frame.data)
    target.flush()


class _Watch:
    """One task looked at again and again; pauses grow while nothing happens."""

    def __init__(self, client: Client, task_id: int, write: Write | None) -> None:
        self.task: Task | None = None
        self._client = client
        self._task_id = task_id
        self._write = write
        self._attempt = 0
        self._offset = 0
        self._output_ended = write is None
        self._final_since: float | None = None
        self._pause_seconds = SHORTEST_SECONDS
        self._away_since: float | None = None

    def look(self) -> bool:
        """True when the task has a result and all of its output was shown."""
        try:
            task = self._client.get(rest.path("tasks", self._task_id), type=Task)
            has_news = self._read(task)
        except (Unreachable, Unavailable):
            self._bear_absence()
            return False
        self._away_since = None
        if has_news or self.task is None or task.state != self.task.state:
            self._pause_seconds = SHORTEST_SECONDS
        self.task = task
        return task.state in FINAL and not has_news and self._nothing_follows()

    def _read(self, task: Task) -> bool:
        """As ``read_once``, of the newest attempt: each has an output of its own, which begins at 0."""
        if self._write is None or not task.attempt:
            self._output_ended = True
            return False
        has_news = self._attempt > 0 and self.read_once()
        if not has_news and task.attempt != self._attempt:
            self._attempt, self._offset = task.attempt, 0
            has_news = self.read_once()
        if has_news:
            self._final_since = None
        return has_news

    def read_once(self) -> bool:
        """Show the next piece of output; True when there was one."""
        if self._write is None:
            return False
        where = f"{rest.path('tasks', self._task_id)}/output"
        query = {"after": self._offset, **({"attempt": self._attempt} if self._attempt else {})}
        data, headers = self._client.read(where, query=query)
        for frame in frames(data):
            self._write(frame)
        self._output_ended = headers.get(ENDED_HEADER) != "false"
        before, self._offset = self._offset, int(headers.get(NEXT_OFFSET_HEADER, self._offset))
        return self._offset > before

    def _nothing_follows(self) -> bool:
        """A runner that is gone sends no end of the output; hence the limit."""
        if self._final_since is None:
            self._final_since = time.monotonic()
        return self._output_ended or time.monotonic() - self._final_since > LAST_WORDS_SECONDS

    def pause(self, deadline: float | None) -> None:
        rest_seconds = self._pause_seconds if deadline is None else max(0.0, deadline - time.monotonic())
        time.sleep(min(self._pause_seconds, rest_seconds))
        self._pause_seconds = min(LONGEST_SECONDS, self._pause_seconds * 1.5)

    def ended(self) -> Task:
        if self.task is None:
            raise WaitTimeout(f"task {self._task_id} was never seen")
        return self.task

    def _bear_absence(self) -> None:
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            click.echo("the server is away; waiting for it", err=True)
        if now - self._away_since > AWAY_SECONDS:
            raise Unreachable(
                f"the server was away for {AWAY_SECONDS:.0f} s", f"'bottool task show {self._task_id}' later"
            )
