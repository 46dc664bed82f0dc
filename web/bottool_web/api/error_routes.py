"""The routes of /rest/v1 for error reports."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
