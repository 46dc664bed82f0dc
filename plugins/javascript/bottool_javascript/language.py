"""The languages ``javascript`` and ``typescript``. They differ in what they recognise, write and build.

What is installed is JavaScript in both cases, so that all that comes after building is shared. Whatever
does the work is imported when it is asked for: each command that looks for a bot asks every language about the folder.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bottool.errors import ProjectError, ToolMissing
from bottool.language import Language
from bottool.model import LABEL, Command, Inspection, Installation, Lock, Package, Problem, Project, Tool
from bottool.settings import base_variables
from bottool_javascript import marks

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_TEMPLATES = ("plain", "web")


class _OnNode(Language):
    """What both languages have in common."""

    templates = _TEMPLATES

    def not_a_bot(self, folder: Path) -> str:
        from bottool_javascript import kinds

        return kinds.not_a_bot(folder)

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        write_sample(self.name, folder, name, template)

    def identify(self, folder: Path) -> tuple[str, str]:
        return identity_of(folder)

    def validate(self, project: Project) -> Iterable[Problem]:
        from bottool_javascript import checks

        return checks.problems_of(project)

    def lock_key(self, project: Project) -> str:
        from bottool_javascript import locking

        return locking.lock_key(project)

    def lock(self, project: Project) -> Lock:
        from bottool_javascript import locking

        return locking.lock(project)

    def build_key(self, project: Project) -> str | None:
        from bottool_javascript import packing

        return packing.build_key(project)

    def inspect(self, package: Package) -> Inspection:
        from bottool_javascript import packages

        return packages.inspected(package)

    def environment_key(self, installation: Installation) -> str:
        from bottool_javascript import installed

        return installed.environment_key(installation)

    def prepare(self, installation: Installation, environment: Path) -> None:
        from bottool_javascript import installed

        installed.prepare(installation, environment)

    def command(self, installation: Installation) -> Command:
        from bottool_javascript import installed

        return installed.command(installation)

    def toolchain(self) -> Sequence[Tool]:
        return tools()


class JavaScript(_OnNode):
    name = "javascript"
    title = "JavaScript"
    technologies = ("JAVASCRIPT",)
    looks_for = marks.PACKAGE_JSON

    def recognises(self, folder: Path) -> bool:
        return (folder / marks.PACKAGE_JSON).is_file() and not is_typescript(folder)

    def scripts(self, folder: Path) -> Sequence[str]:
        from bottool_javascript import kinds

        return kinds.scripts(folder)

    def build(self, project: Project, output: Path) -> Path:
        from bottool_javascript import packing

        return packing.pack_sources(project, output)


class TypeScript(_OnNode):
    name = "typescript"
    title = "TypeScript"
    technologies = ("TYPESCRIPT",)
    compiles = True
    looks_for = "package.json with tsconfig.json"

    def recognises(self, folder: Path) -> bool:
        return (folder / marks.PACKAGE_JSON).is_file() and is_typescript(folder)

    def build(self, project: Project, output: Path) -> Path:
        from bottool_javascript import packing

        return packing.compile_and_pack(project, output)


def is_typescript(folder: Path) -> bool:
    """True when the folder has a configuration for the compiler, or its start is a TypeScript file."""
    if any(path.is_file() for path in folder.glob("tsconfig*.json")):
        return True
    from bottool_javascript import entry, package_json

    try:
        package = package_json.read(folder)
    except ProjectError:
        # validate says what is wrong with it.
        return False
    scripted = entry.of_script(package.scripts.get("start", ""))
    return any(entry.Start(file=name).is_typescript for name in (package.main, scripted.file if scripted else ""))


def write_sample(language: str, folder: Path, name: str, template: str) -> None:
    """Write the sample of a language.

    :raises ProjectError: when there is no such template.
    """
    if template and template not in _TEMPLATES:
        raise ProjectError(f"there is no template '{template}' for {language}", f"there are: {', '.join(_TEMPLATES)}")
    from importlib.resources import files

    _write(files("bottool_javascript") / "scaffold" / language / (template or _TEMPLATES[0]), folder, name)


def _write(source: "Traversable", folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.is_dir():
            _write(each, folder / each.name, name)
        else:
            text = each.read_text(encoding="utf-8").replace("__BOT_ID__", name)
            (folder / each.name).write_text(text, encoding="utf-8", newline="\n")


def identity_of(folder: Path) -> tuple[str, str]:
    """Name, without its scope, and version as ``package.json`` says them, where they can be a label."""
    from bottool_javascript import package_json

    try:
        package = package_json.read(folder)
    except ProjectError:
        # validate says what is wrong with it.
        return "", ""
    name, version = (
        text if LABEL.fullmatch(text) else "" for text in (package.name.rpartition("/")[2], package.version)
    )
    return name, version


def tools() -> tuple[Tool, ...]:
    """Node.js and npm, found or not."""
    from bottool_javascript import node

    try:
        found = node.find(base_variables())
    except ToolMissing as missing:
        return tuple(Tool(name=name, found=False, needed_for=_NEEDED[name], hint=missing.hint) for name in _NEEDED)
    npm = Tool(
        name="npm",
        found=found.npm is not None,
        version=found.npm_version(),
        path=str(found.npm or ""),
        needed_for=_NEEDED["npm"],
        hint=node.install_hint(),
    )
    return (
        Tool(
            name="node",
            found=True,
            version=found.version(),
            path=str(found.program),
            needed_for=_NEEDED["node"],
            hint=node.install_hint(),
        ),
        npm,
    )


_NEEDED = {"node": "build and run", "npm": "build and run"}
