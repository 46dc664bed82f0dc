"""Turns requirements into a lock with ``uv``, and its failures into one sentence that names the line to change."""

import platform
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bottool.errors import BuildError, Unreachable
from bottool_python import tool
from bottool_python.requirements import WINDOWS_ONLY, Requirements

_OLDEST = 11
"""The oldest 3.x that runs bottool: where a bot asks for no Python, its runner's own is taken."""
_FETCHED = re.compile(r"(?:Failed to download `[^`]*? @ |unable to access ')\w+://(?:[^/@\s]*@)?([^/'`\s]+)")
"""Where uv, or the git that it starts, could not fetch what a requirement names by its address."""
_NO_ANSWER = re.compile(
    r"error sending request|dns error|Connection refused|timed out|Could not connect|Could not resolve host"
    r"|network was disabled|network connectivity is disabled|tcp connect error|Request failed after",
    re.IGNORECASE,
)
_COMPILE = ("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url")
SETUPTOOLS = "setuptools<81"


def universal(required: Requirements, folder: Path, requires_python: str) -> tuple[str, str]:
    """The lock for every platform and every Python in the range; and the range, which may have become narrower.

    :raises BuildError: when nothing satisfies the requirements.
    :raises Unreachable: when no index answers.
    """
    lowest = lowest_python(requires_python)
    here = ".".join(platform.python_version_tuple()[:2])
    try:
        return compiled(required, folder, ["--universal", "--python-version", lowest]), requires_python
    except BuildError:
        # What wants a newer Python than the oldest that is allowed may still do for the one that is here.
        if lowest == here or not _contains(requires_python, platform.python_version()):
            raise
        narrower = ",".join(filter(None, (requires_python, f">={here}")))
        return compiled(required, folder, ["--universal", "--python-version", here]), narrower


def compiled(required: Requirements, folder: Path, how: Sequence[str], extra: dict[str, str] | None = None) -> str:
    """One resolution, with ``setuptools`` beside what is asked for unless that rules it out.

    Environments made with Python's own venv had setuptools until 3.12, and bots rely on it without saying so:
    botcity-framework-web imports undetected_chromedriver, which imports distutils (gone from Python 3.12 on, given
    back by setuptools), and older packages import pkg_resources (gone from setuptools 82 on).
    """
    text = required.text
    constraints = required.constraints_text
    arguments = [*_COMPILE, *how, "-"]
    if is_given_setuptools(required):
        try:
            return _run(arguments, f"{text}{SETUPTOOLS}\n", constraints, folder, extra)
        except BuildError:
            # One more time without it: the failure told is that of the bot's own requirements.
            pass
    try:
        return _run(arguments, text, constraints, folder, extra)
    except BuildError as error:
        raise explained(error, required) from error


def is_given_setuptools(required: Requirements) -> bool:
    """What is installed without an index must not ask one for it, and who names a version wins."""
    return bool(required.parsed) and "--no-index" not in required.text and "setuptools" not in required.names


def _run(arguments: Sequence[str], text: str, constraints: str, folder: Path, extra: dict[str, str] | None) -> str:
    with tempfile.TemporaryDirectory(prefix="bottool-") as work:
        given = list(arguments)
        if constraints:
            file = Path(work, "constraints.txt")
            file.write_text(constraints, encoding="utf-8")
            given += ["--constraint", str(file)]
        try:
            return tool.run(given, folder, "resolving the requirements", extra, said=text)
        except BuildError as error:
            if _NO_ANSWER.search(error.output):
                ran = {"tool": error.tool, "exit_status": error.exit_status, "output": error.output}
                hint = "is the network up? without an index the versions are not locked"
                raise Unreachable(_unanswered(error.output), hint, **ran) from error
            raise


def _unanswered(output: str) -> str:
    """Who did not answer: an index, or where a requirement's own address leads."""
    fetched = _FETCHED.search(output)
    return f"'{fetched[1]}', to which a requirement leads, does not answer" if fetched else "no package index answers"


def explained(error: BuildError, required: Requirements) -> BuildError:
    """The same failure with the line of the requirement that it is about, as far as its words name one."""
    cause = _cause(error.output) or error.message
    for name in sorted(required.names, key=len, reverse=True):
        line = required.line_of(name)
        if line is None or not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", cause, re.IGNORECASE):
            continue
        where = f"{line.path}:{line.number}" if line.number else line.path
        if name in WINDOWS_ONLY and "platform" in cause:
            return error.reworded(
                f"{where}: '{line.text}' is for Windows only", f"""write: {line.text}; sys_platform == "win32\""""
            )
        return error.reworded(f"{where}: '{line.text}' cannot be installed: {cause}", error.hint)
    return error.reworded(f"the requirements cannot be installed: {cause}", error.hint)


def _cause(output: str) -> str:
    """The reason that uv gives, on one line, without the conclusion that it draws for those who follow its logic."""
    found = re.search(r"(?:cause:|╰─▶|Because)\s*(.+?)(?:\n\s*\n|\nhint|\Z)", output, re.DOTALL)
    text = " ".join((found[1] if found else "").split())
    return re.sub(r",? we can conclude that .*$", "", text).removeprefix("Because ")[:300]


def lowest_python(requires: str) -> str:
    """The lowest 3.x in a range, as ``3.11``."""
    versions = [f"3.{minor}" for minor in range(7 if requires else _OLDEST, 30)]
    return next((each for each in versions if _contains(requires, each) or _contains(requires, f"{each}.99")), "3.11")


def _contains(requires: str, version: str) -> bool:
    try:
        return SpecifierSet(requires).contains(version, prereleases=True)
    except InvalidSpecifier:
        return True
