"""The server of one local run: one task, one token, nothing left."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bottool.local import LocalServer, LocalWork
from bottool.model import Outcome, Reason
from bottool_web.local import local_server

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    work = LocalWork(
        folder=tmp_path,
        bot_id="invoices",
        version="1.0.0",
        technology="PYTHON",
        parameters={"city": "São Paulo", "rows": [1, 2]},
        credentials={"erp": {"user": 'ana "ação"'}},
    )
    with local_server(work) as made:
        yield made


@pytest.fixture
def call(server: LocalServer) -> Call:
    def send(path: str, body: Any = None, *, token: str = server.task.token) -> tuple[int, str]:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(server.task.server + path, data=data, headers={"token": token})
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return send


def test_the_task_runs_and_has_its_parameters(server: LocalServer, call: Call) -> None:
    task = json.loads(call(f"/api/v2/task/{server.task.task_id}")[1])

    assert (task["state"], task["activityLabel"]) == ("RUNNING", "invoices")
    assert task["parameters"] == {"city": "São Paulo", "rows": [1, 2]}
    assert server.task.server.startswith("http://127.0.0.1:")


def test_a_credential_is_plain_text_and_needs_the_token(call: Call) -> None:
    assert call("/api/v2/credential/erp/key/user") == (200, 'ana "ação"')
    assert call("/api/v2/credential/erp/key/user", token="btl_attempt_" + "x" * 43)[0] == 401
    assert call("/api/v2/credential/erp/key/nobody")[0] == 404
    assert json.loads(call("/api/v2/credential/erp")[1])["secrets"][0]["key"] == "user"


def test_the_report_tells_what_the_bot_said(server: LocalServer, call: Call) -> None:
    call("/api/v2/alerts", {"taskId": server.task.task_id, "title": "Look", "message": "late", "type": "ERROR"})
    call("/api/v2/no-such-thing", {})
    call("/api/v2/no-such-thing", {})
    call("/api/v2/task", {"activityLabel": "another"})
    done = {"state": "FINISHED", "finishStatus": "FAILED", "finishMessage": "no", "totalItems": 1}
    call(f"/api/v2/task/{server.task.task_id}", {**done, "processedItems": 0, "failedItems": 1})

    report = server.ended(Outcome(reason=Reason.EXITED, exit_code=0))

    assert (report.state, report.by_bot, report.message) == ("failed", True, "no")
    assert [(each.type, each.title) for each in report.alerts] == [("error", "Look")]
    assert report.unanswered == ("POST /api/v2/no-such-thing (2 times)",)
    assert [each.partition(":")[0] for each in report.refused] == ["POST /api/v2/task"]


@pytest.mark.parametrize(("exit_code", "state"), [(0, "succeeded"), (3, "failed")])
def test_a_silent_bot_gets_the_result_that_a_site_would_give(server: LocalServer, exit_code: int, state: str) -> None:
    report = server.ended(Outcome(reason=Reason.EXITED, exit_code=exit_code))

    assert (report.state, report.by_bot) == (state, False)


def test_after_the_run_nothing_answers(tmp_path: Path) -> None:
    with local_server(LocalWork(folder=tmp_path, bot_id="b", version="1", technology="COMMAND")) as server:
        address = server.task.server

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address, timeout=5)
