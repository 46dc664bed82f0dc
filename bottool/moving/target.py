"""Where things move to: a workspace of ours, written through its interface. A thing that is there is never changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError
from bottool.moving.origin import why
from bottool.moving.told import Told

T = TypeVar("T", bound=msgspec.Struct)
PAGE_ROWS = 100


class Target:
    """Writes what is not there yet, and says of each thing what came of it. With ``dry`` it only says so."""

    def __init__(self, client: Client, told: Told, *, dry: bool) -> None:
        self.client, self.told, self.dry = client, told, dry

    def known(self, path: str, kind: type[T], key: Callable[[T], str]) -> dict[str, T]:
        """All that is there of a kind, by ``key``."""
        found: dict[str, T] = {}
        query: dict[str, Any] = {}
        while True:
            page = self.client.get(f"/rest/v1/{path}", query=query, type=wire.Page)
            rows = msgspec.convert(page.items, list[kind])  # type: ignore[valid-type]
            found |= {key(each): each for each in rows}
            if not page.next:
                return found
            query = {"before": page.next}

    def make(self, kind: str, label: str, path: str, new: msgspec.Struct, note: str = "") -> bool:
        """Write one thing; returns whether it is there now."""
        if self.dry:
            self.told.add(kind, label, "would make", note)
            return False
        try:
            self.client.post(f"/rest/v1/{path}", new)
        except BottoolError as error:
            self.told.add(kind, label, "failed", why(error))
            return False
        self.told.add(kind, label, "made", note)
        return True

    def compare(self, kind: str, label: str, there: object, wanted: dict[str, Any]) -> None:
        """Say of a thing that is there in what it differs."""
        wrong = sorted(name for name, value in wanted.items() if getattr(there, name) != value)
        if wrong:
            self.told.add(kind, label, "differs", f"here it is another {', '.join(wrong)}; it was left as it is")
        else:
            self.told.add(kind, label, "there")


class Journal:
    """Which entries of data pools came over already, a line each: an interrupted import goes on where it stopped.

    The key under which an entry is sent makes a repeated one harmless for days; this does so for good.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._done = set(path.read_text("utf-8").splitlines()) if path.exists() else set()

    def has(self, name: str) -> bool:
        return name in self._done

    def add(self, name: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        self._done.add(name)
