"""Data pools: the list, one with its counts and entries, its settings, and what is done with many entries at once."""

from collections.abc import Iterator
from typing import Any

import msgspec
from flask import flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from bottool import wire
from bottool.errors import BottoolError, InvalidInput
from bottool_web.actions import automations, pool_bulk, pool_work, pools
from bottool_web.actions.site import Site
from bottool_web.downloads import sent
from bottool_web.pages.frame import Answer, act, blueprint, page, sentence, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50
PIECE_BYTES = 64 * 1024
EMPTY_ROWS = 3
"""So many rows of the form wait for fields to come."""


@blueprint.get("/pools")
@page("pool.read")
def pool_list(site: Site, who: Principal) -> Answer:
    search = request.args.get("search", "").replace("\0", "").strip()[:200]
    before = request.args.get("before", type=int)
    found = pools.list_pools(site, who, search=search, before=before, limit=PAGE_ROWS + 1)
    older = found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None
    return show("pools.html", who, pools=found[:PAGE_ROWS], older=older, before=before, search=search)


@blueprint.get("/pools/new")
@page("pool.change")
def pool_new(site: Site, who: Principal) -> Answer:
    return _form(site, who, None, MultiDict())


@blueprint.post("/pools/new")
@page("pool.change")
def pool_create(site: Site, who: Principal) -> Answer:
    form = request.form
    try:
        said = {"label": form.get("label", "").strip(), **_settings(form)}
        made = pools.create(site, who, msgspec.convert(said, wire.NewPool), idempotency_key=form.get("key", ""))
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, None, error)
    flash("The data pool is there.", "success")
    return redirect(_at(made.label))


@blueprint.get("/pools/<label>")
@page("pool.read")
def pool_page(site: Site, who: Principal, label: str) -> Answer:
    """The filters live in the address: ``state``, ``search``, ``before``."""
    pool = pools.get_pool(site, who, label)
    state = request.args.get("state", "")
    asked, error = _asked(), ""
    try:
        found = pool_work.list_entries(site, who, label, asked)
    except InvalidInput as wrong:
        found, error = [], sentence(wrong)
    return show(
        "pool.html",
        who,
        pool=pool,
        entries=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked={"state": state if state in pool_work.STATES else "", "search": asked.search, "before": asked.before},
        error=error,
    )


@blueprint.get("/pools/<label>/change")
@page("pool.change")
def pool_settings(site: Site, who: Principal, label: str) -> Answer:
    return _form(site, who, pools.get_pool(site, who, label), MultiDict())


@blueprint.post("/pools/<label>/change")
@page("pool.change")
def pool_change(site: Site, who: Principal, label: str) -> Answer:
    pool = pools.get_pool(site, who, label)
    try:
        pools.change(site, who, label, msgspec.convert(_settings(request.form), wire.PoolChange))
    except (BottoolError, msgspec.ValidationError) as error:
        return _refused(site, who, pool, error)
    flash("The settings are changed.", "success")
    return redirect(_at(label))


@blueprint.post("/pools/<label>/switch")
@page("pool.change")
def pool_switch(site: Site, who: Principal, label: str) -> Answer:
    active = request.form.get("active") == "yes"
    said = "The data pool is switched on." if active else "The data pool is switched off: nothing is pulled from it."
    return act(lambda: pools.change(site, who, label, wire.PoolChange(active=active)), said, _at(label))


@blueprint.post("/pools/<label>/delete")
@page("pool.delete")
def pool_delete(site: Site, who: Principal, label: str) -> Answer:
    if request.form.get("label", "").strip() != label:
        flash("Type the data pool's label to delete it.", "danger")
        return redirect(_at(label))
    return act(lambda: pools.delete(site, who, label), f"The data pool '{label}' is gone.", url_for("pages.pool_list"))


@blueprint.post("/pools/<label>/push")
@page("pool.push")
def pool_push(site: Site, who: Principal, label: str) -> Answer:
    form = request.form
    try:
        pool = pools.get_pool(site, who, label)
        new = wire.NewEntry(values=_values(pool, form), priority=_whole(form, "priority"))
        made = pool_work.push(site, who, label, new, idempotency_key=form.get("key", ""))
    except BottoolError as error:
        flash(sentence(error), "danger")
    else:
        flash(f"Entry {made.id} waits.", "success")
    return redirect(_at(label))


@blueprint.post("/pools/<label>/bulk")
@page("pool.edit")
def pool_bulk_change(site: Site, who: Principal, label: str) -> Answer:
    """What is done with the entries that are ticked, or with all that the filter shows."""
    form = request.form
    said: dict[str, Any] = {"act": form.get("act", ""), "priority": _whole(form, "priority")}
    if form.get("which") == "all":
        said |= {"state": form.get("state", ""), "search": form.get("search", ""), "all": True}
    else:
        said["ids"] = [int(each) for each in form.getlist("entry") if each.isascii() and each.isdigit()]
    try:
        wanted = msgspec.convert(said, wire.EntriesChange)
        done = pool_bulk.change_entries(site, who, label, wanted)
    except (BottoolError, msgspec.ValidationError) as error:
        flash(_words(error), "danger")
    else:
        more = " There may be more: do it again." if done.left else ""
        flash(f"{done.count} {'entry' if done.count == 1 else 'entries'} changed.{more}", "success")
    return redirect(_at(label, state=form.get("state") or None, search=form.get("search") or None))


@blueprint.post("/pools/<label>/import")
@page("pool.push")
def pool_import(site: Site, who: Principal, label: str) -> Answer:
    file = request.files.get("file")

    def pieces() -> Iterator[bytes]:
        while file is not None and (piece := file.stream.read(PIECE_BYTES)):
            yield piece

    try:
        found = pool_bulk.import_csv(site, who, label, pieces(), idempotency_key=request.form.get("key", ""))
    except BottoolError as error:
        flash(sentence(error), "danger")
    else:
        flash(f"{found.count} {'entry' if found.count == 1 else 'entries'} came in.", "success")
    finally:
        if file is not None:
            file.close()
    return redirect(_at(label))


@blueprint.get("/pools/<label>/export")
@page("pool.read")
def pool_export(site: Site, who: Principal, label: str) -> Response:
    separator = request.args.get("format") == "excel"
    pieces = pool_bulk.exported(site, who, label, _asked(), separator=";" if separator else ",")
    return sent(site, pieces, "text/csv", f"{label}.csv")


@blueprint.get("/pools/<label>/sample")
@page("pool.read")
def pool_sample(site: Site, who: Principal, label: str) -> Response:
    return sent(site, [pool_bulk.sample(site, who, label)], "text/csv", f"{label}-sample.csv")


@blueprint.get("/pools/<label>/entries/<int:entry_id>")
@page("pool.read")
def pool_entry(site: Site, who: Principal, label: str, entry_id: int) -> Answer:
    return show(
        "pool_entry.html",
        who,
        pool=pools.get_pool(site, who, label),
        entry=pool_work.get_entry(site, who, label, entry_id),
        moves=pool_work.moves_of(site, who, label, entry_id),
    )


@blueprint.post("/pools/<label>/entries/<int:entry_id>/<act_of>")
@page("pool.edit")
def pool_entry_act(site: Site, who: Principal, label: str, entry_id: int, act_of: str) -> Answer:
    """``cancel``, ``retry`` or ``delete``."""
    here = url_for("pages.pool_entry", label=label, entry_id=entry_id)
    if act_of == "cancel":
        said = wire.EntryCancel(message=request.form.get("message", ""))
        return act(lambda: pool_work.cancel_entry(site, who, label, entry_id, said), "The entry is cancelled.", here)
    if act_of == "delete":
        return act(lambda: pool_work.delete_entry(site, who, label, entry_id), "The entry is gone.", _at(label))
    wanted = wire.EntriesChange(act="retry", ids=[entry_id])
    done = pool_bulk.change_entries(site, who, label, wanted)
    flash(
        "The work waits again." if done.count else "This entry cannot be tried again now.",
        "success" if done.count else "danger",
    )
    return redirect(here)


def _at(label: str, **kept: Any) -> str:
    return url_for("pages.pool_page", label=label, **kept)


def _asked() -> pool_work.Asked:
    return pool_work.Asked(
        state=request.args.get("state", ""),
        search=request.args.get("search", "").strip(),
        before=request.args.get("before", type=int),
        limit=PAGE_ROWS + 1,
    )


def _form(site: Site, who: Principal, pool: wire.Pool | None, form: Any, error: str = "") -> str:
    known = [each.label for each in automations.list_automations(site, who)]
    rows = list(pool.schema if pool else []) + [None] * EMPTY_ROWS
    return show("pool_form.html", who, pool=pool, form=form, error=error, automations=known, rows=rows)


def _refused(site: Site, who: Principal, pool: wire.Pool | None, error: Exception) -> Answer:
    status = error.http_status if isinstance(error, BottoolError) else 422
    return _form(site, who, pool, request.form, _words(error)), status


def _words(error: Exception) -> str:
    return sentence(error) if isinstance(error, BottoolError) else str(error)


def _settings(form: Any) -> dict[str, Any]:
    """What the form says of a pool."""
    said: dict[str, Any] = {
        name: form[name].strip() for name in ("name", "automation", "policy", "trigger") if name in form
    }
    if "on_attempt_end" in form:
        said["on_attempt_end"] = form["on_attempt_end"]
    said |= {name: _whole(form, name) for name in ("max_auto_retry", "max_errors", "limit_minutes")}
    return {**said, "schema": _schema(form), "auto_retry": True, "abort_on_error": True, "limits_time": True}


def _schema(form: Any) -> list[dict[str, Any]]:
    """The rows of the form; one without a label is left out."""
    unique, shown = set(form.getlist("field.unique")), set(form.getlist("field.shown"))
    rows = zip(form.getlist("field.label"), form.getlist("field.type"), strict=False)
    return [
        {"label": label.strip(), "type": kind, "unique": str(row) in unique, "shown": str(row) in shown}
        for row, (label, kind) in enumerate(rows)
        if label.strip()
    ]


def _values(pool: wire.Pool, form: Any) -> dict[str, Any]:
    """What the form for an entry says: its fields, and an object of more."""
    said = {field.label: form.get(f"v.{field.label}", "").strip() for field in pool.schema}
    kinds = {"integer": int, "double": float, "text": str}
    values: dict[str, Any] = {}
    for field in pool.schema:
        if not said[field.label]:
            continue
        try:
            values[field.label] = kinds[field.type](said[field.label])
        except ValueError:
            raise InvalidInput(f"'{field.label}' is no {field.type}", path=field.label) from None
    return values | _more(form.get("more", "").strip())


def _more(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise InvalidInput("what is beside the fields is no JSON object", 'as in: {"city": "Recife"}') from None


def _whole(form: Any, name: str) -> int:
    text = form.get(name, "").strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < len("1000000000")):
        raise InvalidInput(f"'{text[:30]}' is no number for {name.replace('_', ' ')}", path=name)
    return int(text)
