"""What a bot may not tell anybody: the secrets that its attempt has read, wherever they turn up in what it sends."""

import threading
from collections import OrderedDict
from typing import TypeVar

import sqlalchemy as sa

from bottool.errors import SettingsError, Unavailable
from bottool_web.actions.site import Site
from bottool_web.masking import Masker
from bottool_web.store import credentials
from bottool_web.store.scope import Principal

V = TypeVar("V")
KEPT_BYTES = 32 * 1024 * 1024
"""So large may all maskers that are kept be, by their forms."""


def masked(site: Site, who: Principal, value: V) -> V:
    """``value`` (a text, or JSON values) with every secret that ``who``'s attempt has read replaced by ``*``."""
    if who.kind != "attempt":
        return value
    masker = masker_of(site, who, who.id)
    return value if masker is None else masker.value(value)


def masker_of(site: Site, who: Principal, attempt_id: int) -> Masker | None:
    """Of what the attempt has read; ``None`` when that is nothing."""

    def find(tx: sa.Connection) -> list[credentials.Sealed]:
        return credentials.known_to(tx, who.scope, attempt_id)

    known = site.store.read(find)
    return _MADE.of(site, tuple(known)) if known else None


class _Made:
    """The maskers that were asked for last: making one takes longer than masking most texts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._maskers: OrderedDict[tuple[credentials.Sealed, ...], Masker] = OrderedDict()

    def of(self, site: Site, known: tuple[credentials.Sealed, ...]) -> Masker:
        """What is sealed never changes its meaning, so it may stand for what it holds."""
        with self._lock:
            found = self._maskers.pop(known, None)
        masker = found or Masker(_opened(site, each) for each in known)
        with self._lock:
            self._maskers[known] = masker
            while len(self._maskers) > 1 and sum(each.size for each in self._maskers.values()) > KEPT_BYTES:
                self._maskers.popitem(last=False)
        return masker


_MADE = _Made()


def _opened(site: Site, each: credentials.Sealed) -> str:
    """:raises Unavailable: without the key nobody knows what to mask, so nothing is taken until it is back."""
    try:
        return site.vault.unseal(each.sealed, each.what)
    except SettingsError as error:
        raise Unavailable(f"what must be masked cannot be opened: {error.message}", error.hint) from error
