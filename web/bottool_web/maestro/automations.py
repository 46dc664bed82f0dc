"""Automations, which Maestro calls activities: read only, as its clients use them."""

from typing import Any

from flask import request

from bottool_web.actions import automations, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, call, whole
from bottool_web.store.scope import Principal


@blueprint.get("/activity")
@call("automation.read")
def list_automations(site: Site, who: Principal) -> list[dict[str, Any]]:
    label = workspaces.label(site, who)
    return [words.automation_out(item, workspace=label) for item in automations.list_automations(site, who)]


@blueprint.get("/activity/pagination")
@call("automation.read")
def page_of_automations(site: Site, who: Principal) -> dict[str, Any]:
    """``label`` and ``name`` keep what contains them; ``automation`` keeps what has it in either."""
    found = [row for row in list_automations.__wrapped__(site, who) if _fits(row)]  # type: ignore[attr-defined]
    number, size = whole("page", 0, most=10**6), whole("size", 20, most=1000) or 20
    return words.page_out(found[number * size : (number + 1) * size], number=number, size=size, total=len(found))


def _fits(row: dict[str, Any]) -> bool:
    wanted = {name: request.args.get(name, "").casefold() for name in ("label", "name", "automation")}
    label, name = row["label"].casefold(), row["name"].casefold()
    either = wanted["automation"] in label or wanted["automation"] in name
    return wanted["label"] in label and wanted["name"] in name and either


@blueprint.get("/activity/<label>")
@call("automation.read")
def get(site: Site, who: Principal, label: str) -> dict[str, Any]:
    found = automations.get_automation(site, who, label)
    return words.automation_out(found, workspace=workspaces.label(site, who))
