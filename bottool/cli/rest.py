"""The calls of /rest/v1 that several commands make. Knows the addresses; ``bottool.client`` knows HTTP."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from bottool.client import Client
from bottool.wire import Page

Item = TypeVar("Item")

PAGE_SIZE = 100
"""The most that is asked for in one call."""


def path(*parts: str | int) -> str:
    """``/rest/v1/…`` with every part quoted."""
    return "/".join(["/rest/v1", *(quote(str(part), safe="") for part in parts)])


def every(client: Client, where: str, kind: type[Item]) -> list[Item]:
    """The items of a list that the server gives as a whole."""
    page = client.get(where, type=Page)
    return msgspec.convert(page.items, list[kind])  # type: ignore[valid-type]


def newest(client: Client, where: str, kind: type[Item], *, query: Mapping[str, Any], limit: int) -> list[Item]:
    """The first ``limit`` items of a list that the server gives page by page; empty filters are not sent."""
    items: list[Item] = []
    asked = {name: value for name, value in query.items() if value}
    while len(items) < limit:
        page = client.get(where, query=asked | {"limit": min(PAGE_SIZE, limit - len(items))}, type=Page)
        items += msgspec.convert(page.items, list[kind])  # type: ignore[valid-type]
        if not page.next:
            break
        asked["before"] = page.next
    return items
