"""``bottool runner window``: shows what the runner of this machine does, and starts and stops it on a click.

This process knows the runner, its child the screen: Tk is shown by any Python on this machine that has it, because the
one that runs bottool may not. The window and the runner are processes of their own; closing the one leaves the other.
"""

import contextlib
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from bottool.errors import BottoolError, SettingsError, ToolMissing
from bottool.settings import base_variables, without_own
from bottool_runner.asking import wished
from bottool_runner.control import Wish
from bottool_runner.home import is_worked_in
from bottool_runner.status import read
from bottool_runner.system import start_detached
from bottool_runner.window_model import Model

VIEW = Path(__file__).with_name("window_view.py")
_NO_DISPLAY = 3
_LOOK_SECONDS = 0.4
_ASK_SECONDS = 20
_LAST_WORDS_BYTES = 4000


def open_window(home: Path, conf: Path | None, *, allow_http: bool = False) -> None:
    """Show the window until it is closed.

    :raises ToolMissing: when no Python here has Tk.
    :raises SettingsError: when there is no display.
    """
    with subprocess.Popen(
        [python_with_tk(), "-P", str(VIEW)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=without_own(base_variables()),
    ) as view:
        try:
            _Desk(view, home, conf, allow_http=allow_http).work()
        finally:
            view.kill()
        if view.wait() == _NO_DISPLAY:
            raise SettingsError(
                f"there is no display for a window: {_said(view.stderr)}",
                "sign in where there is a screen; without one: bottool runner start, bottool runner status",
            )


def python_with_tk(candidates: tuple[str, ...] = ()) -> str:
    """The first Python that can import Tk: our own, then the system's.

    :raises ToolMissing: when none can.
    """
    for program in candidates or (sys.executable, *_other_pythons()):
        asking = [program, "-P", "-c", "import tkinter.ttk"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if not subprocess.run(asking, capture_output=True, timeout=_ASK_SECONDS, check=False).returncode:
                return program
    raise ToolMissing(
        "no Python on this machine can show windows: Tk is missing", "apt install python3-tk, or what it is called here"
    )


def _other_pythons() -> list[str]:
    found = [shutil.which(name) for name in ("python3", "python", "py")]
    return [program for program in ("/usr/bin/python3", *found) if program and Path(program).exists()]


class _Desk:
    """One open window: tells the view what is new, and does what is clicked."""

    def __init__(self, view: "subprocess.Popen[str]", home: Path, conf: Path | None, *, allow_http: bool) -> None:
        self._view = view
        self._home = home
        self._options = [*(["--conf", str(conf)] if conf else []), *(["--allow-http"] if allow_http else [])]
        self._model = Model(home, conf, allow_http=allow_http)
        self._clicks: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._started: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._notice = ""

    def work(self) -> None:
        threading.Thread(target=self._listen, name="clicks", daemon=True).start()
        shown: dict[str, Any] = {}
        while self._view.poll() is None:
            self._look_after_start()
            now = self._model.look(notice=self._notice, starting=self._started is not None)
            if now != shown and not self._tell(now):
                break
            shown = now
            with contextlib.suppress(queue.Empty):
                self._do(self._clicks.get(timeout=_LOOK_SECONDS))
        self._view.wait(_ASK_SECONDS)
        self._let_go()

    def _listen(self) -> None:
        for line in self._view.stdout or ():
            self._clicks.put(json.loads(line)["do"])
        self._clicks.put("")

    def _tell(self, now: dict[str, Any]) -> bool:
        try:
            if self._view.stdin is not None:
                self._view.stdin.write(json.dumps(now) + "\n")
                self._view.stdin.flush()
        except OSError:
            return False
        return True

    def _do(self, click: str) -> None:
        acts = {"start": self._start, "stop": self._stop, "pause": self._pause, "resume": self._resume}
        if click not in acts:
            return
        self._notice = ""
        try:
            acts[click]()
        except BottoolError as error:
            self._notice = f"{error}" + (f" – {error.hint}" if error.hint else "")

    def _start(self) -> None:
        """As ``bottool runner start`` does it, in a process that outlives the window."""
        if self._started is not None or is_worked_in(self._home):
            return
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - read, and closed, when it is known what came of it
        self._started = start_detached(
            [sys.executable, "-P", "-m", "bottool", "runner", "start", "--home", str(self._home), *self._options],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
        )

    def _stop(self) -> None:
        """First let the bots end; when that was asked already, end at once and leave them to their keepers."""
        wished(self._home, Wish.STOP if read(self._home).mode == "draining" else Wish.DRAIN)

    def _pause(self) -> None:
        wished(self._home, Wish.PAUSE)

    def _resume(self) -> None:
        wished(self._home, Wish.WORK)

    def _look_after_start(self) -> None:
        """A runner that was started is known by its home; one that could not start says why."""
        if self._started is None or self._said is None:
            return
        status = self._started.poll()
        if status is None:
            return
        if status:
            self._said.seek(max(0, self._said.seek(0, 2) - _LAST_WORDS_BYTES))
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
            self._notice = " – ".join(line.strip() for line in lines[-2:]) or f"the runner ended with status {status}"
        self._said.close()
        self._started = self._said = None

    def _let_go(self) -> None:
        if self._started is not None:
            # It works on; nobody waits for it any more.
            self._started.returncode = self._started.poll() or 0
        if self._said is not None:
            self._said.close()


def _said(stream: IO[str] | None) -> str:
    lines = (stream.read() if stream else "").strip().splitlines()
    return lines[-1] if lines else "nothing answers"
