"""The sample bots of the demo: each language's own scaffold, taken all the way to a finished task."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import click

from bottool import project
from bottool.build import build
from bottool.cli import present, rest
from bottool.cli.children import end_descendants
from bottool.cli.deploy import deploy, release
from bottool.cli.local_site import LocalSite
from bottool.client import Client
from bottool.errors import BottoolError, Conflict, NotFound, WaitTimeout
from bottool.model import Package
from bottool.plugins import Plugins
from bottool.states import FINAL, TaskState
from bottool.wire import Automation, AutomationChange, Bot, NewAutomation, NewTask, Task

TASK_SECONDS = 170.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How one language's bot fared. ``status`` is the task's state, or ``error`` when there was no task."""

    language: str
    bot_id: str
    status: str
    version: str = ""
    task_id: int | None = None
    total_items: int | None = None
    processed_items: int | None = None
    duration_seconds: float | None = None
    message: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status == TaskState.SUCCEEDED

    @property
    def items(self) -> str:
        return "" if self.total_items is None else f"{self.processed_items or 0}/{self.total_items}"


def run_all(plugins: Plugins, site: LocalSite, languages: Sequence[str], folder: Path) -> list[Sample]:
    """All samples at the same time; each fails for itself. Ctrl-C ends them all."""
    given_up = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, len(languages))) as pool:
        each = [_Run(plugins, site, language, folder, given_up) for language in languages]
        try:
            runs = [pool.submit(one.result) for one in each]
            wait(runs)
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            end_descendants()
            raise
        return [run.result() for run in runs]


class _Run:
    """One sample, from its scaffold to its result."""

    def __init__(
        self, plugins: Plugins, site: LocalSite, language: str, folder: Path, given_up: threading.Event
    ) -> None:
        self._plugins = plugins
        self._site = site
        self._language = language
        self._folder = folder
        self._given_up = given_up
        self._bot_id = f"hello-{language}"

    def result(self) -> Sample:
        try:
            client = self._site.client()
            package = self._package(client)
            self._tell(f"built {package.path.name} ({present.size(package.size_bytes)})")
            return self._run(client, package)
        except BottoolError as error:
            self._tell(f"{error}{f' ({error.hint})' if error.hint else ''}")
            return Sample(language=self._language, bot_id=self._bot_id, status="error", message=str(error))

    def _package(self, client: Client) -> Package:
        """The scaffold, built; under a version that the server does not have yet."""
        source = self._folder / self._bot_id
        if not source.exists():
            source.mkdir(parents=True)
            self._plugins.language(self._language).scaffold(source, self._bot_id, "")
        found = project.find(source, self._plugins, language=self._language, version=self._free_version(client))
        return build(self._plugins, found, self._folder / "packages").package

    def _free_version(self, client: Client) -> str:
        try:
            known = client.get(rest.path("bots", self._bot_id), type=Bot)
        except NotFound:
            return "1.0.0"
        return f"1.0.{len(known.versions)}"

    def _run(self, client: Client, package: Package) -> Sample:
        deploy(self._plugins, client, package)
        release(client, package.bot_id, package.version)
        self._automation(client, package.bot_id)
        task = client.post(rest.path("tasks"), NewTask(automation=package.bot_id), type=Task)
        self._tell(f"deployed and released {package.version}; task {task.id} is created")
        task = self._wait(client, task)
        self._tell(f"task {task.id} {task.state}")
        return Sample(
            language=self._language,
            bot_id=package.bot_id,
            version=package.version,
            task_id=task.id,
            status=task.state,
            total_items=task.total_items,
            processed_items=task.processed_items,
            duration_seconds=task.duration_seconds,
            message=task.message,
        )

    def _automation(self, client: Client, bot_id: str) -> None:
        runners = [self._site.machine_id]
        try:
            client.post(rest.path("automations"), NewAutomation(label=bot_id, bot_id=bot_id, runners=runners))
        except Conflict:
            client.patch(
                rest.path("automations", bot_id), AutomationChange(bot_id=bot_id, runners=runners), type=Automation
            )

    def _wait(self, client: Client, task: Task) -> Task:
        deadline = time.monotonic() + TASK_SECONDS
        # A bot's own word comes before its process ends; the measures come with the end.
        while task.state not in FINAL or (task.started_at and task.duration_seconds is None):
            if self._given_up.wait(0.1):
                raise WaitTimeout("given up")
            if time.monotonic() > deadline:
                raise WaitTimeout(f"task {task.id} is still '{task.state}' after {TASK_SECONDS:.0f} s")
            task = client.get(rest.path("tasks", task.id), type=Task)
        return task

    def _tell(self, text: str) -> None:
        if not self._given_up.is_set():
            click.echo(f"{self._language}: {text}", err=True)
