"""The arguments and variables that a bot gets: the one foreign contract in core.

Bots written for Maestro read ``server task_id token [organization]`` as their first arguments, or from a command line
with placeholders. Knows no process and no server; what it returns holds a secret and must not be printed.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath

from bottool.errors import LaunchError
from bottool.model import Command, TaskContext
from bottool.settings import base_variables

_PLACEHOLDER = re.compile(r"\{(path|maestro_server|maestro_taskid|maestro_token|server|task|token|workspace)\}")

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "powershell", "pwsh"})
_HARMLESS = re.compile(r"[A-Za-z0-9_@+=:,./-]*")
"""What means itself in a script's text (Source: POSIX sh 2.2, quoting)."""
_BATCH = re.compile('[&|<>^"%!\r\n\0]')
"""What cmd acts upon, also between quotes; it splits the command line of a batch file by rules of its own."""

_OWN = "BOTTOOL_"
"""Our own variables hold logins, keys and a runner's folders: none passes to a bot but those made here."""

_OF_OUR_INTERPRETER = frozenset(
    {"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__"}
)
"""They describe the interpreter that runs bottool, and would lead a bot's interpreter to our modules."""

_TEXT = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def full_command(command: Command, task: TaskContext | None, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The whole argv and all variables for a bot that works in ``folder``.

    Without a task nothing is appended and the placeholders of a task become empty. A language's variables win over the
    machine's; those of the task win over all.

    :raises LaunchError: when a shell would read what the task brings, and that is more than plain text.

    Source: the SDKs' ``from_sys_args`` (server, task id, token, and the organization since version 2 of the API).
    """
    return _arguments(command, task, folder), _variables(command, task)


def _arguments(command: Command, task: TaskContext | None, folder: Path) -> list[str]:
    if command.placeholders:
        return [_filled(command, place, task, folder) for place in range(len(command.arguments))]
    if task is None:
        return list(command.arguments)
    added = [task.server, str(task.task_id), task.token, task.workspace]
    for value in added:
        _refuse_metacharacters(command, len(command.arguments), value)
    return [*command.arguments, *added]


def _refuse_metacharacters(command: Command, place: int, value: str) -> None:
    """Nothing that a task brings may become part of a program's text: where a shell reads it, it must mean itself.

    :raises LaunchError: when the argument at ``place`` is read by a shell, and ``value`` is more than plain text.
    """
    programs = [PureWindowsPath(each).name.lower().removesuffix(".exe") for each in command.arguments]
    program = programs[0]
    by_batch = program == "cmd" or program.endswith((".bat", ".cmd"))
    is_script = place < len(programs) and program in _SHELLS and _says_command(command.arguments[1:place])
    if (by_batch and _BATCH.search(value)) or (is_script and not _HARMLESS.fullmatch(value)):
        raise LaunchError(
            f"what the task brings cannot be handed to '{program}': it holds characters that a shell acts upon",
            'start a program or a script file without a shell, such as run = ["sh", "bot.sh"]',
        )


def _says_command(options: Sequence[str]) -> bool:
    """True when ``-c`` (also among others, as in ``-ec``) or PowerShell's ``-Command`` comes before."""
    return any(re.fullmatch("-[a-z]*c|-c(ommand)?", each.lower()) for each in options)


def _filled(command: Command, place: int, task: TaskContext | None, folder: Path) -> str:
    """One pass over the text, so that a value that looks like a placeholder stays what it is."""
    values = {"path": str(folder)}
    if task is not None:
        values |= {"server": task.server, "task": str(task.task_id), "token": task.token, "workspace": task.workspace}
        values |= {"maestro_server": task.server, "maestro_taskid": str(task.task_id), "maestro_token": task.token}

    def value(found: re.Match[str]) -> str:
        text = values.get(found[1], "")
        _refuse_metacharacters(command, place, text)
        return text

    return _PLACEHOLDER.sub(value, command.arguments[place])


def _variables(command: Command, task: TaskContext | None) -> dict[str, str]:
    variables = {name: value for name, value in _named(base_variables()).items() if _may_pass(name)}
    if not variables.keys() & {"LANG", "LC_ALL", "LC_CTYPE"}:
        variables["LANG"] = "C.UTF-8"
    variables |= _TEXT | _named(command.variables)
    if task is not None:
        variables |= {"BOTTOOL_SERVER": task.server, "BOTTOOL_TASK": str(task.task_id)}
        variables |= {"BOTTOOL_TOKEN": task.token, "BOTTOOL_WORKSPACE": task.workspace}
    return variables


def _may_pass(name: str) -> bool:
    return not name.upper().startswith(_OWN) and name not in _OF_OUR_INTERPRETER


def _named(variables: Mapping[str, str]) -> dict[str, str]:
    """With the names as the system compares them: Windows does not know ``Path`` from ``PATH``."""
    return {name.upper(): value for name, value in variables.items()} if sys.platform == "win32" else dict(variables)
