"""Starts Maven or Gradle on a copy of a project: the project's own wrapper first, then what is on PATH.

Knows how a wrapper is started on each system, with or without the permission to run it, and what to do when it cannot
fetch its tool. Understands nothing of what the tools print.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bottool.errors import BuildError, ToolMissing
from bottool.settings import without_own
from bottool_java.jdk import Installed, utf8_locale

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNKNOWN_HOST = re.compile(r"UnknownHostException: (\S+)")
_PROGRAMS = {"Maven": ("mvn", "maven"), "Gradle": ("gradle", "gradle")}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildTool:
    """``start`` is what the command line begins with; ``wrapper`` is true for one that lies in the project."""

    title: str
    start: tuple[str, ...]
    wrapper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a tool ended, and all that it printed."""

    status: int
    output: str


def project_wrapper(title: str, folder: Path, script: str, windows_script: str, settings: Path) -> BuildTool | None:
    """The wrapper that lies in the project, if it also has its settings: without them it knows nothing to fetch."""
    path = folder / (windows_script if os.name == "nt" else script)
    if not path.is_file() or not settings.is_file():
        return None
    # Many a project was committed on Windows, where there is no permission to run: so the shell is told to.
    start = (str(path),) if os.name == "nt" else ("sh", str(path))
    if os.name != "nt" and b"\r\n" in path.read_bytes()[:4096]:
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    return BuildTool(title=title, start=start, wrapper=True)


def installed_tool(title: str, program: str, variables: Mapping[str, str]) -> BuildTool | None:
    """The tool on PATH, or ``None``."""
    found = shutil.which(program, path=variables.get("PATH", ""))
    return BuildTool(title=title, start=(found,)) if found else None


def install_hint(title: str) -> str:
    """The line to type on this system."""
    program, package = _PROGRAMS[title]
    if os.name == "nt":
        return f"winget has no {title}: choco install {package}, or unpack it and put its bin folder on PATH"
    if sys.platform == "darwin":
        return f"brew install {package}"
    known = f"sudo dnf install {package}" if shutil.which("dnf") and not shutil.which("apt") else ""
    return known or f"sudo apt install {package}, or put '{program}' on PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The ways to get at one tool. ``ran`` tells from the output of a failure whether it is the tool that failed."""

    title: str
    wrapper: BuildTool | None
    installed: BuildTool | None
    ran: Callable[[str], bool]


def run_tool(
    tools: Tools, arguments: Sequence[str], folder: Path, java: Installed, variables: Mapping[str, str]
) -> Ran:
    """Run the wrapper, or what is installed; that too when the wrapper cannot fetch its tool, which is then said.

    :raises ToolMissing: when there is none, or only a wrapper that cannot fetch its tool.
    """
    if tools.wrapper is not None:
        ended = _run(tools.wrapper, arguments, folder, java, variables)
        if not ended.status or tools.ran(ended.output):
            return ended
        failed = f"the project's wrapper could not get {tools.title}: {_last_line(ended.output)}"
        if tools.installed is None:
            hint = f"let this machine reach what the wrapper fetches from, or: {install_hint(tools.title)}"
            raise ToolMissing(failed, hint)
        click.echo(f"{failed}; '{tools.installed.start[0]}' builds it instead", err=True)
    if tools.installed is None:
        raise ToolMissing(_none(tools.title), install_hint(tools.title))
    return _run(tools.installed, arguments, folder, java, variables)


def _none(title: str) -> str:
    return f"building this bot needs {title}, and there is no '{_PROGRAMS[title][0]}' on PATH"


def _run(tool: BuildTool, arguments: Sequence[str], folder: Path, java: Installed, variables: Mapping[str, str]) -> Ran:
    try:
        ended = subprocess.run(
            [*tool.start, *arguments],
            cwd=folder,
            env={**without_own(variables), "JAVA_HOME": str(java.home), **utf8_locale(variables)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"'{tool.start[-1]}' could not be started: {error.strerror}") from error
    # The copy that is built lies in a scratch folder, whose name tells nobody anything.
    output = _COLOUR.sub("", ended.stdout).replace(f"{folder}{os.sep}", "")
    return Ran(status=ended.returncode, output=output)


def _last_line(output: str) -> str:
    if unknown := _UNKNOWN_HOST.search(output):
        return f"nothing answers as '{unknown[1]}'"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    # Java's own stack traces end in lines that tell nothing.
    said = [line for line in lines if not line.startswith("at ")]
    return (said or ["it says nothing"])[-1][:200]
