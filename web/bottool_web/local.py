"""The server of one local run: the real application on a database of its own, in a thread, on the loopback address.

Its one task is made, taken and permitted by the same actions as on a site. Nobody but the bot has a token; everything
lies in the folder that the run gave and goes away with it. Knows no terminal and no process.
"""

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from bottool import wire
from bottool.local import LocalAlert, LocalReport, LocalServer, LocalWork
from bottool.model import Outcome, TaskContext
from bottool.states import FINAL, TaskState
from bottool_web.actions import alerts, attempts, automations, bots, identity, runners, setup, tasks
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.files import Files
from bottool_web.hints import Hints
from bottool_web.settings import SiteSettings
from bottool_web.store.bots import NewRevision, add_revision, version_of
from bottool_web.store.database import Store
from bottool_web.store.scope import Principal
from bottool_web.store.tables import metadata

WORKSPACE = "local"
LONGEST_LEASE_SECONDS = 10 * 365 * 24 * 3600.0
MOST_CALLS = 100
"""So many different calls are remembered; a bot may try any number of addresses."""
_THEIRS = ("/api/v2/", "/app/api/")


@contextmanager
def local_server(work: LocalWork) -> Iterator[LocalServer]:
    """Answer for one task while the context is open."""
    site = _new_site(work)
    try:
        app = create_app(site)
        calls = Calls()
        app.after_request(calls.note)
        with _served(app) as address:
            yield _OneTask(site, work, address, calls)
    finally:
        site.close()


def _new_site(work: LocalWork) -> Site:
    """A site without migrations: its database lives for one run, so it needs no history."""
    settings = SiteSettings(data=work.folder, lease_seconds=LONGEST_LEASE_SECONDS)
    store = Store(settings.database_address)
    try:
        metadata.create_all(store.engine)
    except BaseException:
        store.close()
        raise
    return Site(
        settings=settings,
        store=store,
        files=Files(work.folder / "files"),
        hints=Hints(),
        now=lambda: datetime.now(UTC),
        key=secrets.token_bytes(32),
        local_credentials=work.credentials,
    )


class _Quiet(WSGIRequestHandler):
    """Says nothing of each request: the terminal belongs to the bot."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
        logging.getLogger(__name__).debug("%s %s", type, message % args if args else message)


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), name="local server", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Calls:
    """Which of the bot's calls came to nothing. Used from the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unanswered: dict[str, int] = {}
        self._refused: dict[str, int] = {}

    def note(self, answer: Response) -> Response:
        if answer.status_code >= HTTPStatus.BAD_REQUEST and request.path.startswith(_THEIRS):
            call = f"{request.method} {request.path}"
            known = request.url_rule is not None
            why = f": {(answer.get_json(silent=True) or {}).get('message', answer.status)}" if known else ""
            with self._lock:
                kept = self._refused if known else self._unanswered
                if call + why in kept or len(kept) < MOST_CALLS:
                    kept[call + why] = kept.get(call + why, 0) + 1
        return answer

    @property
    def unanswered(self) -> tuple[str, ...]:
        with self._lock:
            return _counted(self._unanswered)

    @property
    def refused(self) -> tuple[str, ...]:
        with self._lock:
            return _counted(self._refused)


def _counted(calls: dict[str, int]) -> tuple[str, ...]:
    return tuple(f"{call} ({count} times)" if count > 1 else call for call, count in calls.items())


class _OneTask(LocalServer):
    def __init__(self, site: Site, work: LocalWork, address: str, calls: Calls) -> None:
        self._site = site
        self._calls = calls
        self._developer, self._runner = _people(site)
        _deploy(site, self._developer, work)
        made = tasks.create(
            site,
            self._developer,
            wire.NewTask(automation=work.bot_id, parameters=dict(work.parameters), test=True),
            loose=True,
        )
        self._task_id, self._attempt = _claim(site, self._runner, work)
        permit = attempts.permit(site, self._runner, self._task_id, self._attempt)
        attempts.started(site, self._runner, self._task_id, self._attempt, wire.Started(pid=0, boot_id="local"))
        self.task = TaskContext(server=address, task_id=made.id, workspace=permit.workspace, token=permit.token)

    def ended(self, outcome: Outcome) -> LocalReport:
        before = tasks.get_task(self._site, self._developer, self._task_id)
        ended = wire.Ended(
            report_key=secrets.token_hex(8),
            reason=outcome.reason.value,
            exit_code=outcome.exit_code,
            duration_seconds=outcome.duration_seconds,
            message=outcome.message,
            left_behind=list(outcome.left_behind),
        )
        attempts.finish(self._site, self._runner, self._task_id, self._attempt, ended)
        task = tasks.get_task(self._site, self._developer, self._task_id)
        sent = alerts.list_alerts(self._site, self._developer, self._task_id)
        return LocalReport(
            state=str(task.state),
            by_bot=TaskState(before.state) in FINAL,
            message=task.message,
            total_items=task.total_items,
            processed_items=task.processed_items,
            failed_items=task.failed_items,
            alerts=tuple(LocalAlert(type=each.type, title=each.title, message=each.message) for each in reversed(sent)),
            unanswered=self._calls.unanswered,
            refused=self._calls.refused,
        )


def _people(site: Site) -> tuple[Principal, Principal]:
    """Who deploys and asks, and the runner that takes the task. The key is known to nobody and forgotten at once."""
    key = secrets.token_hex(16)
    workspace_id = setup.create_workspace(site, WORKSPACE, WORKSPACE, key)
    developer = Principal(
        kind="workspace", id=workspace_id, name=WORKSPACE, role="workspace", workspace_id=workspace_id
    )
    given = wire.Register(machine_id=WORKSPACE, installation_id=WORKSPACE, login=WORKSPACE, key=key)
    return developer, identity.principal_of_token(site, runners.register(site, given, "127.0.0.1").token)


def _deploy(site: Site, who: Principal, work: LocalWork) -> None:
    """The bot, without its file: nobody fetches that here."""
    bots.announce_version(site, who, work.bot_id, wire.NewVersion(version=work.version, technology=work.technology))
    nothing = NewRevision(sha256="0" * 64, size_bytes=0, file_name=work.bot_id, findings=(), at=site.now())
    site.store.write(
        lambda tx: add_revision(tx, who.scope, version_of(tx, who.scope, work.bot_id, work.version).id, nothing)
    )
    bots.release(site, who, work.bot_id, work.version)
    automations.create(site, who, wire.NewAutomation(label=work.bot_id, bot_id=work.bot_id, runners=[WORKSPACE]))


def _claim(site: Site, runner: Principal, work: LocalWork) -> tuple[int, int]:
    said = wire.Sync(
        session_id=WORKSPACE,
        installation_id=WORKSPACE,
        claim_key=secrets.token_hex(8),
        free_slots=1,
        capabilities=wire.Capabilities(languages=[work.technology], technologies=[work.technology]),
    )
    (taken,) = attempts.sync(site, runner, said).work
    return taken.task_id, taken.attempt
