"""A small real server that plays ``/runner/v1`` by the rules, and loses or repeats messages on order.

It keeps what happened in ``events``, and in ``wrongs`` what a runner must never do.
"""

import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

ATTEMPT_PATH = re.compile(r"/runner/v1/tasks/(\d+)/attempts/(\d+)/([a-z-]+)")
TOKEN = "the-runners-token"
CODE = "ONE-TIME-CODE"
ALIVE = {"leased", "starting", "running", "lost"}


@dataclass(kw_only=True)
class Task:
    id: int
    package: Path
    extra: dict[str, Any] = field(default_factory=dict)
    attempt: int = 0
    state: str = "queued"
    claim_key: str = ""
    output: bytes = b""
    report: dict[str, Any] = field(default_factory=dict)
    verdict: str = "ok"
    served: bytes = b""
    output_limit: int = 10**9


class Refusal(Exception):
    def __init__(self, status: int, code: str, **details: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.details = status, code, details


class SmallServer:
    """Listens on a free port while entered. ``address`` stays the same over ``stop`` and ``start``."""

    def __init__(self) -> None:
        self.tasks: dict[int, Task] = {}
        self.events: list[tuple[str, int, int]] = []
        self.wrongs: list[str] = []
        self.syncs: list[dict[str, Any]] = []
        self.registered: list[dict[str, Any]] = []
        self.hand_backs: list[dict[str, Any]] = []
        self.knows_evidence = True
        self.evidence_wanted = False
        self.evidence: dict[int, dict[str, Any]] = {}
        self.equipment: dict[int, dict[str, Any]] = {}
        self.screenshots: dict[int, bytes] = {}
        self.tokens = {TOKEN}
        self.hold_seconds = 1.0
        self.lease_seconds = 60.0
        self.most_claims = 20
        self.lost_requests: dict[str, int] = {}
        self.lost_replies: dict[str, int] = {}
        self.repeats: dict[str, int] = {}
        self.refusals: dict[str, list[Refusal]] = {}
        self.chaos: tuple[random.Random, float] | None = None
        self.port = 0
        self._changed = threading.Condition(threading.RLock())
        self._listening: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    # For tests.

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                outer._handle(self)

            def do_POST(self) -> None:
                outer._handle(self)

            def log_message(self, *_: object) -> None:
                pass

        class Listening(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                """Runners are killed in the middle of calls here."""

        self._listening = Listening(("127.0.0.1", self.port), Handler)
        self.port = self._listening.server_address[1]
        self._thread = threading.Thread(target=self._listening.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.shutdown()
            self._listening.server_close()
            self._thread.join()
            self._listening = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, package: Path, **extra: Any) -> Task:
        with self._changed:
            task = Task(id=len(self.tasks) + 1, package=package, extra=extra)
            self.tasks[task.id] = task
            self._changed.notify_all()
            return task

    def ended(self, task: Task) -> bool:
        return task.state in {"finished", "failed", "cancelled"}

    def say(self, task: Task, verdict: str) -> None:
        with self._changed:
            task.verdict = verdict
            self._changed.notify_all()

    def refuse(self, kind: str, status: int, code: str, **details: Any) -> None:
        """Answer the next call of that kind so."""
        self.refusals.setdefault(kind, []).append(Refusal(status, code, **details))

    def requeue(self, task: Task) -> None:
        """The lease ran out before the permit."""
        with self._changed:
            assert task.state == "leased"
            task.state = "queued"
            self._changed.notify_all()

    def kinds(self, task: Task) -> list[str]:
        return [kind for kind, task_id, _ in self.events if task_id == task.id]

    # Requests.

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        parts = urlsplit(request.path)
        kind = parts.path.rpartition("/")[2]
        if self._happens(self.lost_requests, kind):
            request.close_connection = True
            return
        for _ in range(2 if self._happens(self.repeats, kind) else 1):
            status, answer = self._answer(request, parts.path, parse_qs(parts.query), body)
        if self._happens(self.lost_replies, kind):
            request.close_connection = True
            return
        is_json = not isinstance(answer, bytes)
        data = json.dumps(answer).encode() if is_json else answer
        request.send_response(status)
        request.send_header("Content-Type", "application/json" if is_json else "application/octet-stream")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _happens(self, ordered: dict[str, int], kind: str) -> bool:
        with self._changed:
            if ordered.get(kind, 0) > 0:
                ordered[kind] -= 1
                return True
            # A lost registration ends a runner with a clear error; it is not what is tried here.
            return self.chaos is not None and kind != "register" and self.chaos[0].random() < self.chaos[1]

    def _answer(self, request: BaseHTTPRequestHandler, path: str, query: dict[str, list[str]], body: bytes) -> Any:
        try:
            kind = path.rpartition("/")[2]
            with self._changed:
                if self.refusals.get(kind):
                    raise self.refusals[kind].pop(0)
                if path == "/runner/v1/register":
                    return 200, self._register(json.loads(body))
                if request.headers.get("Authorization") not in {f"Bearer {token}" for token in self.tokens}:
                    raise Refusal(401, "unauthorized")
                if path == "/runner/v1/sync":
                    return 200, self._sync(json.loads(body))
                found = ATTEMPT_PATH.fullmatch(path)
                task = self.tasks.get(int(found[1])) if found else None
                if task is None:
                    raise Refusal(404, "not_found")
                act = getattr(self, "_" + found[3].replace("-", "_"))
                answer = act(task, int(found[2]), query, body)
                self._changed.notify_all()
                return 200, answer
        except Refusal as refusal:
            problem = {"title": refusal.code, "status": refusal.status, "detail": refusal.code}
            return refusal.status, {
                **problem, "message": refusal.code, "code": refusal.code, "details": refusal.details
            }  # fmt: skip

    def _note(self, kind: str, task: Task) -> None:
        self.events.append((kind, task.id, task.attempt))

    def _register(self, said: dict[str, Any]) -> dict[str, Any]:
        if said["code"] != CODE and (said["login"], said["key"]) != ("login", "key"):
            raise Refusal(401, "unauthorized")
        self.registered.append(said)
        return {
            "runner_id": 1,
            "machine_id": said["machine_id"] or "named-by-code",
            "workspace": "workspace",
            "token": TOKEN,
        }

    def _sync(self, said: dict[str, Any]) -> dict[str, Any]:
        self.syncs.append(said)
        # A test's own limit, so that tests need not wait.
        until = time.monotonic() + min(self.hold_seconds, said["hold_seconds"])
        while True:
            verdicts = [self._verdict(each) for each in said["attempts"]]
            work = self._claim(said)
            left = until - time.monotonic()
            if work or left <= 0 or any(each["verdict"] != "ok" for each in verdicts):
                return {"lease_seconds": self.lease_seconds, "verdicts": verdicts, "work": work}
            self._changed.wait(left)

    def _verdict(self, said: dict[str, Any]) -> dict[str, Any]:
        task = self.tasks.get(said["task_id"])
        current = task is not None and task.attempt == said["attempt"]
        if not current or (task.state not in ALIVE and said["state"] != "reporting"):
            return {**{name: said[name] for name in ("task_id", "attempt")}, "verdict": "gone"}
        return {**{name: said[name] for name in ("task_id", "attempt")}, "verdict": task.verdict}

    def _claim(self, said: dict[str, Any]) -> list[dict[str, Any]]:
        key = said["claim_key"]
        if not key:
            return []
        mine = [task for task in self.tasks.values() if task.claim_key == key]
        if not mine:
            held = sum(task.state in ALIVE for task in self.tasks.values())
            room = min(said["free_slots"], said["slots"] - held)
            mine = [task for task in self.tasks.values() if task.state == "queued"][: max(0, room)]
            for task in mine:
                task.attempt, task.state, task.claim_key, task.output = task.attempt + 1, "leased", key, b""
                self._note("leased", task)
        return [self._work(task) for task in mine if task.state == "leased"]

    def _work(self, task: Task) -> dict[str, Any]:
        data = task.package.read_bytes()
        return {
            "task_id": task.id,
            "attempt": task.attempt,
            "claim_key": task.claim_key,
            "automation": "automation",
            "bot_id": "bot",
            "version": "1.0.0",
            "technology": "COMMAND",
            "file_name": task.package.name,
            "sha256": sha256(data).hexdigest(),
            "size_bytes": len(data),
            "grace_seconds": 1.0,
            **task.extra,
        }

    # Calls of one attempt.

    def _fence(self, task: Task, attempt: int, *states: str) -> None:
        if task.attempt != attempt or task.state not in states:
            raise Refusal(409, "stale_attempt")

    def _package(self, task: Task, attempt: int, _query: Any, _body: bytes) -> bytes:
        self._fence(task, attempt, *ALIVE)
        return task.served or task.package.read_bytes()

    def _permit(self, task: Task, attempt: int, _query: Any, _body: bytes) -> dict[str, Any]:
        self._fence(task, attempt, "leased", "starting", "running")
        if task.state == "leased":
            task.state = "starting"
            self._note("permitted", task)
        return {"token": f"secret-token-{task.id}-{attempt}", "workspace": "workspace"}

    def _started(self, task: Task, attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        self._fence(task, attempt, "starting", "running", "lost", "finished", "failed")
        if task.state in {"starting", "lost"}:
            task.state = "running"
            self._note("started", task)
        assert json.loads(body)["pid"] > 0
        return {}

    def _void(self, task: Task, attempt: int, _query: Any, _body: bytes) -> dict[str, Any]:
        if task.attempt == attempt and task.state == "running":
            self.wrongs.append(f"task {task.id}: void after started")
        self._fence(task, attempt, "leased", "starting", "lost")
        self._note("void", task)
        task.state = "cancelled" if task.verdict == "stop" else self._queued_again(task)
        return {}

    def _queued_again(self, task: Task) -> str:
        return "failed" if task.attempt >= self.most_claims else "queued"

    def _hand_back(self, task: Task, attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        self._fence(task, attempt, "leased")
        said = json.loads(body)
        self.hand_backs.append(said)
        self._note("handed back", task)
        task.state = "failed" if said["permanent"] else self._queued_again(task)
        return {}

    def _output(self, task: Task, attempt: int, query: dict[str, list[str]], body: bytes) -> dict[str, Any]:
        self._fence(task, attempt, "starting", "running", "lost")
        offset = int(query["offset"][0])
        if len(body) > 1024 * 1024 + 70_000:
            self.wrongs.append(f"task {task.id}: {len(body)} bytes at once")
        if offset != len(task.output):
            raise Refusal(409, "wrong_offset", next_offset=len(task.output))
        if len(task.output + body) > task.output_limit:
            raise Refusal(413, "too_big")
        task.output += body
        return {"next_offset": len(task.output)}

    def _finish(self, task: Task, attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        said = json.loads(body)
        if task.attempt == attempt and task.report:
            if task.report != said:
                self.wrongs.append(f"task {task.id}: two different reports")
            return self._finished()
        self._fence(task, attempt, "starting", "running", "lost")
        task.report = said
        task.state = "finished" if said["reason"] == "exited" and said["exit_code"] == 0 else "failed"
        self._note("finished", task)
        if said["output_bytes"] != len(task.output) and said["output_bytes"] <= task.output_limit:
            self.wrongs.append(f"task {task.id}: {said['output_bytes']} bytes of output, got {len(task.output)}")
        return self._finished()

    def _finished(self) -> dict[str, Any]:
        return {"evidence_wanted": self.evidence_wanted}

    def _equipment(self, task: Task, _attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        return self._keep("equipment", task, self.equipment, json.loads(body))

    def _evidence(self, task: Task, _attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        return self._keep("evidence", task, self.evidence, json.loads(body))

    def _screenshot(self, task: Task, _attempt: int, _query: Any, body: bytes) -> dict[str, Any]:
        return self._keep("screenshot", task, self.screenshots, body)

    def _keep(self, kind: str, task: Task, where: dict[int, Any], what: Any) -> dict[str, Any]:
        """A server of the release before does not know these calls."""
        if not self.knows_evidence:
            raise Refusal(404, "not_found")
        if kind != "equipment":  # told once for many attempts, it is none of a task's events
            self._note(kind, task)
        where[task.id] = what
        return {}
