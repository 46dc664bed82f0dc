"""The routes of /rest/v1 for result files."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
