"""Alerts that bots raised, messages with what became of them, and channels of chat services."""

from flask import request, url_for

from bottool import wire
from bottool_web.actions import alerts, channels, messages
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50
PERIODS = (1, 7, 30, 90, 365)
ALERT_TYPES = ("info", "warn", "error")
DELIVERY_STATES = ("waiting", "sent", "failed")


@blueprint.get("/alerts")
@page("alert.read")
def alert_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``search``, ``automation``, ``task``, ``type``, ``days``, ``before``."""
    asked = {name: request.args.get(name, "").strip() for name in ("search", "automation", "type")}
    asked["type"] = asked["type"] if asked["type"] in ALERT_TYPES else ""
    numbers = {name: request.args.get(name, type=int) or None for name in ("task", "days", "before")}
    found = alerts.list_alerts(
        site,
        who,
        numbers["task"],
        **asked,
        days=numbers["days"],
        before=numbers["before"],
        limit=PAGE_ROWS + 1,
    )
    return show(
        "alerts.html",
        who,
        alerts=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked=asked | numbers,
        periods=PERIODS,
        types=ALERT_TYPES,
    )


@blueprint.get("/messages")
@page("message.read")
def message_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``search``, ``state``, ``task``, ``days``, ``before``."""
    asked = {name: request.args.get(name, "").strip() for name in ("search", "state")}
    asked["state"] = asked["state"] if asked["state"] in DELIVERY_STATES else ""
    numbers = {name: request.args.get(name, type=int) or None for name in ("task", "days", "before")}
    found = messages.list_messages(
        site,
        who,
        **asked,
        task_id=numbers["task"],
        days=numbers["days"],
        before=numbers["before"],
        limit=PAGE_ROWS + 1,
    )
    return show(
        "messages.html",
        who,
        messages=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked=asked | numbers,
        periods=PERIODS,
        states=DELIVERY_STATES,
        mail_server=site.settings.smtp_host,
        channels=channels.list_channels(site, who),
    )


@blueprint.get("/messages/<int:message_id>")
@page("message.read")
def message_page(site: Site, who: Principal, message_id: int) -> Answer:
    return show("message.html", who, message=messages.get_message(site, who, message_id))


@blueprint.post("/messages/<int:message_id>/deliveries/<int:delivery_id>/resend")
@page("message.send")
def message_resend(site: Site, who: Principal, message_id: int, delivery_id: int) -> Answer:
    target = url_for("pages.message_page", message_id=message_id)
    return act(lambda: messages.resend(site, who, delivery_id), "It goes out once more.", target)


@blueprint.post("/messages/channels")
@page("notice.manage")
def channel_create(site: Site, who: Principal) -> Answer:
    new = wire.NewChannel(label=request.form.get("label", "").strip(), address=request.form.get("address", "").strip())
    return act(
        lambda: channels.create(site, who, new),
        "The channel is set up. Send a test to it.",
        url_for("pages.message_list"),
    )


@blueprint.post("/messages/channels/<label>/test")
@page("notice.manage")
def channel_test(site: Site, who: Principal, label: str) -> Answer:
    done = "A test is on its way; the list says what became of it."
    return act(lambda: channels.send_test(site, who, label), done, url_for("pages.message_list"))


@blueprint.post("/messages/channels/<label>/delete")
@page("notice.manage")
def channel_delete(site: Site, who: Principal, label: str) -> Answer:
    target = url_for("pages.message_list")
    return act(lambda: channels.delete(site, who, label), f"The channel '{label}' is forgotten.", target)
