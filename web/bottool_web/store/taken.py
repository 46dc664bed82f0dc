"""What the database's own uniqueness means to people."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bottool.errors import Conflict


@contextmanager
def conflict_when_taken(message: str, hint: str = "") -> Iterator[None]:
    """Around one INSERT or UPDATE: a row that exists already becomes a ``Conflict``.

    The transaction is lost afterwards, so let the conflict leave the write.
    """
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise Conflict(message, hint) from error
