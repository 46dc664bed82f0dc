"""Logs and their entries: the list, a log as a table with a period and a search, its export."""

from datetime import UTC, datetime, timedelta

import msgspec
from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from bottool import wire
from bottool.errors import BottoolError, InvalidInput
from bottool_web.actions import logs
from bottool_web.actions.site import Site
from bottool_web.downloads import sent
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50


@blueprint.get("/logs")
@page("log.read")
def log_list(site: Site, who: Principal) -> Answer:
    search = request.args.get("search", "").strip()
    found = [
        each
        for each in logs.list_logs(site, who)
        if search.casefold() in each.label.casefold() or search.casefold() in each.repository.casefold()
    ]
    return show("logs.html", who, logs=found, search=search)


@blueprint.get("/logs/new")
@page("log.change")
def log_new(site: Site, who: Principal) -> Answer:  # noqa: ARG001  # every view gets the site
    return show("log_settings.html", who, log=None, form=request.args, error="")


@blueprint.post("/logs/new")
@page("log.change")
def log_create(site: Site, who: Principal) -> Answer:
    form = request.form
    try:
        new = wire.NewLog(label=form.get("label", "").strip(), columns=_columns([]))
        made = logs.create(site, who, new)
    except BottoolError as error:
        return show("log_settings.html", who, log=None, form=form, error=sentence(error)), error.http_status
    flash("The log is there.", "success")
    return redirect(url_for("pages.log_page", label=made.label))


@blueprint.get("/logs/<label>")
@page("log.read")
def log_page(site: Site, who: Principal, label: str) -> Answer:
    """The filters live in the address: ``search``, ``since``, ``until`` (days, of UTC), ``before``."""
    said, error = request.args, ""
    log = logs.get_log(site, who, label)
    try:
        asked = _asked()
        found = logs.list_entries(site, who, label, asked)
    except InvalidInput as wrong:
        found, error = [], sentence(wrong)
    return show(
        "log.html",
        who,
        log=log,
        entries=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked={name: said.get(name, "").strip() for name in ("search", "since", "until", "before")},
        error=error,
    )


@blueprint.get("/logs/<label>/change")
@page("log.change")
def log_settings(site: Site, who: Principal, label: str) -> Answer:
    return show("log_settings.html", who, log=logs.get_log(site, who, label), form=request.args, error="")


@blueprint.post("/logs/<label>/change")
@page("log.change")
def log_change(site: Site, who: Principal, label: str) -> Answer:
    log = logs.get_log(site, who, label)
    try:
        logs.change(site, who, label, wire.LogChange(columns=_columns(log.columns)))
    except BottoolError as error:
        return show("log_settings.html", who, log=log, form=request.form, error=sentence(error)), error.http_status
    flash("The columns are changed.", "success")
    return redirect(url_for("pages.log_page", label=label))


@blueprint.get("/logs/<label>/export")
@page("log.read")
def log_export(site: Site, who: Principal, label: str) -> Response:
    asked = _asked()
    if request.args.get("format") == "json":
        return sent(site, logs.exported(site, who, label, asked, form="json"), "application/json", f"{label}.json")
    separator = request.args.get("format") == "excel"
    pieces = logs.exported(site, who, label, asked, separator=";" if separator else ",")
    return sent(site, pieces, "text/csv", f"{label}.csv")


@blueprint.post("/logs/<label>/delete")
@page("log.delete")
def log_delete(site: Site, who: Principal, label: str) -> Answer:
    if request.form.get("label", "").strip() != label:
        flash("Type the log's label to delete it.", "danger")
        return redirect(url_for("pages.log_page", label=label))
    return act(lambda: logs.delete(site, who, label), f"The log '{label}' is deleted.", url_for("pages.log_list"))


def _asked() -> logs.Asked:
    until = _day("until")
    return logs.Asked(
        since=_day("since"),
        until=until + timedelta(days=1) if until is not None else None,
        search=request.args.get("search", "").strip(),
        before=request.args.get("before", type=int),
        limit=PAGE_ROWS + 1,
    )


def _day(name: str) -> datetime | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        # Its end has to be a moment too.
        return day + timedelta(days=1) - timedelta(days=1)
    except (ValueError, OverflowError):
        raise InvalidInput(f"'{text[:30]}' is no day", "write it as 2026-11-24") from None


def _columns(known: list[wire.LogColumn]) -> list[wire.LogColumn]:
    """The rows of the form; one without a label is left out. What the form does not show stays as it was."""
    had = {column.label: column for column in known}
    rows = zip(request.form.getlist("column.label"), request.form.getlist("column.name"), strict=False)
    said = [(label.strip(), name.strip()) for label, name in rows if label.strip()]
    return [msgspec.structs.replace(had.get(label, wire.LogColumn(label=label)), name=name) for label, name in said]
