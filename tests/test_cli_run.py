"""``bottool run`` as a person uses it: parameters, credentials, the report, and what stays behind."""

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from bottool.cli.masking import Masks
from bottool.cli.run_place import place

CALLS = """
import json, sys, urllib.error, urllib.request
server, task, token = sys.argv[1:4]
def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data=data, headers={"token": token})
    try:
        return urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as error:
        return f"refused {error.code}"
def finish(status, message="", **items):
    call(f"/api/v2/task/{task}", {"state": "FINISHED", "finishStatus": status, "finishMessage": message, **items})
"""


@pytest.fixture
def calling(python_bot):
    return lambda bot_id, text: python_bot(bot_id, CALLS + text)


def test_parameters_come_from_a_file_and_from_the_command_line(bottool, calling) -> None:
    folder = calling("asks", "print(call(f'/api/v2/task/{task}'))")
    given = bottool.folder / "given.toml"
    given.write_text('city = "Lisboa"\nday = 2026-01-31\ncount = 2\n')

    done = bottool("run", str(folder), "--params", str(given), "-p", "city=São Paulo", "--param", "rows:=[1, 2]")

    assert done.returncode == 0, done.stderr
    expected = {"city": "São Paulo", "day": "2026-01-31", "count": 2, "rows": [1, 2]}
    assert json.loads(done.stdout)["parameters"] == expected


def test_what_the_bot_reported_is_shown_at_the_end(bottool, calling) -> None:
    text = """
call("/api/v2/alerts", {"taskId": task, "title": "Look", "message": "it is late", "type": "WARN"})
call("/api/v2/dashboard", {}); call("/api/v2/dashboard", {})
call("/api/v2/log", {"label": "trips", "columns": []})
finish("PARTIALLY_COMPLETED", "one failed", totalItems=3, processedItems=2, failedItems=1)
"""
    done = bottool("run", str(calling("tells", text)))

    assert done.returncode == 0
    assert "the bot says: partial: one failed" in done.stderr
    assert "3 total, 2 processed, 1 failed" in done.stderr
    assert "alert (warn) Look: it is late" in done.stderr
    assert "POST /api/v2/dashboard (2 times), which this bottool does not answer yet" in done.stderr
    assert "refused: POST /api/v2/log: " in done.stderr


def test_a_task_that_is_finished_as_failed_gives_status_1_although_the_process_gave_0(bottool, calling) -> None:
    done = bottool("run", str(calling("fails", "finish('FAILED', 'no')")))

    assert done.returncode == 1
    assert "finished its task as failed: exit status 1" in done.stderr


def test_the_report_as_json_is_all_that_is_on_stdout(bottool, calling) -> None:
    done = bottool("run", str(calling("tells", "print('hello'); finish('SUCCESS', 'fine')")), "--json")

    said = json.loads(done.stdout)
    assert (said["exit_status"], said["task"]["state"], said["task"]["message"]) == (0, "succeeded", "fine")
    assert "hello" in done.stderr


def test_credentials_lie_beside_the_bot_are_hidden_in_its_output_and_never_packed(bottool, calling) -> None:
    folder = calling("signs-in", "print(call('/api/v2/credential/erp/key/password'), token)")
    (folder / "credentials.toml").write_text('[erp]\npassword = "swordfish"\n')
    (folder / "credentials.toml").chmod(0o600)

    done = bottool("run", str(folder))

    assert done.returncode == 0, done.stderr
    assert set(done.stdout.strip()) == {"*", " "}
    assert len(done.stdout.split()[0]) == len("swordfish")
    assert "credentials.toml" not in bottool("build", str(folder), "--list").stdout


def test_credentials_are_hidden_in_what_the_bot_reported(bottool, calling) -> None:
    text = """
password = call("/api/v2/credential/erp/key/password")
call("/api/v2/alerts", {"taskId": task, "title": password, "message": f"not {password}", "type": "WARN"})
finish("SUCCESS", f"signed in with {password}")
"""
    folder = calling("tells-all", text)
    given = bottool.folder / "given.toml"
    given.write_text('[erp]\npassword = "swordfish"\n')

    plain, as_json = (bottool("run", str(folder), "--credentials", str(given), *more) for more in ((), ("--json",)))

    assert "signed in with *********" in plain.stderr
    assert json.loads(as_json.stdout)["task"]["alerts"][0]["title"] == "*********"
    assert "swordfish" not in plain.stdout + plain.stderr + as_json.stdout + as_json.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_credentials_that_others_can_read_are_not_used(bottool, calling) -> None:
    folder = calling("signs-in", "print(call('/api/v2/credential/erp/key/password'))")
    (folder / "credentials.toml").write_text('[erp]\npassword = "swordfish"\n')
    (folder / "credentials.toml").chmod(0o644)

    done = bottool("run", str(folder))

    assert "others can read it" in done.stderr
    assert done.stdout == "refused 404\n"
    assert "there is no credential 'erp'" in done.stderr


@pytest.mark.parametrize("text", ["[erp", "erp = 1", '[erp]\nlist = ["a"]'])
def test_a_credentials_file_that_is_none_is_refused(bottool, calling, text) -> None:
    broken = bottool.folder / "broken.toml"
    broken.write_text(text)

    done = bottool("run", str(calling("quiet", "")), "--credentials", str(broken))

    assert done.returncode != 0
    assert "broken.toml" in done.stderr


def test_without_a_server_the_bot_runs_plainly(bottool, python_bot) -> None:
    folder = python_bot("plain", "import sys; print(sys.argv[1:])")

    assert bottool("run", str(folder), "--no-server").stdout == "[]\n"


def test_without_the_server_part_a_line_says_what_to_install(bottool, python_bot) -> None:
    folder = python_bot("plain", "import sys; print(sys.argv[1:])")
    bottool.variables["BOTTOOL_DISABLE_PLUGINS"] = "web"

    done = bottool("run", str(folder))

    assert done.stdout == "[]\n"
    assert "install bottool-web" in done.stderr


def test_a_killed_run_leaves_a_folder_that_the_next_one_clears(bottool, calling) -> None:
    folder = calling("sleeps", "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    with subprocess.Popen(
        bottool.command("run", str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(bottool.variables),
        text=True,
    ) as process:
        bot = int(process.stdout.readline())
        process.kill()
        process.wait(30)
    os.kill(bot, signal.SIGTERM)
    places = list(Path(tempfile.gettempdir()).glob(f"bottool-run-{process.pid}-*"))

    with place(os.getpid()):
        assert places
        assert [each for each in places if each.exists()] == []


def test_a_secret_is_hidden_where_it_comes_in_pieces() -> None:
    masks = Masks(["swordfish", "swo"])

    shown = b"".join(masks.pass_on(piece) for piece in (b"a sword", b"", b"fis", b"h, sword", b"s")) + masks.rest()

    assert shown == b"a *********, swords"
