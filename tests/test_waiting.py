"""Following a task: what its bot prints, and when it is over. The far side is a small server that tells a story."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from bottool import wire
from bottool.cli import waiting
from bottool.client import Client

NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Story:
    """What the server says of task 7: each question for the task turns a page, the last one stays."""

    def __init__(self) -> None:
        self.pages: list[tuple[str, int, dict[int, tuple[bytes, bool]]]] = []
        """State, newest attempt, and of each attempt its output and whether it has ended."""
        self._page = -1
        story = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                if asked.path.endswith("/output"):
                    data, headers = story.output({name: int(each[0]) for name, each in parse_qs(asked.query).items()})
                else:
                    data, headers = story.task(), {"Content-Type": "application/json"}
                self.send_response(200)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def task(self) -> bytes:
        self._page = min(self._page + 1, len(self.pages) - 1)
        state, attempt, _ = self.pages[self._page]
        required = {
            field.encode_name: {int: 0, dict: {}, datetime: NOW}.get(field.type, "")
            for field in msgspec.structs.fields(wire.Task)
            if field.required
        }
        return msgspec.json.encode({**required, "id": 7, "state": state, "attempt": attempt})

    def output(self, asked: dict[str, int]) -> tuple[bytes, dict[str, str]]:
        """As the server does it: an offset behind the end is the end."""
        _, newest, attempts = self.pages[self._page]
        data, ended = attempts.get(asked.get("attempt", newest), (b"", False))
        after = min(asked["after"], len(data))
        headers = {wire.NEXT_OFFSET_HEADER: str(len(data)), wire.ENDED_HEADER: "true" if ended else "false"}
        return data[after:], headers

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def story() -> Iterator[Story]:
    made = Story()
    yield made
    made.close()


def printed(*texts: str) -> bytes:
    return b"".join(wire.pack_frame(wire.Frame(wire.Stream.STDOUT, 0.0, text.encode())) for text in texts)


def followed(story: Story) -> list[str]:
    said: list[str] = []
    with Client(story.address, "token") as client:
        waiting.show_output(client, 7, follow=True, write=lambda frame: said.append(frame.data.decode()))
    return said


def test_a_second_attempt_is_shown_from_its_own_beginning(story) -> None:
    first = (printed("unpacking a package with a long name", "then its machine was restarted"), True)
    story.pages = [
        ("running", 1, {1: first}),
        ("queued", 1, {1: first}),
        ("succeeded", 2, {1: first, 2: (printed("hello"), True)}),
    ]

    assert followed(story) == ["unpacking a package with a long name", "then its machine was restarted", "hello"]


def test_what_comes_after_the_result_is_waited_for(story) -> None:
    story.pages = [
        ("queued", 0, {}),
        ("starting", 1, {1: (b"", False)}),
        *[("succeeded", 1, {1: (b"", False)})] * 3,
        ("succeeded", 1, {1: (printed("late"), False)}),
        ("succeeded", 1, {1: (printed("late", "later"), True)}),
    ]

    assert followed(story) == ["late", "later"]


def test_the_end_of_a_first_attempt_is_shown_although_a_second_one_began(story) -> None:
    story.pages = [
        ("running", 1, {1: (printed("a"), False)}),
        ("succeeded", 2, {1: (printed("a", "b"), True), 2: (printed("c"), True)}),
    ]

    assert followed(story) == ["a", "b", "c"]


def test_a_task_that_never_ran_is_over_at_once(story) -> None:
    story.pages = [("cancelled", 0, {})]

    assert followed(story) == []
