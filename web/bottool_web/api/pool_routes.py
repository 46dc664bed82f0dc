"""The routes of /rest/v1 for data pools."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
