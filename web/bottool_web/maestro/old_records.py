"""The old form interface: logs of pinned bots."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Response

from bottool import wire
from bottool.errors import InvalidInput, Refused
from bottool_web.actions import logs
from bottool_web.actions.site import Site
from bottool_web.downloads import sent
from bottool_web.maestro import words
from bottool_web.maestro.logs import columns_in
from bottool_web.maestro.old_calls import Said, blueprint, call, done
from bottool_web.store.scope import Principal

_DATES = ("%d/%m/%Y", "%a %b %d %H:%M:%S %Y", "%Y-%m-%d")
"""Python's client, Java's ``Date.toString()`` without its zone, and plain ISO."""
_ZONE_PLACE = 4
"""Which word of ``Tue Nov 24 10:00:00 BRT 2026`` names the zone."""
_JAVA_WORDS = 6
MOST_ENTRIES = 10_000


@blueprint.post("/log/create")
@call("log.change")
def create(site: Site, who: Principal, said: Said) -> dict[str, str]:
    new = wire.NewLog(label=said.text("activityLabel"), columns=columns_in(_json(said.text("columns"), "columns")))
    return done(f"the log '{logs.create(site, who, new).label}' is made")


@blueprint.post("/newLogEntry")
@call("log.write")
def add_entry(site: Site, who: Principal, said: Said) -> dict[str, str]:
    values = _json(said.text("columns"), "columns")
    if not isinstance(values, dict):
        raise InvalidInput("'columns' is no JSON object", path="columns")
    logs.add_entry(site, who, said.text("logName"), wire.NewLogEntry(values=values))
    return done("the entry is written")


@blueprint.route("/log/read", methods=["GET", "POST"])
@call("log.read")
def read(site: Site, who: Principal, said: Said) -> dict[str, str]:
    """The newest entries since ``date``, or all of them; the message is an array as a JSON text."""
    label = said.text("activityLabel")
    found = logs.get_log(site, who, label)
    lines: list[dict[str, Any]] = []
    for entry in logs.every_entry(site, who, label, logs.Asked(since=_since(said.text("date")))):
        lines.append({"columns": logs.complete(found, entry)})
        if len(lines) == MOST_ENTRIES:
            break
    return done(json.dumps(lines))


@blueprint.post("/log/download")
@call("log.read")
def download(site: Site, who: Principal, said: Said) -> Response:
    wanted = logs.Asked(since=_since(said.text("date")))
    return sent(site, logs.exported(site, who, said.text("activityLabel"), wanted), "text/csv; charset=utf-8")


@blueprint.post("/log/delete")
@call("log.delete")
def delete(site: Site, who: Principal, said: Said) -> dict[str, str]:
    logs.delete(site, who, said.text("activityLabel"))
    return done("the log is deleted")


def _since(text: str) -> datetime | None:
    """The beginning of a day as clients write it. A client's day begins up to 14 hours before the one of UTC."""
    if not text.strip():
        return None
    parts = text.split()
    plain = " ".join(parts[:_ZONE_PLACE] + parts[_ZONE_PLACE + 1 :]) if len(parts) == _JAVA_WORDS else text.strip()
    for form in _DATES:
        try:
            day = datetime.strptime(plain, form).replace(tzinfo=UTC)
            return day.replace(hour=0, minute=0, second=0) - timedelta(hours=14)
        except (ValueError, OverflowError):
            continue
    raise InvalidInput(f"'date' is '{words.shown(text)}'", "write 24/11/2026", path="date")


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(f"'{field}' is no JSON") from None
