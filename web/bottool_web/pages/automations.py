"""Automations: what they are, their settings, and "New Task" with the form of their parameters."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import flash, redirect, request, url_for

from bottool import wire
from bottool.errors import BottoolError, InvalidInput
from bottool_web.actions import automations, bots, channels, credentials, displays, messages, runners, tasks
from bottool_web.actions.site import Site
from bottool_web.pages import limits
from bottool_web.pages.forms import Form, number, typed
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

NOTICES = {
    "info": "alerts: INFO",
    "warn": "alerts: WARN",
    "error": "alerts: ERROR",
    "failed": "a task failed",
    "timed_out": "a task ran out of time",
    "expired": "a task never started",
    "lost": "contact with a task was lost",
    "waiting": "no runner can take a task",
}
"""What people may be told of, as the form names it."""
SCREENS = {
    "none": "none",
    "virtual": "a virtual one for each task",
    "screen": "the machine's own, unlocked",
}


@blueprint.get("/automations")
@page("automation.read")
def automation_list(site: Site, who: Principal) -> Answer:
    return show("automations.html", who, automations=automations.list_automations(site, who))


@blueprint.get("/automations/new")
@page("automation.create")
def automation_new(site: Site, who: Principal) -> Answer:
    return _settings_page(site, who, None, request.args)


@blueprint.post("/automations/new")
@page("automation.create")
def automation_create(site: Site, who: Principal) -> Answer:
    form = request.form
    try:
        made = automations.create(
            site, who, msgspec.convert({"label": form.get("label", "").strip(), **_settings(form)}, wire.NewAutomation)
        )
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, None, error)
    flash("The automation is there.", "success")
    return redirect(url_for("pages.automation_page", label=made.label))


@blueprint.get("/automations/<label>")
@page("automation.read")
def automation_page(site: Site, who: Principal, label: str) -> Answer:
    automation = automations.get_automation(site, who, label)
    return show(
        "automation.html",
        who,
        automation=automation,
        tasks=tasks.list_tasks(site, who, automation=label, limit=20),
        notices=NOTICES,
        limits=limits.shown(automation),
    )


@blueprint.get("/automations/<label>/change")
@page("automation.change")
def automation_settings(site: Site, who: Principal, label: str) -> Answer:
    return _settings_page(site, who, automations.get_automation(site, who, label), request.args)


@blueprint.post("/automations/<label>/change")
@page("automation.change")
def automation_change(site: Site, who: Principal, label: str) -> Answer:
    try:
        automations.change(site, who, label, msgspec.convert(_settings(request.form), wire.AutomationChange))
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, automations.get_automation(site, who, label), error)
    flash("The automation is changed.", "success")
    return redirect(url_for("pages.automation_page", label=label))


@blueprint.post("/automations/<label>/delete")
@page("automation.delete")
def automation_delete(site: Site, who: Principal, label: str) -> Answer:
    return act(
        lambda: automations.delete(site, who, label),
        f"The automation '{label}' is deleted; its tasks are kept.",
        url_for("pages.automation_list"),
    )


@blueprint.get("/automations/<label>/new-task")
@page("task.create")
def task_form(site: Site, who: Principal, label: str) -> Answer:
    automation = automations.get_automation(site, who, label)
    return show("new_task.html", who, automation=automation, form={}, error="")


@blueprint.post("/automations/<label>/new-task")
@page("task.create")
def task_create(site: Site, who: Principal, label: str) -> Answer:
    automation = automations.get_automation(site, who, label)
    try:
        new = _new_task(automation, request.form)
        # The form carries a key of its own, so that a second click does not start a second bot.
        made = tasks.create(site, who, new, idempotency_key=request.form.get("key", ""))
    except BottoolError as error:
        page_ = show("new_task.html", who, automation=automation, form=request.form, error=sentence(error))
        return page_, error.http_status
    return redirect(url_for("pages.task_page", task_id=made.id))


def _new_task(automation: wire.Automation, form: Form) -> wire.NewTask:
    values = {item.label: typed(item, form.get(f"p.{item.label}", "")) for item in automation.parameters}
    priority = form.get("priority", "").strip()
    return wire.NewTask(
        automation=automation.label,
        parameters={label: value for label, value in values.items() if value is not None},
        priority=number(priority, "priority") if priority else None,
        earliest_at=_time(form.get("earliest_at", "")),
        test="test" in form,
    )


def _time(text: str) -> datetime | None:
    """The form gives UTC without a zone, as its label says."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(f"'{text}' is no time") from None


def _settings(form: Form) -> dict[str, Any]:
    """The fields of the settings form, as ``wire.NewAutomation`` and ``wire.AutomationChange`` name them."""
    named = (name.strip() for name in form.get("new_runner", "").split(","))
    return {
        "name": form.get("name", "").strip(),
        "description": form.get("description", "").strip(),
        "bot_id": form.get("bot_id", ""),
        "runners": list(dict.fromkeys([*form.getlist("runners"), *(name for name in named if name)])),
        "priority": number(form.get("priority", "0") or "0", "priority"),
        **limits.from_form(form),
        "max_attempts": number(form.get("max_attempts", "1") or "1", "max_attempts"),
        "retry_on_lost": "retry_on_lost" in form,
        "report_required": "report_required" in form,
        "display": form.get("display", "none"),
        "display_size": form.get("display_size", "").strip() or "1280x1024",
        "display_depth": number(form.get("display_depth", "") or "24", "display_depth"),
        "parameters": _parameters(form),
        "notify_users": form.getlist("notify_users"),
        "notify_channels": form.getlist("notify_channels"),
        "notify_types": form.getlist("notify_types"),
        "credentials": form.getlist("credentials") if "credentials_listed" in form else None,
        "waiting_minutes": number(form.get("waiting_minutes", "") or "30", "waiting_minutes"),
    }


def _parameters(form: Form) -> list[dict[str, Any]]:
    """The rows of the parameter table; a row without a label is left out."""
    rows = zip(
        form.getlist("parameter.label"),
        form.getlist("parameter.type"),
        form.getlist("parameter.default"),
        form.getlist("parameter.choices"),
        form.getlist("parameter.required"),
        strict=False,
    )
    made = []
    for label, kind, default, choices, required in rows:
        if label.strip():
            plain = {"label": label.strip(), "type": kind, "required": required == "yes"}
            plain["choices"] = [choice.strip() for choice in choices.split(",") if choice.strip()]
            plain["default"] = typed(msgspec.convert(plain, wire.Parameter), default) if default.strip() else None
            made.append(plain)
    return made


def _settings_page(site: Site, who: Principal, automation: wire.Automation | None, form: Any, error: str = "") -> str:
    return show(
        "automation_settings.html",
        who,
        automation=automation,
        form=form,
        bots=bots.list_bots(site, who),
        runners=runners.list_runners(site, who),
        users=messages.list_users(site, who),
        channels=channels.list_channels(site, who),
        credentials=[each.label for each in credentials.list_credentials(site, who)],
        notices=NOTICES,
        limits=limits.texts_of(automation),
        limit_labels=limits.LABELS,
        screens=SCREENS,
        needs_display=displays.hint(site, who, automation.bot_id) if automation else "",
        error=error,
    )


def _refused(
    site: Site, who: Principal, automation: wire.Automation | None, error: BottoolError | msgspec.ValidationError
) -> Answer:
    if isinstance(error, BottoolError):
        return _settings_page(site, who, automation, request.form, sentence(error)), error.http_status
    return _settings_page(site, who, automation, request.form, str(error)), 422
