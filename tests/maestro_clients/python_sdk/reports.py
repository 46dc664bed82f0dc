"""What a bot reports: logs, alerts, messages, result files and errors; and how the server refuses."""

import datetime
import json
import os

from botcity.maestro import (
    AlertType,
    Artifact,
    AutomationTaskFinishStatus,
    AutomationTaskState,
    Column,
    MessageType,
    ServerMessage,
)
from scenes import NOBODY, Work, is_date, refused, scenario, unique

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
Status = AutomationTaskFinishStatus


@scenario("a log is made, written, read by both forms of a date, and deleted")
def _(work: Work) -> None:
    label = unique("log")
    columns = [Column("Data", "date", 150), Column("Itens feitos", "items", 80), Column("Situação", "status", 300)]

    work.sdk.new_log(label, columns)
    work.sdk.new_log_entry(label, {"date": "24/11/2026", "items": 3, "status": "não, é 🤖"})
    said = work.sdk.new_log_entry(label, {"items": 0.5})
    assert said.type == 200 and ServerMessage.from_json(said.to_json()).type == 200

    wanted = [
        {"Data": "24/11/2026", "Itens feitos": 3, "Situação": "não, é 🤖"},
        {"Data": None, "Itens feitos": 0.5, "Situação": None},
    ]
    yesterday = datetime.datetime.now() - datetime.timedelta(days=1)
    for date in ("", None, yesterday.strftime("%d/%m/%Y"), datetime.datetime.now().strftime("%d/%m/%Y")):
        entries = work.sdk.get_log(label, date)
        assert sorted(entries, key=str) == sorted(wanted, key=str), entries

    work.sdk.delete_log(label)
    with refused(saying="404"):
        work.sdk.get_log(label)


@scenario("alerts of each type and messages of both are sent")
def _(work: Work) -> None:
    task = work.task()
    for kind in AlertType:
        sent = work.sdk.alert(task, "Look", f"Está {kind}", kind)
        assert (sent.message, sent.type) == (f"Está {kind}", kind)
    for kind in MessageType:
        sent = work.sdk.message(["someone@mail.example"], [], "Relatório", "<b>Olá</b>", kind)
        assert sent.type == 200
    work.sdk.message(["someone@mail.example"], ["nobody"], "Relatório", "Olá", MessageType.TEXT, "group")


@scenario("result files are uploaded, found on every page of the list, and downloaded")
def _(work: Work) -> None:
    task = int(work.task())
    contents = {f"relatório {number}.pdf": os.urandom(20_000 * number) for number in range(7)}
    posted = {}
    for name, content in contents.items():
        said = work.sdk.post_artifact(task, name.removesuffix(".pdf"), work.file(name, content))
        posted[json.loads(said.payload)["id"]] = name

    listed = {item.id: item for item in work.sdk.list_artifacts() if item.task_id == task}
    assert {item.id: item.filename for item in listed.values()} == posted
    assert all(is_date(item.date_creation) for item in listed.values())
    for artifact_id, name in posted.items():
        assert work.sdk.get_artifact(artifact_id) == (name, contents[name])
    one = listed[next(iter(posted))]
    assert Artifact.from_json(json.dumps({"id": one.id})).id == json.loads(one.to_json())["id"]
    assert Artifact.from_dict({"taskId": task}).task_id == task
    assert {item.id for item in work.sdk.list_artifacts(days=30)} >= posted.keys()


@scenario("an error is reported with a screenshot, attachments and tags")
def _(work: Work) -> None:
    screenshot, attachment = work.file("tela.png", PNG), work.file("saída do bot.txt", b"\xff\x00 x")
    try:
        {}["Ausência"]
    except KeyError as error:
        created = work.sdk.error(int(work.task()), error, screenshot, [attachment], {"customer": "Ação"})
    assert created["id"]
    assert work.sdk.error(work.task(), ValueError("bare"))["id"] != created["id"]


@scenario("what is not there is refused with a message")
def _(work: Work) -> None:
    none = unique("none")
    for call in (
        lambda: work.sdk.create_task(none, {}),
        lambda: work.sdk.get_task(NOBODY),
        lambda: work.sdk.get_execution(NOBODY),
        lambda: work.sdk.finish_task(NOBODY, Status.SUCCESS, "", 1, 1, 0),
        lambda: work.sdk.restart_task(NOBODY),
        lambda: work.sdk.interrupt_task(NOBODY),
        lambda: work.sdk.new_log_entry(none, {}),
        lambda: work.sdk.get_log(none),
        lambda: work.sdk.delete_log(none),
        lambda: work.sdk.alert(NOBODY, "t", "m", AlertType.INFO),
        lambda: work.sdk.post_artifact(NOBODY, "a", work.file("a.txt", b"a")),
        lambda: work.sdk.get_artifact(NOBODY),
        lambda: work.sdk.error(NOBODY, ValueError("x")),
    ):
        with refused():
            call()


@scenario("values that mean nothing are refused")
def _(work: Work) -> None:
    task, label = work.task(), unique("log")
    for call in (
        lambda: work.sdk.finish_task(task, "WELL_DONE", "", 1, 1, 0),
        lambda: work.sdk.alert(task, "t", "m", "SHOUT"),
        lambda: work.sdk.message(["someone@mail.example"], [], "s", "b", "SONG"),
        lambda: work.sdk.new_log(label, []),
    ):
        with refused():
            call()
    assert work.sdk.get_task(task).state == AutomationTaskState.START
