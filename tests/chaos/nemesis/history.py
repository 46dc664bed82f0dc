"""What a round leaves in its folder for the checker: the server's tables, the witness, who asked what, and all output.

Everything is text, so that a history can be looked at, kept and checked again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.database import Store
from bottool_web.store.tables import attempt, automation, event, runner, task

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Start:
    task: int
    attempt: int
    nonce: str
    at: float


@dataclass(frozen=True, kw_only=True)
class End:
    task: int
    attempt: int
    nonce: str
    exit_code: int
    lines: int
    at: float


@dataclass(frozen=True, kw_only=True)
class Said:
    """A bot's own word, and the HTTP status that it was answered with; 0: no answer came."""

    task: int
    attempt: int
    status: str
    code: int


@dataclass(kw_only=True)
class History:
    round: Json
    tasks: dict[int, Json] = field(default_factory=dict)
    attempts: dict[tuple[int, int], Json] = field(default_factory=dict)
    events: dict[int, list[Json]] = field(default_factory=dict)
    requests: list[Json] = field(default_factory=list)
    outputs: dict[tuple[int, int], str] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    ends: dict[tuple[int, int], End] = field(default_factory=dict)
    said: dict[tuple[int, int], Said] = field(default_factory=dict)
    secrets: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """Logs of processes, by name."""


def waiting_or_running(store: Store) -> int:
    """Tasks without a result, and attempts that have not ended."""
    open_tasks = sa.select(sa.func.count()).where(task.c.state.in_(["scheduled", "queued", *ACTIVE]))
    return int(store.read(lambda tx: tx.scalar(open_tasks)) or 0)


def unsettled(store: Store) -> int:
    alive = sa.select(sa.func.count()).where(attempt.c.state != "ended")
    return waiting_or_running(store) + int(store.read(lambda tx: tx.scalar(alive)) or 0)


ACTIVE = ["leased", "starting", "running", "stopping", "lost"]


def dump_tables(store: Store, folder: Path) -> None:
    def rows(tx: sa.Connection) -> dict[str, list[Json]]:
        tables = {"tasks": task, "attempts": attempt, "events": event, "runners": runner, "automations": automation}
        return {
            name: [dict(row._mapping) for row in tx.execute(sa.select(table).order_by(table.c.id))]
            for name, table in tables.items()
        }

    for name, found in store.read(rows).items():
        lines = (json.dumps(row, default=_plain) for row in found)
        (folder / f"{name}.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def dump_outputs(server: str, token: str, store: Store, folder: Path) -> None:
    """What each attempt's bot printed, as the server gives it to people."""
    with_output = sa.select(attempt.c.task_id, attempt.c.number).where(attempt.c.output_bytes > 0)
    rows = store.read(lambda tx: list(tx.execute(with_output.order_by(attempt.c.id))))
    with (folder / "outputs.jsonl").open("w", encoding="utf-8") as file:
        for task_id, number in rows:
            text = "".join(_output(server, token, task_id, number))
            file.write(json.dumps({"task": task_id, "attempt": number, "text": text}) + "\n")


def _output(server: str, token: str, task_id: int, number: int) -> Iterator[str]:
    after, ended = 0, False
    while not ended:
        ask = Request(
            f"{server}/rest/v1/tasks/{task_id}/output?attempt={number}&after={after}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urlopen(ask, timeout=30) as answer:
            data = answer.read()
            ended = answer.headers[wire.ENDED_HEADER] == "true" or not data
            after = int(answer.headers[wire.NEXT_OFFSET_HEADER])
        for frame in wire.frames(data):
            if frame.stream == wire.Stream.STDOUT:
                yield frame.data.decode("utf-8", "replace")


def load(folder: Path) -> History:
    made = History(round=json.loads((folder / "round.json").read_text(encoding="utf-8")))
    for row in _lines(folder / "tasks.jsonl"):
        made.tasks[row["id"]] = row
    for row in _lines(folder / "attempts.jsonl"):
        made.attempts[row["task_id"], row["number"]] = row
    for row in _lines(folder / "events.jsonl"):
        made.events.setdefault(row["task_id"], []).append(row)
    for row in _lines(folder / "outputs.jsonl"):
        made.outputs[row["task"], row["attempt"]] = row["text"]
    made.requests = list(_lines(folder / "requests.jsonl"))
    for line in (folder / "witness").read_text(encoding="utf-8").splitlines():
        _witness(made, line.split())
    for path in [*folder.glob("*.log"), *folder.glob("*/runner.log"), *folder.glob("*.jsonl")]:
        made.texts[str(path.relative_to(folder))] = path.read_text(encoding="utf-8", errors="replace")
    return made


def _lines(path: Path) -> Iterator[Json]:
    if path.exists():
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file)


def _witness(made: History, words: list[str]) -> None:
    kind, task_id, number, *rest = words
    key = (int(task_id), int(number))
    if kind == "start":
        made.starts.append(Start(task=key[0], attempt=key[1], nonce=rest[0], at=float(rest[2])))
    elif kind == "secret":
        made.secrets[rest[0]] = key[0]
    elif kind == "said":
        made.said[key] = Said(task=key[0], attempt=key[1], status=rest[1], code=int(rest[2]))
    else:
        made.ends[key] = End(
            task=key[0],
            attempt=key[1],
            nonce=rest[0],
            exit_code=int(rest[1]),
            lines=int(rest[2]),
            at=float(rest[3]),
        )
