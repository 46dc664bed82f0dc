"""Error reports, grouped: the groups, one group, one report with its screenshot and files."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, request, send_file, url_for

from bottool import wire
from bottool.errors import NotFound
from bottool_web.actions import errors, media_types
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50
HIGHEST, LOWEST = 24, 2
IMAGE_BYTES = 20 * 1024 * 1024
_LOCKED = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
"""For the bytes themselves: even a browser that is sent to them by a link runs nothing in them."""


@blueprint.get("/errors")
@page("error.read")
def error_list(site: Site, who: Principal) -> Answer:
    """The groups. The filters live in the address: ``status``, ``search``, ``automation``, ``bot``,
    ``before``.
    """
    said = request.args
    status = said.get("status", "open")
    asked = {name: said.get(name, "").strip() for name in ("search", "automation", "bot")}
    before = said.get("before", type=int)
    found = errors.list_groups(site, who, status=status, before=before, limit=PAGE_ROWS + 1, **asked)
    return show(
        "errors.html",
        who,
        groups=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].newest_id if len(found) > PAGE_ROWS else None,
        asked=asked,
        status=status if status in errors.STATUSES else "",
        before=before,
        trend_of=lambda group: _trend(site, group),
    )


@blueprint.get("/errors/groups/<int:group_id>")
@page("error.read")
def error_group(site: Site, who: Principal, group_id: int) -> Answer:
    """``bot`` and ``before`` narrow its reports."""
    before, bot = request.args.get("before", type=int), request.args.get("bot", "").strip()
    asked = errors.Asked(group_id=group_id, bot=bot, before=before, limit=PAGE_ROWS + 1)
    reports = errors.list_errors(site, who, asked)
    return show(
        "error_group.html",
        who,
        group=errors.get_group(site, who, group_id),
        reports=reports[:PAGE_ROWS],
        older=reports[PAGE_ROWS - 1].id if len(reports) > PAGE_ROWS else None,
        before=before,
        bot=bot,
        trend_of=lambda group: _trend(site, group),
    )


@blueprint.get("/errors/<int:report_id>")
@page("error.read")
def error_report(site: Site, who: Principal, report_id: int) -> Answer:
    found = errors.get_error(site, who, report_id)
    group = errors.get_group(site, who, found.group_id)
    return show("error_report.html", who, report=found, group=group, is_shown=_is_shown)


@blueprint.get("/errors/<int:report_id>/files/<int:file_id>")
@page("error.read")
def error_file(site: Site, who: Principal, report_id: int, file_id: int) -> Answer:
    return _sent(site, who, report_id, file_id, shown=False)


@blueprint.get("/errors/<int:report_id>/files/<int:file_id>/image")
@page("error.read")
def error_image(site: Site, who: Principal, report_id: int, file_id: int) -> Answer:
    """A picture of a kind that can hold no program, as that kind whatever it is called."""
    return _sent(site, who, report_id, file_id, shown=True)


@blueprint.post("/errors/groups/<int:group_id>/<word>")
@page("error.change")
def error_change(site: Site, who: Principal, group_id: int, word: str) -> Answer:
    statuses: dict[str, tuple[wire.ErrorStatus, str]] = {
        "resolve": ("resolved", "The error is resolved; it opens again when it comes again, from a newer version."),
        "ignore": ("ignored", "The error is ignored."),
        "reopen": ("open", "The error is open again."),
    }
    if word not in statuses:
        raise NotFound("there is no such change of an error")
    status, done = statuses[word]
    change = wire.ErrorGroupChange(status=status)
    target = url_for("pages.error_group", group_id=group_id)
    return act(lambda: errors.change_group(site, who, group_id, change), done, target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A group's last days as bars, of which the highest has the height ``HIGHEST``; ``words`` says the same."""

    bars: list[tuple[str, int, int]]
    words: str


def _trend(site: Site, group: wire.ErrorGroup) -> Trend:
    today, most = site.now().date(), max(group.trend, default=0)
    days = [today - timedelta(days=len(group.trend) - 1 - place) for place in range(len(group.trend))]
    bars = [(f"{day}", times, _height(times, most)) for day, times in zip(days, group.trend, strict=True)]
    words = f"{sum(group.trend)} in {len(group.trend)} days"
    if most:
        words += f"; most on {days[group.trend.index(most)]}: {most}"
    return Trend(bars=bars, words=words)


def _height(times: int, most: int) -> int:
    """At least so much that one report beside a thousand is seen."""
    return max(LOWEST, round(HIGHEST * times / most)) if times else 0


def _is_shown(file: wire.ErrorFile) -> bool:
    return file.media_type in media_types.IMAGES and file.size_bytes <= IMAGE_BYTES


def _sent(site: Site, who: Principal, report_id: int, file_id: int, *, shown: bool) -> Response:
    found, path = errors.content(site, who, report_id, file_id)
    if shown and not _is_shown(found):
        raise NotFound("this file is no picture that is shown", "download it")
    answer = send_file(
        path,
        mimetype=found.media_type if shown else "application/octet-stream",
        as_attachment=not shown,
        download_name=found.name,
        etag=found.sha256,
        max_age=0,
    )
    answer.headers.update(_LOCKED)
    return answer
