"""Six questions of a person whose runner does not run the bot, each with its answer and what to do."""

import difflib
import json
import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from bottool import settings
from bottool.cli import present, rest
from bottool.cli.state import State
from bottool.client import Client
from bottool.errors import BottoolError, NotFound
from bottool.wire import Automation, Runner, Status

LOG_NAME = "runner.log"
_LOOKED_AT_LINES = 500
_ERROR = re.compile(r"\b(ERROR|CRITICAL)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``no`` names what to mend; ``unknown`` is for what cannot be told from here."""

    question: str
    answer: Literal["yes", "no", "unknown"]
    message: str
    hint: str = ""


def ask(state: State, automation: str, machine_id: str, home: Path | None) -> list[Answer]:
    """The six answers, in the order in which a person would look.

    ``home`` is the runner's folder on this machine; where it is not said, the usual one.
    """
    case = _Case(state, automation, machine_id, home or _usual_home())
    return [
        case.reaches_server(),
        case.machine_id_matches(),
        case.is_linked(),
        case.is_started(),
        case.is_alive(),
        case.has_no_errors(),
    ]


class _Case:
    """One automation and one machine; asks the server at most once for each thing."""

    def __init__(self, state: State, automation: str, machine_id: str, home: Path) -> None:
        self._state = state
        self._automation = automation
        self._home = home
        self._own_id, self._own_server = _identity(home)
        self._machine_id = machine_id or self._own_id
        self._client: Client | None = None
        self._runners: list[Runner] | None = None

    def reaches_server(self) -> Answer:
        question = "can this machine reach the server"
        address = self._state.client_settings().server or self._own_server
        if not address:
            return Answer(question=question, answer="no", message="no server is known", hint="bottool login ADDRESS")
        try:
            version = Client(address, timeout_seconds=5).get("/rest/v1/status", type=Status).version
            self._client = self._state.client()
            self._runners = rest.every(self._client, rest.path("runners"), Runner)
        except BottoolError as error:
            return Answer(question=question, answer="no", message=str(error), hint=error.hint)
        message = f"{address} answers, version {version}"
        if self._own_server and self._own_server.rstrip("/") != address:
            hint = f"the runner in '{self._home}' speaks to {self._own_server}, not to {address}"
            return Answer(question=question, answer="no", message=message, hint=hint)
        return Answer(question=question, answer="yes", message=message)

    def machine_id_matches(self) -> Answer:
        question = "does the machine id match a runner of the server"
        if not self._machine_id:
            return self._no(question, "no machine id is said, and none is registered here", "use --machine-id ID")
        if self._runners is None:
            return self._unknown(question)
        if self._runner() is not None:
            same = self._own_id in {"", self._machine_id}
            where = "" if same else f"; this machine is '{self._own_id}', so ask again there"
            return Answer(question=question, answer="yes", message=f"the server knows '{self._machine_id}'{where}")
        known = [runner.machine_id for runner in self._runners]
        near = difflib.get_close_matches(self._machine_id.lower(), [each.lower() for each in known], n=1)
        meant = next((each for each in known if near and each.lower() == near[0]), "")
        hint = f"did you mean '{meant}'?" if meant else f"bottool runner code {self._machine_id}"
        return self._no(
            question, f"the server knows no '{self._machine_id}'; it knows {', '.join(known) or 'none'}", hint
        )

    def is_linked(self) -> Answer:
        question = "is the automation linked to this runner"
        if not self._automation:
            return self._unknown(question, "no automation is said", "use --automation LABEL")
        if self._client is None:
            return self._unknown(question)
        try:
            found = self._client.get(rest.path("automations", self._automation), type=Automation)
        except NotFound as error:
            return self._no(question, str(error), "'bottool automation list' shows those there are")
        return self._link(question, found)

    def _link(self, question: str, found: Automation) -> Answer:
        if not found.bot_id:
            hint = f"bottool automation update {self._automation} --bot BOT"
            return self._no(question, f"'{self._automation}' has no bot yet", hint)
        if not self._machine_id:
            return self._unknown(question, f"'{self._automation}' runs on {', '.join(found.runners) or 'no runner'}")
        if self._machine_id in found.runners:
            return Answer(question=question, answer="yes", message=f"'{self._automation}' runs on '{self._machine_id}'")
        runners = " ".join(f"--runner {each}" for each in (*found.runners, self._machine_id))
        return self._no(
            question,
            f"'{self._automation}' runs on {', '.join(found.runners) or 'no runner'}",
            f"bottool automation update {self._automation} {runners}",
        )

    def is_started(self) -> Answer:
        question = "is the runner started on this machine"
        pids = _runner_processes(self._machine_id)
        if pids:
            return Answer(question=question, answer="yes", message=f"process {', '.join(map(str, pids))}")
        if self._own_id != self._machine_id:
            return self._unknown(question, f"this machine is not '{self._machine_id}'", "ask again on that machine")
        return self._no(question, "no process of it runs here", f"bottool runner start --machine-id {self._machine_id}")

    def is_alive(self) -> Answer:
        question = "is the runner alive, as the server sees it"
        runner = self._runner()
        if runner is None:
            return self._unknown(question)
        seen = present.ago(runner.last_seen_at) or "never"
        message = f"'{runner.machine_id}' is {runner.state}, seen {seen}"
        if runner.state != "online":
            return self._no(question, message, "start it, and look at the network between it and the server")
        if runner.draining:
            hint = "bottool runner resume" if runner.paused else "start it again when it has ended"
            return self._no(question, f"{message}, and takes no new work: {runner.reason or 'nobody said why'}", hint)
        if runner.unready:
            return self._no(question, f"{message}, and {'; '.join(runner.unready)}", "mend that on its machine")
        return Answer(question=question, answer="yes", message=message)

    def has_no_errors(self) -> Answer:
        question = "is the runner's log free of errors"
        log = self._home / LOG_NAME
        if not log.exists():
            return self._unknown(question, f"there is no log in '{self._home}'", "use --home FOLDER of the runner")
        with log.open(encoding="utf-8", errors="replace") as file:
            errors = [line.strip() for line in deque(file, maxlen=_LOOKED_AT_LINES) if _ERROR.search(line)]
        if errors:
            return self._no(question, f"{len(errors)} errors; the last: {errors[-1][:200]}", f"read {log}")
        return Answer(question=question, answer="yes", message=str(log))

    def _runner(self) -> Runner | None:
        return next((each for each in self._runners or () if each.machine_id == self._machine_id), None)

    @staticmethod
    def _no(question: str, message: str, hint: str) -> Answer:
        return Answer(question=question, answer="no", message=message, hint=hint)

    @staticmethod
    def _unknown(question: str, message: str = "the server did not tell", hint: str = "") -> Answer:
        return Answer(question=question, answer="unknown", message=message, hint=hint)


def _usual_home() -> Path:
    """Where a runner keeps its things unless told otherwise; where there is none, that of ``bottool up``."""
    own, of_up = settings.data_folder() / "runner", settings.data_folder() / "up" / "runner"
    return of_up if (of_up / "runner.json").exists() and not (own / "runner.json").exists() else own


def _identity(home: Path) -> tuple[str, str]:
    """Machine id and server of the runner in that folder; empty when it is not registered or may not be read."""
    try:
        said = json.loads((home / "runner.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "", ""
    return str(said.get("machine_id", "")), str(said.get("server", ""))


def _runner_processes(machine_id: str) -> list[int]:
    """Processes on this machine that were started as ``bottool runner start``, but not for another machine id."""
    lines = {process.pid: process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])}
    return [pid for pid, line in lines.items() if _starts_a_runner(line, machine_id)]


def _starts_a_runner(line: list[str], machine_id: str) -> bool:
    if "--machine-id" in line[:-1] and machine_id not in {"", line[line.index("--machine-id") + 1]}:
        return False
    return (
        "runner" in line
        and not {"start", "once"}.isdisjoint(line)
        and any("bottool" in Path(part).name for part in line)
    )
