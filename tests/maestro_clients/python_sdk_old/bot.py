"""A bot pinned to an old Python SDK (0.3), which speaks both generations: the form calls, and JSON as 2023 knew it.

Runs with a runner's arguments; its task tells the automation that it may start tasks of. Prints a line of JSON for each scenario: its name, and what went wrong or null.
"""

import json
import tempfile
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from botcity.maestro import (
    AlertType,
    AutomationTaskFinishStatus,
    BotMaestroSDK,
    Column,
    MessageType,
)
from botcity.maestro.impl import BotMaestroSDKV1, BotMaestroSDKV2

Sdk = BotMaestroSDKV1 | BotMaestroSDKV2
scenarios: list[tuple[str, Callable[[Sdk, str], None]]] = []


def scenario(name: str) -> Callable[[Callable[[Sdk, str], None]], Callable[[Sdk, str], None]]:
    def keep(play: Callable[[Sdk, str], None]) -> Callable[[Sdk, str], None]:
        scenarios.append((name, play))
        return play

    return keep


def refused(call: Callable[[], object]) -> None:
    try:
        call()
    except ValueError as error:
        said = str(error)
    else:
        said = ""
    assert "Server returned 4" in said, said


@scenario("tasks are created and read")
def _(sdk: Sdk, automation: str) -> None:
    made = sdk.create_task(automation, {"texto": "ação 漢字", "number": "7"}, test=True)
    read = sdk.get_task(str(made.id))
    assert (read.activity_label, read.state, read.test) == (automation, "START", True), read
    assert read.parameters == {"texto": "ação 漢字", "number": "7"}, read.parameters
    refused(lambda: sdk.get_task("999999999"))
    refused(lambda: sdk.create_task(f"none-{uuid4().hex}", {}))


@scenario("the own task is finished before the bot ends")
def _(sdk: Sdk, automation: str) -> None:
    for status in (AutomationTaskFinishStatus.FAILED, AutomationTaskFinishStatus.SUCCESS):
        sdk.finish_task(sdk._sdk.task_id, status, f"já {status.value}")
        read = sdk.get_task(sdk._sdk.task_id)
        assert (read.state, read.finish_status, read.finish_message) == ("FINISHED", status, f"já {status.value}"), read


@scenario("a log is made, written, read and deleted")
def _(sdk: Sdk, automation: str) -> None:
    label = f"log-{uuid4().hex[:12]}"
    sdk.new_log(label, [Column("Data", "date", 100), Column("Itens", "items", 50)])
    sdk.new_log_entry(label, {"date": "não é", "items": 3})
    # The old generation names columns by their labels, the new one by their names.
    wanted = {"date": "não é", "items": 3} if isinstance(sdk, BotMaestroSDKV1) else {"Data": "não é", "Itens": 3}
    for date in ("", (datetime.now() - timedelta(days=1)).strftime("%d/%m/%Y")):
        assert sdk.get_log(label, date) == [wanted], sdk.get_log(label, date)
    sdk.delete_log(label)
    refused(lambda: sdk.get_log(label))


@scenario("alerts and messages are sent")
def _(sdk: Sdk, automation: str) -> None:
    task = str(sdk.create_task(automation, {}).id)
    for kind in AlertType:
        sdk.alert(task, "Olá", "não é", kind)
    for body in MessageType:
        sdk.message(["someone@mail.example", "other@mail.example"], [], "Olá", "não é", body)


@scenario("a result file comes back as it went, by its name")
def _(sdk: Sdk, automation: str) -> None:
    task, name = sdk.create_task(automation, {}).id, f"report-{uuid4().hex[:12]}.pdf"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "local.pdf"
        path.write_bytes(bytes(range(256)) * 100)
        sdk.post_artifact(task, name, str(path))
        content = path.read_bytes()
    [found] = [item for item in sdk.list_artifacts() if item.name == name]
    assert sdk.get_artifact(found.id) == (name, content), sdk.get_artifact(found.id)[0]


@scenario("a task that was finished is started again")
def _(sdk: Sdk, automation: str) -> None:
    which = "old" if isinstance(sdk, BotMaestroSDKV1) else "new"
    task = sdk.get_task(sdk._sdk.task_id).parameters[which]
    sdk.restart_task(task)
    assert sdk.get_task(task).state == "START"


def main() -> None:
    sdk = BotMaestroSDK.from_sys_args()
    automation = sdk.get_execution().parameters["automation"]
    for name, implementation in (("old", BotMaestroSDKV1), ("new", BotMaestroSDKV2)):
        speaking = implementation(sdk.server, None, None, sdk=sdk)
        speaking.access_token = sdk.access_token
        for told, play in scenarios:
            try:
                play(speaking, automation)
            except Exception:
                error: str | None = traceback.format_exc()
            else:
                error = None
            print(json.dumps({"name": f"{name}: {told}", "error": error}), flush=True)
    sdk.finish_task(sdk.task_id, AutomationTaskFinishStatus.SUCCESS, "everything was tried")
    print("everything was tried")


main()
