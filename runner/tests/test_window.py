"""The runner's window, for real: on a virtual screen, with a mouse, a real runner and a real bot behind it."""

import json
import os
import shutil
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from bottool import wire
from bottool.errors import ToolMissing
from bottool.settings import base_variables
from bottool_runner import status, window
from bottool_runner.window_model import Tail

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Xvfb is a program of Linux")

GREEN, RED, GREY = (0x15, 0x80, 0x3D), (0xB9, 0x1C, 0x1C), (0xD1, 0xD5, 0xDB)
WAIT = """
import sys, time
open(WITNESS, 'a').write('start\\n')
for number in range(60):
    print(f'\\x1b[32minvoice {number}\\x1b[0m: sent', flush=True)
while 'go' not in open(WITNESS).read():
    time.sleep(0.02)
"""


class Screen:
    """A virtual screen; what is on it lies in a file, as xwd writes it."""

    def __init__(self, folder, width, height):
        assert shutil.which("Xvfb"), "Xvfb is among the programs that the tests need"
        self.folder = folder
        ours, theirs = os.pipe()
        self.process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(theirs), "-screen", "0", f"{width}x{height}x24", "-fbdir", str(folder)],
            pass_fds=[theirs],
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        with os.fdopen(ours) as said:
            self.display = f":{said.readline().strip()}"

    def end(self):
        self.process.terminate()
        self.process.wait()

    def rows(self):
        """Each row's pixels as bytes: blue, green, red, nothing."""
        data = (self.folder / "Xvfb_screen0").read_bytes()
        head = struct.unpack(">25I", data[:100])
        start, width, height, line = head[0] + 12 * head[19], head[4], head[5], head[12]
        return [data[start + y * line : start + y * line + 4 * width] for y in range(height)]

    def middle_of(self, colour, least=300):
        """The middle of all that has the colour, or ``None`` when there is little of it."""
        pixel = bytes(reversed(colour))
        found = [
            (x // 4, y) for y, row in enumerate(self.rows()) for x in range(0, len(row), 4) if row[x : x + 3] == pixel
        ]
        if len(found) < least:
            return None
        return tuple(sorted(place[axis] for place in found)[len(found) // 2] for axis in (0, 1))

    def click(self, place):
        self.do("mousemove", *map(str, place), "click", "1")

    def do(self, *words):
        return subprocess.run(
            ["xdotool", *words], env={**base_variables(), "DISPLAY": self.display}, check=True, text=True,
            capture_output=True, timeout=30,
        ).stdout  # fmt: skip

    def picture(self, path):
        rows = [
            b"\0" + bytes(row[x + part] for x in range(0, len(row), 4) for part in (2, 1, 0)) for row in self.rows()
        ]

        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        size = struct.pack(">IIBBBBB", (len(rows[0]) - 1) // 3, len(rows), 8, 2, 0, 0, 0)
        parts = (chunk(b"IHDR", size), chunk(b"IDAT", zlib.compress(b"".join(rows))), chunk(b"IEND", b""))
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


@pytest.fixture
def screen(tmp_path):
    folder = tmp_path / "screen"
    folder.mkdir()
    screen = Screen(folder, 900, 660)
    yield screen
    screen.end()


@pytest.fixture
def conf(server, tmp_path):
    path = tmp_path / "conf.bcf"
    path.write_text(f"server={server.address}\nworkspace=workspace\nmachineId=vm-01\nlogin=login\nkey=key\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def opened(machine, conf, screen):
    """The window as a person opens it, in a process of its own."""
    kept = {name: value for name, value in base_variables().items() if not name.startswith(("BOTTOOL_", "DISPLAY"))}
    variables = {
        "DISPLAY": screen.display,
        "BOTTOOL_CACHE": str(machine.bench.cache.root),
        "BOTTOOL_CONFIG": str(conf.parent / "config"),
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "bottool", "runner", "window"),
            *("--conf", str(conf), "--home", str(machine.home)),
        ],
        env=kept | variables,
        stdin=subprocess.DEVNULL,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_a_person_starts_the_runner_watches_its_bot_and_stops_it(
    opened, machine, bench, server, screen, until, tmp_path
):
    pictures = Path(os.environ.get("BOTTOOL_TEST_PICTURES", tmp_path))
    start = until(lambda: screen.middle_of(GREEN, 2000), 60)
    assert not machine.home.exists() or status.read(machine.home).mode == "ended"

    screen.click(start)

    until(lambda: status.read(machine.home).mode == "working", 60)
    assert until(lambda: server.registered, 60)[0]["machine_id"] == "vm-01"
    stop = until(lambda: screen.middle_of(RED, 2000), 60)
    server.add(bench.package("raise SystemExit('no printer')"))
    until(lambda: status.read(machine.home).recent, 60)
    task = server.add(bench.package(WAIT))
    until(lambda: task.state == "running" and bench.starts(), 60)
    time.sleep(1.5)
    screen.picture(pictures / "wide.png")
    name = screen.do("search", "--name", "^bottool runner$").split()[0]
    screen.do("windowsize", "--sync", name, "400", "600")
    time.sleep(1.0)
    screen.picture(pictures / "narrow.png")
    narrow = until(lambda: screen.middle_of(RED, 2000), 20)
    assert narrow[0] < 400
    assert narrow != stop

    screen.click(narrow)

    until(lambda: status.read(machine.home).mode == "draining", 30)
    machine.go()
    until(lambda: server.ended(task), 60)
    until(lambda: status.read(machine.home).mode == "ended", 60)
    until(lambda: screen.middle_of(GREEN, 2000), 30)
    assert opened.poll() is None
    # Closing the window ends the command.
    screen.do("windowkill", name)
    until(lambda: opened.poll() is not None)


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="this system has its Python elsewhere")
def test_the_systems_own_python_shows_the_view_and_tells_of_a_click(screen, until):
    said = {
        "machine": "vm-01",
        "mode": "paused",
        "reason": "why",
        "connected": True,
        "connection": "",
        "task": "",
        "lines": ["one"],
        "log": [],
        "recent": [],
        "settings": [],
        "notice": "look",
        "starting": False,
    }
    with subprocess.Popen(
        ["/usr/bin/python3", "-I", str(window.VIEW)],
        env={"DISPLAY": screen.display, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as view:
        view.stdin.write(json.dumps(said) + "\n")
        view.stdin.flush()
        screen.click(until(lambda: screen.middle_of(RED, 2000), 60))

        assert json.loads(view.stdout.readline()) == {"do": "stop"}
        view.stdin.close()
        assert view.wait(30) == 0


def test_without_a_display_one_line_says_so(tmp_path):
    kept = {name: value for name, value in base_variables().items() if name != "DISPLAY"}

    said = subprocess.run(
        [sys.executable, "-P", "-m", "bottool", "runner", "window", "--home", str(tmp_path)],
        env=kept,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert said.returncode == 3
    assert "there is no display for a window" in said.stderr
    assert "Traceback" not in said.stderr
    assert len(said.stderr.strip().splitlines()) <= 2


def test_without_tk_one_line_says_so():
    with pytest.raises(ToolMissing, match="Tk is missing") as refused:
        window.python_with_tk((shutil.which("false"), "/no/such/python"))

    assert "python3-tk" in refused.value.hint
    assert window.python_with_tk(("/no/such/python", "/usr/bin/python3")) == "/usr/bin/python3"


def test_the_last_lines_are_read_as_they_come_without_what_only_terminals_know(tmp_path):
    spool = tmp_path / "spool"
    tail = Tail(spool)
    assert tail.lines() == []

    def write(data, stream=wire.Stream.STDOUT, torn=0):
        with spool.open("ab") as file:
            frame = wire.pack_frame(wire.Frame(stream, 0.0, data))
            file.write(frame[: len(frame) - torn] if torn else frame)
        return frame

    write(b"\x1b[31mred\x1b[0m\nhal")
    assert tail.lines() == ["red", "hal"]
    write("f é".encode())
    frame = write(b" end\r\n10 %\r20 %\n", torn=3)
    assert tail.lines() == ["red", "half é"]
    with spool.open("ab") as file:
        file.write(frame[-3:])
    write(b"made ready", wire.Stream.NOTE)
    assert tail.lines() == ["red", "half é end", "20 %", "· made ready"]
