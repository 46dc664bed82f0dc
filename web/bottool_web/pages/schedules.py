"""Schedules: the list with what is due next, one with what came of it, and the form with its preview."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from flask import flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict

from bottool import wire
from bottool.errors import BottoolError, InvalidInput
from bottool_web.actions import automations, schedules
from bottool_web.actions.site import Site
from bottool_web.pages.forms import Form, number, typed
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50
CALENDAR_KINDS = ("daily", "weekly", "monthly")
STATES = ("active", "paused", "over")


@blueprint.get("/schedules")
@page("schedule.read")
def schedule_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``state``, ``automation``, ``search``, ``before``."""
    state, automation, search = (request.args.get(name, "") for name in ("state", "automation", "search"))
    state, search = state if state in STATES else "", search.replace("\0", "")[:200]
    found = schedules.list_schedules(
        site,
        who,
        state=state,
        automation=automation,
        search=search,
        before=request.args.get("before", type=int),
        limit=PAGE_ROWS + 1,
    )
    return show(
        "schedules.html",
        who,
        schedules=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        before=request.args.get("before"),
        counts={word: schedules.count_schedules(site, who, state=word) for word in ("", *STATES)},
        state=state,
        automation=automation,
        search=search,
        local=local,
    )


@blueprint.get("/schedules/new")
@page("schedule.change")
def schedule_new(site: Site, who: Principal) -> Answer:
    label = request.args.get("automation", "")
    if not label:
        return show("schedule_automation.html", who, automations=automations.list_automations(site, who))
    return _form(site, who, _Filled(automation=automations.get_automation(site, who, label), form=MultiDict()))


@blueprint.post("/schedules/new")
@page("schedule.change")
def schedule_create(site: Site, who: Principal) -> Answer:
    form = request.form
    automation = automations.get_automation(site, who, form.get("automation", ""))
    filled = _Filled(automation=automation, form=form)
    if "preview" in form:
        return _form(site, who, filled)
    try:
        new = msgspec.convert({"label": form.get("label", "").strip(), **_said(filled)}, wire.NewSchedule)
        # The form carries a key of its own, so that a second click does not make a second schedule.
        made = schedules.create(site, who, new, idempotency_key=form.get("key", ""))
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, filled, error)
    flash("The schedule is there.", "success")
    return redirect(_at(made.label))


@blueprint.post("/schedules/preview")
@page("schedule.read")
def schedule_preview(site: Site, who: Principal) -> Answer:
    """The part of the form that says when it would be due, for a form that is being filled in."""
    return show("schedule_preview.html", who, preview=_preview(site, who, request.form))


@blueprint.get("/schedules/<label>")
@page("schedule.read")
def schedule_page(site: Site, who: Principal, label: str) -> Answer:
    found = schedules.get_schedule(site, who, label)
    before = request.args.get("before", type=int)
    runs = schedules.list_runs(site, who, label, before=before, limit=PAGE_ROWS + 1)
    wish = wire.Wish(dialect=found.dialect, expression=found.expression, zone=found.zone)
    return show(
        "schedule.html",
        who,
        schedule=found,
        runs=runs[:PAGE_ROWS],
        older=runs[PAGE_ROWS - 1].id if len(runs) > PAGE_ROWS else None,
        before=before,
        preview=schedules.preview(site, who, wish) if found.next_at and found.words else None,
        local=local,
    )


@blueprint.get("/schedules/<label>/change")
@page("schedule.change")
def schedule_settings(site: Site, who: Principal, label: str) -> Answer:
    found = schedules.get_schedule(site, who, label)
    known = automations.list_automations(site, who)
    chosen = request.args.get("automation") or found.automation
    automation = next((each for each in known if each.label == chosen), None)
    if automation is None or "pick" in request.args:
        # It was deleted, or another one is wanted: that is chosen first.
        return show("schedule_automation.html", who, automations=known)
    return _form(site, who, _Filled(automation=automation, schedule=found, form=_form_of(found)))


@blueprint.post("/schedules/<label>/change")
@page("schedule.change")
def schedule_change(site: Site, who: Principal, label: str) -> Answer:
    form = request.form
    found = schedules.get_schedule(site, who, label)
    automation = automations.get_automation(site, who, form.get("automation", ""))
    filled = _Filled(automation=automation, schedule=found, form=form)
    if "preview" in form:
        return _form(site, who, filled)
    try:
        wanted = msgspec.convert(_said(filled), wire.ScheduleChange)
        schedules.change(site, who, label, wanted, loose=bool(filled.without_field))
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, filled, error)
    flash("The schedule is changed.", "success")
    return redirect(_at(label))


@blueprint.post("/schedules/<label>/pause")
@page("schedule.pause")
def schedule_pause(site: Site, who: Principal, label: str) -> Answer:
    return act(lambda: schedules.pause(site, who, label), "The schedule is paused.", _at(label))


@blueprint.post("/schedules/<label>/resume")
@page("schedule.pause")
def schedule_resume(site: Site, who: Principal, label: str) -> Answer:
    return act(lambda: schedules.resume(site, who, label), "The schedule fires again.", _at(label))


@blueprint.post("/schedules/<label>/run")
@page("schedule.run")
def schedule_run(site: Site, who: Principal, label: str) -> Answer:
    key = request.form.get("key", "")
    return act(lambda: schedules.run_now(site, who, label, idempotency_key=key), "A task is made.", _at(label))


@blueprint.post("/schedules/<label>/delete")
@page("schedule.delete")
def schedule_delete(site: Site, who: Principal, label: str) -> Answer:
    done = f"The schedule '{label}' is deleted; its tasks are kept."
    return act(lambda: schedules.delete(site, who, label), done, url_for("pages.schedule_list"))


def local(moment: datetime | None, zone: str) -> str:
    """As clocks in the zone show it, with weekday and offset; empty when there is no moment."""
    if moment is None:
        return ""
    try:
        return moment.astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M:%S %z")
    except (KeyError, ValueError):
        return moment.strftime("%a %Y-%m-%d %H:%M:%S %z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """A form as it stands: of which automation, of which schedule when it is a change, and what is filled in."""

    automation: wire.Automation
    form: Form
    schedule: wire.Schedule | None = None

    @property
    def without_field(self) -> dict[str, Any]:
        """Parameters that the automation does not know, as Maestro's clients may send them: they stay."""
        declared = {item.label for item in self.automation.parameters}
        kept = self.schedule.parameters if self.schedule else {}
        return {label: value for label, value in kept.items() if label not in declared}


def _at(label: str) -> str:
    return url_for("pages.schedule_page", label=label)


def _when(form: Form) -> dict[str, Any]:
    """The fields that say when, as ``wire.NewSchedule``, ``wire.ScheduleChange`` and ``wire.Wish`` name them."""
    kind, zone = form.get("kind", "daily"), form.get("zone", "").strip() or "UTC"
    if kind in {*CALENDAR_KINDS, "once"}:
        days = {
            "weekly": form.getlist("weekday"),
            "monthly": [day for day in form.get("days", "").replace(" ", ",").split(",") if day],
        }
        calendar = {"repeat": kind, "time": form.get("time", ""), "date": form.get("date", "")}
        return {"calendar": {**calendar, "on": days.get(kind, [])}, "zone": zone}
    return {"dialect": kind, "expression": form.get("expression", ""), "zone": zone}


def _said(filled: _Filled) -> dict[str, Any]:
    form, zone = filled.form, filled.form.get("zone", "").strip() or "UTC"
    priority = form.get("priority", "").strip()
    values = {item.label: typed(item, form.get(f"p.{item.label}", "")) for item in filled.automation.parameters}
    return {
        **_when(form),
        "automation": filled.automation.label,
        "description": form.get("description", "").strip(),
        "priority": number(priority, "priority") if priority else None,
        "test": "test" in form,
        "missed": form.get("missed", "once"),
        "missed_most": number(form.get("missed_most", "10") or "10", "missed_most"),
        "overlap": "overlap" in form,
        "ends_at": _end(form.get("ends_at", ""), zone),
        "parameters": {
            **filled.without_field,
            **{label: value for label, value in values.items() if value is not None},
        },
    }


def _end(text: str, zone: str) -> datetime | None:
    """The form gives a local time of the schedule's zone, as its label says."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        raise InvalidInput(f"'{text[:30]}' is no time in '{zone[:60]}'") from None


def _form_of(found: wire.Schedule) -> Form:
    """The form as it would have been filled in for this schedule."""
    calendar = schedules.calendar_of(found.dialect, found.expression)
    fields: list[tuple[str, str]] = [
        ("kind", calendar.repeat if calendar else found.dialect),
        ("zone", found.zone),
        ("expression", found.expression),
        ("description", found.description),
        ("priority", "" if found.priority is None else str(found.priority)),
        ("missed", found.missed),
        ("missed_most", str(found.missed_most)),
        ("ends_at", found.ends_at.astimezone(ZoneInfo(found.zone)).strftime("%Y-%m-%dT%H:%M") if found.ends_at else ""),
        *((name, "on") for name in ("test", "overlap") if getattr(found, name)),
        *((f"p.{label}", _shown(value)) for label, value in found.parameters.items()),
    ]
    if calendar is not None:
        fields += [("time", calendar.time), ("date", calendar.date), ("days", ", ".join(calendar.on))]
        fields += [("weekday", day) for day in calendar.on]
    return MultiDict(fields)


def _shown(value: Any) -> str:
    """A parameter's value as its field of the form shows it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _preview(site: Site, who: Principal, form: Form) -> dict[str, Any]:
    """What the form's preview shows: the answer, or what is wrong."""
    try:
        return {"found": schedules.preview(site, who, msgspec.convert(_when(form), wire.Wish))}
    except BottoolError as error:
        return {"error": sentence(error)}
    except msgspec.ValidationError as error:
        return {"error": str(error)}


def _form(site: Site, who: Principal, filled: _Filled, error: str = "") -> str:
    form = filled.form
    return show(
        "schedule_form.html",
        who,
        automation=filled.automation,
        schedule=filled.schedule,
        without_field=filled.without_field,
        form=form,
        fresh=filled.schedule is None and not form,
        preview=_preview(site, who, form) if form else None,
        zones=schedules.zones(),
        error=error,
    )


def _refused(site: Site, who: Principal, filled: _Filled, error: BottoolError | msgspec.ValidationError) -> Answer:
    if isinstance(error, BottoolError):
        return _form(site, who, filled, sentence(error)), error.http_status
    return _form(site, who, filled, str(error)), 422
