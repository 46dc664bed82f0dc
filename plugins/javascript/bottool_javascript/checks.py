"""What ``bottool validate`` says about a Node.js project, and ``inspect`` about a package; the network is not used."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bottool.errors import ProjectError, ToolMissing, did_you_mean
from bottool.model import Problem, Project, Severity
from bottool.settings import base_variables
from bottool_javascript import (
    code_findings,
    dependencies,
    entry,
    foreign,
    imports,
    installing,
    lock_checks,
    node,
    package_json,
    packing,
)
from bottool_javascript.package_json import PackageJson

OPTIONS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "javascript": {},
    "typescript": {"tsconfig": lambda value: isinstance(value, str)},
}
"""By language: the keys of its table in ``bot.toml``, and what their values must be."""


def problems_of(project: Project) -> Iterator[Problem]:
    """All findings; a ``package.json`` that cannot be read ends them."""
    yield from _option_problems(project)
    try:
        package = package_json.read(project.folder)
    except ProjectError as error:
        yield problem_of(error)
        return
    if project.language == "typescript":
        yield from _typescript_problems(project, package)
    else:
        yield from _javascript_problems(project, package)
    yield from _engine_problems(project, package)
    yield from _dependency_problems(project.folder, package)
    yield from lock_checks.problems_of(project.folder, package)


def problem_of(error: ProjectError) -> Problem:
    """An unreadable ``package.json`` as a finding."""
    return Problem(
        severity=Severity.ERROR,
        code=error.details.get("problem", "bad_project"),
        message=error.message,
        hint=error.hint,
        path=package_json.FILE_NAME,
        line=error.details.get("line"),
    )


def _about(severity: Severity, code: str, message: str, hint: str = "", path: str = package_json.FILE_NAME) -> Problem:
    return Problem(severity=severity, code=code, message=message, hint=hint, path=path)


def _option_problems(project: Project) -> Iterator[Problem]:
    known = OPTIONS.get(project.language, {})
    for name, value in project.options.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(sorted(known)) or 'none'}"
            message = f"unknown option '{name}' in [{project.language}]"
        elif not known[name](value):
            message, hint = f"'{name}' in [{project.language}] has the wrong type", "a text in quotes"
        else:
            continue
        yield _about(Severity.ERROR, "bad_option", message, hint, "bot.toml")


def _exists(folder: Path) -> Callable[[str], bool]:
    return lambda name: (folder / name).is_file()


def _javascript_problems(project: Project, package: PackageJson) -> Iterator[Problem]:
    start = entry.find(package, _exists(project.folder), project.entry)
    if start is None:
        if "build" not in package.scripts or _is_web_site(package):
            yield _nothing_to_start(package, project)
        return
    yield from _start_problems(start)
    yield from _import_problems(project.folder, package, start)


def _is_web_site(package: PackageJson) -> bool:
    """A start script that starts something, but no file: ``next start``, ``vite preview``."""
    return bool(package.scripts.get("start")) and entry.of_script(package.scripts["start"]) is None


def _nothing_to_start(package: PackageJson, project: Project) -> Problem:
    error = packing.nothing_to_start(package, project)
    return _about(Severity.ERROR, "no_entry", error.message, error.hint)


def _start_problems(start: entry.Start) -> Iterator[Problem]:
    if start.dropped:
        yield _about(
            Severity.WARNING,
            "start_arguments",
            f"the start script gives the bot arguments of its own ({' '.join(start.dropped)}); a runner does not",
            "a bot gets server, task, token and workspace",
        )


def _import_problems(folder: Path, package: PackageJson, start: entry.Start) -> Iterator[Problem]:
    """A package that is asked for by another's name is found only if that one brings it, hence only a warning."""
    found = imports.follow(folder, start.file)
    named = {package.name, *package.dependencies, *package.other_dependencies, *package.dev_dependencies}
    named |= {f"@types/{name}" for name in named} | _brought_by_lock(folder)
    for asked in found.packages:
        if asked.name not in named and not _is_own(folder, asked.name):
            yield Problem(
                severity=Severity.WARNING,
                code="missing_module",
                message=f"'{asked.name}' is loaded, but package.json does not name it",
                hint=f"npm install {asked.name}",
                path=asked.path,
                line=asked.line,
            )
    for asked in found.missing_files:
        yield Problem(
            severity=Severity.WARNING,
            code="file_missing" if asked.name.endswith(".json") else "missing_module",
            message=f"'{asked.name}' is loaded, but is not there",
            hint="the bot stops there unless something writes it before",
            path=asked.path,
            line=asked.line,
        )
    yield from code_findings.of_code(folder, found, has_display=_has_display())


def _has_display() -> bool:
    variables = base_variables()
    return sys.platform in {"win32", "darwin"} or any(variables.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _brought_by_lock(folder: Path) -> set[str]:
    """Packages that are installed because others need them; a bot in the wild loads them by their own names."""
    lock = package_json.lock_of(folder)
    return {each.name for each in package_json.locked(lock.read_bytes())} if lock else set()


def _is_own(folder: Path, name: str) -> bool:
    """Names that a compiler's configuration maps to folders of the project (``@app/x``, ``src/x``)."""
    first = name.split("/", maxsplit=1)[0]
    if (folder / first).is_dir() or (folder / "src" / first).is_dir() or (folder / f"{first}.ts").is_file():
        return True
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("tsconfig*.json"))
    return any('"paths"' in text and f'"{first}/' in text for text in texts)


def _typescript_problems(project: Project, package: PackageJson) -> Iterator[Problem]:
    exists = _exists(project.folder)
    has_compiler = any("typescript" in named for named in (package.dev_dependencies, package.dependencies))
    if "build" not in package.scripts and not has_compiler:
        yield _about(
            Severity.ERROR,
            "no_compiler",
            "package.json has no build script, and typescript is not among its packages",
            "npm install --save-dev typescript",
        )
    configuration = packing.configuration_of(project, project.folder)
    if "build" not in package.scripts and not exists(configuration):
        yield _about(
            Severity.ERROR, "no_tsconfig", f"there is no '{configuration}'", "npx tsc --init writes one", configuration
        )
    if not _will_start(project, package, exists):
        yield _nothing_to_start(package, project)
    elif source := _source(project, package, exists):
        yield from _import_problems(project.folder, package, entry.Start(file=source))


def _source(project: Project, package: PackageJson, exists: Callable[[str], bool]) -> str:
    """The TypeScript file that becomes the one that is started; empty when that cannot be told before compiling."""
    scripted = entry.of_script(package.scripts.get("start", ""))
    started = project.entry or (scripted.file if scripted else "") or package.main
    parts = re.sub(r"\.[mc]?js$", ".ts", entry.normal(started)).split("/") if started else []
    candidates = ["/".join(parts[start:]) for start in range(len(parts))]
    found = next((name for each in candidates for name in (each, f"src/{each}") if each and exists(name)), "")
    return found if found.endswith((".ts", ".mts", ".cts")) else entry.source_of(package, exists, project.entry)


def _will_start(project: Project, package: PackageJson, exists: Callable[[str], bool]) -> bool:
    """A file to start is named, or there is a source with a usual name; what compiling makes of it is not known yet."""
    if project.entry:
        return exists(project.entry) or not project.entry.endswith((".ts", ".mts", ".cts"))
    if _is_web_site(package) and not package.main:
        return False
    scripted = entry.of_script(package.scripts.get("start", ""))
    return bool(scripted or package.main or entry.source_of(package, exists) or entry.find(package, exists))


def _engine_problems(project: Project, package: PackageJson) -> Iterator[Problem]:
    if not package.node:
        return
    try:
        node.find(base_variables())
    except ToolMissing:
        # Another machine may run it; doctor says what is missing here.
        return
    try:
        node.fitting(base_variables(), package.node, kept=packing.kept_folder(project.language))
    except ToolMissing as missing:
        yield _about(Severity.WARNING, "wrong_node", missing.message, missing.hint)


def _dependency_problems(folder: Path, package: PackageJson) -> Iterator[Problem]:
    named = {**package.dev_dependencies, **package.other_dependencies, **package.dependencies}
    lock = package_json.lock_of(folder)
    if named and lock is None:
        yield from _no_lock(folder)
    local = dependencies.local_packages(folder, package)
    for name, said in named.items():
        if re.match(r"(file|link):|\.{0,2}/", said) and name not in local:
            yield _about(
                Severity.ERROR,
                "dependency_outside",
                f"'{name}' is '{said}', which is not inside the bot's folder",
                "move it into the folder, or publish it",
            )
    if package.workspaces:
        yield _about(
            Severity.WARNING, "workspaces", "package.json has workspaces", "build the folder of the bot itself"
        )
    if lock is not None:
        yield from script_problems(package, lock.read_bytes())


def _no_lock(folder: Path) -> Iterator[Problem]:
    other = foreign.lock_of(folder)
    if other is None:
        hint = "'bottool lock' writes one beside it; without it, build chooses the versions anew"
        yield _about(Severity.WARNING, "no_lock", "there is no package-lock.json", hint)
        return
    try:
        foreign.graph_of(other, package_json.raw(folder))
    except foreign.Unfaithful as reason:
        tool = foreign.TOOLS[other.name]
        message = f"it holds {reason}; only {tool} can install that"
        yield _about(Severity.WARNING, "foreign_lock", message, f"every runner of this bot needs {tool}", other.name)


def script_problems(package: PackageJson, lock: bytes) -> Iterator[Problem]:
    """Packages whose install scripts will not run, as the lock tells."""
    skipped = package_json.unreviewed(package, package_json.locked(lock), dev=False)
    if skipped:
        yield _about(
            Severity.WARNING,
            "install_scripts",
            f"the install scripts of {', '.join(skipped)} will not run",
            installing.allow_hint(skipped),
        )
