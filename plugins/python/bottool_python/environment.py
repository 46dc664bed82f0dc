"""The environment of a Python bot: what it depends on, and how ``uv`` makes it.

One virtual environment per set of requirements, shared by all bots and versions with the same set. Built in its final
place, because a virtual environment holds its own path.
"""

import hashlib
import json
import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from bottool.errors import BuildError, ToolMissing
from bottool.model import Installation
from bottool_python import checks, layout, requirements, tool, tree
from bottool_python.layout import Layout
from bottool_python.requirements import Requirements

_DEPTH = 3
"""Deep enough for ``wrapping folder/package/__main__.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the files of an installation say. ``layout`` is ``None`` when there is nothing to start."""

    layout: Layout | None
    folder: Path
    """The bot's own folder: below a wrapping one, if the archive has that."""
    requirements: Requirements
    requires_python: str


def installed(installation: Installation) -> Installed:
    whole = tree.of_folder(installation.folder, depth=_DEPTH)
    entry, _ = layout.said(whole.below(whole.wrapper()))
    found = layout.find(whole, entry)
    root = found.root if found else ""
    inner = whole.below(root)
    _, options = layout.said(inner)
    return Installed(
        layout=found,
        folder=installation.folder / root,
        requirements=requirements.read(inner, options),
        requires_python=checks.range_of(inner, options),
    )


def key(installation: Installation) -> str:
    """Never empty: without requirements all bots share one environment, but never bottool's own."""
    bot = installed(installation)
    counts = {
        "python": _wanted_python(bot.requires_python) or platform.python_version(),
        "implementation": sys.implementation.cache_tag,
        "base": sys.base_prefix,
        "platform": sysconfig.get_platform(),
        "requirements": bot.requirements.text,
        "constraints": bot.requirements.constraints_text,
        # A requirement that lies inside the bot is the bot's alone, and changes with it.
        "package": installation.package.sha256 if bot.requirements.local else "",
    }
    return hashlib.sha256(json.dumps(counts, sort_keys=True).encode()).hexdigest()


def prepare(installation: Installation, environment: Path) -> None:
    """Make the virtual environment and install the requirements into it.

    :raises BuildError: when a requirement cannot be installed.
    :raises ToolMissing: when there is no ``uv``, or no interpreter in the wanted range.
    """
    bot = installed(installation)
    _make(bot, environment)
    if not bot.requirements.lines:
        return
    # Requirements go through the standard input, and uv starts in the bot's folder: relative paths count from there.
    install = ["pip", "install", "--python", str(python_of(environment)), "--requirement", "-"]
    if _is_given_setuptools(bot.requirements):
        options = "".join(f"{line.text}\n" for line in bot.requirements.lines if line.text.startswith("-"))
        tool.run(install, bot.folder, "installing setuptools", said=f"{options}setuptools<81\n")
    constraints = environment / "constraints.txt"
    constraints.write_text(bot.requirements.constraints_text, encoding="utf-8")
    tool.run(
        [*install, "--constraint", str(constraints), "--compile-bytecode"],
        bot.folder,
        "installing the requirements",
        said=bot.requirements.text,
    )


def _is_given_setuptools(required: Requirements) -> bool:
    """True when ``setuptools`` is put into the environment first, in a step of its own so that requirements win.

    Environments made with Python's own venv had it until 3.12, and bots rely on it without saying so:
    botcity-framework-web imports undetected_chromedriver, which imports distutils (gone from Python 3.12 on, given
    back by setuptools), and older packages import pkg_resources (gone from setuptools 82 on). Building the botcity
    packages, which come as source, needs it too, but there uv brings its own. What is installed without an index
    must not ask one.
    """
    return bool(required.parsed) and "--no-index" not in required.text


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _make(bot: Installed, environment: Path) -> None:
    wanted = _wanted_python(bot.requires_python)
    python = wanted or sys.executable
    # No downloads: an interpreter that appears by itself on a runner surprises its owner.
    arguments = ["venv", "--no-project", "--allow-existing", "--no-python-downloads", "--python", python]
    try:
        tool.run([*arguments, str(environment)], bot.folder, "making the environment")
    except BuildError as error:
        if "No interpreter found" not in error.output:
            raise
        raise ToolMissing(
            f"the bot wants Python {wanted}, and none on this machine fits (here is {platform.python_version()})",
            "install one, or change requires-python",
        ) from error


def _wanted_python(requires: str) -> str:
    """The range to ask ``uv`` for; ``""`` when the Python that runs bottool fits."""
    try:
        fits = SpecifierSet(requires).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier:
        # Told by validate; a package from elsewhere gets a chance.
        fits = True
    return "" if fits else requires
