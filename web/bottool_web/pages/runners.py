"""Runners with their state, and the code that lets a new one register."""

from flask import request

from bottool import wire
from bottool.errors import BottoolError
from bottool_web.actions import runners
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, blueprint, page, sentence, show
from bottool_web.store.scope import Principal


@blueprint.get("/runners")
@page("runner.read")
def runner_list(site: Site, who: Principal) -> Answer:
    return show("runners.html", who, runners=runners.list_runners(site, who), code=None, error="", machine_id="")


@blueprint.post("/runners")
@page("runner.enrol")
def runner_code(site: Site, who: Principal) -> Answer:
    """Make a code and show it, once: it is nowhere else to be seen."""
    machine_id, code, error = request.form.get("machine_id", "").strip(), None, ""
    try:
        code = runners.create_code(site, who, wire.NewRunner(machine_id=machine_id))
    except BottoolError as refused:
        error = sentence(refused)
    found = runners.list_runners(site, who)
    return show(
        "runners.html", who, runners=found, code=code, error=error, machine_id=machine_id
    ), 422 if error else 200
