"""What a bot may not tell anybody: the secrets that its attempt has read, wherever they turn up in what it sends."""

from typing import TypeVar

import sqlalchemy as sa

from bottool.errors import SettingsError, Unavailable
from bottool_web.actions.site import Site
from bottool_web.masking import Masker
from bottool_web.store import credentials
from bottool_web.store.scope import Principal

V = TypeVar("V")


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
    secrets = [_opened(site, each) for each in known]
    return Masker(secrets) if secrets else None


def _opened(site: Site, each: credentials.Sealed) -> str:
    """:raises Unavailable: without the key nobody knows what to mask, so nothing is taken until it is back."""
    try:
        return site.vault.unseal(each.sealed, each.what)
    except SettingsError as error:
        raise Unavailable(f"what must be masked cannot be opened: {error.message}", error.hint) from error
