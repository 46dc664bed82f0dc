"""Logins and tasks."""

import datetime
import json
import sys

from botcity.maestro import AutomationTask, AutomationTaskFinishStatus, AutomationTaskState, BotMaestroSDK
from scenes import Work, is_date, refused, scenario

PARAMETERS = {"text": "ação 漢字 🤖", "number": 7, "share": 0.25, "yes": True, "none": None, "list": [1, {"a": "b"}]}
FINISHED = AutomationTaskState.FINISHED
Status = AutomationTaskFinishStatus


@scenario("a wrong key is refused with 401")
def _(work: Work) -> None:
    with refused(saying="401"):
        BotMaestroSDK(work.sdk.server, work.sdk.organization or "nobody", "wrong").login()


@scenario("a token that nobody gave is refused, and none is missed by the SDK")
def _(work: Work) -> None:
    stranger = BotMaestroSDK(f"{work.sdk.server}/")
    stranger.access_token = f"{work.sdk.access_token}x"
    with refused(saying="401"):
        stranger.get_task("1")
    stranger.logoff()
    with refused(RuntimeError):
        stranger.get_task("1")


@scenario("a runner's arguments make an SDK that knows its task")
def _(work: Work) -> None:
    task = work.sdk.create_task(work.automation, PARAMETERS)
    before = sys.argv
    try:
        for more in ([], ["tests"], ["tests", "and", "more"]):
            sys.argv = ["bot.py", f"{work.sdk.server}/", str(task.id), work.sdk.access_token, *more]
            sdk = BotMaestroSDK.from_sys_args()
            execution = sdk.get_execution()
            assert (execution.task_id, execution.parameters) == (str(task.id), PARAMETERS)
            assert sdk.is_online and sdk.version == work.sdk.version
    finally:
        sys.argv = before
    assert work.sdk.get_execution(str(task.id)).parameters == PARAMETERS


@scenario("a task is created and read back with its parameters as they were")
def _(work: Work) -> None:
    task = work.sdk.create_task(work.automation, PARAMETERS, test=True, priority=4)
    read = work.sdk.get_task(str(task.id))

    assert (read.state, read.priority, read.test, read.activity_label) == ("START", 4, True, work.automation)
    assert read.parameters == PARAMETERS
    assert (read.finish_status, read.total_items, read.interrupted, read.killed) == (None, None, False, False)
    assert is_date(read.date_creation) and is_date(read.date_last_modified) and is_date(read.min_execution_date)
    assert isinstance(read.activity_name, str) and isinstance(read.id, int)
    assert (
        AutomationTask.from_json(json.dumps({"id": read.id, "state": "START"})).id == json.loads(read.to_json())["id"]
    )


@scenario("a date before which a task may not start is UTC")
def _(work: Work) -> None:
    tomorrow = datetime.datetime.utcnow() + datetime.timedelta(days=1)
    task = work.sdk.create_task(work.automation, {}, min_execution_date=tomorrow)
    kept = datetime.datetime.fromisoformat(task.min_execution_date)
    assert abs(kept - tomorrow.replace(tzinfo=datetime.UTC)) < datetime.timedelta(milliseconds=2), kept


@scenario("a task is finished again and again, each time with another status, and null takes items back")
def _(work: Work) -> None:
    # A bot speaks of the end of its own task only, and goes on working after that.
    task = work.sdk.task_id if work.is_bot else work.task()
    for status, items in [
        (Status.PARTIALLY_COMPLETED, (3, 2, 1)),
        (Status.SUCCESS, (4, 4, 0)),
        (Status.FAILED, (1, 0, 1)),
    ]:
        work.sdk.finish_task(task, status, f"It is {status}", *items)
        read = work.sdk.get_task(task)
        assert (read.state, read.finish_status, read.finish_message) == (FINISHED, status, f"It is {status}")
        assert (read.total_items, read.processed_items, read.failed_items) == items

    work.sdk.finish_task(task, Status.SUCCESS)
    read = work.sdk.get_task(task)
    assert (read.total_items, read.processed_items, read.failed_items) == (None, None, None)
    assert read.finish_message in ("", None)


@scenario("a task is interrupted")
def _(work: Work) -> None:
    task = work.task()
    work.sdk.interrupt_task(task)
    assert work.sdk.get_task(task).is_interrupted()


@scenario("a finished task is started again")
def _(work: Work) -> None:
    if work.is_bot:
        task = work.sdk.get_execution().parameters["finished"]
        with refused(saying="403"):
            work.sdk.finish_task(task, Status.SUCCESS, "not mine", 1, 1, 0)
    else:
        task = work.task(test=True)
        work.sdk.finish_task(task, Status.FAILED, "no", 1, 0, 1)

    work.sdk.restart_task(task)

    assert work.sdk.get_task(task).state == AutomationTaskState.START
