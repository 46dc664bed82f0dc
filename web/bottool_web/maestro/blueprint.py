"""All of Maestro's calls, put into the application."""

from typing import Any

import msgspec
from flask import Flask

from bottool import wire
from bottool_web.actions.site import Site
from bottool_web.maestro import (
    alerts,
    artifacts,
    automations,
    bots,
    credentials,
    errors,
    logs,
    machines,
    messages,
    old_api,
    old_calls,
    old_records,
    old_reports,
    pools,
    schedules,
    tasks,
    workspace,
)
from bottool_web.maestro.calls import EXTENSION, blueprint
from bottool_web.problems import MOST_LETTERS

CALLS = (
    alerts,
    artifacts,
    automations,
    bots,
    credentials,
    errors,
    logs,
    machines,
    messages,
    old_api,
    old_records,
    old_reports,
    pools,
    schedules,
    tasks,
    workspace,
)
"""The modules whose calls registered themselves with the blueprint when they were imported."""


def install(app: Flask, site: Site) -> None:
    """Put ``/api/v2`` and ``/app/api`` into ``app``; called once, when the application is made."""
    app.extensions[EXTENSION] = site
    app.register_blueprint(blueprint)
    app.register_blueprint(old_calls.blueprint)


def refusal(path: str, problem: wire.Problem) -> dict[str, Any]:
    """An error as the clients of that address read it: of all that it says they show the ``message`` alone."""
    whole = f"{problem.message}: {problem.hint}" if problem.hint else problem.message
    said = msgspec.structs.replace(problem, message=whole[:MOST_LETTERS])
    return old_calls.refusal(said) if path.startswith(old_calls.PREFIX) else msgspec.to_builtins(said)
