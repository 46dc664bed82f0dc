"""An unpacked package: what it needs, and how it is started. The same for both languages: what is left is JavaScript.

Runs npm to prepare, and nothing of the bot.
"""

from pathlib import Path

from bottool.errors import LaunchError
from bottool.model import Command, Installation
from bottool.settings import base_variables
from bottool_javascript import dependencies, entry, installing, node, package_json, packages
from bottool_javascript.dependencies import Wanted
from bottool_javascript.store import Store

_NOT_COUNTED = frozenset({"bottool.json", "__MACOSX", ".DS_Store"})


def home_of(folder: Path) -> Path:
    """The folder with the bot's files: ``folder``, or the only one in it, as some programs make archives."""
    if (folder / package_json.FILE_NAME).is_file():
        return folder
    inside = [path for path in folder.iterdir() if path.name not in _NOT_COUNTED]
    wrapped = len(inside) == 1 and (inside[0] / package_json.FILE_NAME).is_file()
    return inside[0] if wrapped else folder


def _start_of(installation: Installation, home: Path) -> entry.Start | None:
    said = packages.said_entry(installation.package.manifest)
    return entry.find(package_json.read(home), lambda name: (home / name).is_file(), said)


def _wanted(installation: Installation) -> Wanted | None:
    home = home_of(installation.folder)
    dev = installation.package.manifest.get("dev")
    return dependencies.wanted_by(home, _start_of(installation, home), dev=dev if isinstance(dev, bool) else None)


def _node(installation: Installation) -> node.Node:
    wanted = package_json.read(home_of(installation.folder)).node
    return node.fitting(base_variables(), wanted, kept=installation.store)


def environment_key(installation: Installation) -> str:
    """Empty for a bot without dependencies, and for one that brings its ``node_modules`` along."""
    wanted = _wanted(installation)
    return dependencies.key(wanted, _node(installation).known_version) if wanted else ""


def prepare(installation: Installation, environment: Path) -> None:
    """Install the dependencies into ``environment``.

    :raises BuildError: when npm fails.
    :raises ToolMissing: when no Node.js here fits what ``engines`` wants.
    """
    wanted = _wanted(installation)
    if wanted:
        store = Store(installation.store) if installation.store else None
        installer = installing.Installer(using=_node(installation), variables=base_variables(), store=store)
        installing.make_environment(wanted, environment, installer)


def command(installation: Installation) -> Command:
    """``node FILE``, with the environment's packages where node looks for them.

    :raises LaunchError: when the package holds nothing to start.
    """
    home = home_of(installation.folder)
    start = _start_of(installation, home)
    if start is None:
        raise LaunchError(
            f"the package of '{installation.package.bot_id}' holds no file to start: "
            f"{entry.said_by(package_json.read(home))}",
            "build it with 'bottool build'",
        )
    variables = base_variables()
    using = _node(installation)
    modules = installation.environment / dependencies.MODULES if installation.environment else None
    return Command(
        arguments=(str(using.program), *start.options, start.file),
        folder="" if home == installation.folder else home.name,
        variables=using.variables(variables),
        links={dependencies.MODULES: modules} if modules and modules.is_dir() else {},
    )
