"""Makes the package: a zip of the project's files, or of what its compiler makes of them.

Compiling happens in a copy, so that the project stays as it is. Packages from npm never go into the zip.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from importlib import metadata
from pathlib import Path

from bottool import archive
from bottool.errors import BuildError, ProjectError
from bottool.model import Project
from bottool.settings import base_variables, cache_folder
from bottool_javascript import dependencies, entry, installing, kinds, node, package_json
from bottool_javascript.entry import Start
from bottool_javascript.package_json import PackageJson
from bottool_javascript.store import Store

_NAMED = 5
"""So many files are named to somebody who must choose one."""
_COMPILER_ONLY = re.compile(r"\.([mc]?ts|tsx|tsbuildinfo)$|(^|/)tsconfig[^/]*\.json$")
_TSC_ERROR = re.compile(r"^(?P<file>[^\s(][^(\n]*)\((?P<line>\d+),\d+\): error (?P<what>TS\d+: .+)$", re.MULTILINE)
_TSC_ERROR_PRETTY = re.compile(r"^(?P<file>\S.*?):(?P<line>\d+):\d+ - error (?P<what>TS\d+: .+)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def pack_sources(project: Project, output: Path) -> Path:
    """Zip a JavaScript project; one whose start only appears when its ``build`` script has run is compiled first.

    :raises ProjectError: when there is nothing to start.
    """
    package = package_json.read(project.folder)
    files = dict(archive.source_files(project.folder, project.exclude).files)
    start = entry.find(package, files.__contains__, project.entry)
    if start is None and "build" in package.scripts:
        return compile_and_pack(project, output)
    if start is None:
        # Somebody may keep what a build wrote, and start from there.
        start = entry.find(package, lambda name: (project.folder / name).is_file(), project.entry)
        if start is None:
            raise nothing_to_start(package, project)
        files = _with_output(project, project.folder, (start.file.split("/")[0],))
        # The packages of earlier builds lie there too.
        own = re.compile(rf"[^/]+/{re.escape(project.bot_id)}-[^/]*\.zip")
        files = {name: path for name, path in files.items() if not own.fullmatch(name)}
    return _zipped(project, output, files, start)


def build_key(project: Project) -> str | None:
    """What the bytes depend on beside the files: the plugin, and for what is compiled the tools that do it."""
    said = [f"bottool-javascript {metadata.version('bottool-javascript')}"]
    package = package_json.read(project.folder)
    if project.language == "typescript" or "build" in package.scripts:
        using = node.fitting(base_variables(), package.node, kept=kept_folder(project.language))
        said += [f"node {using.known_version}", f"npm {using.npm_version()}"]
    return ", ".join(said)


def nothing_to_start(package: PackageJson, project: Project) -> ProjectError:
    """The error of a project that is no bot, such as a web site."""
    if project.entry:
        return ProjectError(f"entry is '{project.entry}', which is not there", "write it relative to the project")
    there = kinds.scripts(project.folder)
    named = f"; there {'are' if len(there) > 1 else 'is'} {', '.join(there[:_NAMED])}" if there else ""
    return ProjectError(
        f"'{package.name or project.folder.name}' has no file to start: {entry.said_by(package)}{named}",
        f'write language = "{project.language}" and entry = "{there[0] if there else "FILE.js"}" into a bot.toml,'
        ' or "main" into package.json',
    )


def compile_and_pack(project: Project, output: Path) -> Path:
    """Install what the compiler needs, compile a copy, and zip what came out with the files that are no source.

    :raises BuildError: when npm or the compiler fails, or what should be started did not come out.
    """
    variables = base_variables()
    using = node.fitting(variables, package_json.read(project.folder).node, kept=kept_folder(project.language))
    with tempfile.TemporaryDirectory(prefix="bottool-node-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve() / "project"
        sources = dict(archive.source_files(project.folder, project.exclude).files)
        for name, source in sources.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
        if project.lock:
            (folder / project.lock.file).write_bytes(project.lock.data)
        package = package_json.read(folder)
        tops = {path.name for path in folder.iterdir()}
        variables = using.with_npm(variables, Path(scratch) / "bin")
        if package.dependencies or package.dev_dependencies or package.other_dependencies:
            store = kept_folder(project.language)
            installer = installing.Installer(using=using, variables=variables, store=Store(store) if store else None)
            installing.install(folder, installer, dev=True)
        _compile(project, folder, using, variables)
        files = _outcome(project, folder, sources.keys(), tops)
        start = _start(project, package, sources.keys(), files)
        return _zipped(project, output, files, start)


def kept_folder(language: str) -> Path | None:
    """Where this machine keeps packages of npm; ``None`` where nothing can be kept."""
    folder = cache_folder() / "stores" / language
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def _compile(project: Project, folder: Path, using: node.Node, variables: Mapping[str, str]) -> None:
    if "build" in package_json.read(folder).scripts:
        command = "npm run build"
        code, printed = node.npm(using, ("run", "build"), folder, variables)
    else:
        configuration = configuration_of(project, folder)
        command = f"tsc -p {configuration}"
        code, printed = node.run(using, (str(_compiler(folder)), "-p", configuration), folder, variables)
    if code:
        raise _compiler_failure(command, _COLOUR.sub("", printed))


def configuration_of(project: Project, folder: Path) -> str:
    """The configuration to compile by: ``tsconfig`` of ``bot.toml``, else the usual name, else the only other one."""
    said = project.options.get("tsconfig")
    if isinstance(said, str):
        return said
    found = sorted(path.name for path in folder.glob("tsconfig*.json"))
    return "tsconfig.json" if "tsconfig.json" in found or not found else found[0]


def _compiler(folder: Path) -> Path:
    """The compiler's program file, as its own package.json names it: versions 5 and 7 have little else in common."""
    home = folder / dependencies.MODULES / "typescript"
    try:
        program = json.loads((home / package_json.FILE_NAME).read_text(encoding="utf-8"))["bin"]["tsc"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            "there is no TypeScript compiler among the project's packages", "npm install --save-dev typescript"
        ) from error
    return home / str(program)


def _compiler_failure(command: str, printed: str) -> BuildError:
    last = node.last_lines(printed)
    match = _TSC_ERROR.search(printed) or _TSC_ERROR_PRETTY.search(printed)
    if match is None:
        return BuildError(f"{command} failed", "run it in the project yourself to try", output=last)
    count = len(_TSC_ERROR.findall(printed)) or len(_TSC_ERROR_PRETTY.findall(printed))
    more = f" (and {count - 1} more)" if count > 1 else ""
    return BuildError(f"{match['file']}:{match['line']}: {match['what']}{more}", f"{command} says so", output=last)


def _outcome(project: Project, folder: Path, sources: Collection[str], tops: set[str]) -> dict[str, Path]:
    """What goes into the zip. Folders that the compiler made are kept, whatever they are called."""
    made = tuple(path.name for path in folder.iterdir() if path.name not in tops and path.name != dependencies.MODULES)
    files = _with_output(project, folder, made)
    not_ours = {name for name in package_json.LOCK_NAMES if name not in sources}
    return {name: path for name, path in files.items() if not _COMPILER_ONLY.search(name) and name not in not_ours}


def _with_output(project: Project, folder: Path, kept: tuple[str, ...]) -> dict[str, Path]:
    """The files of ``folder`` with those of its top folders ``kept``, which are left out as a rule.

    Core excludes the folder that it writes packages into, by name: the very ``dist`` that many compilers write into.
    """
    exclude = [pattern for pattern in project.exclude if pattern.strip("/") not in kept]
    return dict(archive.source_files(folder, exclude, keep=kept).files)


def _start(project: Project, package: PackageJson, sources: Collection[str], files: Mapping[str, Path]) -> Start:
    made = sorted(name for name in files if name not in sources)
    scripted = entry.of_script(package.scripts.get("start", ""))
    named = entry.normal(project.entry) if project.entry else scripted.file if scripted else ""
    if Start(file=named).is_typescript:
        found = entry.compiled_from(named, made)
        start = Start(file=found) if found else None
    else:
        start = entry.find(package, files.__contains__, project.entry)
    if start is None and (source := entry.source_of(package, sources.__contains__)) and not project.entry:
        found = entry.compiled_from(source, made)
        start = Start(file=found) if found else None
    if start is None:
        wanted = f"'{named}'" if named else f"a file to start ({entry.said_by(package)})"
        listed = ", ".join(f"'{name}'" for name in made if name.endswith("js")) or "no JavaScript at all"
        raise BuildError(f"compiling made no {wanted}; it made {listed}", "compare outDir and main, or set entry")
    return start


def _zipped(project: Project, output: Path, files: Mapping[str, Path], start: Start) -> Path:
    target = output / f"{project.bot_id}-{project.version}.zip"
    entries: dict[str, Path | bytes] = dict(files)
    if project.lock:
        entries[project.lock.file] = project.lock.data
    package = package_json.read(project.folder)
    home = _home_of(files, start.file)
    extra = {"dev": dependencies.needs_dev(home, package, start)} if package.dev_dependencies else {}
    manifest = archive.manifest(project, entry=start.file, requires=package.node, **extra)
    archive.pack_zip(target, entries, manifest=manifest)
    return target


def _home_of(files: Mapping[str, Path], name: str) -> Path:
    """The folder below which the file lies by its name in the package."""
    path = files[name]
    return path.parents[name.count("/")]
