"""Runners' calls over real HTTP: what is held, what wakes it, and what is refused."""

import hashlib
import socket
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import httpx2
import pytest

from bottool import wire
from bottool.client import Client
from bottool.errors import InvalidInput, NotFound, Refused, StaleAttempt, TooBig, Unauthorized
from bottool_web.actions import tasks
from bottool_web.gateway import http as gateway_http
from bottool_web.gateway import watch

# The connections know no database; what they call is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def a_sync(key: str = "", hold: float = 0.0, **more) -> wire.Sync:
    given = {
        "session_id": "s1",
        "installation_id": "of-box-1",
        "claim_key": key,
        "free_slots": 1,
        "hold_seconds": hold,
        "capabilities": wire.Capabilities(languages=["python"]),
        **more,
    }
    return wire.Sync(**given)


def sync(client: Client, *args, **more) -> wire.Synced:
    return client.post("/runner/v1/sync", a_sync(*args, **more), type=wire.Synced)


def of(work: wire.Work) -> str:
    return f"/runner/v1/tasks/{work.task_id}/attempts/{work.attempt}"


def test_a_task_is_taken_run_and_reported_over_http(site, admin, ask, runner_client, tmp_path):
    task = ask()

    (work,) = sync(runner_client, "k1").work
    package = runner_client.download(f"{of(work)}/package", tmp_path / "package.zip")
    permit = runner_client.post(f"{of(work)}/permit", {}, type=wire.Permit)
    runner_client.post(f"{of(work)}/started", wire.Started(pid=1, boot_id="b"))
    spool = wire.pack_frame(wire.Frame(wire.Stream.STDOUT, 1.0, b"hello\n"))
    appended = runner_client.post(f"{of(work)}/output", spool, query={"offset": 0}, type=wire.Appended)
    runner_client.post(f"{of(work)}/finish", wire.Ended(report_key="r1", reason="exited", exit_code=0))

    assert hashlib.sha256(package.read_bytes()).hexdigest() == work.sha256
    assert permit.token.startswith("btl_attempt_")
    assert appended.next_offset == len(spool)
    assert tasks.get_task(site, admin, task.id).state == "succeeded"


def test_a_held_call_is_answered_as_soon_as_there_is_work(ask, runner_client):
    with ThreadPoolExecutor(1) as pool:
        began = time.monotonic()
        held = pool.submit(sync, runner_client, "k1", hold=9)
        time.sleep(0.7)
        assert not held.done()
        task = ask()
        answer = held.result(8)

    assert [work.task_id for work in answer.work] == [task.id]
    assert time.monotonic() - began < 5


def test_a_held_call_without_news_is_answered_when_its_time_is_up_and_keeps_the_leases(
    site, clock, admin, ask, runner_client
):
    ask()
    (work,) = sync(runner_client, "k1").work
    told = [wire.AttemptAlive(task_id=work.task_id, attempt=1, state="preparing")]

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sync, runner_client, hold=1.0, attempts=told)
        time.sleep(0.4)
        clock.advance(50)
        answer = held.result(8)
    clock.advance(50)

    assert [verdict.verdict for verdict in answer.verdicts] == ["ok"]
    assert runner_client.post(f"{of(work)}/permit", {}, type=wire.Permit).token


def test_a_stop_wakes_the_held_call_and_is_not_a_reason_to_answer_twice(site, admin, ask, runner_client):
    ask()
    (work,) = sync(runner_client, "k1").work
    runner_client.post(f"{of(work)}/permit", {})
    runner_client.post(f"{of(work)}/started", wire.Started(pid=1, boot_id="b"))
    told = [wire.AttemptAlive(task_id=work.task_id, attempt=1, state="running")]

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sync, runner_client, hold=9, attempts=told)
        time.sleep(0.5)
        tasks.stop(site, admin, work.task_id)
        first = held.result(6)
    began = time.monotonic()
    second = sync(runner_client, hold=1.2, attempts=told)

    assert [first.verdicts[0].verdict, second.verdicts[0].verdict] == ["stop", "stop"]
    assert time.monotonic() - began > 1.0


def test_a_call_that_the_runner_has_overtaken_is_held_no_longer(ask, runner_client):
    ask()
    (work,) = sync(runner_client, "k1").work
    told = [wire.AttemptAlive(task_id=work.task_id, attempt=1, state="preparing")]

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(sync, runner_client, hold=4, attempts=told) for _ in range(2)]
        done, held = wait(calls, timeout=3, return_when=FIRST_COMPLETED)

    assert (len(done), len(held)) == (1, 1), "the newer one is held on, whichever it is"
    assert [call.result().verdicts[0].verdict for call in calls] == ["ok", "ok"]


def test_work_is_found_although_its_hint_was_lost(site, ask, runner_client):
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sync, runner_client, "k1", hold=9)
        time.sleep(0.5)
        site.hints._waiting.clear()
        ask()
        answer = held.result(watch.LOOK_SECONDS + 5)

    assert len(answer.work) == 1


def test_a_caller_who_hangs_up_leaves_nothing_waiting(site, runner_client, served):
    def waiting():
        # The outbox listens as long as the server runs.
        return [topic for topic in site.hints._waiting if topic != "outbox"]

    with socket.create_connection(("127.0.0.1", served.listener.getsockname()[1])) as raw:
        body = b'{"session_id": "s1", "installation_id": "of-box-1", "hold_seconds": 9}'
        token = runner_client._http.headers["Authorization"].encode()
        raw.sendall(
            b"POST /runner/v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + b"\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        deadline = time.monotonic() + 10
        while not waiting() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert waiting()

    deadline = time.monotonic() + 10
    while waiting() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not waiting()


def test_the_server_ends_at_once_although_calls_are_held(site, served, runner_client):
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(sync, runner_client, hold=10)
        time.sleep(0.5)
        began = time.monotonic()
        served.server.should_exit = True
        served.thread.join(8)

        assert not served.thread.is_alive()
        assert time.monotonic() - began < 4
        assert held.result(1).lease_seconds == site.settings.lease_seconds


SYNC = "/runner/v1/sync"
OF_ONE = "/runner/v1/tasks/1/attempts/1"
NONSENSE = [
    # Method, path, body, signed in, status, code.
    ("POST", SYNC, b"{}", False, 401, "unauthorized"),
    ("POST", SYNC, b"{", True, 400, "bad_json"),
    ("POST", SYNC, b"[]", True, 422, "bad_field"),
    ("POST", SYNC, b"\xff\xfe", True, 400, "bad_json"),
    ("POST", SYNC, b'{"x":' * 50_000, True, 400, "bad_json"),
    ("POST", SYNC, b'{"session_id": 1, "installation_id": "x"}', True, 422, "bad_field"),
    ("POST", SYNC, b'{"session_id": "\\u0000", "installation_id": "x"}', True, 422, "bad_field"),
    ("POST", SYNC, b'{"session_id": "x", "installation_id": "x", "slots": 0}', True, 422, "bad_field"),
    ("POST", SYNC, b" " * 1_100_000, True, 413, "too_big"),
    ("GET", SYNC, b"", True, 404, "not_found"),
    ("POST", "/runner/v1/nothing", b"{}", True, 404, "not_found"),
    ("POST", f"{OF_ONE}/permit", b"{}", True, 404, "not_found"),
    ("POST", "/runner/v1/tasks/9999999999/attempts/1/permit", b"{}", True, 404, "not_found"),
    ("POST", f"{OF_ONE}/output", b"", True, 422, "bad_field"),
    ("POST", f"{OF_ONE}/output?offset=-1", b"", True, 422, "bad_field"),
    ("POST", f"{OF_ONE}/finish", b"{}", True, 422, "bad_field"),
    ("GET", "/runner/v1/tasks/1/attempts/../1/package", b"", True, 404, "not_found"),
]


def test_what_makes_no_sense_is_refused_in_one_shape(runner_client, served):
    token = runner_client._http.headers["Authorization"]
    seen, wanted = [], []

    with httpx2.Client() as client:
        for method, path, body, signed_in, status, code in NONSENSE:
            headers = {"Authorization": token} if signed_in else {}
            answer = client.request(method, served.address + path, content=body, headers=headers)
            seen.append((method, path, body[:40], answer.status_code, answer.json()["code"]))
            wanted.append((method, path, body[:40], status, code))
            assert answer.headers["content-type"] == "application/problem+json"
            assert isinstance(answer.json()["message"], str)

    assert seen == wanted


def test_another_protocol_is_refused(runner_client):
    runner_client._http.headers["X-Bottool-Protocol"] = "9"

    with pytest.raises(Refused, match="protocol 1, not '9'"):
        sync(runner_client)


def test_other_kinds_of_tokens_do_no_runners_work(site, workspace, runner_client, served):
    with Client(served.address) as client:
        signed_in = client.login(wire.Login(login=workspace.login, key=workspace.key))
    with signed_in, pytest.raises(Refused) as caught:
        sync(signed_in)

    assert caught.value.http_status == 403


def test_errors_arrive_at_the_runner_as_what_they_are(admin, site, ask, runner_client, served):
    task = ask()
    (work,) = sync(runner_client, "k1").work
    tasks.cancel(site, admin, task.id)

    with pytest.raises(StaleAttempt) as caught:
        runner_client.post(f"{of(work)}/permit", {})

    assert (caught.value.details["task_id"], caught.value.details["attempt"]) == (task.id, 1)
    with Client(served.address, "btl_runner_" + "x" * 30) as stranger, pytest.raises(Unauthorized):
        sync(stranger)
    for error, call in (
        (NotFound, lambda: runner_client.post("/runner/v1/tasks/77/attempts/1/void", {})),
        (InvalidInput, lambda: runner_client.post(f"{of(work)}/finish", wire.Ended(report_key="r", reason="bored"))),
        (TooBig, lambda: runner_client.post(f"{of(work)}/output", b"x" * 5_000_000, query={"offset": 0})),
    ):
        with pytest.raises(error):
            call()


def test_a_slow_body_is_given_up_and_others_go_on(site, served, runner_client, monkeypatch):
    monkeypatch.setattr(gateway_http, "BODY_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", served.listener.getsockname()[1])) as raw:
        raw.sendall(b"POST /runner/v1/register HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        sync(runner_client)
        raw.settimeout(10)
        answer = b""
        while b"did not go on" not in answer and (piece := raw.recv(4096)):
            answer += piece

    # Not 400: a runner takes that for the last word, and would give its output up.
    assert b"503" in answer.splitlines()[0]
    assert b"did not go on" in answer


def test_a_slow_body_that_goes_on_is_taken_however_long_it_takes(served, monkeypatch):
    monkeypatch.setattr(gateway_http, "BODY_SECONDS", 1.0)
    body = b'{"code": "no", "installation_id": "here"}'
    head = f"POST /runner/v1/register HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.listener.getsockname()[1])) as raw:
        raw.sendall(head.encode())
        began = time.monotonic()
        for start in range(0, len(body), 8):
            raw.sendall(body[start : start + 8])
            time.sleep(0.3)
        raw.settimeout(10)
        answer = raw.recv(65536)

    assert time.monotonic() - began > 1.5
    assert b"401" in answer.splitlines()[0]


def test_many_held_calls_do_not_keep_others_waiting(site, workspace, runner_client, served, an_automation):
    threads = [
        threading.Thread(target=lambda number=number: sync(runner_client, hold=2, session_id=f"s{number}"))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    with Client(served.address) as client:
        client.get("/rest/v1/status")
    waited = time.monotonic() - began
    for thread in threads:
        thread.join()

    assert waited < 2
