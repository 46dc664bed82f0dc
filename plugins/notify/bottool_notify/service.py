"""Sends one notification to one address, in this process. Knows no time limit: whoever calls the hook keeps one."""

import logging

from apprise import Apprise, AppriseAsset, LogCapture, NotifyFormat, NotifyType

from bottool.errors import Unavailable
from bottool.model import Notification

_TYPES = {"info": NotifyType.INFO, "warn": NotifyType.WARNING, "error": NotifyType.FAILURE}


def send(notification: Notification) -> bool | None:
    """True when the service took it; ``None`` when the address is of no service that apprise knows.

    :raises Unavailable: when the service did not take it; the message may quote the address.
    """
    # Texts of bots are texts: no escapes, no emojis out of ``:words:``. And nothing is kept on the disk.
    asset = AppriseAsset(app_id="bottool", app_desc="bottool", async_mode=False, interpret_escapes=False)
    service = Apprise(asset=asset)
    if not service.add(notification.address):
        return None
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]  # of apprise
        taken = service.notify(
            title=notification.title,
            body=notification.text or notification.title,
            notify_type=_TYPES.get(notification.severity, NotifyType.INFO),
            body_format=NotifyFormat.HTML if notification.html else NotifyFormat.TEXT,
        )
        trouble = " ".join(said.getvalue().split())
    if not taken:
        raise Unavailable(f"the service did not take it: {trouble or 'it did not say why'}")
    return True
