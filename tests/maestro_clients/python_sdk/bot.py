"""Every public method of the unmodified Python SDK, as a workspace login or, with a runner's arguments, as a bot.

    python bot.py SERVER LOGIN KEY WORKSPACE AUTOMATION
    python bot.py SERVER TASK TOKEN ORGANIZATION

Prints a line of JSON for each scenario: its name, and what went wrong or null. As a bot it finishes its task at last.
"""

import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import credentials
import pools
import reports
import tasks
from botcity.maestro import AutomationTaskFinishStatus, BotMaestroSDK
from scenes import Work, called, note_calls, public_methods, scenario, scenarios

CHAPTERS = (tasks, reports, credentials, pools)
"""Modules that keep their scenarios when they are imported."""


@scenario("every public method of the SDK was called")
def _(_work: Work) -> None:
    missed = public_methods().keys() - called
    assert not missed, f"no scenario calls {sorted(missed)}"


def connected() -> tuple[BotMaestroSDK, str]:
    """The SDK, and the automation that scenarios may start tasks of: a bot has it as a parameter."""
    if len(sys.argv) == 6:
        server, login, key, _workspace, automation = sys.argv[1:]
        sdk = BotMaestroSDK()
        sdk.login(server, login, key)
        return sdk, automation
    sdk = BotMaestroSDK.from_sys_args()
    return sdk, sdk.get_execution().parameters["automation"]


def main() -> None:
    note_calls()
    sdk, automation = connected()
    with tempfile.TemporaryDirectory() as folder:
        # The SDK's login counts as called by a bot too: a wrong key is tried there.
        work = Work(sdk, automation, Path(folder))
        errors = dict(tried(name, play, work) for name, play in scenarios)
    if sdk.task_id:
        failed = sum(error is not None for error in errors.values())
        status = AutomationTaskFinishStatus.FAILED if failed else AutomationTaskFinishStatus.SUCCESS
        sdk.finish_task(sdk.task_id, status, "Olá", len(errors), len(errors) - failed, failed)
        print("everything was tried")


def tried(name: str, play: Callable[[Work], None], work: Work) -> tuple[str, str | None]:
    try:
        play(work)
    except Exception as failure:
        error: str | None = told(failure)
    else:
        error = None
    print(json.dumps({"name": name, "error": error}), flush=True)
    return name, error


def told(failure: Exception) -> str:
    """The traceback, and what the names of its last place meant there: a bare ``assert`` says no values."""
    places = list(traceback.walk_tb(failure.__traceback__))
    names = {name: repr(value)[:500] for name, value in places[-1][0].f_locals.items()}
    return "".join([*traceback.format_exception(failure), *(f"{name} = {value}\n" for name, value in names.items())])


if __name__ == "__main__":
    main()
