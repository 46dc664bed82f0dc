"""All of Maestro's calls, put into the application."""

from flask import Flask

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
    pools,
    schedules,
    tasks,
    workspace,
)
from bottool_web.maestro.calls import EXTENSION, blueprint

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
    pools,
    schedules,
    tasks,
    workspace,
)
"""The modules whose calls registered themselves with the blueprint when they were imported."""


def install(app: Flask, site: Site) -> None:
    """Put ``/api/v2`` into ``app``; called once, when the application is made."""
    app.extensions[EXTENSION] = site
    app.register_blueprint(blueprint)
