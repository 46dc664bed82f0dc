"""A task that has result files, and somebody who sends them."""

from collections.abc import Callable

import pytest

from bottool import wire
from bottool_web.actions import artifacts, tasks
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal


@pytest.fixture
def task(site: Site, admin: Principal, an_automation: Callable[..., wire.Automation]) -> wire.Task:
    an_automation()
    return tasks.create(site, admin, wire.NewTask(automation="daily"))


@pytest.fixture
def an_artifact(site: Site, admin: Principal, task: wire.Task) -> Callable[..., wire.Artifact]:
    """``an_artifact(b"1,2", "a.csv")``: a result file of the task."""

    def make(content: bytes = b"a result", name: str = "result.txt") -> wire.Artifact:
        return artifacts.send(site, admin, wire.NewArtifact(task_id=task.id, file_name=name), [content])

    return make


@pytest.fixture
def stored(site: Site) -> Callable[[], set[str]]:
    """The checksums of all bytes that lie in the site's files."""

    def look() -> set[str]:
        return {path.name for path in (site.files.root / "artifacts").rglob("*") if path.is_file()}

    return look
