"""The calls of the C# SDK 1.0.19, byte for byte as .NET's HttpClient and Newtonsoft put them on the wire.

    python csharp_sdk.py SERVER LOGIN KEY WORKSPACE AUTOMATION

Prints a line of JSON for each scenario: its name, and what went wrong or null. The answers are read by Newtonsoft's
rules. Its server's address ends in a slash, which that SDK keeps: paths begin with two. A refusal where the SDK expects
none ends a C# process, so it is a failure here.
"""

import base64
import http.client
import json
import sys
import urllib.parse
import uuid
from typing import Any

from newtonsoft import ALERT, ARTIFACT, ENTRY, LINE, LOG, POOL, SUMMARY, TASK, read
from scenarios import Scenarios, unique

SERVER, LOGIN, KEY, WORKSPACE, AUTOMATION = sys.argv[1:6]
START, FINISHED = 0, 2
SUCCESS, FAILED, PARTIALLY_COMPLETED = range(3)
SDK = {"_raiseNotConnected": True, "_verifySSLCert": True}
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
scenario = Scenarios()


class Sdk:
    def __init__(self, token: str = "") -> None:
        self.token = token

    def raw(self, method: str, path: str, body: bytes = b"", kind: str = "", head: bool = True) -> tuple[int, bytes]:
        """Header by header in .NET's order: the host, what the request sets, what the content says of itself."""
        address = urllib.parse.urlsplit(SERVER)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.putrequest(method, f"//api/v2{path}", skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", address.netloc)
        if head:
            connection.putheader("organization", LOGIN)
            connection.putheader("Authorization", f"Bearer {self.token}")
        connection.putheader("User-Agent", "csharp-requests/6.0.36")
        if kind:
            connection.putheader("Content-Type", kind)
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        status, content = answer.status, answer.read()
        connection.close()
        return status, content

    def call(self, method: str, path: str, value: Any = None, **more: Any) -> str:
        body = b"" if value is None else compact(value)
        status, text = self.raw(
            method, path, body, "application/json; charset=utf-8" if value is not None else "", **more
        )
        assert 200 <= status < 300, f"{method} {path}: {status} {text}"
        return text.decode()

    def upload(self, path: str, part_head: str, content: bytes) -> None:
        boundary = str(uuid.uuid4())
        body = f"--{boundary}\r\n{part_head}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
        status, text = self.raw("POST", path, body, f'multipart/form-data; boundary="{boundary}"')
        assert 200 <= status < 300, f"POST {path}: {status} {text}"

    def login(self, key: str = KEY) -> None:
        self.token = json.loads(self.call("POST", "/workspace/login", {"login": LOGIN, "key": key}, head=False))[
            "accessToken"
        ]

    def create_task(self, parameters: Any = None, test: bool = False, date: str | None = None) -> dict[str, Any]:
        value = {"activityLabel": AUTOMATION, "test": test, "parameters": parameters, "priority": 0}
        return self.task("/task", {**value, "minExecutionDate": date})

    def task(self, path: str, value: dict[str, Any] | None = None) -> dict[str, Any]:
        task = read(self.call("POST" if value else "GET", path, value), TASK)
        assert isinstance(task["parameters"], dict), "JObject.FromObject takes objects only"
        return dict(task)

    def finish(self, task_id: str, status: int, message: str, *items: int | None) -> dict[str, Any]:
        total, processed, failed = items or (None, None, None)
        value = {"finishStatus": status, "finishMessage": message, "state": FINISHED}
        return self.task(
            f"/task/{task_id}", {**value, "totalItems": total, "processedItems": processed, "failedItems": failed}
        )

    def pool(self, label: str, schema: Any = None, active: bool = True) -> dict[str, Any]:
        value = {
            "label": label, "defaultAutomation": AUTOMATION, "consumptionPolicy": 0, "schema": schema, "trigger": 1,
            "autoRetry": True, "maxAutoRetry": 0, "abortOnError": True, "maxErrorsBeforeInactive": 0,
            "itemMaxProcessingTime": 0, "active": active, "repositoryLabel": "DEFAULT",
        }  # fmt: skip
        return dict(read(self.call("POST", "/datapool", value), POOL))

    def save(self, entry: dict[str, Any], state: str) -> dict[str, Any]:
        value = {
            "priority": entry["priority"], "values": entry["values"], "dataPoolLabel": entry["datapoolLabel"],
            "state": state, "taskId": None, "parent": entry.get("parent"), "child": entry.get("child"),
        }  # fmt: skip
        return dict(read(self.call("POST", f"/datapool/{entry['datapoolLabel']}/entry/{entry['id']}", value), ENTRY))


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def quoted(name: str) -> str:
    """A parameter of Content-Disposition as .NET writes it: bare, quoted when it must be, encoded when not ASCII."""
    if not name.isascii():
        return f'"=?utf-8?B?{base64.b64encode(name.encode()).decode()}?="'
    return name if all(letter.isalnum() or letter in "!#$%&'*+-.^_`|~" for letter in name) else f'"{name}"'


def part(kind: str, name: str, *, star: bool) -> str:
    more = f"; filename*=utf-8''{urllib.parse.quote(name)}" if star else ""
    return f"Content-Type: {kind}\r\nContent-Disposition: form-data; name=file; filename={quoted(name)}{more}"


@scenario("a wrong key is refused")
def _(_sdk: Sdk) -> None:
    body = compact({"login": LOGIN, "key": "wrong"})
    status, text = Sdk().raw("POST", "/workspace/login", body, "application/json; charset=utf-8", head=False)
    assert (status, type(json.loads(text)["message"])) == (401, str)


@scenario("a task without parameters has an empty object of them")
def _(sdk: Sdk) -> None:
    task = sdk.create_task()
    assert (task["parameters"], task["state"], task["test"]) == ({}, "START", False)
    assert sdk.task(f"/task/{task['id']}")["activityLabel"] == AUTOMATION


@scenario("a task keeps its parameters and a date in whole seconds, as UTC")
def _(sdk: Sdk) -> None:
    parameters = {"texto": "ação 漢字", "number": 3, "share": 0.5, "nothing": None}
    task = sdk.create_task(parameters, True, "2030-11-24T10:20:30")
    assert (task["parameters"], task["test"]) == (parameters, True)
    assert task["minExecutionDate"].isoformat() == "2030-11-24T10:20:30+00:00"


@scenario("a task is interrupted, finished by numbers and started again")
def _(sdk: Sdk) -> None:
    task_id = sdk.create_task({}, True)["id"]
    assert sdk.task(f"/task/{task_id}", {"interrupted": True})["interrupted"] is True
    for status, name in ((SUCCESS, "SUCCESS"), (FAILED, "FAILED"), (PARTIALLY_COMPLETED, "PARTIALLY_COMPLETED")):
        done = sdk.finish(task_id, status, "Já", 3, 2, 1)
        assert (done["state"], done["finishStatus"], done["finishMessage"]) == ("FINISHED", name, "Já")
        assert (done["totalItems"], done["processedItems"], done["failedItems"]) == (3, 2, 1)
    done = sdk.finish(task_id, SUCCESS, "")
    assert (done["totalItems"], done["processedItems"], done["failedItems"]) == (None, None, None)
    assert sdk.task(f"/task/{task_id}", {"state": START})["state"] == "START"


@scenario("alerts are sent by numbers")
def _(sdk: Sdk) -> None:
    task_id = sdk.create_task()["id"]
    for number, name in enumerate(("INFO", "WARN", "ERROR")):
        text = sdk.call("POST", "/alerts", {"taskId": task_id, "title": "Olá", "message": "é", "type": number})
        alert = read(text, ALERT)
        assert (alert["type"], alert["taskId"], alert["title"]) == (name, int(task_id), "Olá")


@scenario("messages are sent by numbers, without groups and with them")
def _(sdk: Sdk) -> None:
    for number, groups in ((0, None), (1, ["finance"])):
        value = {"emails": ["someone@mail.example"], "logins": [], "subject": "Olá", "body": "<b>é</b>"}
        sdk.call("POST", "/message", {**value, "type": number, "groups": groups})


@scenario("a log is made by its label, and read whole without days")
def _(sdk: Sdk) -> None:
    label = unique("log")
    columns = [{"name": name.upper(), "label": name, "width": 100, "visible": name != "b"} for name in "abc"]
    log = read(sdk.call("POST", "/log", {"label": label, "columns": columns, "repositoryLabel": "DEFAULT"}), LOG)
    assert (log["label"], log["id"]) == (label, f"{WORKSPACE}-{label}")
    sdk.call("POST", f"/log/{label}/entry", {"a": "é", "b": 1, "c": None})
    sdk.call("POST", f"/log/{label}/entry", {"a": True})

    log = read(sdk.call("GET", f"/log/{label}"), LOG)
    assert [(item["label"], item["name"], item["width"]) for item in log["columns"]] == [
        (n, n.upper(), 100) for n in "abc"
    ]
    lines = read(sdk.call("GET", f"/log/{label}/entry-list"), [LINE])
    wanted = [{"a": "é", "b": 1, "c": None}, {"a": True, "b": None, "c": None}]
    assert sorted((line["columns"] for line in lines), key=str) == sorted(wanted, key=str)
    sdk.call("DELETE", f"/log/{label}")


@scenario("a result file comes with the whole local path, and goes with its name")
def _(sdk: Sdk) -> None:
    task_id, content = sdk.create_task()["id"], bytes(range(256)) * 50
    for name in ("report.pdf", "my report.pdf", "relatório.pdf"):
        value = {"taskId": task_id, "name": name, "filename": f"C:\\Users\\José\\{name}"}
        artifact_id = json.loads(sdk.call("POST", "/artifact", value))["id"]
        sdk.upload(f"/artifact/log/{artifact_id}", part("application/pdf", name, star=False), content)

        artifact = read(sdk.call("GET", f"/artifact/{artifact_id}"), ARTIFACT)
        assert (artifact["fileName"], artifact["taskId"]) == (name, task_id)
        assert sdk.raw("GET", f"/artifact/{artifact_id}/file") == (200, content)


@scenario("every page of the result files is read")
def _(sdk: Sdk) -> None:
    task_id = sdk.create_task()["id"]
    ids = set()
    for number in range(6):
        value = {"taskId": task_id, "name": f"n{number}", "filename": f"/tmp/{number}.txt"}
        ids.add(int(json.loads(sdk.call("POST", "/artifact", value))["id"]))
    found, page, pages = set(), 0, 1
    while page < pages:
        text = json.loads(sdk.call("GET", f"/artifact?size=5&page={page}&sort=dateCreation,desc&days=7"))
        found |= {item["id"] for item in read(json.dumps(text["content"]), [ARTIFACT])}
        page, pages = page + 1, int(text["totalPages"])
    assert found >= ids


@scenario("an error is reported without a stack trace, with files whose names are not quoted")
def _(sdk: Sdk) -> None:
    tags = {"user_name": "me", "host_name": "PC", "os_name": "Windows", "os_version": "10", "dotnet_version": "6.0.36"}
    value = {"taskId": sdk.create_task()["id"], "type": "System.NullReferenceException", "message": "Não é"}
    text = sdk.call("POST", "/error", {**value, "stackTrace": None, "language": "SHELL", "tags": tags})
    error_id = json.loads(text)["id"]
    # That SDK calls the screenshot's own type multipart/form-data.
    sdk.upload(f"/error/{error_id}/screenshot", part("multipart/form-data", "tela.png", star=True), PNG)
    for name in ("log.txt", "my log.txt", "saída.txt"):
        sdk.upload(f"/error/{error_id}/attachments", part("text/plain", name, star=True), b"x")
    sdk.upload(f"/error/{error_id}/attachments", part("text/plain", "empty.txt", star=True), b"")


@scenario("a credential is made when there is none, and gets keys when there is")
def _(sdk: Sdk) -> None:
    label = unique("keys")
    status, _text = sdk.raw("GET", f"/credential/{label}")
    assert status == 404
    secrets = [{"key": "user", "value": "José"}]
    sdk.call("POST", "/credential", {"label": label, "repositoryLabel": "DEFAULT", "secrets": secrets})
    sdk.call("GET", f"/credential/{label}")
    sdk.call("POST", f"/credential/{label}/key", {"key": "pass", "value": '42"'})
    assert sdk.call("GET", f"/credential/{label}/key/user") == "José"
    assert sdk.call("GET", f"/credential/{label}/key/pass") == '42"'


@scenario("a data pool is made by numbers, with a schema or none")
def _(sdk: Sdk) -> None:
    label = unique("pool")
    pool = sdk.pool(label)
    assert (pool["label"], pool["defaultActivity"], pool["active"]) == (label, AUTOMATION, True)
    assert (pool["consumptionPolicy"], pool["trigger"], pool["schema"]) == ("FIFO", "NEVER", [])
    pool = sdk.pool(unique("pool"), [{"label": "cpf", "type": "TEXT"}], active=False)
    assert (pool["schema"], pool["active"]) == ([{"label": "cpf", "type": "TEXT"}], False)


@scenario("the whole object switches a data pool, and what that SDK does not know stays")
def _(sdk: Sdk) -> None:
    label = unique("pool")
    schema = [{"label": "cpf", "type": "TEXT", "uniqueId": True, "displayValue": True}]
    known = {
        "label": label,
        "name": "Notas",
        "schema": schema,
        "enableProcessingTime": True,
        "itemMaxProcessingTime": 5,
    }
    sdk.call("POST", "/datapool", {**known, "consumptionPolicy": "LIFO", "trigger": "NEVER", "active": True})
    before = json.loads(sdk.call("GET", f"/datapool/{label}"))
    pool = read(json.dumps(before), POOL)
    names = (
        "label", "id", "defaultActivity", "consumptionPolicy", "schema", "trigger", "autoRetry", "maxAutoRetry", "active",
        "abortOnError", "maxErrorsBeforeInactive", "itemMaxProcessingTime", "dateTimeout", "repositoryLabel",
    )  # fmt: skip
    for active in (False, True):
        numbers = {"consumptionPolicy": 1, "trigger": 1, "active": active}
        value = {"Maestro": SDK, **{name: pool.get(name) for name in names}, **numbers}
        assert read(sdk.call("POST", f"/datapool/{label}", value), POOL)["active"] is active
        assert read(sdk.call("GET", f"/datapool/{label}"), POOL)["active"] is active
    after = json.loads(sdk.call("GET", f"/datapool/{label}"))
    assert {name: after[name] for name in known} == {name: before[name] for name in known}, (before, after)


@scenario("entries are pushed, pulled, saved and reported")
def _(sdk: Sdk) -> None:
    label = unique("pool")
    sdk.pool(label)
    for number in range(2):
        value = {"priority": number, "values": {"número": number, "texto": "é", "when": "2026-11-24T10:00:00"}}
        pushed = read(sdk.call("POST", f"/datapool/{label}/push", value), ENTRY)
        assert (pushed["state"], pushed["datapoolLabel"]) == ("PENDING", label)
    assert read(sdk.call("GET", f"/datapool/{label}/summary"), SUMMARY)["countPending"] == 2

    for state, number in (("DONE", 1), ("ERROR", 0)):
        entry = read(sdk.call("GET", f"/datapool/{label}/pull"), ENTRY)
        assert (entry["state"], entry["values"]["número"]) == ("PROCESSING", number)
        assert sdk.save(entry, "PROCESSING")["state"] == "PROCESSING"
        assert sdk.save(entry, state)["state"] == state
        assert read(sdk.call("GET", f"/datapool/{label}/entry/{entry['id']}"), ENTRY)["state"] == state
    assert sdk.raw("GET", f"/datapool/{label}/pull") == (204, b"")


if __name__ == "__main__":
    sdk = Sdk()
    sdk.login()
    scenario.play(sdk)
