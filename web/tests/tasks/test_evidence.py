"""Evidence of a task that did not succeed: what its runner told, cut and masked; and what has changed since it worked."""

import csv
import io
import json
import zipfile

import pytest

from bottool import wire
from bottool.errors import Forbidden, InvalidInput, NotFound, StaleAttempt
from bottool_web.actions import artifacts, attempts, automations, credentials, evidence, evidence_file, identity, tasks
from bottool_web.actions.identity import principal_of_token
from bottool_web.app import create_app

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
SECRET = "correct-horse-battery"
TOLD = wire.AttemptEvidence(
    usage=[
        wire.UsagePoint(at=float(second), cpu_percent=second * 10.0, memory_bytes=second * 2**20, processes=2)
        for second in range(1, 6)
    ],
    processes=[
        wire.SeenProcess(pid=10, name="python", command="python bot.py", status="running", memory_bytes=2**20),
        wire.SeenProcess(pid=11, parent=10, name="chrome", command=f"chrome {SECRET}", status="sleeping"),
    ],
    processes_at=4.5,
    notes=["no screenshot: it could not be looked at"],
)


PARAMETERS = [wire.Parameter(label=label) for label in ("day", "api_token", "password", "secret", "same")]


@pytest.fixture
def box(a_runner, an_automation):
    """A runner that may take the tasks of ``daily``, which has parameters."""
    an_automation(parameters=PARAMETERS, runners=["box-1", "box-2"])
    return a_runner()


def equipment(version="2.31.0", interpreter="Python 3.11.7"):
    installed = [wire.Dependency(name="requests", version=version, ecosystem="pypi")]
    return wire.Equipment(language="python", interpreter=interpreter, system="Linux", dependencies=installed)


def run(site, life, runner, key, *, equip=None, exit_code=1, prints=b""):
    """One attempt from its claim to its end, as a runner tells of it; its work."""
    work = life.take(runner, key)
    attempts.permit(site, runner, work.task_id, work.attempt)
    digest = ""
    if equip is not None:
        digest = f"of-{key}"
        told = wire.NewEquipment(digest=digest, equipment=equip)
        attempts.tell_equipment(site, runner, work.task_id, work.attempt, told)
    start = wire.Started(pid=7, boot_id="b", equipment=digest)
    attempts.started(site, runner, work.task_id, work.attempt, start)
    if prints:
        frame = wire.pack_frame(wire.Frame(wire.Stream.STDOUT, 0.0, prints))
        attempts.append_output(site, runner, work.task_id, work.attempt, 0, frame)
    life.end(runner, work, key=f"end-{key}", exit_code=exit_code)
    return work


def unpacked(site, who, task_id):
    name, pieces = evidence_file.pack(site, who, task_id)
    assert name == f"task-{task_id}-evidence.zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as file:
        assert file.testzip() is None
        return {info.filename.partition("/")[2]: file.read(info) for info in file.infolist()}


def test_all_that_is_known_of_a_failed_task_is_in_one_zip(site, admin, life, box, ask):
    task = ask(parameters={"day": "monday", "api_token": "t-0-p", "password": "x"})
    lines = b"".join(b"line %d\n" % number for number in range(1000))
    work = run(site, life, box, "k1", equip=equipment(), prints=lines)
    attempts.tell_evidence(site, box, work.task_id, work.attempt, TOLD)
    attempts.tell_picture(site, box, work.task_id, work.attempt, PNG)

    files = unpacked(site, admin, task.id)

    assert files.keys() >= {"README.txt", "changes.txt", "events.txt", "processes.txt"}
    assert files["output.txt"].split(b"\n")[0] == b"line 500"
    assert files["output.txt"].count(b"\n") == 500
    rows = list(csv.DictReader(io.StringIO(files["usage.csv"].decode())))
    assert [float(row["cpu_percent"]) for row in rows] == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert "  chrome" in files["processes.txt"].decode()
    assert json.loads(files["environment.json"])["interpreter"] == "Python 3.11.7"
    assert json.loads(files["parameters.json"]) == {"day": "monday", "api_token": "***", "password": "***"}
    summary = json.loads(files["summary.json"])
    assert summary["task"]["exit_code"] == 1
    assert summary["package"]["sha256"] == work.sha256
    assert summary["notes"] == TOLD.notes
    assert files["screenshot.png"] == PNG
    assert b"t-0-p" not in b"".join(files.values())
    assert b"leased" in files["events.txt"]


def test_a_task_that_never_started_has_evidence_too(site, admin, life, box, ask):
    task = ask()
    tasks.cancel(site, admin, task.id)

    files = unpacked(site, admin, task.id)

    assert "output.txt" not in files
    assert b"cancelled" in files["README.txt"]
    with pytest.raises(NotFound):
        evidence_file.pack(site, admin, task.id + 1000)
    with pytest.raises(NotFound, match="has no attempt 7"):
        evidence_file.pack(site, admin, task.id, 7)


def test_each_attempt_of_a_task_has_evidence_of_its_own(site, admin, life, box, ask):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=2))
    task = ask()
    for key in ("k1", "k2"):
        run(site, life, box, key, equip=equipment(interpreter=f"Python {key}"))

    newest = unpacked(site, admin, task.id)
    _, pieces = evidence_file.pack(site, admin, task.id, 1)

    assert json.loads(newest["environment.json"])["interpreter"] == "Python k2"
    assert b"Python k1" in zipfile.ZipFile(io.BytesIO(b"".join(pieces))).read(f"task-{task.id}/environment.json")


def test_what_a_bot_has_read_from_the_vault_is_masked_in_all_of_it(site, admin, life, box, ask):
    secrets = [wire.Secret(key="pass", value=SECRET)]
    credentials.create(site, admin, wire.NewCredential(label="bank", secrets=secrets))
    ask()
    work, permit = life.start(box)
    bot = principal_of_token(site, permit.token)
    assert credentials.read_value(site, bot, "bank", "pass") == SECRET

    attempts.tell_evidence(site, box, work.task_id, work.attempt, TOLD)
    life.end(box, work, exit_code=1)

    files = unpacked(site, admin, work.task_id)
    assert SECRET.encode() not in b"".join(files.values())
    assert b"chrome *****" in files["processes.txt"]


def test_nothing_that_a_runner_tells_is_trusted(site, admin, life, box, ask):
    task = ask()
    work, _ = life.start(box)
    wild = wire.AttemptEvidence(
        usage=[wire.UsagePoint(at=float("nan"), cpu_percent=float("inf"), memory_bytes=10**30, processes=-5)] * 5000,
        processes=[wire.SeenProcess(pid=-1, parent=-1, name="\0\ud800" + "n" * 5000, command="c" * 10**6)] * 3000,
        notes=["n" * 5000] * 500,
    )

    attempts.tell_evidence(site, box, work.task_id, work.attempt, wild)
    life.end(box, work, exit_code=1)

    seen = evidence.usage_of(site, admin, task.id)
    assert len(seen) == wire.MOST_POINTS
    assert (seen[0].at, seen[0].cpu_percent, seen[0].processes) == (0.0, 0.0, 0)
    assert len(unpacked(site, admin, task.id)["processes.txt"]) < 150_000


def test_a_screenshot_is_a_result_file_once_and_nothing_but_a_png(site, admin, life, box, ask):
    task = ask()
    work, _ = life.start(box)
    with pytest.raises(InvalidInput, match="no PNG"):
        attempts.tell_picture(site, box, work.task_id, work.attempt, b"<svg onload=alert(1)>")

    for _ in range(2):
        attempts.tell_picture(site, box, work.task_id, work.attempt, PNG)

    (kept,) = artifacts.list_artifacts(site, admin, artifacts.Asked(task_id=task.id))
    assert (kept.name, kept.media_type) == ("screenshot-1.png", "image/png")
    artifacts.delete(site, admin, kept.id)
    life.end(box, work, exit_code=1)
    assert "screenshot.png" not in unpacked(site, admin, task.id)


def test_only_the_runner_of_the_attempt_tells_of_it_and_not_after_it_was_given_back(
    site, life, box, a_runner, ask, admin
):
    ask()
    work = life.take(box)
    with pytest.raises(NotFound):
        attempts.tell_evidence(site, a_runner("box-2"), work.task_id, work.attempt, TOLD)

    attempts.void(site, box, work.task_id, work.attempt)

    with pytest.raises(StaleAttempt):
        attempts.tell_evidence(site, box, work.task_id, work.attempt, TOLD)
    with pytest.raises(Forbidden):
        attempts.tell_evidence(site, admin, work.task_id, work.attempt, TOLD)


def test_a_runner_hears_whether_evidence_is_wanted(site, life, box, ask):
    wanted = []
    for key, exit_code in (("k1", 0), ("k2", 3)):
        ask()
        work, _ = life.start(box, key)
        ended = life.an_end(f"r-{key}", exit_code=exit_code)
        for _ in range(2):
            wanted.append(attempts.finish(site, box, work.task_id, work.attempt, ended).evidence_wanted)

    assert wanted == [False, False, True, True]


def test_what_has_changed_since_it_last_worked(site, admin, clock, life, box, a_runner, deploy, ask):
    other = a_runner("box-2")
    worked = ask(parameters={"day": "monday", "secret": "old", "same": "1"})
    run(site, life, box, "k1", equip=equipment(), exit_code=0)
    clock.advance(60)
    deploy("my-bot", "2.0.0")
    automations.change(site, admin, "daily", wire.AutomationChange(priority=3))
    clock.advance(60)
    failed = ask(parameters={"day": "tuesday", "secret": "new", "same": "1"})
    run(site, life, other, "k2", equip=equipment("2.32.0", "Python 3.12.1"))

    found = tasks.explain(site, admin, failed.id)

    assert found.last_worked == worked.id
    seen = {(change.what, change.name): (change.before, change.now) for change in found.changes}
    assert seen["dependency", "requests"] == ("2.31.0", "2.32.0")
    assert seen["interpreter", ""] == ("Python 3.11.7", "Python 3.12.1")
    assert seen["runner", ""] == ("box-1", "box-2")
    assert seen["parameter", "day"] == ("monday", "tuesday")
    assert seen["parameter", "secret"] == ("***", "***")
    assert seen["package", ""][0].startswith("1.0.0 (")
    assert seen["package", ""][1].startswith("2.0.0 (")
    assert "priority" in seen["automation", "daily"][1]
    assert ("parameter", "same") not in seen
    assert ("system", "") not in seen
    assert found.unknown == []
    assert b"dependency requests: 2.31.0 \xe2\x86\x92 2.32.0" in unpacked(site, admin, failed.id)["changes.txt"]


def test_what_is_not_known_of_both_is_said(site, admin, life, box, ask):
    ask()
    run(site, life, box, "k1", exit_code=0)
    failed = ask()
    run(site, life, box, "k2", equip=equipment())

    found = tasks.explain(site, admin, failed.id)

    assert (found.changes, found.unknown) == ([], ["interpreter", "dependencies"])
    assert b"nothing that is known has changed" in unpacked(site, admin, failed.id)["changes.txt"]


def test_an_automation_that_never_worked_has_nothing_to_compare(site, admin, life, box, ask):
    failed = ask()
    run(site, life, box, "k1")

    assert tasks.explain(site, admin, failed.id).last_worked is None


def test_the_page_of_a_failed_task_has_it_all(site, admin, workspace, account, life, box, ask):
    ask(parameters={"day": "monday"})
    run(site, life, box, "k1", exit_code=0)
    failed = ask(parameters={"day": "<tuesday>"})
    work = run(site, life, box, "k2")
    attempts.tell_evidence(site, box, work.task_id, work.attempt, TOLD)
    browser = create_app(site).test_client()
    browser.set_cookie(
        "bottool_session", identity.start_session(site, workspace.email, workspace.password, "127.0.0.1")[0]
    )

    shown = browser.get(f"/tasks/{failed.id}").get_data(as_text=True)

    assert 'id="changes"' in shown
    assert "&lt;tuesday&gt;" in shown
    assert "<polyline points=" in shown
    assert f"/tasks/{failed.id}/evidence" in shown
    answer = browser.get(f"/tasks/{failed.id}/evidence", buffered=True)
    assert answer.headers["Content-Disposition"].endswith(f"task-{failed.id}-evidence.zip")
    assert zipfile.ZipFile(io.BytesIO(answer.data)).namelist()


def test_a_runner_tells_over_the_wire(site, admin, life, runner_client, ask):
    ask()
    said = wire.Sync(
        session_id="s",
        installation_id="of-box-1",
        claim_key="k",
        free_slots=1,
        hold_seconds=0,
        capabilities=wire.Capabilities(languages=["python"]),
    )
    (work,) = runner_client.post("/runner/v1/sync", said, type=wire.Synced).work
    at = f"/runner/v1/tasks/{work.task_id}/attempts/{work.attempt}"
    runner_client.post(f"{at}/permit", {}, type=wire.Permit)
    runner_client.post(f"{at}/equipment", wire.NewEquipment(digest="d", equipment=equipment()))
    runner_client.post(f"{at}/started", wire.Started(pid=1, boot_id="b", equipment="d"))
    runner_client.post(f"{at}/evidence", TOLD)
    finished = runner_client.post(f"{at}/finish", life.an_end(exit_code=2), type=wire.Finished)
    runner_client.post(f"{at}/screenshot", PNG)

    assert finished.evidence_wanted
    files = unpacked(site, admin, work.task_id)
    assert {"screenshot.png", "usage.csv", "environment.json"} <= files.keys()
