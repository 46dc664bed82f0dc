"""What bottool finds at this plugin's entry point: its one hook."""

from bottool.hookspecs import hookimpl
from bottool.model import Notification


@hookimpl
def bottool_notify(notification: Notification) -> bool | None:
    # apprise takes a second to import, and only who notifies needs it.
    from bottool_notify.service import send

    return send(notification)
