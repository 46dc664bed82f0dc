"""Robots of Robocorp whose ``robot.yaml`` starts something else than ``tasks.py``: what they are, and what to do.

Reads the lines of ``robot.yaml`` that say how a task starts; no YAML is built from them, and nothing is run.
"""

import json
import re
import shlex
from dataclasses import dataclass

from bottool_python.tree import Tree

_TASK = re.compile(r"""^(\s*)(?:"([^"]+)"|'([^']+)'|([^\s#][^:#]*?))\s*:\s*$""")
_SHELL = re.compile(r"^\s+shell:\s*(.+?)\s*$")
_ROBOT_TASK = re.compile(r"^\s+robotTaskName:\s*(.+?)\s*$")
_ITEM = re.compile(r"^\s+-\s+(.+?)\s*$")
_PYTHON = frozenset({"python", "python3", "python.exe"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One entry below ``tasks:``; ``words`` is its command line, empty where it says none that can be read."""

    name: str
    words: tuple[str, ...] = ()


def tasks(tree: Tree) -> tuple[Task, ...]:
    """The tasks of ``robot.yaml`` in their order."""
    text = (tree.read("robot.yaml") or b"").decode("utf-8-sig", "replace")
    found: dict[str, tuple[str, ...]] = {}
    inside, name, is_list = False, "", False
    for line in text.splitlines():
        if line.strip() and not line[0].isspace() and not line.startswith("#"):
            inside, name = line.rstrip().startswith("tasks:"), ""
        elif inside and (shell := _SHELL.match(line)) and name:
            found[name] = _split(shell[1])
        elif inside and (robot := _ROBOT_TASK.match(line)) and name:
            found[name] = ("python", "-m", "robot", "--task", robot[1].strip("\"'"), ".")
        elif inside and is_list and name and (item := _ITEM.match(line)):
            found[name] = (*found[name], item[1].strip("\"'"))
        elif inside and (task := _TASK.match(line)):
            is_list = task[4] == "command"
            if not is_list:
                name = next(filter(None, task.groups()[1:]))
                found[name] = ()
    return tuple(Task(name=name, words=words) for name, words in found.items())


def _split(line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line, comments=True))
    except ValueError:
        return tuple(line.split())


def described(tree: Tree) -> str:
    """What such a folder is, and on a second line how to run it as a bot."""
    found = [each for each in tasks(tree) if each.words]
    if not found:
        return "a Robocorp robot whose robot.yaml names no task that can be read"
    kind = "a Robot Framework robot" if any("robot" in each.words[:3] for each in found) else "a Robocorp robot"
    count = f"{len(found)} tasks" if len(found) > 1 else "one task"
    return f"{kind} with {count} in robot.yaml ({', '.join(each.name for each in found[:5])})\n{_advice(found)}"


def _advice(found: list[Task]) -> str:
    """A script is an entry; anything else that Python starts is started by a small bot.py, in the same environment."""
    scripts = [each.words[1] for each in found if each.words[0] in _PYTHON and each.words[1:2] and _is_file(each)]
    if scripts:
        which = " or ".join(f'entry = "{name}"' for name in dict.fromkeys(scripts))
        return f'say in a bot.toml which of them is the bot: language = "python" and {which}'
    words = found[0].words
    if words[0] in _PYTHON:
        line = f"[sys.executable, {json.dumps(list(words[1:]), ensure_ascii=False)[1:]}"
        return f"put a bot.py beside it, which starts a task: import subprocess, sys; sys.exit(subprocess.call({line}))"
    return f'say in a bot.toml: language = "command" and below [command] run = {json.dumps(list(words))}'


def _is_file(task: Task) -> bool:
    return len(task.words) == 2 and task.words[1].endswith(".py")  # noqa: PLR2004 - python and its file
