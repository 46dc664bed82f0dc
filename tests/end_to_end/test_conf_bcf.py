"""A machine of a BotCity runner moves over: its ``conf.bcf`` is enough, against a real server."""

import subprocess
import sys
import time

import pytest

from bottool import wire
from bottool.cli import rest

pytestmark = pytest.mark.end_to_end


def runner_of(home, machine_id):
    found = rest.every(home.client(), rest.path("runners"), wire.Runner)
    return next((each for each in found if each.machine_id == machine_id), None)


def until(what, seconds=90):
    deadline = time.monotonic() + seconds
    while not (seen := what()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return seen


def test_a_conf_bcf_registers_the_machine_and_a_pause_is_seen_on_the_server(home, tmp_path):
    conf, place = tmp_path / "conf.bcf", str(tmp_path / "home")
    text = f"server={home.address}\r\nworkspace: tests\r\nmachineId vm\\u002d01\r\nlogin={home.login}\r\nkey="
    conf.write_bytes(f"{text}wrong\r\n".encode())
    conf.chmod(0o600)
    # What the file says counts before these.
    bare = {name: value for name, value in home.variables.items() if name not in {"BOTTOOL_LOGIN", "BOTTOOL_KEY"}}

    def runner(*arguments):
        return [sys.executable, "-m", "bottool", "runner", *arguments, "--home", place]

    refused = subprocess.run(
        runner("start", "--conf", str(conf)), env=bare, capture_output=True, text=True, timeout=90, check=False
    )
    assert refused.returncode == 4
    assert f"{conf}, line 5, 'key': " in refused.stderr
    conf.write_bytes(f"{text}{home.key}\r\n".encode())
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(runner("start", "--conf", str(conf)), env=bare, stdout=log, stderr=log)
    try:
        until(lambda: (found := runner_of(home, "vm-01")) and found.state == "online" and found.languages)
        subprocess.run(runner("pause", "--reason", "new printer"), env=bare, check=True, timeout=60)

        seen = until(lambda: (found := runner_of(home, "vm-01")) and found.paused and found)

        assert seen.reason == "new printer"
        assert "paused: new printer" in home.bottool("runner", "list").stdout
        subprocess.run(runner("stop"), env=bare, check=True, timeout=60)
        assert running.wait(60) == 0
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
    assert home.key not in (tmp_path / "log").read_text()
