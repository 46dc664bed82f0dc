"""Live streams for browsers: what a bot prints arrives at once, whole, and goes on where a connection broke."""

import json
import threading
import time

import httpx2
import pytest

from bottool import wire
from bottool_web.actions import attempts, tasks

# The connections know no database; what they call is tried on both elsewhere.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def running(life, box, ask):
    """The work of a running attempt."""
    ask()
    work, _ = life.start(box)
    return work


@pytest.fixture
def print_(site, box, running):
    """``print_("text")``: the bot prints."""
    at = [0]

    def say(text: str | bytes, stream: wire.Stream = wire.Stream.STDOUT) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        frame = wire.pack_frame(wire.Frame(stream, 5.0, data))
        at[0] = attempts.append_output(site, box, running.task_id, running.attempt, at[0], frame).next_offset

    return say


def events(served, cookie, path, headers=None, count=10**6, seconds=20):
    """``(event, id, lines)`` of a stream, until it ends or so many came."""
    found = []
    with (
        httpx2.Client(timeout=seconds) as client,
        client.stream(
            "GET", served.address + path, headers={"Cookie": f"bottool_session={cookie}", **(headers or {})}
        ) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        event, place, lines = "", "", []
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "id":
                place = value
            elif name == "data":
                lines.append(value)
            elif not line and event:
                found.append((event, place, lines))
                event, place, lines = "", "", []
                if len(found) >= count:
                    break
    return found


def text_of(found) -> str:
    return "".join(json.loads(line)["text"] for event, _, lines in found if event == "frames" for line in lines)


def later(call, seconds=0.4):
    thread = threading.Timer(seconds, call)
    thread.start()
    return thread


def test_output_arrives_as_it_is_printed_and_ends_with_the_attempt(served, cookie, life, box, running, print_):
    print_("one\n")
    threads = [later(lambda: print_("two\n", wire.Stream.STDERR)), later(lambda: life.end(box, running), 0.9)]

    found = events(served, cookie, f"/live/tasks/{running.task_id}/output?after=0")
    for thread in threads:
        thread.join()

    assert found[-1][0] == "ended"
    assert text_of(found) == "one\ntwo\n"
    assert json.loads(found[0][2][0]) == {"stream": 1, "at": 5.0, "text": "one\n"}


def test_a_broken_stream_goes_on_without_gap_or_repetition(served, cookie, life, box, running, print_):
    for number in range(5):
        print_(f"line {number}\n")
    first = events(served, cookie, f"/live/tasks/{running.task_id}/output?after=0", count=1)
    for number in range(5, 9):
        print_(f"line {number}\n")
    life.end(box, running)

    rest = events(
        served, cookie, f"/live/tasks/{running.task_id}/output?after=0", headers={"Last-Event-ID": first[-1][1]}
    )

    assert text_of(first) + text_of(rest) == "".join(f"line {number}\n" for number in range(9))


def test_a_character_that_was_cut_in_two_is_whole_even_across_a_broken_stream(
    served, cookie, life, box, running, print_
):
    half, other = "é".encode()[:1], "é".encode()[1:]
    print_(b"caf" + half)
    first = events(served, cookie, f"/live/tasks/{running.task_id}/output", count=1)
    print_(b"\xff?", wire.Stream.STDERR)
    print_(other + b"!")
    life.end(box, running)

    rest = events(served, cookie, f"/live/tasks/{running.task_id}/output", headers={"Last-Event-ID": first[0][1]})
    whole = events(served, cookie, f"/live/tasks/{running.task_id}/output")

    assert text_of(first) == "caf"
    stdout = "".join(json.loads(line)["text"] for _, _, lines in rest[:-1] for line in lines if '"stream": 1' in line)
    # What came before is in the piece in front of the place, so the half is known.
    assert stdout == "é!"
    assert text_of(whole) == "caf\N{REPLACEMENT CHARACTER}?é!"


def test_a_stream_stays_with_its_attempt_when_the_task_is_tried_again(
    site, admin, served, cookie, life, box, running, print_
):
    print_("first try\n")
    first = events(served, cookie, f"/live/tasks/{running.task_id}/output", count=1)
    life.end(box, running, exit_code=1)

    rest = events(served, cookie, f"/live/tasks/{running.task_id}/output", headers={"Last-Event-ID": first[0][1]})

    assert first[0][1].startswith("1:")
    assert [event for event, _, _ in rest] == ["ended"]


def test_changes_are_told_and_coalesced(site, admin, served, cookie, ask, box):
    task = ask()
    thread = later(lambda: [ask() for _ in range(10)] and tasks.cancel(site, admin, task.id))

    found = events(served, cookie, f"/live/changes?task={task.id}", count=2)
    thread.join()

    topics = {topic for _, _, lines in found for topic in json.loads(lines[0])["topics"]}
    assert all(event == "changed" for event, _, _ in found)
    assert topics == {f"workspace:{admin.workspace_id}", f"task:{task.id}"}


@pytest.mark.parametrize("path", ["/live/changes", "/live/tasks/1/output"])
def test_nobody_listens_without_being_signed_in(served, path):
    with httpx2.Client() as client:
        answer = client.get(served.address + path)

    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


def test_a_task_that_is_not_there_and_a_place_that_is_none_are_refused(served, cookie, running, workspace):
    headers = {"Cookie": f"bottool_session={cookie}"}
    with httpx2.Client() as client:
        missing = client.get(f"{served.address}/live/tasks/999/output", headers=headers)
        unknown = client.get(f"{served.address}/live/changes?task=999", headers=headers)
        nonsense = client.get(f"{served.address}/live/tasks/{running.task_id}/output?after=-1", headers=headers)

    assert [missing.status_code, unknown.status_code, nonsense.status_code] == [404, 404, 422]


def test_the_server_ends_soon_although_somebody_listens(served, cookie, workspace):
    thread = threading.Thread(target=lambda: events(served, cookie, "/live/changes"))
    thread.start()
    time.sleep(0.7)
    began = time.monotonic()

    served.server.should_exit = True
    served.thread.join(8)
    thread.join(8)

    assert not served.thread.is_alive()
    assert not thread.is_alive()
    assert time.monotonic() - began < 4
