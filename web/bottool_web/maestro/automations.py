"""Automations, which Maestro calls activities: read only, as its clients use them."""

from typing import Any

from bottool import wire
from bottool_web.actions import automations, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import Paging, asked, blueprint, call, in_order, paging
from bottool_web.store.scope import Principal

_SORTS = {"label": "label", "name": "name", "id": "id", "agentId": "bot_id", "dateCreation": "created_at"}


@blueprint.get("/activity")
@call("automation.read")
def list_automations(site: Site, who: Principal) -> list[dict[str, Any]]:
    """All of them as a bare array; some clients ask for a page or a label all the same."""
    found, page = _found(site, who), paging(rows=1000)
    return _out(site, who, page, found)


@blueprint.get("/activity/pagination")
@call("automation.read")
def page_of_automations(site: Site, who: Principal) -> dict[str, Any]:
    """``label`` and ``name`` keep what contains them; ``automation`` keeps what has it in either."""
    found, page = _found(site, who), paging()
    rows = _out(site, who, page, found)
    return words.page_out(rows, number=page.number, size=page.size, total=len(found), ordered=bool(page.sort))


@blueprint.get("/activity/<label>")
@call("automation.read")
def get(site: Site, who: Principal, label: str) -> dict[str, Any]:
    found = automations.get_automation(site, who, label)
    return words.automation_out(found, workspace=workspaces.label(site, who))


def _found(site: Site, who: Principal) -> list[wire.Automation]:
    wanted = {name: asked(name).casefold() for name in ("label", "name", "automation")}
    return [each for each in automations.list_automations(site, who) if _fits(each, wanted)]


def _fits(found: wire.Automation, wanted: dict[str, str]) -> bool:
    label, name = found.label.casefold(), found.name.casefold()
    either = wanted["automation"] in label or wanted["automation"] in name
    return wanted["label"] in label and wanted["name"] in name and either


def _out(site: Site, who: Principal, page: Paging, found: list[wire.Automation]) -> list[dict[str, Any]]:
    label = workspaces.label(site, who)
    return [words.automation_out(each, workspace=label) for each in page.of(in_order(found, page, _SORTS))]
