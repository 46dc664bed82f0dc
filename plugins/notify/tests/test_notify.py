"""Notifications reach a real HTTP server, as a web hook gets them."""

import json
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bottool.errors import Unavailable
from bottool.model import Notification
from bottool.plugins import Plugins
from bottool_notify import plugin

# apprise asks for it where it is still there, and does without it elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")


class Hook:
    """A web hook: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.address = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    kept = Hook()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    kept.address = f"json://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session", autouse=True)
def _threads_of_apprise() -> None:
    """apprise keeps a thread for as long as its process lives: it is there before a test looks what it leaves."""
    with pytest.raises(Unavailable), warnings.catch_warnings(action="ignore"):
        plugin.bottool_notify(Notification(address="json://127.0.0.1:9/", title="a", text="b"))


@pytest.fixture
def plugins() -> Plugins:
    made = Plugins()
    made.add("notify", plugin)
    return made


def test_a_web_hook_gets_title_and_text_as_they_are(plugins: Plugins, hook: Hook) -> None:
    text = "<b>ação</b> \\n :rocket: {{ 7*7 }}"

    assert plugins.notify(Notification(address=hook.address, title="Invoices", text=text, severity="error")) is True

    (got,) = hook.got
    assert (got["title"], got["message"], got["type"]) == ("Invoices", text, "failure")


def test_a_service_that_refuses_is_tried_again(plugins: Plugins, hook: Hook) -> None:
    hook.status = 500

    with pytest.raises(Unavailable) as refused:
        plugins.notify(Notification(address=hook.address, title="a", text="b"))

    assert "500" in refused.value.message


def test_a_service_that_is_down_is_tried_again(plugins: Plugins) -> None:
    with pytest.raises(Unavailable):
        plugins.notify(Notification(address="json://127.0.0.1:9/", title="a", text="b"))


def test_an_address_of_no_service_is_not_ours(plugins: Plugins) -> None:
    assert plugins.notify(Notification(address="nothing://here", title="a", text="b")) is None
