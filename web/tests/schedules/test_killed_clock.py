"""A real server that is killed across due times: each due time has one task afterwards, or a row that says why not.

And the command line against that server, as a person uses it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bottool import wire
from bottool.client import Client
from bottool_web.actions import identity, schedules, tasks
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

PROGRAM = """
import sys
from pathlib import Path
from bottool_web.actions.setup import open_site
from bottool_web.serve import serve
from bottool_web.settings import SiteSettings
settings = SiteSettings(
    data=Path(sys.argv[1]), database=sys.argv[2], port=int(sys.argv[3]), missed_after_seconds=float(sys.argv[4])
)
serve(open_site(settings))
"""
SECONDS = 60


class Server:
    """A server process of the test's own, on the site's database."""

    def __init__(self, site: Site, data: Path, missed_after: float) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        data.mkdir(exist_ok=True)
        (data / "site.key").write_bytes(site.key)
        (data / "site.key").chmod(0o600)
        self.arguments = [str(data), site.store.address, str(self.port), str(missed_after)]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert b"bottool serves" in first, first + self.process.stdout.read()

    def kill(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process = None


@pytest.fixture
def server(site: Site, workspace: Any, daily: wire.Automation, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(missed_after: float = 60) -> Server:
        made.append(Server(site, tmp_path / "data", missed_after))
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def token(site: Site, workspace: Any) -> str:
    return identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address="127.0.0.1").token


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {SECONDS} s in vain, the last word was {what()!r}")


def all_runs(site: Site, who: Principal, label: str) -> list[wire.ScheduleRun]:
    return sorted(schedules.list_runs(site, who, label, limit=1000), key=lambda run: run.at)


def test_a_server_that_is_killed_again_and_again_leaves_no_due_time_out_and_fires_none_twice(
    site: Site, admin: Principal, server: Callable[..., Server], token: str
) -> None:
    serving = server()
    serving.start()
    with Client(serving.address, token) as client:
        new = wire.NewSchedule(automation="daily", label="ticks", expression="* * * * * ?")
        first = client.post("/rest/v1/schedules", new, type=wire.Schedule).next_at
    assert first is not None

    def has_fired_since(moment: datetime) -> bool:
        return any(run.at > moment for run in all_runs(site, admin, "ticks"))

    began = first - timedelta(seconds=1)
    for pause in (0.9, 1.6):
        wait_for(partial(has_fired_since, began))
        serving.kill()
        time.sleep(pause)  # a time without a server, across due times
        serving.start()
        began = datetime.now(UTC)
    wait_for(partial(has_fired_since, began))
    serving.kill()

    runs = all_runs(site, admin, "ticks")
    assert [run.at for run in runs] == [first + timedelta(seconds=n) for n in range(len(runs))]
    assert all(run.outcome == "fired" for run in runs), "all of them are a little late at most"
    made = [run.task_id for run in runs]
    assert None not in made
    assert sorted(made) == sorted(task.id for task in tasks.list_tasks(site, admin, limit=10_000))


RULES = ("skip", "once", "all")


# On one database: the rule is the same on both, see test_firing.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
def test_what_was_missed_while_no_server_ran_follows_the_rule(
    site: Site, admin: Principal, server: Callable[..., Server], token: str
) -> None:
    serving = server(missed_after=1.0)
    serving.start()
    with Client(serving.address, token) as client:
        for rule in RULES:
            new = wire.NewSchedule(
                automation="daily",
                label=rule,
                expression="* * * * * ?",
                missed=rule,  # type: ignore[arg-type]
                missed_most=2,
            )
            client.post("/rest/v1/schedules", new, type=wire.Schedule)
    wait_for(lambda: all(all_runs(site, admin, rule) for rule in RULES))
    serving.kill()
    last = {rule: all_runs(site, admin, rule)[-1].at for rule in RULES}
    wait_for(lambda: datetime.now(UTC) > max(last.values()) + timedelta(seconds=4.5))

    serving.start()
    after = datetime.now(UTC)
    wait_for(lambda: all(all_runs(site, admin, rule)[-1].at > after for rule in RULES))
    serving.kill()

    for rule in RULES:
        later = [run for run in all_runs(site, admin, rule) if run.at > last[rule]]
        assert [run.outcome for run in later] == ["skipped", *["fired"] * (len(later) - 1)], rule
        # All before it are in its row, and what fires follows without a hole.
        assert later[0].times == (later[0].at - last[rule]).total_seconds()
        assert [run.at for run in later] == [later[0].at + timedelta(seconds=n) for n in range(len(later))]
    task_ids = [run.task_id for rule in RULES for run in all_runs(site, admin, rule) if run.task_id]
    assert sorted(task_ids) == sorted(task.id for task in tasks.list_tasks(site, admin, limit=10_000))


# By the command line.


@pytest.fixture
def cli(server: Callable[..., Server], token: str, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    serving = server()
    serving.start()
    variables = {
        **os.environ,
        "BOTTOOL_SERVER": serving.address,
        "BOTTOOL_TOKEN": token,
        "BOTTOOL_CONFIG": str(tmp_path / "config"),
        "TZ": "America/Sao_Paulo",
        "NO_COLOR": "1",
    }

    def run(*arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "bottool", "schedule", *arguments],
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=variables,
            timeout=SECONDS,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
def test_the_command_line_makes_shows_steers_and_deletes(cli: Any, site: Site, admin: Principal) -> None:
    made = cli("create", "daily", "--weekly", "08:30", "--on", "weekdays", "-p", "month=7", "--no-overlap")
    assert "created 'daily': every weekday at 08:30 (America/Sao_Paulo)" in made.stderr
    listed = cli("list").stdout
    assert "every weekday at 08:30 (America/Sao_Paulo)" in listed
    shown = cli("show", "daily").stdout
    assert "08:30:00-03:00" in shown
    assert "month=7" in shown

    changed = json.loads(cli("change", "daily", "--cron", "0 0 9 L * ?", "--missed", "skip", "--json").stdout)
    assert (changed["words"], changed["zone"]) == ("on the last day of the month at 09:00", "America/Sao_Paulo")
    assert (changed["missed"], changed["overlap"], changed["parameters"]) == ("skip", False, {"month": 7})
    cli("pause", "daily")
    assert json.loads(cli("list", "--state", "paused", "--json").stdout)[0]["label"] == "daily"
    cli("resume", "daily")
    task = json.loads(cli("run", "daily", "--json").stdout)
    assert task["parameters"] == {"month": 7}
    assert f"{task['id']}" in cli("runs", "daily").stdout
    cli("delete", "daily")
    cli("show", "daily", status=5)

    preview = cli("preview", "--unix", "30 2 * * *", "--zone", "America/New_York", "--count", "100").stdout
    assert preview.startswith("every day at 02:30 (America/New_York), as unix: 30 2 * * *")
    wrong = cli("preview", "--cron", "30 8 * * 1", status=2)
    assert "6 or 7 fields" in wrong.stderr
    assert "unix" in wrong.stderr
    cli("create", "daily", status=2)
    cli("create", "daily", "--daily", "08:30", "--cron", "0 0 8 * * ?", status=2)
