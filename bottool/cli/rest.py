"""The calls of /rest/v1 that several commands make. Knows the addresses; ``bottool.client`` knows HTTP."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from bottool.client import Client
from bottool.wire import Page

Item = TypeVar("Item")

PAGE_SIZE = 200
"""The most that is asked for in one call."""


def path(*parts: str | int) -> str:
    """``/rest/v1/…`` with every part quoted."""
    return "/".join(["/rest/v1", *(quote(str(part), safe="") for part in parts)])


def every(
    client: Client, where: str, kind: type[Item], *, query: Mapping[str, Any] | None = None, limit: int | None = None
) -> list[Item]:
    """The items of all pages, or the first ``limit`` of them."""
    items: list[Item] = []
    cursor = ""
    while limit is None or len(items) < limit:
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit - len(items))
        asked = {**{name: value for name, value in (query or {}).items() if value}, "limit": size}
        page = client.get(where, query=asked | ({"cursor": cursor} if cursor else {}), type=Page)
        items += msgspec.convert(page.items, list[kind])  # type: ignore[valid-type]
        cursor = page.next
        if not cursor:
            break
    return items
