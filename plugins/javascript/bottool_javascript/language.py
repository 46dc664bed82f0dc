"""The languages ``javascript`` and ``typescript``. They differ in what they recognise, write and build.

What is installed is JavaScript in both cases, so that all that comes after building is shared.
"""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bottool.errors import ProjectError, ToolMissing
from bottool.language import Language
from bottool.model import LABEL, Command, Inspection, Installation, Lock, Package, Problem, Project, Tool
from bottool.settings import base_variables
from bottool_javascript import entry, installed, kinds, locking, node, package_json, packages, packing
from bottool_javascript.checks import problems_of

_TEMPLATES = ("plain", "web")


class JavaScript(Language):
    name = "javascript"
    title = "JavaScript"
    technologies = ("JAVASCRIPT",)
    looks_for = package_json.FILE_NAME
    templates = _TEMPLATES

    def recognises(self, folder: Path) -> bool:
        return (folder / package_json.FILE_NAME).is_file() and not is_typescript(folder)

    def not_a_bot(self, folder: Path) -> str:
        return kinds.not_a_bot(folder)

    def build_key(self, project: Project) -> str | None:
        return packing.build_key(project)

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        write_sample(self.name, folder, name, template)

    def identify(self, folder: Path) -> tuple[str, str]:
        return identity_of(folder)

    def validate(self, project: Project) -> Iterable[Problem]:
        return problems_of(project)

    def lock_key(self, project: Project) -> str:
        return locking.lock_key(project)

    def lock(self, project: Project) -> Lock:
        return locking.lock(project)

    def build(self, project: Project, output: Path) -> Path:
        return packing.pack_sources(project, output)

    def inspect(self, package: Package) -> Inspection:
        return packages.inspected(package)

    def environment_key(self, installation: Installation) -> str:
        return installed.environment_key(installation)

    def prepare(self, installation: Installation, environment: Path) -> None:
        installed.prepare(installation, environment)

    def command(self, installation: Installation) -> Command:
        return installed.command(installation)

    def toolchain(self) -> Sequence[Tool]:
        return tools()


class TypeScript(Language):
    name = "typescript"
    title = "TypeScript"
    technologies = ("TYPESCRIPT",)
    compiles = True
    looks_for = "package.json with tsconfig.json"
    templates = _TEMPLATES

    def recognises(self, folder: Path) -> bool:
        return (folder / package_json.FILE_NAME).is_file() and is_typescript(folder)

    def not_a_bot(self, folder: Path) -> str:
        return kinds.not_a_bot(folder)

    def build_key(self, project: Project) -> str | None:
        return packing.build_key(project)

    def scaffold(self, folder: Path, name: str, template: str) -> None:
        write_sample(self.name, folder, name, template)

    def identify(self, folder: Path) -> tuple[str, str]:
        return identity_of(folder)

    def validate(self, project: Project) -> Iterable[Problem]:
        return problems_of(project)

    def lock_key(self, project: Project) -> str:
        return locking.lock_key(project)

    def lock(self, project: Project) -> Lock:
        return locking.lock(project)

    def build(self, project: Project, output: Path) -> Path:
        return packing.compile_and_pack(project, output)

    def inspect(self, package: Package) -> Inspection:
        return packages.inspected(package)

    def environment_key(self, installation: Installation) -> str:
        return installed.environment_key(installation)

    def prepare(self, installation: Installation, environment: Path) -> None:
        installed.prepare(installation, environment)

    def command(self, installation: Installation) -> Command:
        return installed.command(installation)

    def toolchain(self) -> Sequence[Tool]:
        return tools()


def is_typescript(folder: Path) -> bool:
    """True when the folder has a configuration for the compiler, or its start is a TypeScript file."""
    if any(path.is_file() for path in folder.glob("tsconfig*.json")):
        return True
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
    _write(files("bottool_javascript") / "scaffold" / language / (template or _TEMPLATES[0]), folder, name)


def _write(source: Traversable, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.is_dir():
            _write(each, folder / each.name, name)
        else:
            text = each.read_text(encoding="utf-8").replace("__BOT_ID__", name)
            (folder / each.name).write_text(text, encoding="utf-8", newline="\n")


def identity_of(folder: Path) -> tuple[str, str]:
    """Name, without its scope, and version as ``package.json`` says them, where they can be a label."""
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
