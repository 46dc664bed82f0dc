"""What scenarios share: the SDK at work, refusals, and a note of every public method of the SDK that they call."""

import contextlib
import datetime
import functools
import inspect
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botcity.maestro import (
    Artifact,
    AutomationTask,
    BotMaestroSDK,
    DataPool,
    DataPoolEntry,
    ServerMessage,
)

CLASSES = (BotMaestroSDK, DataPool, DataPoolEntry, AutomationTask, Artifact, ServerMessage)
HERE = Path(__file__).resolve().parent
NOBODY = 999_999_999
"""An id that nothing has."""

called: set[str] = set()
scenarios: list[tuple[str, Callable[["Work"], None]]] = []


class Work:
    """What a scenario has at hand: a connected SDK, and an automation that it may start tasks of."""

    def __init__(self, sdk: BotMaestroSDK, automation: str, folder: Path) -> None:
        self.sdk, self.automation, self.folder = sdk, automation, folder

    @property
    def is_bot(self) -> bool:
        return bool(self.sdk.task_id)

    def task(self, **more: Any) -> str:
        return str(self.sdk.create_task(self.automation, {}, **more).id)

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def pool(self, *entries: DataPoolEntry, **more: Any) -> DataPool:
        pool = self.sdk.create_datapool(
            DataPool(label=unique("pool"), default_automation=self.automation, **{"auto_retry": False, **more})
        )
        for entry in entries:
            pool.create_entry(entry)
        return pool


def scenario(name: str) -> Callable[[Callable[[Work], None]], Callable[[Work], None]]:
    def keep(play: Callable[[Work], None]) -> Callable[[Work], None]:
        scenarios.append((name, play))
        return play

    return keep


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def refused(kind: type[Exception] = ValueError, saying: str = "") -> Iterator[None]:
    """What the SDK raises when the server refuses."""
    try:
        yield
    except kind as error:
        said: str | None = str(error)
    else:
        said = None
    assert said is not None, f"no {kind.__name__}"
    assert saying in said, f"'{saying}' is not in: {said}"


def public_methods() -> dict[str, Any]:
    return {
        f"{cls.__name__}.{name}": member
        for cls in CLASSES
        for name, member in vars(cls).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, staticmethod | classmethod))
    }


def note_calls() -> None:
    """From now on ``called`` has every public method of the SDK that a scenario calls; the SDK's own calls do not count."""
    for full, member in public_methods().items():
        owner, name = full.split(".")
        cls = next(cls for cls in CLASSES if cls.__name__ == owner)
        plain = inspect.isfunction(member)
        setattr(cls, name, noting(full, member if plain else member.__func__, type(member) if not plain else None))


def noting(full: str, function: Callable[..., Any], kind: Any) -> Any:
    @functools.wraps(function)
    def noted(*arguments: Any, **named: Any) -> Any:
        if Path(sys._getframe(1).f_code.co_filename).resolve().parent == HERE:
            called.add(full)
        return function(*arguments, **named)

    return kind(noted) if kind else noted


def is_date(text: str) -> bool:
    return datetime.datetime.fromisoformat(text).tzinfo is not None
