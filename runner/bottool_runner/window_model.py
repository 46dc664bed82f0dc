"""What the runner's window shows, as plain values; read from the runner's home, its log, its bots' spools, conf.bcf.

Everything is read anew at each look, and nothing is written. Knows no Tk.
"""

import re
import time
from collections import deque
from pathlib import Path
from typing import Any

from bottool import wire
from bottool.cli import present
from bottool.errors import BottoolError
from bottool_runner import conf_bcf, words
from bottool_runner.places import LOG_NAME
from bottool_runner.reading import last_lines
from bottool_runner.status import InHand, Status, read

_LINES = 300
_LONGEST_LINE = 2000
_PIECE_BYTES = 4 * 1024 * 1024
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")


class Tail:
    """The last lines of one attempt's output, read on as they come."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool
        self._offset = 0
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._rest = ""

    def lines(self) -> list[str]:
        try:
            with self.spool.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_PIECE_BYTES)
        except OSError:
            data = b""
        end = wire.whole_frames(data)
        self._offset += end
        text = self._rest + "".join(_text_of(frame) for frame in wire.frames(data[:end]))
        *whole, self._rest = text.split("\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        self._lines.extend(_plain(line) for line in whole)
        return [*self._lines, *([_plain(self._rest)] if self._rest else [])]


def _text_of(frame: wire.Frame) -> str:
    text = frame.data.decode("utf-8", "replace")
    return f"· {text}\n" if frame.stream is wire.Stream.NOTE else text


def _plain(line: str) -> str:
    # What comes after a carriage return is written over what was before it.
    shown = line.rstrip("\r").rpartition("\r")[2]
    return _ESCAPES.sub("", shown)[:_LONGEST_LINE]


class Model:
    """Made for one window."""

    def __init__(self, home: Path, conf: Path | None, *, allow_http: bool = False) -> None:
        self._home = home
        self._conf = conf
        self._allow_http = allow_http
        self._tail: Tail | None = None
        self._task: InHand | None = None

    def look(self, *, notice: str, starting: bool) -> dict[str, Any]:
        """All that the view is told."""
        said = read(self._home)
        settings, wrong = self._settings(said)
        return {
            "machine": said.machine_id,
            "mode": said.mode,
            "reason": said.reason or (f"takes no task: {said.unready}" if said.unready else ""),
            "connected": said.connected,
            "connection": f"{said.server}: {words.connection(said)}" if said.server else "",
            "task": self._current(said),
            "lines": self._tail.lines() if self._tail else [],
            "log": self._log(),
            "recent": [
                [f"#{each.task_id}", each.automation or each.bot_id, each.how, _ago(each.ended_at), each.went_well]
                for each in said.recent
            ],
            "settings": settings,
            "notice": notice or wrong,
            "starting": starting,
        }

    def _current(self, said: Status) -> str:
        """The task that is shown: the newest in hand, or the one that was shown last."""
        if said.in_hand:
            newest = max(said.in_hand, key=lambda each: each.since)
            spool = self._home / "attempts" / f"{newest.task_id}-{newest.attempt}" / "spool"
            if self._tail is None or self._tail.spool != spool:
                self._tail = Tail(spool)
            self._task = newest
            more = f"   (and {len(said.in_hand) - 1} more)" if len(said.in_hand) > 1 else ""
            return f"Task #{newest.task_id}: {words.in_hand(newest)}{more}"
        if self._task is not None:
            return f"No task now; the last was #{self._task.task_id}, {self._task.automation or self._task.bot_id}"
        return "No task now" if said.mode != "ended" else ""

    def _log(self) -> list[str]:
        return last_lines(self._home, _LINES) if (self._home / LOG_NAME).exists() else []

    def _settings(self, said: Status) -> tuple[list[list[str]], str]:
        path = self._conf or (Path(said.conf) if said.conf else None)
        shown = [["home", str(self._home)]]
        if path is None:
            return [*shown, ["workspace", said.workspace], ["languages", ", ".join(said.languages)]], ""
        shown.append(["conf.bcf", str(path)])
        try:
            conf = conf_bcf.read(path, allow_http=self._allow_http)
        except BottoolError as error:
            return shown, f"{error}" + (f" – {error.hint}" if error.hint else "")
        return [*shown, *_of_conf(conf), *(["warning", each] for each in conf.warnings)], ""


def _of_conf(conf: conf_bcf.Conf) -> list[list[str]]:
    return [
        ["server", conf.server],
        ["workspace", conf.workspace],
        ["machineId", conf.machine_id],
        ["login", conf.login],
        ["key", "set" if conf.key else "not set"],
        ["logApplication", str(conf.log_application).lower()],
        ["logScreen", str(conf.log_screen).lower()],
        ["startup", str(conf.startup or "")],
    ]


def _ago(at: float) -> str:
    seconds = time.time() - at
    return "just now" if seconds < 60 else f"{present.duration(seconds - seconds % 60)} ago"  # noqa: PLR2004 - a minute
