"""The command line against a real server and a real runner: every command that speaks to one."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bottool import settings

pytestmark = pytest.mark.end_to_end

WORKS = """
    import sys, time
    print("started with", len(sys.argv), flush=True)
    print("to stderr", file=sys.stderr, flush=True)
    time.sleep(0.5)
    print("done", flush=True)
"""


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


def test_from_login_to_result(home, studio_bot, tmp_path) -> None:
    own = {**home.variables, "BOTTOOL_CONFIG": str(tmp_path / "config")}
    for name in ("BOTTOOL_SERVER", "BOTTOOL_LOGIN", "BOTTOOL_KEY"):
        del own[name]

    def bottool(*arguments: str, status: int = 0, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "bottool", *arguments],
            env=own,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    # Signing in: a wrong key is refused, the right one leaves a token that only its owner can read.
    refused = bottool("login", home.address, "--login", home.login, "--key-file", "-", stdin="wrong\n", status=4)
    assert refused.stderr.startswith("error: ")
    assert not (tmp_path / "config" / "settings.toml").exists()
    bottool("login", home.address, "--login", home.login, "--key-file", "-", stdin=f"{home.key}\n")
    kept = tmp_path / "config" / "settings.toml"
    assert home.key not in kept.read_text()
    if os.name != "nt":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(bottool("whoami", "--json").stdout)["workspace"] == "tests"

    # A bot, from its folder to a released version.
    folder = studio_bot("invoices", WORKS)
    bottool("deploy", str(folder))
    conflict = bottool("deploy", str(folder), status=6)
    assert "'1.0.0'" in conflict.stderr and "--version" in conflict.stderr
    bottool("release", "invoices", "9.9.9", status=5)
    bottool("release", "invoices", "1.0.0")
    shown = json.loads(bottool("bot", "show", "invoices", "--json").stdout)
    assert (shown["release"], shown["versions"][0]["state"]) == ("1.0.0", "ready")
    bottool("bot", "download", "invoices", "1.0.0", "--out", str(tmp_path))
    assert (tmp_path / "invoices-1.0.0.zip").stat().st_size == shown["versions"][0]["size_bytes"]

    # An automation that exists before its bot, then is completed.
    made = bottool("automation", "create", "pay", "-p", "count:integer!", "-p", "city=Porto")
    assert "next: bottool automation update pay --bot BOT --runner MACHINE_ID" in made.stderr
    assert "(none yet)" in bottool("automation", "list").stdout
    bottool("automation", "update", "pay", "--bot", "invoices", "--runner", "box-1")
    bottool("automation", "create", "pay", status=6)
    bottool("task", "create", "pey", status=5)
    assert "count" in bottool("task", "create", "pay", status=2).stderr
    bottool("task", "create", "pay", "-p", "count=many", status=2)

    # A task that waits, says why, and is cancelled.
    waiting = json.loads(bottool("task", "create", "pay", "-p", "count=1", "--json").stdout)
    assert waiting["parameters"] == {"count": 1, "city": "Porto"}
    assert "box-1" in bottool("task", "explain", str(waiting["id"])).stdout
    bottool("task", "create", "pay", "-p", "count=1", "--wait", "--timeout", "1", status=8)
    for task in json.loads(bottool("task", "list", "--state", "queued", "--json").stdout):
        bottool("task", "cancel", str(task["id"]))
    assert bottool("task", "list", "--state", "queued").stdout == ""

    # A task that runs, followed to its end.
    home.start_runner()
    done = bottool("task", "create", "pay", "-p", "count=2", "--follow", "--timeout", "60")
    assert done.stdout == "started with 5\ndone\n"
    assert "to stderr" in done.stderr
    newest = json.loads(bottool("task", "list", "--limit", "1", "--json").stdout)[0]
    assert (newest["state"], newest["machine_id"]) == ("succeeded", "box-1")
    assert bottool("task", "output", str(newest["id"])).stdout == "started with 5\ndone\n"
    kinds = [event["kind"] for event in json.loads(bottool("task", "events", str(newest["id"]), "--json").stdout)]
    assert len(kinds) >= 4
    assert "online" in bottool("runner", "list").stdout

    # A result stored in the bot's stead, and a restart.
    bottool(
        "task", "finish", str(newest["id"]), "--status", "partial", "--total", "3", "--processed", "2", "--failed", "1"
    )
    assert "2/3 (1 failed)" in bottool("task", "show", str(newest["id"])).stdout
    again = json.loads(bottool("task", "restart", str(newest["id"]), "--json").stdout)
    assert again["id"] != newest["id"]
    home.wait_for_state(again["id"], "succeeded")

    bottool("automation", "delete", "pay")
    bottool("automation", "show", "pay", status=5)
    bottool("logout")
    assert "bottool login" in bottool("task", "list", status=3).stderr


def test_waiting_for_a_task_that_fails_gives_its_own_status(home, command_bot) -> None:
    home.deploy(command_bot("fails", "import sys; print('no luck'); sys.exit(3)"))
    home.automate("fails", "fails")
    home.start_runner()

    done = home.bottool("task", "create", "fails", "--wait", "--json", check=False)

    assert done.returncode == 9
    assert json.loads(done.stdout)["state"] == "failed"
    assert json.loads(done.stderr)["error"]["code"] == "task_failed"


REPORTS = """
    import json, os, sys, time, urllib.request
    server, task_id, token = sys.argv[1:4]
    print("before the word", flush=True)
    body = {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "well"}
    asked = urllib.request.Request(f"{server}/api/v2/task/{task_id}", json.dumps(body).encode())
    asked.add_header("Content-Type", "application/json")
    asked.add_header("token", token)
    urllib.request.urlopen(asked).read()
    time.sleep(3)
    print("after the word", flush=True)
"""


def test_following_shows_what_a_bot_prints_after_its_result(home, command_bot) -> None:
    home.deploy(command_bot("reports", REPORTS))
    home.automate("reports", "reports")
    home.start_runner()

    done = home.bottool("task", "create", "reports", "--follow", "--timeout", "60")

    assert done.stdout == "before the word\nafter the word\n"
    assert "\n· unpacking reports-1.0.0.zip\n" in done.stderr, "a note is a line of its own"


def test_following_goes_on_after_the_server_was_away(home, command_bot, tmp_path) -> None:
    home.deploy(command_bot("long", "import time\nfor n in range(40): print(n, flush=True); time.sleep(0.2)"))
    home.automate("long", "long")
    home.start_runner()
    task_id = home.new_task("long")
    home.wait_for_state(task_id, "running")

    with (
        (tmp_path / "said").open("w+") as said,
        (tmp_path / "told").open("w+") as told,
        subprocess.Popen(
            [sys.executable, "-m", "bottool", "task", "output", str(task_id), "--follow"],
            env=home.variables,
            stdout=said,
            stderr=told,
        ) as following,
    ):
        wait_until(lambda: "0\n" in (tmp_path / "said").read_text())
        home.kill_server()
        wait_until(lambda: "the server is away" in (tmp_path / "told").read_text())
        home.start_server()

        assert following.wait(90) == 0, (tmp_path / "told").read_text()
    assert (tmp_path / "said").read_text().split() == [str(number) for number in range(40)]


def test_a_code_lets_a_machine_in_and_the_six_questions_find_what_is_wrong(home, command_bot, tmp_path) -> None:
    home.deploy(command_bot("quiet", "print('hello')"))
    home.bottool("automation", "create", "quiet", "--bot", "quiet")
    code = home.json("runner", "code", "box-7")["code"]
    home.start_runner("box-7", "--code", code)
    wait_until(lambda: [each["state"] for each in home.json("runner", "list")] == ["online"])

    asked = ["doctor", "--automation", "quiet", "--machine-id", "box-7", "--home", str(home.folder / "box-7"), "--json"]
    done = home.bottool(*asked, check=False)
    answers = {each["question"]: each for each in json.loads(done.stdout)["questions"]}
    linked = next(each for question, each in answers.items() if "linked" in question)
    assert done.returncode == 1
    assert (linked["answer"], linked["hint"]) == ("no", "bottool automation update quiet --runner box-7")
    assert [each["answer"] for question, each in answers.items() if "linked" not in question].count("no") == 0

    home.bottool("automation", "update", "quiet", "--runner", "box-7")
    assert json.loads(home.bottool(*asked).stdout)["questions"][2]["answer"] == "yes"

    misspelt = home.bottool("doctor", "--machine-id", "BOX-7", "--json", check=False)
    assert "did you mean 'box-7'?" in misspelt.stdout


def own_variables(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in settings.base_variables().items() if not name.startswith("BOTTOOL_SITE")}
    return {
        **kept,
        "BOTTOOL_DATA": str(tmp_path / "data"),
        "BOTTOOL_CONFIG": str(tmp_path / "config"),
        "BOTTOOL_DISABLE_PLUGINS": "java,javascript,python",
        "TMPDIR": str(tmp_path),
    }


def living(text: str) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with suppress(psutil.Error):
            if any(text in part for part in process.info["cmdline"] or []):
                found.append(process.pid)
    return found


def test_the_demo_keeps_its_data_when_told_and_runs_again_on_them(tmp_path) -> None:
    program = [sys.executable, "-m", "bottool", "demo", "--json", "--data", str(tmp_path / "site")]
    for version in ("1.0.0", "1.0.1"):
        done = subprocess.run(
            program, env=own_variables(tmp_path), capture_output=True, text=True, timeout=120, check=False
        )

        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert [(each["language"], each["version"], each["status"]) for each in said["results"]] == [
            ("command", version, "succeeded")
        ]
        assert living(str(tmp_path)) == []
    assert (tmp_path / "site" / "site").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="a console is needed to send Ctrl-C on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_leaves_nothing_behind_when_it_is_ended(tmp_path, number) -> None:
    program = [sys.executable, "-m", "bottool", "demo", "--stay"]
    with subprocess.Popen(
        program, env=own_variables(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        told = []
        for line in demo.stderr:
            told.append(line)
            if "running; Ctrl-C ends it" in line:
                break
        assert any("succeeded" in line for line in told), told
        folder = next(tmp_path.glob("bottool-demo-*"))
        assert len(living(str(folder))) >= 2

        demo.send_signal(number)

        assert demo.wait(60) == 130
        demo.communicate()
    assert living(str(folder)) == []
    assert not folder.exists()


@pytest.mark.skipif(os.name == "nt", reason="a console is needed to send Ctrl-C on Windows")
def test_up_runs_a_site_and_tells_how_to_use_it(tmp_path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "bottool", "up", "--port", str(port)]
    with subprocess.Popen(
        program, env=own_variables(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as up:
        told = []
        for line in up.stderr:
            told.append(line)
            if "next: bottool login" in line:
                break
        assert told, "it ended without a word"
        assert "next: bottool login" in told[-1], "".join(told)
        next_command = told[-1].split("next: bottool ")[1].split()

        def bottool(*arguments: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-m", "bottool", *arguments],
                env=own_variables(tmp_path),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        done = bottool(*next_command)
        wait_until(lambda: "online" in bottool("runner", "list").stdout)
        questions = json.loads(bottool("doctor", "--automation", "none", "--json").stdout)["questions"]
        other = json.loads(bottool("doctor", "--automation", "none", "--machine-id", "x", "--json").stdout)["questions"]
        twice = bottool("up", "--port", str(port))
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=60)

    assert done.returncode == 0, done.stderr
    assert f"http://127.0.0.1:{port}" in said
    assert up.returncode == 130
    assert living(str(tmp_path / "data")) == []
    # The doctor knows the runner of 'up' without being told, and takes it for no other.
    assert [each["answer"] for each in questions] == ["yes", "yes", "no", "yes", "yes", "yes"]
    assert other[3]["answer"] == "unknown"
    assert f"port {port} of this machine is taken" in twice.stderr


def test_a_child_that_dies_is_told_with_its_last_words(tmp_path) -> None:
    (tmp_path / "data" / "up").mkdir(parents=True)
    (tmp_path / "data" / "up" / ".set-up").touch()
    (tmp_path / "data" / "up" / "logs").mkdir()
    (tmp_path / "data" / "up" / "logs" / "server.log").write_text("of long ago\n")

    done = subprocess.run(
        [sys.executable, "-m", "bottool", "up", "--port", "18799"],
        env=own_variables(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert "the server ended with status" in done.stderr
    assert "no site is set up" in done.stderr
    assert "of long ago" not in done.stderr
