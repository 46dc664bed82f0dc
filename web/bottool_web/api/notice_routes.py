"""The routes of /rest/v1 for messages and deliveries."""

from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = ()
