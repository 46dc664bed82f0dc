"""A Maestro server, read over its own API: what is there, in plain JSON values, however its server spells it.

Nothing that it says is trusted: every field may be missing, of another type, or without end. Knows nothing of ours.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from bottool.client import Client, is_here
from bottool.errors import BottoolError, ServerError, SettingsError

PAGE_ROWS = 200
MOST_PAGES = 5000
MOST_BYTES = 64 * 1024 * 1024
TIMEOUT_SECONDS = 60.0
Item = dict[str, Any]


class Origin:
    """A signed-in look at one workspace. It changes nothing there.

    :raises SettingsError: for an address without encryption that is not this machine's, unless ``plain_allowed``.
    """

    def __init__(self, server: str, login: str, key: str, *, plain_allowed: bool = False) -> None:
        if urlsplit(server).scheme == "http" and not is_here(server) and not plain_allowed:
            raise SettingsError(
                f"'{server}' is not encrypted, and the key would be readable on its way",
                "use https, or say --plain-http where the network is your own",
            )
        said = Client(server, timeout_seconds=TIMEOUT_SECONDS)
        answer = said.post("/api/v2/workspace/login", {"login": login, "key": key})
        token = answer.get("accessToken") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise ServerError(f"{server} answered the login without a token", "is it a Maestro server?")
        self.server = server.rstrip("/")
        self.workspace = text(answer.get("organizationLabel")) or login
        self._client = Client(server, token, timeout_seconds=TIMEOUT_SECONDS)

    def get(self, path: str, **query: int) -> Any:
        """The answer's JSON.

        :raises BottoolError: when it is refused, no JSON, or larger than anything that is meant.
        """
        data, _ = self._client.read(f"/api/v2/{path}", query=query)
        if len(data) > MOST_BYTES:
            raise ServerError(f"the answer to '{path}' has more than {MOST_BYTES // 2**20} MB")
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise ServerError(f"the answer to '{path}' is no JSON") from None

    def text(self, path: str) -> str:
        """The answer as plain text."""
        data, _ = self._client.read(f"/api/v2/{path}")
        return data[:MOST_BYTES].decode("utf-8", "replace")

    def every(self, path: str) -> Iterator[Item]:
        """The items of a list: a bare array, or pages until the last one.

        :raises BottoolError: as ``get``; what came before was given already.
        """
        for number in range(MOST_PAGES):
            answer = self.get(path, page=number, size=PAGE_ROWS)
            rows, last = _page(path, answer)
            yield from rows
            if last:
                return
        raise ServerError(f"'{path}' has more than {MOST_PAGES} pages", "the rest was not read")

    def one(self, kind: str, label: str) -> Item:
        """A single thing by its label."""
        return _object(kind, self.get(f"{kind}/{quote(label, safe='')}"))


def _page(path: str, answer: Any) -> tuple[list[Item], bool]:
    if isinstance(answer, list):
        return [each for each in answer if isinstance(each, dict)], True
    content = answer.get("content") if isinstance(answer, dict) else None
    if not isinstance(content, list):
        raise ServerError(f"the answer to '{path}' is no list")
    # Who does not say that it was the last one says it by an empty page.
    last = answer.get("last")
    return [each for each in content if isinstance(each, dict)], not content or last is not False


def _object(path: str, answer: Any) -> Item:
    if not isinstance(answer, dict):
        raise ServerError(f"the answer to '{path}' is no object")
    return answer


# What a field means, whatever came.


def text(value: Any) -> str:
    """One line of what can be printed; empty for what is no text or number."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return "".join(letter for letter in str(value) if letter.isprintable()).strip()[:200]


def whole(value: Any, default: int = 0) -> int:
    """A whole number that fits into a column."""
    try:
        found = int(str(value))
    except ValueError:
        return default
    return found if 0 <= found < 2**31 else default


def flag(value: Any, *, default: bool) -> bool:
    return value if isinstance(value, bool) else default


def items(value: Any) -> list[Item]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """Texts of a list of texts, or of objects that have a name."""
    if not isinstance(value, list):
        return []
    found = [each if isinstance(each, str) else _named(each) for each in value]
    return [each for each in map(text, found) if each]


def _named(value: Any) -> Any:
    if not isinstance(value, dict):
        return ""
    return next((value[name] for name in ("machineId", "label", "name", "id") if value.get(name)), "")


def why(error: BottoolError) -> str:
    return text(error.message) or type(error).__name__
