"""Mail reaches a real mail server, once; one that is down, refuses or hangs delays it and loses nothing."""

import dataclasses
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bottool import wire
from bottool.errors import Conflict, Forbidden, InvalidInput, NotFound
from bottool_web.actions import alerts, automations, deliveries, messages, tasks
from bottool_web.actions.deliveries import deliver_next
from bottool_web.actions.identity import acting_site
from bottool_web.actions.site import Site
from bottool_web.outbox import MailCarrier, Outbox
from bottool_web.store.scope import Principal

ANA = "ana@acme.example"


@pytest.fixture
def with_mail(site: Site) -> Callable[..., Site]:
    def make(port: int, **more: Any) -> Site:
        said = {"smtp_tls": "none", "mail_from": "Bots <bots@acme.example>", **more}
        settings = dataclasses.replace(site.settings, smtp_host="127.0.0.1", smtp_port=port, **said)
        return dataclasses.replace(site, settings=settings)

    return make


def a_message(**more: Any) -> wire.NewMessage:
    return wire.NewMessage(**{"emails": [ANA], "subject": "Done", "body": "all of it", **more})


def deliver(site: Site, who: Principal, times: int = 20) -> int:
    """Work the mail off as the outbox does; how many tries it took."""
    carrier, tried = MailCarrier(site), 0
    while tried < times and deliver_next(site, acting_site(who.workspace_id), carrier) is not None:
        tried += 1
    carrier.close()
    return tried


def states(site: Site, who: Principal, message_id: int) -> list[tuple[str, str, int]]:
    return [(each.address, each.state, each.tries) for each in messages.get_message(site, who, message_id).deliveries]


def test_a_message_reaches_each_recipient_once(with_mail, admin, start_mail, mailbox, add_user) -> None:
    site = with_mail(start_mail().port)
    add_user("bob@acme.example")
    new = a_message(emails=[ANA, ANA], logins=["Bob@acme.example"], body="<b>ação</b>\n.\nend", type="html")

    made = messages.send(site, admin, new)

    assert deliver(site, admin) == 2
    assert deliver(site, admin) == 0
    assert sorted(mailbox.recipients) == [ANA, "bob@acme.example"]
    assert states(site, admin, made.id) == [(ANA, "sent", 1), ("bob@acme.example", "sent", 1)]
    mail = mailbox.taken[0]
    assert (mail["To"], mail["Subject"], mail.get_content_type()) == (ANA, "Done", "text/html")
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == "<b>ação</b>\n.\nend"
    assert mail["From"] == "Bots <bots@acme.example>"


@pytest.mark.parametrize("line", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x85", "\r\n\r\n", "%0d%0a"])
def test_a_line_break_in_a_subject_makes_no_header(line, with_mail, admin, start_mail, mailbox) -> None:
    site = with_mail(start_mail().port)

    messages.send(site, admin, a_message(subject=f"Hello{line}Bcc: eve@evil.example"))
    deliver(site, admin)

    (mail,) = mailbox.taken
    assert "Bcc" not in mail
    assert mailbox.recipients == [ANA]
    assert "\n" not in mail["Subject"]
    assert mail["Subject"].startswith("Hello")


@pytest.mark.parametrize(
    "address",
    [
        *("", " ", "ana", "ana@", "@acme.example", "a b@acme.example", "ana@acme.example\r\nBcc: e@e.example", "a@b@c"),
        *("ana@-acme.example", "ana@acme..example", "<ana@acme.example>", "a@x, b@y", "é@acme.example"),
        "a" * 300 + "@x.de",
    ],
)
def test_what_is_no_address_is_refused(address, site, admin) -> None:
    with pytest.raises(InvalidInput):
        messages.send(site, admin, a_message(emails=[address]))

    assert messages.list_messages(site, admin) == []


def test_more_than_fifty_recipients_are_refused(site, admin) -> None:
    fifty = [f"user{number}@acme.example" for number in range(50)]
    messages.send(site, admin, a_message(emails=fifty))

    with pytest.raises(InvalidInput):
        messages.send(site, admin, a_message(emails=[*fifty, ANA]))


def test_who_is_unknown_is_shown_and_the_others_are_told(site, admin) -> None:
    made = messages.send(site, admin, a_message(logins=["nobody@acme.example"], groups=["finance"]))

    assert [each.state for each in made.deliveries] == ["waiting", "failed", "failed"]
    assert "nobody@acme.example" in made.deliveries[1].last_error
    with pytest.raises(Conflict):
        messages.resend(site, admin, made.deliveries[1].id)
    with pytest.raises(InvalidInput):
        messages.send(site, admin, a_message(emails=[], logins=["nobody@acme.example"]))


def test_a_repeated_key_sends_once(site, admin) -> None:
    first = messages.send(site, admin, a_message(), idempotency_key="k")

    assert messages.send(site, admin, a_message(), idempotency_key="k").id == first.id
    assert len(messages.list_messages(site, admin)) == 1


def test_a_mail_server_that_is_down_delays_and_loses_nothing(with_mail, admin, clock, start_mail, mailbox) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = with_mail(port)
    made = messages.send(site, admin, a_message())
    tried = 0
    for _ in range(12):
        tried += deliver(site, admin)
        clock.advance(3600)
    (waiting,) = messages.get_message(site, admin, made.id).deliveries
    assert waiting.state == "waiting"
    assert waiting.last_error
    assert 4 < tried < 12, "the pauses grow"

    start_mail(port=port)
    clock.advance(5 * 3600)
    deliver(site, admin)

    assert states(site, admin, made.id)[0][1] == "sent"
    assert len(mailbox.taken) == 1


def test_a_reply_of_4xx_is_tried_again_with_the_same_id_and_one_of_5xx_is_final(
    with_mail, admin, clock, start_mail, mailbox
) -> None:
    site = with_mail(start_mail().port)
    mailbox.to = {"busy@acme.example": "451 come later", "gone@acme.example": "550 no such user"}
    made = messages.send(site, admin, a_message(emails=["busy@acme.example", "gone@acme.example", ANA]))

    assert deliver(site, admin) == 3
    busy, gone, ana = messages.get_message(site, admin, made.id).deliveries
    assert (busy.state, gone.state, ana.state) == ("waiting", "failed", "sent")
    assert "550 no such user" in gone.last_error

    mailbox.to, mailbox.data = {}, "452 the disk is full"
    clock.advance(deliveries.pause(1).total_seconds())
    assert deliver(site, admin) == 1
    mailbox.data = ""
    clock.advance(deliveries.pause(2).total_seconds())
    assert deliver(site, admin) == 1
    assert states(site, admin, made.id)[0] == ("busy@acme.example", "sent", 3)


def test_what_cannot_be_delivered_for_days_has_failed_and_may_be_sent_again(
    with_mail, admin, clock, start_mail, mailbox
) -> None:
    site = with_mail(start_mail().port)
    mailbox.to = {ANA: "451 come later"}
    made = messages.send(site, admin, a_message())
    deliver(site, admin)

    clock.advance(timedelta(days=6).total_seconds())
    deliver(site, admin)

    (failed,) = messages.get_message(site, admin, made.id).deliveries
    assert (failed.state, "come later" in failed.last_error) == ("failed", True)
    mailbox.to = {}
    messages.resend(site, admin, failed.id)
    deliver(site, admin)
    assert states(site, admin, made.id) == [(ANA, "sent", 1)]


def test_without_a_mail_server_mail_waits_and_is_given_up_after_days(site, admin, clock) -> None:
    made = messages.send(site, admin, a_message())
    keeper = acting_site(admin.workspace_id)
    assert not MailCarrier(site).is_set_up
    assert deliveries.give_up_old(site, keeper) == 0

    clock.advance(timedelta(days=6).total_seconds())

    assert deliveries.give_up_old(site, keeper) == 1
    assert states(site, admin, made.id)[0][1] == "failed"


def test_two_servers_never_send_the_same_twice(with_mail, admin, start_mail, mailbox) -> None:
    site = with_mail(start_mail().port)
    for number in range(20):
        messages.send(site, admin, a_message(emails=[f"user{number}@acme.example"]))
    workers = [threading.Thread(target=deliver, args=(site, admin)) for _ in range(3)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    deliver(site, admin)

    assert sorted(mailbox.recipients) == sorted(f"user{number}@acme.example" for number in range(20))


def test_a_server_that_dies_while_it_sends_leaves_it_to_the_next_under_the_same_id(
    with_mail, admin, clock, start_mail, mailbox
) -> None:
    site = with_mail(start_mail().port)
    made = messages.send(site, admin, a_message())

    class Dying(MailCarrier):
        def send(self, parcel: Any) -> None:
            super().send(parcel)
            raise KeyboardInterrupt  # as a kill does: nothing is settled

    carrier = Dying(site)
    with pytest.raises(KeyboardInterrupt):
        deliver_next(site, acting_site(admin.workspace_id), carrier)
    carrier.close()
    assert deliver(site, admin) == 0, "its lease still holds"

    clock.advance(3 * site.settings.delivery_seconds + 1)
    deliver(site, admin)

    first, second = mailbox.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert states(site, admin, made.id) == [(ANA, "sent", 2)]


def test_a_mail_server_that_hangs_blocks_nobody_and_the_server_ends_at_once(
    with_mail, admin, start_mail, mailbox, until
) -> None:
    site = with_mail(start_mail().port, delivery_seconds=60.0)
    mailbox.hangs.set()
    made = messages.send(site, admin, a_message())
    outbox = Outbox(site, MailCarrier(site))
    outbox.start()
    until(lambda: mailbox.asked)

    messages.send(site, admin, a_message())
    ender = threading.Thread(target=outbox.stop)
    ender.start()
    ender.join(10)

    assert not ender.is_alive(), "it waits for the mail server"
    assert states(site, admin, made.id)[0][1] == "waiting"


def test_a_mail_server_that_never_answers_is_left_after_the_time(with_mail, admin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = with_mail(silent.getsockname()[1], delivery_seconds=0.5)
        made = messages.send(site, admin, a_message())

        assert deliver(site, admin) == 1

    (waiting,) = messages.get_message(site, admin, made.id).deliveries
    assert waiting.state == "waiting"
    assert waiting.last_error


@pytest.mark.parametrize("mode", ["starttls", "tls"])
def test_mail_goes_out_encrypted_and_signed_in(
    mode, with_mail, admin, start_mail, mailbox, mail_login, certificate, tmp_path
) -> None:
    password = tmp_path / "password"
    password.write_text(f"{mail_login.password}\n")
    # A server that speaks TLS from the first byte does not know that it does.
    auth = {"authenticator": mail_login.check, "auth_require_tls": mode == "starttls"}
    how = (
        {"ssl": certificate.server} if mode == "tls" else {"tls_context": certificate.server, "require_starttls": True}
    )
    said = {"smtp_tls": mode, "smtp_user": "bots", "smtp_password_file": str(password)}
    site = with_mail(start_mail(**auth, **how).port, smtp_ca_file=str(certificate.ca_file), **said)

    messages.send(site, admin, a_message())
    deliver(site, admin)

    assert mailbox.recipients == [ANA]


def test_a_certificate_of_a_stranger_is_not_trusted(with_mail, admin, start_mail, mailbox, certificate) -> None:
    site = with_mail(start_mail(tls_context=certificate.server).port, smtp_tls="starttls")

    made = messages.send(site, admin, a_message())
    deliver(site, admin)

    assert mailbox.recipients == []
    assert "certificate" in messages.get_message(site, admin, made.id).deliveries[0].last_error


def test_a_wrong_password_delays_until_it_is_right(
    with_mail, admin, start_mail, mailbox, mail_login, certificate, clock, tmp_path
) -> None:
    password = tmp_path / "password"
    password.write_text("wrong")
    server = start_mail(authenticator=mail_login.check, auth_required=True, tls_context=certificate.server)
    said = {"smtp_user": "bots", "smtp_password_file": str(password), "smtp_ca_file": str(certificate.ca_file)}
    site = with_mail(server.port, smtp_tls="starttls", **said)

    made = messages.send(site, admin, a_message())
    deliver(site, admin)

    (waiting,) = messages.get_message(site, admin, made.id).deliveries
    assert (waiting.state, "535" in waiting.last_error) == ("waiting", True)
    password.write_text(mail_login.password)
    clock.advance(3600)
    deliver(site, admin)
    assert mailbox.recipients == [ANA]


# Who is told.


def test_an_alert_tells_the_users_of_its_automation(site, admin, an_automation, add_user) -> None:
    add_user(ANA)
    an_automation(notify_users=[ANA], notify_types=["error", "failed"])
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))

    alerts.create_alert(site, admin, wire.NewAlert(task_id=task.id, title="odd", message="a", type="warn"))
    assert messages.list_messages(site, admin) == []
    alerts.create_alert(site, admin, wire.NewAlert(task_id=task.id, title="bad", message="b", type="error"))

    (told,) = messages.list_messages(site, admin)
    assert (told.kind, told.task_id, [each.address for each in told.deliveries]) == ("alert", task.id, [ANA])
    assert "bad" in told.subject


def test_the_end_of_a_task_tells_those_who_want_to_know(site, admin, an_automation, add_user) -> None:
    add_user(ANA)
    an_automation(notify_users=[ANA], notify_types=["failed"])
    first, second = (tasks.create(site, admin, wire.NewTask(automation="daily")) for _ in range(2))

    tasks.finish(site, admin, first.id, wire.Finish(status="succeeded"))
    tasks.finish(site, admin, second.id, wire.Finish(status="failed", message="no paper"))
    tasks.finish(site, admin, second.id, wire.Finish(status="failed", message="no paper"))

    (told,) = messages.list_messages(site, admin)
    assert (told.kind, told.task_id) == ("task", second.id)
    assert "no paper" in messages.get_message(site, admin, told.id).body


def test_only_users_of_the_workspace_can_be_told(site, admin, an_automation, add_user, other_workspace) -> None:
    add_user(ANA)
    an_automation(notify_users=[ANA])
    with pytest.raises(InvalidInput):
        automations.change(site, admin, "daily", wire.AutomationChange(notify_users=["eve@evil.example"]))
    assert automations.get_automation(site, admin, "daily").notify_users == [ANA]

    automations.change(site, admin, "daily", wire.AutomationChange(notify_users=[], notify_types=["lost"]))

    changed = automations.get_automation(site, admin, "daily")
    assert (changed.notify_users, changed.notify_types) == ([], ["lost"])


def test_messages_of_another_workspace_are_not_there(site, admin, other_workspace) -> None:
    made, eve = messages.send(site, admin, a_message()), other_workspace.principal("administrator")

    assert messages.list_messages(site, eve) == []
    with pytest.raises(NotFound):
        messages.get_message(site, eve, made.id)
    with pytest.raises(NotFound):
        messages.resend(site, eve, made.deliveries[0].id)
    with pytest.raises(Forbidden):
        messages.list_messages(site, other_workspace.principal("viewer"))


def test_messages_are_found_by_text_address_state_and_period(site, admin, clock) -> None:
    old = messages.send(site, admin, a_message(subject="Invoices of 100% May"))
    clock.advance(timedelta(days=3).total_seconds())
    new = messages.send(site, admin, a_message(emails=["bob@acme.example"], logins=["who@acme.example"]))

    def found(**said: Any) -> list[int]:
        return [each.id for each in messages.list_messages(site, admin, **said)]

    assert found() == [new.id, old.id]
    assert found(search="100% may") == [old.id]
    assert found(search="BOB@") == [new.id]
    assert found(state="failed") == [new.id]
    assert found(days=1) == [new.id]
    assert found(before=new.id) == [old.id]


def test_alerts_come_as_pages_with_true_totals(site, admin, an_automation, clock) -> None:
    an_automation()
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))
    other = tasks.create(site, admin, wire.NewTask(automation="daily"))
    for number in range(25):
        new = wire.NewAlert(task_id=task.id, title=f"t{number}", message="m", type="error" if number % 5 else "info")
        alerts.create_alert(site, admin, new)
        clock.advance(3600)
    alerts.create_alert(site, admin, wire.NewAlert(task_id=other.id, title="other", message="50% done"))

    def asked(said: alerts.Filter, **more: Any) -> tuple[list[str], int]:
        found, total = alerts.page_of_alerts(site, admin, said, **{"first": 0, "limit": 3, **more})
        return [each.title for each in found], total

    assert asked(alerts.Filter()) == (["other", "t24", "t23"], 26)
    assert asked(alerts.Filter(task_id=task.id), first=24) == (["t0"], 25)
    assert asked(alerts.Filter(type="info"), first=3, limit=9) == (["t10", "t5", "t0"], 6)
    assert asked(alerts.Filter(search="50%")) == (["other"], 1)
    assert asked(alerts.Filter(days=1), limit=1) == (["other"], 25)
    assert asked(alerts.Filter(automation="daily"), descending=False) == (["t0", "t1", "t2"], 26)
    assert asked(alerts.Filter(automation="weekly")) == ([], 0)
