"""One bot at a time on the machine's display, whoever started it and however it ends."""

import os
import subprocess
import sys
import threading

import pytest

from bottool import wire
from bottool_runner import platform_screen
from bottool_runner.display import display_lock, has_display, take_display
from bottool_runner.screens import BotScreen

TOGETHER = """
import os, time
def note(word):
    with open(WITNESS, 'a') as file:
        file.write(word + '\\n')
note('in')
time.sleep(0.5)
note('out')
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing listens for windows")
def test_a_display_is_there_when_somebody_listens(tmp_path):
    ours, theirs = os.pipe()
    xvfb = subprocess.Popen(
        ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "64x64x24"], pass_fds=[theirs], stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    with os.fdopen(ours) as said:
        number = said.readline().strip()

    assert has_display({"DISPLAY": f":{number}"})
    assert has_display({"DISPLAY": f":{number}.0"})
    xvfb.terminate()
    xvfb.wait()
    assert not has_display({"DISPLAY": f":{number}"})
    assert not has_display({})
    assert has_display({"DISPLAY": "box-2:0"})


def test_the_display_is_free_as_soon_as_its_holder_is_dead(tmp_path, until):
    code = (
        "import sys, time, pathlib; from bottool_runner.display import display_lock\n"
        "assert display_lock(pathlib.Path(sys.argv[1])).acquire(); print('has', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline().strip() == b"has"
    notes = []
    mine = display_lock(tmp_path)
    waiting = threading.Thread(target=take_display, args=(mine, notes.append))
    waiting.start()
    until(lambda: notes)
    assert waiting.is_alive()

    holder.kill()

    waiting.join(20)
    assert not waiting.is_alive()
    assert notes == ["waits until another bot has left the display"]
    assert not display_lock(tmp_path).acquire()
    mine.release()
    holder.wait()
    holder.stdout.close()


@pytest.fixture
def screen(bench):
    """The variables of a screen that counts as this machine's own."""
    made = BotScreen(wire.DisplayNeed(kind="virtual", width=320, height=200), bench.attempt())
    made.open()
    yield made.variables
    made.close()


@pytest.mark.skipif(bool(platform_screen.no_virtual()), reason="the screen is made by Xvfb on Linux")
def test_two_bots_that_need_the_display_run_one_after_the_other(machine, bench, server, until, screen):
    need = {"kind": "screen", "width": 320, "height": 200}
    tasks = [server.add(bench.package(TOGETHER), display=need) for _ in range(2)]

    machine.start("--slots", "2", "--max-tasks", "2", **screen)

    until(lambda: all(server.ended(task) for task in tasks), 120)
    assert bench.starts() == ["in", "out", "in", "out"]
    notes = [
        frame.data.decode() for task in tasks for frame in wire.frames(task.output) if frame.stream is wire.Stream.NOTE
    ]
    assert sum("waits until another bot has left the display" in note for note in notes) <= 1
