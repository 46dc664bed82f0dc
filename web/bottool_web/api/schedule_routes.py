"""The routes of /rest/v1 for schedules."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
