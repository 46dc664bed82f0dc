"""Clients written for Maestro against our server: the unmodified SDK from the index, and the deploy calls of pipelines."""

import datetime
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from botcity.maestro import AlertType, AutomationTaskFinishStatus, AutomationTaskState, BotMaestroSDK

pytestmark = pytest.mark.end_to_end

Bot = Callable[[str, str], Path]


@pytest.fixture
def sdk(home: Any) -> BotMaestroSDK:
    maestro = BotMaestroSDK(server=home.address, login=home.login, key=home.key)
    maestro.login()
    return maestro


def package(**files: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return target.getvalue()


def test_a_wrong_key_is_refused_by_the_sdk(home: Any) -> None:
    maestro = BotMaestroSDK(server=home.address, login=home.login, key="wrong")

    with pytest.raises(ValueError, match="401"):
        maestro.login()


def test_the_sdk_creates_reads_and_finishes_tasks(home: Any, sdk: BotMaestroSDK) -> None:
    home.bottool("automation", "create", "invoices")
    parameters = {"text": "ação", "number": 7, "share": 0.25}

    task = sdk.create_task("invoices", parameters, test=True, priority=4)
    read = sdk.get_task(str(task.id))

    assert (read.state, read.priority, read.test) == (AutomationTaskState.START, 4, True)
    assert read.parameters == parameters
    assert datetime.datetime.fromisoformat(read.min_execution_date).tzinfo is not None

    sdk.finish_task(
        str(task.id), AutomationTaskFinishStatus.PARTIALLY_COMPLETED, "one failed", 3, processed_items=2, failed_items=1
    )
    finished = sdk.get_task(str(task.id))
    assert (finished.state, finished.finish_status) == (
        AutomationTaskState.FINISHED,
        AutomationTaskFinishStatus.PARTIALLY_COMPLETED,
    )
    assert (finished.total_items, finished.processed_items, finished.failed_items) == (3, 2, 1)

    sdk.finish_task(str(task.id), AutomationTaskFinishStatus.SUCCESS, "all", 3, 3, 0)
    assert sdk.get_task(str(task.id)).finish_status == AutomationTaskFinishStatus.SUCCESS


def test_the_sdk_restarts_and_interrupts_tasks(home: Any, sdk: BotMaestroSDK) -> None:
    home.bottool("automation", "create", "invoices")
    task = sdk.create_task("invoices", {}, test=True)

    sdk.interrupt_task(str(task.id))
    assert sdk.get_task(str(task.id)).is_interrupted()

    sdk.finish_task(str(task.id), AutomationTaskFinishStatus.FAILED, "no", 1, 0, 1)
    sdk.restart_task(str(task.id))
    assert sdk.get_task(str(task.id)).state == AutomationTaskState.START


def test_the_sdk_waits_until_a_task_may_start(home: Any, sdk: BotMaestroSDK) -> None:
    home.bottool("automation", "create", "invoices")
    tomorrow = datetime.datetime.now() + datetime.timedelta(days=1)

    task = sdk.create_task("invoices", {}, min_execution_date=tomorrow)

    assert home.task(task.id).state == "scheduled"
    assert sdk.get_task(str(task.id)).state == AutomationTaskState.START


def test_the_sdk_sends_alerts(home: Any, sdk: BotMaestroSDK) -> None:
    home.bottool("automation", "create", "invoices")
    task = sdk.create_task("invoices", {})

    sdk.alert(str(task.id), "Look", "The invoice is late", AlertType.WARN)

    answer = requests.get(
        f"{home.address}/api/v2/alerts", params={"taskId": task.id}, headers={"token": sdk.access_token}
    )
    assert [(item["title"], item["type"]) for item in answer.json()["content"]] == [("Look", "WARN")]


def test_a_task_of_an_unknown_automation_is_refused_with_a_message(home: Any, sdk: BotMaestroSDK) -> None:
    with pytest.raises(ValueError, match="no-such-thing"):
        sdk.create_task("no-such-thing", {})


def test_a_bot_uses_the_unmodified_sdk_with_the_arguments_it_gets(home: Any, tmp_path: Path) -> None:
    project = tmp_path / "sdk-bot"
    project.mkdir()
    (project / "requirements.txt").write_text("botcity-maestro-sdk\n")
    (project / "bot.py").write_text(
        "from botcity.maestro import *\n"
        "BotMaestroSDK.RAISE_NOT_CONNECTED = False\n"
        "maestro = BotMaestroSDK.from_sys_args()\n"
        "execution = maestro.get_execution()\n"
        "print('task', execution.task_id, 'name', execution.parameters['name'])\n"
        "maestro.alert(execution.task_id, 'Hello', 'From the bot', AlertType.INFO)\n"
        "maestro.finish_task(execution.task_id, AutomationTaskFinishStatus.SUCCESS, 'Olá', 5, 4, 1)\n"
    )
    home.deploy(project)
    home.automate("greeting", "sdk-bot", "-p", "name")
    home.start_runner()

    task = home.wait_for_state(home.new_task("greeting", "-p", "name=José"), "succeeded", "failed", seconds=180)

    assert (task.state, task.bot_reported, task.message) == ("succeeded", True, "Olá")
    assert (task.total_items, task.processed_items, task.failed_items) == (5, 4, 1)
    assert "name José" in home.output(task.id)


def test_a_pipeline_deploys_updates_and_releases_as_it_does_on_maestro(home: Any) -> None:
    api = f"{home.address}/api/v2"
    login = requests.post(f"{api}/workspace/login", json={"login": home.login, "key": home.key})
    assert '"accessToken":"' in login.text, "a shell client cuts the token out of compact JSON"
    head = {"token": login.json()["accessToken"], "organization": home.login}
    assert requests.get(f"{api}/bot?botId=piped", headers=head, json={"botId": "piped"}).json() == []

    new = {
        "organization": home.login,
        "botId": "piped",
        "version": "1.0",
        "technology": "PYTHON",
        "repositoryLabel": "DEFAULT",
    }
    assert requests.post(f"{api}/bot", headers=head, json=new).status_code == 200
    for source in ("print('first')", "print('second')"):
        file = {"file": ("piped.zip", package(bot__py=source, requirements__txt=""))}
        assert requests.post(f"{api}/bot/upload/piped/version/1.0", headers=head, files=file).status_code == 200
    assert (
        requests.post(f"{api}/bot/release", headers=head, json={"botId": "piped", "version": "1.0"}).status_code == 200
    )
    found = requests.get(f"{api}/bot?botId=piped", headers=head).json()
    assert [(bot["botId"], bot["version"]) for bot in found] == [("piped", "1.0")]

    home.automate("piped", "piped")
    home.start_runner()
    task = home.wait_for_state(home.new_task("piped"), "succeeded", "failed", seconds=120)
    assert task.state == "succeeded"
    assert "second" in home.output(task.id)


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/api/v2/task/1", None, 401),
        ("GET", "/api/v2/no/such/thing", None, 404),
        ("POST", "/api/v2/workspace/login", b"{not json", 400),
        ("POST", "/api/v2/workspace/login", b"[]", 400),
        ("PUT", "/api/v2/workspace/login", b"{}", 405),
    ],
)
def test_every_error_is_a_json_object_with_a_message(
    home: Any, method: str, path: str, data: bytes | None, status: int
) -> None:
    answer = requests.request(method, home.address + path, data=data, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert isinstance(json.loads(answer.text)["message"], str)


def test_doubled_slashes_and_bodies_on_get_are_taken(home: Any, sdk: BotMaestroSDK) -> None:
    head = {"Authorization": f"Bearer {sdk.access_token}", "Content-Type": "application/json"}

    assert requests.get(f"{home.address}//api/v2/maestro/version").json()["version"] >= "3.0.2"
    assert requests.get(f"{home.address}/api/v2/activity", headers=head).json() == []
    assert requests.get(f"{home.address}/api/v2/activity", headers=head, json={"page": 0}).json() == []
