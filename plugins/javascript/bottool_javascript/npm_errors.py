"""Cuts what npm printed down to the one line that tells its reader what to do."""

import re
from typing import Any

from bottool.errors import BottoolError, BuildError, Unreachable
from bottool_javascript import node

_NOT_FOUND = re.compile(r"'(@?[^'\s]+@[^']*)' (?:is not in (?:this|the npm) registry|could not be found)")
_NO_VERSION = re.compile(r"No matching version found for (\S+?)\.?(?:\s|$)")
_ADDRESS = re.compile(r"https?://[^\s'\"]+")
_TARBALL = re.compile(r"(?P<name>@?[^@]+)@https?://(?P<host>[^/]+)/(?P<file>\S+)")
_NOISE = re.compile(
    r"^npm (?:error|ERR!)(?: \w+)?\s*$|A complete log of this run|Note that you can also install|tarball, folder, http"
)
_DISAGREES = re.compile(r"Missing: |Invalid: |lock file's ")
_NO_NETWORK = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH)\b|ENOTCACHED")


def failure(output: str, command: str, status: int | None = None) -> BuildError:
    """The error for what ``npm`` printed when it failed."""
    known: dict[str, Any] = {"log": output, "tool": command, "exit_status": status}
    last = node.last_lines(_plain(output))
    for pattern in (_NOT_FOUND, _NO_VERSION):
        if match := pattern.search(output):
            hint = "if it is in a private registry, name that in the project's .npmrc"
            return BuildError(f"{command} could not get {_package(match[1])}", hint, output=last, **known)
    if "EUSAGE" in output or "can only install packages when your package.json and" in output:
        hint = "run 'npm install' in the project, and keep the package-lock.json that it writes"
        # What npm prints here is its own manual; the first lines say what does not fit.
        told = "\n".join(line for line in last.splitlines() if _DISAGREES.search(line))
        return BuildError("package-lock.json does not fit package.json", hint, output=told, **known)
    if _NO_NETWORK.search(output):
        message = f"{command} could not reach the registry{_where(output)}"
        return BuildError(message, "is the network up?", output=last, **known)
    first = next((line for line in output.splitlines() if "npm error" in line and " code " not in line), "")
    reason = first.replace("npm error", "").strip() or "see its output"
    return BuildError(f"{command} failed: {reason}", "run it in the project yourself to try", output=last, **known)


def _plain(output: str) -> str:
    """What npm printed, without its manual's advice, without empty lines and without what it has said already."""
    lines = (line for line in output.splitlines() if not _NOISE.search(line))
    return "\n".join(dict.fromkeys(lines))


def _package(said: str) -> str:
    """``'@scope/name@0.12.0' from 'registry.example'`` of what npm calls a package, which may be a whole address."""
    match = _TARBALL.fullmatch(said)
    if match is None:
        return f"'{said}'"
    version = re.search(r"-(\d[^/]*)\.tgz", match["file"])
    return f"'{match['name']}{f'@{version[1]}' if version else ''}' from '{match['host']}'"


def resolving_failure(output: str, command: str) -> BottoolError:
    """The same for resolving a lock, where a registry that does not answer is no fault of the project."""
    if _NO_NETWORK.search(output) and not _NOT_FOUND.search(output):
        return Unreachable(f"{command} could not reach the registry{_where(output)}", "is the network up?")
    return failure(output, command)


def _where(output: str) -> str:
    address = _ADDRESS.search(output)
    return f" '{address[0]}'" if address else ""
