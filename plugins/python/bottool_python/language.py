"""The contract of a language, fulfilled for Python: each member in a line or a few, the work is done in the modules.

They are imported when they are asked: every command that looks for a bot asks whether this is one.
"""

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bottool.errors import LaunchError, ProjectError, ToolMissing
from bottool.language import Language
from bottool.model import Command, Equipment, Inspection, Installation, Lock, Package, Problem, Project, Tool
from bottool.settings import base_variables
from bottool_python import layout, tree
from bottool_python.layout import Layout


class Python(Language):
    name = "python"
    title = "Python"
    technologies = ("PYTHON",)
    templates = ("plain", "web", "desktop")
    looks_for = (
        "bot.py, main.py with requirements.txt or pyproject.toml, one of setup.py and pyproject.toml with a package"
        " that has __main__.py"
    )

    def recognises(self, folder: Path) -> bool:
        return layout.is_project(tree.of_folder(folder))

    def not_a_bot(self, folder: Path) -> str:
        from bottool_python import shapes

        return shapes.not_a_bot(tree.of_folder(folder))

    def scripts(self, folder: Path) -> Sequence[str]:
        from bottool_python import shapes

        return shapes.scripts(tree.of_folder(folder))

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        from importlib import resources

        chosen = template or self.templates[0]
        if chosen not in self.templates:
            raise ProjectError(
                f"there is no template '{template}' for python", f"there are {', '.join(self.templates)}"
            )
        for file in resources.files("bottool_python").joinpath("scaffold", chosen).iterdir():
            if file.is_file():
                # A test of ours is none: its name has an ending that no test runner looks for.
                (folder / file.name.removesuffix(".template")).write_bytes(
                    file.read_bytes().replace(b"BOT_ID", name.encode())
                )

    def identify(self, folder: Path) -> tuple[str, str]:
        from bottool_python import metadata

        sources = tree.of_folder(folder)
        bot_id = metadata.bot_id(sources)
        if "{{" in bot_id or "{{" in folder.name:
            raise ProjectError(f"'{folder.name}' is a template, not a bot", layout.TEMPLATE_HINT)
        return bot_id, metadata.version(sources)

    def entry_of(self, project: Project) -> str:
        found = layout.find(tree.of_folder(project.folder), project.entry)
        return found.entry if found and not found.root else ""

    def validate(self, project: Project) -> Iterable[Problem]:
        from bottool_python import checks

        return checks.project_problems(project)

    def lock_key(self, project: Project) -> str:
        from bottool_python import locking

        return locking.key(project)

    def lock(self, project: Project) -> Lock:
        from bottool_python import locking

        return locking.lock(project)

    def build_key(self, project: Project) -> str:  # noqa: ARG002 - nothing of the project counts beside its files
        from importlib import metadata as distributions

        return f"python {distributions.version('bottool-python')}"

    def build(self, project: Project, output: Path) -> Path:
        from bottool_python import packing

        return packing.build(project, output)

    def inspect(self, package: Package) -> Inspection:
        from bottool_python import checks

        return checks.inspect(package)

    def environment_key(self, installation: Installation) -> str:
        from bottool_python import environment

        return environment.key(installation)

    def prepare(self, installation: Installation, environment_folder: Path) -> None:
        from bottool_python import environment

        environment.prepare(installation, environment_folder)

    def command(self, installation: Installation) -> Command:
        """The environment's Python with the entry, as ``python bot.py`` or ``python -m BotTable``.

        The environment comes first in ``PATH``, so that a bot which starts ``python`` gets its own.

        :raises LaunchError: when the package holds nothing to start.
        """
        from bottool_python import environment

        bot = environment.installed(installation)
        if bot.layout is None or installation.environment is None:
            from bottool_python import checks

            problem = checks.inspect(installation.package).problems[0] if bot.layout is None else None
            why = problem.message if problem else "its environment was not prepared"
            raise LaunchError(f"'{installation.package.bot_id}' cannot start: {why}", problem.hint if problem else "")
        python = environment.python_of(installation.environment)
        return Command(
            arguments=(str(python), *_start(bot.layout)),
            # Robocorp's runner refuses arguments that it does not know.
            placeholders=bot.layout.robocorp or not bot.arguments,
            folder=bot.layout.root.rstrip("/"),
            variables={
                "VIRTUAL_ENV": str(installation.environment),
                **_import_path(bot.layout, installation.folder),
                "PATH": os.pathsep.join(filter(None, (str(python.parent), base_variables().get("PATH")))),
            },
        )

    def equipment(self, installation: Installation) -> Equipment:
        from bottool_python import equipment

        return equipment.of_environment(installation.environment) if installation.environment else Equipment()

    def toolchain(self) -> Sequence[Tool]:
        return (
            Tool(name="python", found=True, version=platform.python_version(), path=sys.executable),
            _uv(),
        )


def _import_path(found: Layout, folder: Path) -> dict[str, str]:
    """A script in a folder also finds what lies beside that folder: half of such bots say ``from src.x import y``."""
    return {"PYTHONPATH": str(folder / found.root)} if "/" in found.entry and not found.package else {}


def _start(found: Layout) -> tuple[str, ...]:
    """What comes after ``python``."""
    if found.robocorp:
        return ("-m", "robocorp.tasks", "run", found.entry)
    return ("-m", found.entry.replace("/", ".")) if found.package else (found.entry,)


def _uv() -> Tool:
    """Does not start it: its version is the one of the distribution that brought it."""
    from importlib import metadata as distributions

    from bottool_python import tool

    try:
        path = tool.find_uv()
        version = distributions.version("uv")
    except (ImportError, ToolMissing):
        return Tool(name="uv", found=False, hint="python -m pip install uv")
    return Tool(name="uv", found=True, version=version, path=path)
