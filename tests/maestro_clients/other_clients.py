"""Programs of others that speak to Maestro: the GitHub action, the node for n8n, a dashboard, and a client library.

    python other_clients.py SERVER LOGIN KEY WORKSPACE AUTOMATION

Prints a line of JSON for each scenario: its name, and what went wrong or null. They send what requests, or the library
that n8n uses, puts on the wire for them, and read what these programs read. The automation is expected to
have a parameter ``customer`` and the runner ``box-1``, which is not running.
"""

import datetime
import io
import json
import mimetypes
import sys
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import requests
from botcity.maestro import BotMaestroSDK
from requests_toolbelt import MultipartEncoder
from scenarios import Scenarios, unique

SERVER, LOGIN, KEY, WORKSPACE, AUTOMATION = sys.argv[1:6]
API = f"{SERVER}/api/v2"
ACTION_SECONDS = 5
"""The action gives up on every call after that, on an upload too."""

scenario = Scenarios()


class Site:
    """A login, and the headers of each program."""

    def __init__(self) -> None:
        self.sdk = BotMaestroSDK(SERVER, LOGIN, KEY)
        self.sdk.login()
        token = self.sdk.access_token
        self.action = {"Content-Type": "application/json", "token": token, "organization": self.sdk.organization}
        self.dashboard = {"organization": WORKSPACE, "token": token}
        self.node = {"accept": "application/json", "content-type": "application/json", **self.dashboard}
        self.library = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.library["X-Organization"] = requests.post(
            f"{API}/workspace/login", json={"login": LOGIN, "key": KEY}
        ).json()["organizationLabel"]

    def task(self, **parameters: Any) -> Any:
        return self.sdk.create_task(AUTOMATION, parameters)

    def every(self, path: str, **query: Any) -> list[Any]:
        """As the dashboard collects: page after page, until one is the last or empty."""
        rows: list[Any] = []
        for _round in range(200):
            page = requests.get(API + path, headers=self.dashboard, params=query)
            page.raise_for_status()
            said = page.json()
            rows += said.get("content", [])
            if said.get("last", True) or said.get("empty", True):
                return rows
            query["page"] = said.get("number", 0) + 1
        raise AssertionError(f"{path} has no last page")

    def ask(self, method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
        """As n8n asks: a JSON body with every verb."""
        content = json.dumps({} if body is None else body, separators=(",", ":"))
        answer = requests.request(method, API + path, headers=self.node, params=query, data=content)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


def archive(source: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        made.writestr("bot.py", source)
        made.writestr("requirements.txt", "")
    return target.getvalue()


class Action:
    """The GitHub action for one bot."""

    def __init__(self, site: Site, bot_id: str, version: str) -> None:
        self.head, self.organization, self.bot_id, self.version = site.action, site.sdk.organization, bot_id, version

    def find(self) -> dict[str, Any] | None:
        data = {"organizationLabel": self.organization, "botId": self.bot_id}
        answer = requests.get(
            f"{API}/bot", json=data, params={"botId": self.bot_id}, headers=self.head, timeout=ACTION_SECONDS
        )
        assert answer.status_code == 200, answer.text
        bots = answer.json()
        return dict(bots[0]) if len(bots) == 1 else None

    def announce(self) -> None:
        data = {
            "organization": self.organization,
            "botId": self.bot_id,
            "version": self.version,
            "technology": "PYTHON",
        }
        self.post("/bot", {**data, "command": None, "repositoryLabel": "DEFAULT"})

    def upload(self, name: str, content: bytes) -> None:
        parts = MultipartEncoder(fields={"file": (name, content, mimetypes.guess_type(name)[0])})
        head = {**self.head, "Content-Type": parts.content_type}
        address = f"{API}/bot/upload/{self.bot_id}/version/{self.version}"
        answer = requests.post(address, data=parts, headers=head, timeout=ACTION_SECONDS)
        assert answer.ok, answer.text

    def release(self) -> None:
        self.post("/bot/release", {"botId": self.bot_id, "version": self.version})

    def post(self, path: str, data: dict[str, Any]) -> None:
        answer = requests.post(API + path, json=data, headers=self.head, timeout=ACTION_SECONDS)
        assert answer.status_code == 200, answer.text


@scenario("the action deploys a bot that is not there, updates it and releases it")
def _(site: Site) -> None:
    action = Action(site, unique("bot").replace("-", "_"), "1.0")
    assert action.find() is None
    action.announce()
    action.upload("my bot.zip", archive("print(1)"))
    found = action.find()
    assert found is not None and (found["botId"], found["version"]) == (action.bot_id, "1.0")

    action.upload("my bot.zip", archive("print(2)"))
    action.release()
    action.upload("my bot.zip", archive("print(3)"))
    newer = Action(site, action.bot_id, "2.0")
    newer.announce()
    newer.upload("my bot.zip", archive("print(4)"))
    found = newer.find()
    assert found is not None and found["version"], "one object for a bot, however many versions it has"


@scenario("the action takes a version away")
def _(site: Site) -> None:
    action = Action(site, unique("bot").replace("-", "_"), "1.0")
    action.announce()
    action.upload("bot.zip", archive("print(1)"))
    answer = requests.delete(f"{API}/bot/{action.bot_id}/version/1.0", headers=site.action, timeout=ACTION_SECONDS)
    assert answer.status_code == 200, answer.text


@scenario("the action has its answer in time for a large bot")
def _(site: Site) -> None:
    action = Action(site, unique("bot").replace("-", "_"), "1.0")
    action.announce()
    target = io.BytesIO(archive("print(1)"))
    with zipfile.ZipFile(target, "a") as made:
        made.writestr("data.bin", bytes(30_000_000))
    started = time.monotonic()
    action.upload("bot.zip", target.getvalue())
    assert time.monotonic() - started < ACTION_SECONDS


@scenario("the action hears why it was refused")
def _(site: Site) -> None:
    for path, data in (
        ("/bot/release", {"botId": unique("none"), "version": "1"}),
        ("/bot", {"botId": "", "version": ""}),
    ):
        answer = requests.post(API + path, json=data, headers=site.action, timeout=ACTION_SECONDS)
        assert 400 <= answer.status_code < 500
        assert answer.json()["message"]


@scenario("n8n tests its login by the version")
def _(site: Site) -> None:
    assert requests.get(f"{API}/maestro/version", headers=site.dashboard).json()["version"] >= "3.0.2"


@scenario("n8n offers automations and their parameters")
def _(site: Site) -> None:
    automations = site.ask("GET", "/activity")
    assert isinstance(automations, list)
    assert (AUTOMATION, True) in {(item["label"], isinstance(item["name"], str)) for item in automations}
    parameters = site.ask("GET", f"/activity/{AUTOMATION}")["parameters"]
    assert [(item["label"], isinstance(item["type"], str), item["required"]) for item in parameters] == [
        ("customer", True, False)
    ]


@scenario("n8n starts, cancels, stops, reads and lists tasks")
def _(site: Site) -> None:
    task = site.ask("POST", "/task", body={"activityLabel": AUTOMATION, "priority": 0, "test": False})
    assert task["parameters"] == {}
    body = {"activityLabel": AUTOMATION, "priority": 3, "test": True, "parameters": {"customer": "é"}}
    second = site.ask("POST", "/task", body=body)
    assert site.ask("POST", f"/task/{task['id']}", body={"state": "CANCELED"})["state"] == "CANCELED"
    stopped = site.ask("POST", f"/task/{second['id']}", body={"interrupted": True, "killed": True})
    # Nothing ran yet: to stop it is to cancel it.
    assert stopped["state"] == "CANCELED" or (stopped["interrupted"], stopped["killed"]) == (True, True)
    assert site.ask("GET", f"/task/{task['id']}")["state"] == "CANCELED"
    page = site.ask("GET", "/task", query={"size": 1000, "days": 7})
    assert {task["id"], second["id"]} <= {item["id"] for item in page["content"]}


@scenario("n8n finds every active data pool by pages that it asks for in a body")
def _(site: Site) -> None:
    wanted = {unique("pool") for _number in range(60)}
    for label in wanted:
        site.ask(
            "POST", "/datapool", body={"label": label, "schema": [{"label": "cpf", "type": "TEXT"}], "active": True}
        )
    body: dict[str, int] = {"size": 50, "page": 0}
    found: set[str] = set()
    last = False
    while not last:
        assert body["page"] < 10, "n8n itself gives up after 100 pages"
        page = site.ask("GET", "/datapool", body=body)
        found |= {pool["label"] for pool in page["content"] if pool["active"]}
        body["page"] += 1
        last = page["last"]
    assert wanted <= found
    schema = site.ask("GET", f"/datapool/{min(wanted)}")["schema"]
    assert [(item["label"], item["type"]) for item in schema] == [("cpf", "TEXT")]


@scenario("n8n pushes, lists and deletes entries")
def _(site: Site) -> None:
    label = unique("pool")
    site.ask("POST", "/datapool", body={"label": label, "schema": [], "active": True})
    ids = {site.ask("POST", f"/datapool/{label}/push", body={"values": {"cpf": str(n)}})["id"] for n in range(45)}
    found: list[Any] = []
    page: dict[str, Any] = {"last": False}
    while not page["last"]:
        query = {"page": page["number"] + 1} if "number" in page else {}
        page = site.ask("GET", f"/datapool/{label}/view", query=query)
        found += page["content"]
    assert (len(found), {item["id"] for item in found}) == (45, ids)
    site.ask("DELETE", f"/datapool/{label}/entry/{found[0]['id']}")
    assert len(site.ask("GET", f"/datapool/{label}/view", query={"size": 1000})["content"]) == 44


def reported(site: Site, message: str) -> Any:
    """A task that failed, and its report."""
    task = site.task(automations="faturas")
    site.sdk.error(task.id, ValueError(message))
    site.sdk.finish_task(task.id, "FAILED", message, 2, 1, 1)
    return task


@scenario("the dashboard reads tasks and the message of their errors")
def _(site: Site) -> None:
    message = unique("Não deu")
    task = reported(site, message)
    errors = {error["taskId"]: error["message"] for error in site.every("/error", size=100)}
    assert errors[task.id] == message
    rows = [row for row in site.every("/task", size=100) if row["id"] == task.id]
    assert [row["parameters"].get("automations") for row in rows] == ["faturas"]
    row = rows[0]
    assert (row["state"], row["finishStatus"], row["finishMessage"]) == ("FINISHED", "FAILED", message)
    assert row["activityName"].split(" - ", 1)[-1] and isinstance(row["userCreationName"], str)
    for name in ("dateCreation", "dateLastModified"):
        assert datetime.datetime.fromisoformat(row[name]).tzinfo is not None, "pandas converts zones of what has one"
    assert isinstance(row["machineId"], str | None) and isinstance(row["agentId"], str)


@scenario("the dashboard's filters of tasks hold")
def _(site: Site) -> None:
    tasks = [site.task() for _number in range(5)]
    site.sdk.finish_task(tasks[0].id, "SUCCESS", "", 1, 1, 0)
    new = {task.id for task in tasks}
    found = {row["id"] for row in site.every("/task", size=2, stateFilter="START", activityLabel=AUTOMATION, days=1)}
    assert found & new == new - {tasks[0].id}
    assert new & {row["id"] for row in site.every("/task", size=50, stateFilter="FINISHED")} == {tasks[0].id}
    assert not site.every("/task", activityLabel=unique("none"))
    assert not site.every("/task", machineId=unique("none"))
    newest = requests.get(
        f"{API}/task", headers=site.dashboard, params={"size": 3, "sort": ["dateCreation,desc"]}
    ).json()
    oldest = requests.get(f"{API}/task", headers=site.dashboard, params={"size": 3, "sort": "dateCreation,asc"}).json()
    assert [row["id"] for row in newest["content"]] == sorted((row["id"] for row in newest["content"]), reverse=True)
    assert oldest["content"][0]["id"] < newest["content"][0]["id"]


@scenario("the dashboard reads runners, automations, bots and schedules")
def _(site: Site) -> None:
    # The server is shared with other tests, which have runners of their own.
    [runner] = [row for row in site.every("/machine/pagination") if row["name"] == "box-1"]
    assert runner["isOnline"] is False
    assert not site.every("/machine/pagination", isOnline=True, machineId="box-1")
    assert len(site.every("/machine/pagination", isOnline=False, machineId="box-1", size=10)) == 1
    labels = [row["label"] for row in site.every("/activity/pagination", size=1, label=AUTOMATION)]
    assert AUTOMATION in labels and len(labels) == len(set(labels))
    assert not site.every("/activity/pagination", name=unique("none"))
    action = Action(site, unique("bot").replace("-", "_"), "1.0")
    action.announce()
    assert [row["botId"] for row in site.every("/bot/pagination", botId=action.bot_id, size=1)] == [action.bot_id]
    body = {"activityLabel": AUTOMATION, "cron": "0 0 12 1 1 ? 2099", "parameters": {"automations": "faturas"}}
    requests.post(f"{API}/scheduling", headers=site.library, json=body).raise_for_status()
    schedules = [row for row in site.every("/scheduling", size=1) if row["activityLabel"] == AUTOMATION]
    assert schedules and isinstance(schedules[0]["parameters"], dict)
    assert len(schedules[0]["cron"].split()) in {6, 7}, "the dashboard's library counts seconds first"


@scenario("the dashboard reads one error")
def _(site: Site) -> None:
    task = reported(site, "this one")
    [row] = site.every("/error", taskId=str(task.id), days=1)
    read = requests.get(f"{API}/error/{row['id']}", headers=site.dashboard).json()
    assert (read["id"], read["taskId"], read["message"]) == (row["id"], task.id, "this one")
    assert row["id"] in {item["id"] for item in site.every("/error", automationLabel=AUTOMATION, size=50)}
    assert not site.every("/error", automationLabel=unique("none"))


def pages(answer: requests.Response) -> Iterator[Any]:
    assert answer.status_code == 200, f"{answer.url}: {answer.status_code} {answer.text}"
    assert "application/json" in answer.headers["Content-Type"]
    said = answer.json()
    yield from said if isinstance(said, list) else said["content"]


@scenario("the client library reads every noun with its own header for the workspace")
def _(site: Site) -> None:
    task = reported(site, "for the library")
    label = unique("lib")
    site.sdk.create_credential(label, "user", "José")
    site.ask("POST", "/datapool", body={"label": label, "schema": [], "active": True})
    said = json.loads(site.sdk.post_artifact(task.id, "it", __file__).payload)

    def get(path: str, **query: Any) -> requests.Response:
        return requests.get(API + path, headers=site.library, params=query)

    assert task.id in {row["id"] for row in pages(get("/task", size=1000))}
    assert AUTOMATION in {row["label"] for row in pages(get("/activity", page=0, size=50, label=AUTOMATION))}
    list(pages(get("/bot", page=0, size=50)))
    assert label in {row["label"] for row in pages(get("/credential", page=0, size=1000))}
    assert label in {row["label"] for row in pages(get("/datapool", page=0, size=1000))}
    assert said["id"] in {row["id"] for row in pages(get("/artifact", page=0, size=1000))}
    assert task.id in {row["taskId"] for row in pages(get("/error", AutomationLabel=AUTOMATION, days=30, size=1000))}
    list(pages(get("/scheduling", page=0, size=50)))
    assert not list(pages(get(f"/datapool/{label}/view")))
    for path in (
        "/machine/box-1",
        "/machine/log/box-1",
        "/machine/box-1/tasks-summary?days=30",
        f"/credential/{label}",
    ):
        answer = get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    assert get(f"/credential/{label}/key/user").text == "José"


@scenario("the client library writes credentials, pools and entries")
def _(site: Site) -> None:
    label = unique("lib")
    secrets = [{"key": "user", "value": "José"}]
    sets = {"label": label, "organizationLabel": WORKSPACE, "repositoryLabel": "DEFAULT", "secrets": secrets}
    for path, body in (
        ("/credential", sets),
        ("/datapool", {"label": label, "schema": [], "active": True}),
        (f"/datapool/{label}/push", {"values": {"a": 1}, "priority": 2}),
        ("/task", {"activityLabel": AUTOMATION, "parameters": {}}),
    ):
        answer = requests.post(API + path, headers=site.library, json=body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"


@scenario("the client library makes, reads, changes and deletes a schedule")
def _(site: Site) -> None:
    def call(method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{API}/scheduling{path}", headers=site.library, json=body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    made = call("POST", "", {"activityLabel": AUTOMATION, "cron": "0 0 12 1 1 ? 2099", "priority": 3, "active": True})
    read = call("GET", f"/{made['id']}")
    assert (read["cron"], read["activityLabel"], read["priority"]) == ("0 0 12 1 1 ? 2099", AUTOMATION, 3)
    assert (
        call("PUT", f"/{made['id']}", {**read, "cron": "0 30 8 ? * MON-FRI 2098"})["cron"] == "0 30 8 ? * MON-FRI 2098"
    )
    call("DELETE", f"/{made['id']}")
    assert made["id"] not in {row["id"] for row in site.every("/scheduling")}


@scenario("calls that never worked are refused with a message")
def _(site: Site) -> None:
    task = site.task()
    for method, path in (
        ("POST", f"/task/{task.id}/cancel"),
        ("POST", f"/task/{task.id}/finish"),
        ("GET", "/maestro/api/workspaces"),
        ("GET", "/maestro/api/logs"),
        ("PUT", "/bot/some"),
    ):
        answer = requests.request(method, API + path, headers=site.library, json={})
        assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code}"
        assert answer.json()["message"]
    assert site.sdk.get_task(task.id).state == "START"


if __name__ == "__main__":
    scenario.play(Site())
