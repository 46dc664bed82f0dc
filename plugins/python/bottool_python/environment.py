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
    listed, constrained = environment / "requirements.txt", environment / "constraints.txt"
    listed.write_text(bot.requirements.text, encoding="utf-8")
    constrained.write_text(bot.requirements.constraints_text, encoding="utf-8")
    install = ["pip", "install", "--python", str(python_of(environment))]
    # Environments made with Python's own venv had setuptools until 3.12, and bots rely on it without saying so:
    # botcity-framework-web imports undetected_chromedriver, which imports distutils (gone from Python 3.12 on, and
    # given back by setuptools), and older packages import pkg_resources (gone from setuptools 82 on). A step of its
    # own, so that requirements which name another setuptools win.
    tool.run([*install, "setuptools<81"], bot.folder, "installing setuptools")
    # Started in the bot's folder: "./vendor/thing.whl" counts from there.
    tool.run(
        [*install, "--compile-bytecode", "--requirement", str(listed), "--constraint", str(constrained)],
        bot.folder,
        "installing the requirements",
    )


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
