"""Chat channels: a real web hook gets what people shall know; one that fails or hangs costs nothing else."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, Forbidden, InvalidInput, NotFound
from bottool_web.actions import alerts, automations, channels, messages, tasks
from bottool_web.actions.deliveries import deliver_next, pause
from bottool_web.actions.identity import acting_site
from bottool_web.notifying import without
from bottool_web.outbox import ChannelCarrier, Outbox
from bottool_web.store.notice_tables import notice_channel
from bottool_web.store.scope import Principal

SECRET = "T0kenThatNobodySees"


class Hook:
    """A web hook: what it got, and how it answers."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.hangs = threading.Event()
        self.address = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    kept = Hook()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            deadline = time.monotonic() + 30
            while kept.hangs.is_set() and time.monotonic() < deadline:
                time.sleep(0.02)
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                pass  # its caller was killed

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    kept.address = f"json://127.0.0.1:{server.server_address[1]}/{SECRET}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    kept.hangs.clear()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ops(site: Any, admin: Principal, hook: Hook) -> wire.Channel:
    return channels.create(site, admin, wire.NewChannel(label="ops", address=hook.address))


def deliver(site: Any, who: Principal) -> int:
    carrier, tried = ChannelCarrier(site), 0
    while deliver_next(site, acting_site(who.workspace_id), carrier) is not None:
        tried += 1
    return tried


def test_an_alert_reaches_the_channel_of_its_automation(site, admin, an_automation, ops, hook) -> None:
    an_automation(notify_channels=["ops"], notify_types=["error"])
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))

    alerts.create_alert(site, admin, wire.NewAlert(task_id=task.id, title="No paper", message="<b>", type="error"))
    assert deliver(site, admin) == 1

    (got,) = hook.got
    assert "No paper" in got["title"]
    assert "<b>" in got["message"]
    (told,) = messages.list_messages(site, admin)
    assert [(each.channel, each.address, each.state) for each in told.deliveries] == [("ops", "", "sent")]


def test_a_channel_that_fails_is_tried_again_and_its_address_stays_secret(site, admin, ops, hook, clock) -> None:
    hook.status = 503
    made = channels.send_test(site, admin, "ops")

    assert deliver(site, admin) == 1
    (waiting,) = messages.get_message(site, admin, made.id).deliveries
    assert waiting.state == "waiting"
    assert waiting.last_error
    assert SECRET not in waiting.last_error

    hook.status = 200
    clock.advance(pause(1).total_seconds())
    assert deliver(site, admin) == 1
    assert messages.get_message(site, admin, made.id).deliveries[0].state == "sent"
    assert len(hook.got) == 2


def test_an_address_that_no_plugin_serves_has_failed_at_once(site, admin) -> None:
    channels.create(site, admin, wire.NewChannel(label="odd", address=f"nothing://{SECRET}"))
    made = channels.send_test(site, admin, "odd")

    deliver(site, admin)

    (failed,) = messages.get_message(site, admin, made.id).deliveries
    assert failed.state == "failed"
    assert SECRET not in failed.last_error


def test_a_channel_that_hangs_is_left_after_its_time_and_the_server_ends_at_once(
    site, admin, ops, hook, until: Callable[..., None]
) -> None:
    hook.hangs.set()
    made = channels.send_test(site, admin, "ops")
    outbox = Outbox(site, ChannelCarrier(site))
    outbox.start()
    until(lambda: hook.got)
    ender = threading.Thread(target=outbox.stop)
    ender.start()
    ender.join(10)
    assert not ender.is_alive(), "it waits for the service"

    hurried = dataclasses.replace(site, settings=dataclasses.replace(site.settings, delivery_seconds=0.3))
    other = channels.send_test(hurried, admin, "ops")
    deliver(hurried, admin)

    for message in (made, other):
        (waiting,) = messages.get_message(site, admin, message.id).deliveries
        assert (waiting.state, "did not answer" in waiting.last_error) == ("waiting", True)


def test_an_address_is_sealed_and_never_shown(site, admin, ops, hook) -> None:
    rows = site.store.read(lambda tx: tx.exec_driver_sql("SELECT * FROM notice_channel").all())

    assert SECRET not in str(rows)
    assert SECRET not in str(channels.list_channels(site, admin))
    with pytest.raises(InvalidInput) as refused:
        channels.create(site, admin, wire.NewChannel(label="bad", address=f"not an address {SECRET}"))
    assert SECRET not in str(refused.value)


def test_a_sealed_address_is_of_no_use_in_another_row(site, admin, ops, hook) -> None:
    other = channels.create(site, admin, wire.NewChannel(label="other", address="json://127.0.0.1:9/"))
    mine = sa.select(notice_channel.c.sealed).where(notice_channel.c.id == ops.id).scalar_subquery()
    move = sa.update(notice_channel).where(notice_channel.c.id == other.id).values(sealed=mine)
    site.store.write(lambda tx: tx.execute(move).rowcount)
    made = channels.send_test(site, admin, "other")

    deliver(site, admin)

    assert hook.got == []
    assert messages.get_message(site, admin, made.id).deliveries[0].state == "waiting"


def test_a_deleted_channel_gets_nothing_and_its_label_is_free(site, admin, an_automation, ops, hook) -> None:
    automation = an_automation(notify_channels=["ops"], notify_types=["error"])
    made = channels.send_test(site, admin, "ops")

    channels.delete(site, admin, "ops")
    deliver(site, admin)

    assert hook.got == []
    assert messages.get_message(site, admin, made.id).deliveries[0].state == "failed"
    task = tasks.create(site, admin, wire.NewTask(automation=automation.label))
    alerts.create_alert(site, admin, wire.NewAlert(task_id=task.id, title="a", message="b", type="error"))
    assert len(messages.list_messages(site, admin)) == 1
    channels.create(site, admin, wire.NewChannel(label="ops", address=hook.address))
    with pytest.raises(Conflict):
        channels.create(site, admin, wire.NewChannel(label="ops", address=hook.address))


@pytest.mark.parametrize("address", ["", "slack", "://x", "http:/x", "a b://x", "json://x y", "json://\n", "j\0n://x"])
def test_what_is_no_address_of_a_channel_is_refused(address, site, admin) -> None:
    with pytest.raises(InvalidInput):
        channels.create(site, admin, wire.NewChannel(label="ops", address=address))


def test_only_managers_of_the_workspace_set_channels_up(site, workspace, other_workspace, admin, ops, hook) -> None:
    new = wire.NewChannel(label="mine", address=hook.address)
    for role in ("viewer", "operator", "developer"):
        with pytest.raises(Forbidden):
            channels.create(site, workspace.principal(role), new)

    eve = other_workspace.principal("administrator")
    assert channels.list_channels(site, eve) == []
    for act in (channels.delete, channels.send_test):
        with pytest.raises(NotFound):
            act(site, eve, "ops")
    with pytest.raises(InvalidInput):
        automations.create(site, eve, wire.NewAutomation(label="theirs", notify_channels=["ops"]))


@pytest.mark.parametrize(
    "said", [f"no route to slack://{SECRET}/abcd1234", f"404 for https://host/{SECRET}?x=abcd1234", f"{SECRET}!"]
)
def test_nothing_of_an_address_is_left_in_what_a_plugin_says(said) -> None:
    left = without(said, f"slack://{SECRET}/abcd1234")

    assert SECRET not in left
    assert "abcd1234" not in left
