"""A package that is there already is opened: its bot, version and language are found out. Knows no server.

What a person says counts first, then the manifest, then the file's name; but a package that can only run under one
bot id keeps that id, whoever says another.
"""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from bottool import archive
from bottool.archive_check import ARCHIVE_SUFFIXES
from bottool.errors import BottoolError, PluginError, ProjectError
from bottool.model import LABEL, Inspection, Package, Problem, Severity
from bottool.plugins import Plugins, listed, one_line
from bottool.project import DEFAULT_VERSION, recognisers

_NAME_AND_VERSION = re.compile(r"(.+?)-([0-9][^-]*)")


def open_package(path: Path, plugins: Plugins, *, bot_id: str = "", version: str = "", language: str = "") -> Package:
    """An archive that is there already, checked; the keywords are what a person said, and count first.

    What nobody says comes from its manifest, then from its file name (``NAME-VERSION.zip``). The language may also be
    recognised from its files. ``notes`` says so when the package demands another bot id, which it then bears.

    :raises ArchiveError: when the archive is refused.
    :raises ProjectError: when it is not there, or nothing tells its bot id or language.
    """
    return open_and_inspect(path, plugins, bot_id=bot_id, version=version, language=language)[0]


def open_and_inspect(
    path: Path, plugins: Plugins, *, bot_id: str = "", version: str = "", language: str = ""
) -> tuple[Package, Inspection]:
    """As ``open_package``, with what its language tells of it.

    :raises PluginError: when the language's plugin fails; names it.
    """
    if not path.is_file():
        raise _no_file(path)
    archive.check(path)
    manifest = archive.read_manifest(path)
    by_name = _from_name(path.name)
    chosen = plugins.language(language or _text(manifest.get("language")) or _recognised(path, plugins)).name
    said = (bot_id, _text(manifest.get("bot_id")), by_name[0])
    package = Package(
        path=path,
        bot_id=next((each for each in said if each), ""),
        version=_label("version", path, (version, _text(manifest.get("version")), by_name[1], DEFAULT_VERSION)),
        language=chosen,
        sha256=archive.sha256_of(path),
        size_bytes=path.stat().st_size,
        manifest=manifest,
    )
    inspection = inspect(plugins, package)
    if inspection.bot_id and inspection.bot_id != package.bot_id:
        package = replace(package, bot_id=inspection.bot_id, notes=(_disagrees(package.bot_id, inspection.bot_id),))
    _label("bot id", path, (package.bot_id,))
    return package, inspection


def inspect(plugins: Plugins, package: Package) -> Inspection:
    """What the package's language tells of it, without running it.

    :raises PluginError: when the plugin fails; names it.
    """
    try:
        return plugins.language(package.language).inspect(package)
    except BottoolError:
        raise
    except Exception as error:
        owner = plugins.owner(package.language)
        raise PluginError(f"plugin '{owner}' failed in inspect: {one_line(error)}") from error


def _no_file(path: Path) -> ProjectError:
    if path.is_dir():
        return ProjectError(f"'{path}' is no file but a folder", f"build it first: bottool build {path}")
    return ProjectError(f"'{path}' {'is no file' if path.exists() else 'does not exist'}", "give the package's path")


def _disagrees(said: str, demanded: str) -> Problem:
    return Problem(
        severity=Severity.WARNING,
        code="name_disagrees",
        message=f"the package can only run as '{demanded}', not as '{said}'",
        hint=f"it is taken as '{demanded}'",
    )


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""


def _from_name(file_name: str) -> tuple[str, str]:
    """Bot id and version as a file's name says them; the version may be empty."""
    ending = next((each for each in ARCHIVE_SUFFIXES if file_name.lower().endswith(each)), Path(file_name).suffix)
    stem = file_name[: len(file_name) - len(ending)] if ending else file_name
    parts = _NAME_AND_VERSION.fullmatch(stem)
    return (parts[1], parts[2]) if parts else (stem, "")


def _recognised(path: Path, plugins: Plugins) -> str:
    with tempfile.TemporaryDirectory(prefix="bottool-") as work:
        found = recognisers(archive.unpack(path, Path(work) / "files"), plugins)
    if len(found) == 1:
        return found[0]
    what = f"could be a bot in {' or '.join(found)}" if found else "does not say its language"
    raise ProjectError(f"'{path}' {what}", f"say it: --language, one of {listed(plugins.languages)}")


def _label(what: str, path: Path, said: tuple[str, ...]) -> str:
    chosen = next((each for each in said if each), "")
    if not LABEL.fullmatch(chosen):
        raise ProjectError(f"'{chosen}', from '{path.name}', cannot be the {what}", "say another on the command line")
    return chosen
