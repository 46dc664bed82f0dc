"""What the tests of errors share: reports of bots that run in a certain version."""

from collections.abc import Callable
from itertools import count

import pytest

from bottool import wire
from bottool_web.actions import attempts, errors, tasks
from bottool_web.actions.site import Site
from bottool_web.store.bots import NewRevision, add_revision, version_of
from bottool_web.store.scope import Principal

Run = Callable[..., wire.Task]
TRACE = '  File "/b/bot.py", line 3, in main\nValueError: no'


@pytest.fixture
def running(site: Site, admin: Principal, a_runner: Callable[..., Principal]) -> Run:
    """``running("daily")``: a task of the automation, whose released version runs."""
    keys, boxes = count(), {}

    def run(automation: str = "daily") -> wire.Task:
        if not boxes:
            boxes["box-1"] = a_runner()
        made = tasks.create(site, admin, wire.NewTask(automation=automation, priority=10))
        said = wire.Sync(
            session_id="s",
            installation_id="of-box-1",
            claim_key=f"k{next(keys)}",
            free_slots=1,
            slots=100,
            capabilities=wire.Capabilities(languages=["python"]),
        )
        (work,) = attempts.sync(site, boxes["box-1"], said).work
        assert work.task_id == made.id
        return tasks.get_task(site, admin, made.id)

    return run


@pytest.fixture
def reported(site: Site, admin: Principal) -> Callable[..., wire.ErrorReport]:
    """``reported(task)``: the same error again, in the version that its task runs."""

    def make(task: wire.Task, trace: str = TRACE) -> wire.ErrorReport:
        new = wire.NewErrorReport(task_id=task.id, type="ValueError", message="no", stack_trace=trace)
        return errors.create(site, admin, new)

    return make


@pytest.fixture
def replace_file(site: Site, admin: Principal, package: Callable[..., bytes]) -> Callable[..., None]:
    """``replace_file("my-bot", "1.0.0", "text")``: another package under a version that is there."""

    def replace(bot_id: str, version: str, text: str) -> None:
        stored = site.files.add_package([package(text)], limit_bytes=10**6)
        new = NewRevision(
            sha256=stored.sha256, size_bytes=stored.size_bytes, file_name="b.zip", findings=(), at=site.now()
        )
        site.store.write(lambda tx: add_revision(tx, admin.scope, version_of(tx, admin.scope, bot_id, version).id, new))

    return replace
