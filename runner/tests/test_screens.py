"""A bot's own screen: really made, really drawn on and photographed, and gone with its attempt."""

import json
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest

from bottool import process, stopping, wire
from bottool.errors import LaunchError
from bottool_runner import evidence, platform_screen, screens
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import NotPrepared
from bottool_runner.leftovers import stop_processes
from bottool_runner.screens import BotScreen

pytestmark = pytest.mark.skipif(bool(platform_screen.no_virtual()), reason="virtual screens are made by Xvfb on Linux")
PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="token-of-this-bot-that-is-secret")
SMALL = wire.DisplayNeed(kind="virtual", width=320, height=200, depth=24)


@pytest.fixture
def keep(until):
    """The whole life of an attempt under a real keeper; its report. Not ``through``: the keeper, ready."""
    begun = []

    def life(folder, *, through=True):
        keeper = KeeperProcess(folder.path)
        begun.append((folder, keeper))
        until(lambda: folder.has("ready") or keeper.has_ended(), 60)
        if not folder.has("ready"):
            return folder.read("not_prepared", NotPrepared)
        folder.publish("intent", {})
        keeper.hand_over(PERMIT)
        if not through:
            return keeper
        until(keeper.has_ended, 60)
        return folder.read("exit", wire.Ended)

    yield life
    for folder, keeper in begun:
        keeper.let_go()
        keeper.kill()
        keeper.collect(10)
        stop_processes(folder, process.boot_id())


def size_of_png(path):
    head = path.read_bytes()
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", head[16:24])


def colours_of_png(path):
    """The pixels of a PNG of plain RGB: whether anything was drawn."""
    data, place, packed = path.read_bytes(), 8, b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            packed += data[place + 8 : place + 8 + length]
        place += length + 12
    return set(zlib.decompress(packed))


DRAW = """
import mss, os, sys
with mss.MSS() as screen:
    print(os.environ["DISPLAY"], *(screen.monitors[0][name] for name in ("width", "height")))
sys.exit(3)
"""


def test_a_bot_gets_a_screen_of_its_own_and_it_is_gone_with_the_attempt(bench, keep, until):
    folder = bench.attempt(DRAW, display=SMALL)

    ended = keep(folder)

    assert (ended.reason, ended.exit_code, ended.left_behind) == ("exited", 3, [])
    said = b"".join(frame.data for frame in wire.frames(folder.spool.read_bytes()) if frame.stream == 1).split()
    known = folder.read("screen.json", screens.Number)
    assert [word.decode() for word in said] == [f":{known.number}", "320", "200"]
    assert size_of_png(folder.path / evidence.PICTURE) == (320, 200)
    assert stopping.living([known.pid]) == []
    assert not Path(f"/tmp/.X{known.number}-lock").exists()
    assert not Path(f"/tmp/.X11-unix/X{known.number}").exists()


def test_nobody_without_the_cookie_sees_the_screen(bench, until):
    folder = bench.attempt(display=SMALL)
    display = BotScreen(SMALL, folder)
    display.open()
    try:
        assert display.picture(folder.path / "seen.png") == ""
        stranger = {**display.variables, "XAUTHORITY": str(folder.path / "nothing")}
        other = BotScreen(SMALL, folder, variables=stranger)
        assert other.picture(folder.path / "stolen.png") != ""
        assert not (folder.path / "stolen.png").exists()
        assert (folder.path / "xauthority").stat().st_mode & 0o077 == 0
    finally:
        display.close()


def test_two_screens_at_once_have_numbers_of_their_own(bench):
    opened = [BotScreen(SMALL, bench.attempt(task_id=number, display=SMALL)) for number in (1, 2)]
    try:
        for each in opened:
            each.open()
        assert len({each.variables["DISPLAY"] for each in opened}) == 2
    finally:
        for each in opened:
            each.close()


def test_the_screen_of_a_killed_keeper_is_found_and_ended(bench, keep, until):
    folder = bench.attempt("import time; print('up', flush=True); time.sleep(600)", display=SMALL)
    keeper = keep(folder, through=False)
    until(lambda: folder.has("started"), 30)
    known = folder.read("screen.json", screens.Number)

    keeper.kill()
    keeper.collect(10)
    left = stop_processes(folder, process.boot_id())

    assert any("Xvfb" in name for name in left)
    assert stopping.living([known.pid]) == []
    assert not Path(f"/tmp/.X{known.number}-lock").exists()


def test_a_picture_is_taken_before_what_ran_into_its_time_out_is_stopped(bench, keep):
    draws = """
import subprocess, sys, time
subprocess.run(["true"])
print("waiting", flush=True)
time.sleep(600)
"""
    folder = bench.attempt(draws, display=SMALL, timeout_seconds=2)

    ended = keep(folder)

    assert ended.reason == "timed_out"
    assert size_of_png(folder.path / evidence.PICTURE) == (320, 200)
    tree = folder.read(evidence.PROCESSES, evidence.Tree)
    assert tree.processes[0].name.startswith("python")
    assert PERMIT.token not in json.dumps([each.command for each in tree.processes])
    assert "***" in tree.processes[0].command


@pytest.mark.parametrize(
    ("need", "said"),
    [
        (wire.DisplayNeed(kind="virtual", width=320, height=200, depth=77), "virtual screen of 320x200 ended: "),
        (wire.DisplayNeed(kind="hologram"), "does not know screens of the kind 'hologram'"),
    ],
)
def test_a_bot_whose_screen_cannot_be_made_is_handed_back_with_the_reason(bench, keep, need, said):
    fault = keep(bench.attempt(display=need))

    assert said in fault.reason
    assert not fault.permanent
    assert bench.starts() == []


def test_a_machine_without_a_screen_says_why(bench, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))

    screen = screens.of_this_machine()

    assert not screen.real
    assert screen.lacks(wire.DisplayNeed(kind="screen")) == (
        "has no screen: DISPLAY is not set where the runner was started"
    )
    with pytest.raises(LaunchError, match="has no screen"):
        BotScreen(wire.DisplayNeed(kind="screen"), bench.attempt()).open()
    if not platform_screen.no_virtual():
        return
    assert "Xvfb is not installed" in screen.lacks(SMALL)


def test_a_machine_with_a_screen_tells_its_size(bench, monkeypatch):
    display = BotScreen(SMALL, bench.attempt(display=SMALL))
    display.open()
    try:
        for name, value in display.variables.items():
            monkeypatch.setenv(name, value)
        screen = screens.of_this_machine()
        assert (screen.real, screen.width, screen.height) == (True, 320, 200)
        assert screen.lacks(wire.DisplayNeed(kind="screen", width=320, height=200)) == ""
        assert "smaller than 1280x1024" in screen.lacks(wire.DisplayNeed(kind="screen"))
    finally:
        display.close()
    assert screens.of_this_machine().no_real != ""


def test_a_locked_screen_takes_no_bot():
    screen = wire.Screen(real=True, locked=True, width=1920, height=1080)

    assert screen.lacks(wire.DisplayNeed(kind="screen")) == "has a locked screen; unlock it"
    assert screen.lacks(wire.DisplayNeed()) == ""


def test_the_system_says_whether_the_screen_is_locked(tmp_path, monkeypatch):
    asked = tmp_path / "loginctl"
    asked.write_text("#!/bin/sh\necho yes\n")
    asked.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_SESSION_ID", "3")

    assert platform_screen.is_locked()

    asked.write_text("#!/bin/sh\necho no\n")
    assert not platform_screen.is_locked()
