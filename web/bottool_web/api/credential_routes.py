"""The routes of /rest/v1 for credentials."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
