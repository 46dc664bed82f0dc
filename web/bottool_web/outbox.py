"""The site's outbox: threads that deliver what waits there. A caller of actions.

Mail has a thread of its own and channels another, so that neither waits for the other. What takes nothing at all for a
while, such as a mail server that is down, is left alone for growing pauses; what waits stands in the store.
"""

import logging
import threading
import time
from typing import Any, Protocol

from bottool.errors import SettingsError
from bottool_web.actions import channels, deliveries, upkeep
from bottool_web.actions.deliveries import MAIL, TOPIC, Parcel, Tried
from bottool_web.actions.site import Site
from bottool_web.mail import Mail, Postman, Undelivered
from bottool_web.notifying import notify
from bottool_web.store.scope import Principal

EVERY_SECONDS = 2.0
GIVE_UP_EVERY_SECONDS = 300.0
FIRST_REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 300.0

_log = logging.getLogger(__name__)


class Carrier(deliveries.Sender, Protocol):
    """Something that delivers, on the outbox's thread."""

    @property
    def is_set_up(self) -> bool: ...

    def break_off(self) -> None:
        """End what goes on; from another thread."""

    def close(self) -> None:
        """Nothing more is due for now."""


class MailCarrier:
    """Brings messages to e-mail addresses."""

    mail = True

    def __init__(self, site: Site) -> None:
        self._postman = Postman(settings=site.settings)

    @property
    def is_set_up(self) -> bool:
        return self._postman.is_set_up

    def send(self, parcel: Parcel) -> None:
        self._postman.send(
            Mail(
                to=parcel.to,
                subject=parcel.subject,
                body=parcel.body,
                html=parcel.html,
                reference=parcel.reference,
                at=parcel.at,
            )
        )

    def break_off(self) -> None:
        self._postman.break_off()

    def close(self) -> None:
        self._postman.close()


class ChannelCarrier:
    """Brings messages to channels of chat services, each in a child process."""

    mail = False
    is_set_up = True

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ending = threading.Event()

    def send(self, parcel: Parcel) -> None:
        if parcel.channel_id is None or not parcel.sealed:
            raise Undelivered("the channel was deleted", final=True)
        try:
            address = channels.address_of(self._site, parcel.workspace_id, parcel.channel_id, parcel.sealed)
        except SettingsError as error:
            raise Undelivered(f"the channel's address: {error.message}", everywhere=True) from error
        fields = {
            "address": address,
            "title": parcel.subject,
            "text": parcel.body,
            "severity": parcel.severity,
            "html": parcel.html,
            "reference": parcel.reference,
        }
        notify(fields, self._site.settings.delivery_seconds, self._ending)

    def break_off(self) -> None:
        self._ending.set()

    def close(self) -> None:
        """Nothing is kept between two."""


class Outbox:
    """One per server process: a line for each way to deliver."""

    def __init__(self, site: Site, *carriers: Carrier) -> None:
        self._lines = [Line(site, carrier) for carrier in carriers or (MailCarrier(site), ChannelCarrier(site))]
        self._stop_listening: Any = None
        self._site = site

    def start(self) -> None:
        self._stop_listening = self._site.hints.listen([TOPIC], self._wake)
        for line in self._lines:
            line.start()

    def stop(self) -> None:
        """What is being sent is broken off, and tried again after the next start. May be repeated."""
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        for line in self._lines:
            line.stop()

    def _wake(self) -> None:
        for line in self._lines:
            line.wake()


class Line:
    """What waits for one carrier, delivered one after the other."""

    def __init__(self, site: Site, carrier: Carrier) -> None:
        self._site = site
        self._carrier = carrier
        self._ending = False
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None
        self._rests: dict[int, tuple[float, float]] = {}
        self._give_up_at = 0.0

    def start(self) -> None:
        name = "outbox-mail" if self._carrier.mail else "outbox-channels"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ending = True
        self._woken.set()
        if self._thread is not None:
            while self._thread.is_alive():
                # Again and again: it may have begun to connect just after.
                self._carrier.break_off()
                self._thread.join(0.1)
            self._thread = None

    def wake(self) -> None:
        self._woken.set()

    def _run(self) -> None:
        while not self._ending:
            self._woken.wait(EVERY_SECONDS)
            self._woken.clear()
            try:
                self.look()
            except Exception:  # noqa: BLE001  # the top of a loop: the next look may go well
                _log.exception("something in the outbox could not be delivered")

    def look(self) -> None:
        """Deliver whatever is due, one of each workspace in turn."""
        waiting = upkeep.principals(self._site)
        self._give_up(waiting)
        try:
            while waiting and not self._ending and self._carrier.is_set_up:
                waiting = [who for who in waiting if self._deliver(who)]
        finally:
            self._carrier.close()

    def _deliver(self, who: Principal) -> bool:
        """Try one; false when there is nothing to try now."""
        resting = [key for key, (until, _) in self._rests.items() if until > time.monotonic()]
        if self._ending or (self._carrier.mail and MAIL in resting):
            return False
        tried = deliveries.deliver_next(self._site, who, self._carrier, resting)
        if tried is not None:
            self._note(tried)
        return tried is not None

    def _note(self, tried: Tried) -> None:
        """Something that takes nothing rests; each time longer, until something gets through."""
        _, before = self._rests.pop(tried.key, (0.0, 0.0))
        if tried.stuck:
            rest = min(max(2 * before, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
            self._rests[tried.key] = (time.monotonic() + rest, rest)

    def _give_up(self, everybody: list[Principal]) -> None:
        if self._carrier.mail and time.monotonic() >= self._give_up_at:
            self._give_up_at = time.monotonic() + GIVE_UP_EVERY_SECONDS
            for who in everybody:
                deliveries.give_up_old(self._site, who)
