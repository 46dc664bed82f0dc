"""Cuts what npm printed down to the one line that tells its reader what to do."""

import re

from bottool.errors import BottoolError, BuildError, Unreachable
from bottool_javascript import node

_NOT_FOUND = re.compile(r"'(@?[^'\s]+@[^']*)' (?:is not in (?:this|the npm) registry|could not be found)")
_NO_VERSION = re.compile(r"No matching version found for (\S+?)\.?(?:\s|$)")
_ADDRESS = re.compile(r"https?://[^\s'\"]+")
_NO_NETWORK = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH)\b|ENOTCACHED")


def failure(output: str, command: str) -> BuildError:
    """The error for what ``npm`` printed when it failed."""
    last = node.last_lines(output)
    for pattern in (_NOT_FOUND, _NO_VERSION):
        if match := pattern.search(output):
            hint = "if it is in a private registry, name that in the project's .npmrc"
            return BuildError(f"{command} could not get '{match[1]}'", hint, output=last)
    if "EUSAGE" in output or "can only install packages when your package.json and" in output:
        hint = "run 'npm install' in the project, and keep the package-lock.json that it writes"
        return BuildError("package-lock.json does not fit package.json", hint, output=last)
    if _NO_NETWORK.search(output):
        return BuildError(f"{command} could not reach the registry{_where(output)}", "is the network up?", output=last)
    first = next((line for line in output.splitlines() if "npm error" in line and " code " not in line), "")
    reason = first.replace("npm error", "").strip() or "see its output"
    return BuildError(f"{command} failed: {reason}", "run it in the project yourself to try", output=last)


def resolving_failure(output: str, command: str) -> BottoolError:
    """The same for resolving a lock, where a registry that does not answer is no fault of the project."""
    if _NO_NETWORK.search(output) and not _NOT_FOUND.search(output):
        return Unreachable(f"{command} could not reach the registry{_where(output)}", "is the network up?")
    return failure(output, command)


def _where(output: str) -> str:
    address = _ADDRESS.search(output)
    return f" '{address[0]}'" if address else ""
