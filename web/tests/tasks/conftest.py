"""What the tests of tasks and attempts share: runners that claim, start and end, in the words of the glossary."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
import uvicorn

from bottool import wire
from bottool.client import Client
from bottool_web.actions import attempts, identity, tasks
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.asgi import create_asgi
from bottool_web.serve import SiteServer, address_of
from bottool_web.store.scope import Principal


@pytest.fixture
def ask(site: Site, admin: Principal) -> Callable[..., wire.Task]:
    """``ask(priority=3)``: a new task of the automation ``daily``."""

    def ask_(automation: str = "daily", **more: Any) -> wire.Task:
        return tasks.create(site, admin, wire.NewTask(automation=automation, **more))

    return ask_


@pytest.fixture
def box(a_runner: Callable[..., Principal], an_automation: Callable[..., wire.Automation]) -> Principal:
    """A runner that may take the tasks of the automation ``daily``."""
    an_automation()
    return a_runner()


class Life:
    """What runners do with tasks, a line each."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def said(self, runner: Principal, key: str = "", **more: Any) -> wire.Sync:
        machine = runner.name.removeprefix("runner ").strip("'")
        given = {
            "session_id": "s1",
            "installation_id": f"of-{machine}",
            "claim_key": key,
            "free_slots": 1,
            "capabilities": wire.Capabilities(languages=["python"]),
            **more,
        }
        return wire.Sync(**given)

    def sync(self, runner: Principal, key: str = "", **more: Any) -> wire.Synced:
        return attempts.sync(self.site, runner, self.said(runner, key, **more))

    def alive(self, runner: Principal, work: wire.Work, state: str = "running", **more: Any) -> str:
        """Say that the attempt lives; returns the verdict."""
        told = wire.AttemptAlive(task_id=work.task_id, attempt=work.attempt, state=state)
        return self.sync(runner, attempts=[told], **more).verdicts[0].verdict

    def claim(self, runner: Principal, key: str = "k1", **more: Any) -> wire.Work | None:
        work = self.sync(runner, key, **more).work
        return work[0] if work else None

    def take(self, runner: Principal, key: str = "k1") -> wire.Work:
        work = self.claim(runner, key)
        assert work is not None
        return work

    def start(self, runner: Principal, key: str = "k1") -> tuple[wire.Work, wire.Permit]:
        work = self.take(runner, key)
        permit = attempts.permit(self.site, runner, work.task_id, work.attempt)
        attempts.started(self.site, runner, work.task_id, work.attempt, wire.Started(pid=7, boot_id="b"))
        return work, permit

    def end(self, runner: Principal, work: wire.Work, **more: Any) -> None:
        attempts.finish(self.site, runner, work.task_id, work.attempt, self.an_end(**more))

    @staticmethod
    def an_end(key: str = "r1", reason: str = "exited", exit_code: int | None = 0, **more: Any) -> wire.Ended:
        return wire.Ended(report_key=key, reason=reason, exit_code=exit_code, **more)

    def kinds(self, who: Principal, task_id: int) -> list[str]:
        return [event.kind for event in tasks.list_events(self.site, who, task_id)]


@pytest.fixture
def life(site: Site) -> Life:
    return Life(site)


class Served:
    """The site on a socket of this machine, in a thread."""

    def __init__(self, site: Site) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = address_of(self.listener)
        self.application = create_asgi(site, create_app(site))
        config = uvicorn.Config(
            self.application, lifespan="on", ws="none", log_config=None, timeout_graceful_shutdown=5
        )
        self.server = SiteServer(config, self.application)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]}, name="served")

    def __enter__(self) -> Self:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.server.started
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        self.listener.close()
        assert not self.thread.is_alive()


@pytest.fixture
def served(site: Site) -> Iterator[Served]:
    with Served(site) as served_:
        yield served_


@pytest.fixture
def runner_client(site: Site, workspace: Any, served: Served, an_automation: Callable[..., Any]) -> Iterator[Client]:
    """The client of the runner ``box-1``, registered over HTTP, which may take the tasks of ``daily``."""
    an_automation()
    given = wire.Register(machine_id="box-1", installation_id="of-box-1", login=workspace.login, key=workspace.key)
    with Client(served.address) as stranger:
        registered = stranger.post("/runner/v1/register", given, type=wire.Registered)
    with Client(served.address, registered.token) as client:
        yield client


@pytest.fixture
def cookie(site: Site, account: int) -> str:
    """The session of somebody who is signed in."""
    secret, _ = identity.start_session(site, "ada@example.org", "correct horse battery", "127.0.0.1")
    return secret
