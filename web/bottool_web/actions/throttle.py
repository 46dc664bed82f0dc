"""Slowing down those who guess passwords and keys: fewer and fewer tries, counted in the database."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bottool.errors import TooManyTries
from bottool_web.store import tokens

WINDOW = timedelta(minutes=15)
LONGEST_WAIT_SECONDS = 900
FREE_OF_PAIR = 10
"""So many wrong tries for one name from one address cost nothing; each further one doubles the wait."""
FREE_OF_ADDRESS = 50
FREE_OF_SUBJECT = 100
"""High, so that a stranger elsewhere cannot easily keep somebody out."""


def check(tx: sa.Connection, *, subject: str, address: str, now: datetime) -> None:
    """:raises TooManyTries: when the next try would come too early."""
    tries = tokens.failures(tx, subject=subject, address=address, since=now - WINDOW)
    over = max(tries.pair - FREE_OF_PAIR, tries.address - FREE_OF_ADDRESS, tries.subject - FREE_OF_SUBJECT)
    if over < 0 or tries.last_at is None:
        return
    wait_seconds = min(2 ** min(over, 20), LONGEST_WAIT_SECONDS)
    left = (tries.last_at + timedelta(seconds=wait_seconds) - now).total_seconds()
    if left > 0:
        raise TooManyTries(
            "too many wrong sign-ins", f"try again in {round(left) + 1} seconds", retry_after_seconds=round(left) + 1
        )
