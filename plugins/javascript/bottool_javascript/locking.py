"""Resolves what a project without npm's lock depends on, so that every machine installs the same.

From a lock of pnpm or yarn the versions are taken over exactly; without any lock npm chooses. Works in a scratch folder
with nothing of the project but what npm reads. The lock names no registry: each machine uses its own.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bottool.errors import ToolMissing
from bottool.model import Lock, Project
from bottool.settings import base_variables
from bottool_javascript import dependencies, foreign, foreign_tools, installing, node, package_json
from bottool_javascript.dependencies import NPMRC, Wanted
from bottool_javascript.npm_errors import resolving_failure

LOCK_NAME = "package-lock.json"
_FORMAT = 1


def lock_key(project: Project) -> str:
    """Empty when npm's lock is there, or nothing is to be installed."""
    folder = project.folder
    package = package_json.read(folder)
    named = package.dependencies or package.dev_dependencies or package.other_dependencies
    if not named or package.workspaces or package_json.lock_of(folder):
        return ""
    lock = foreign.lock_of(folder)
    if lock:
        try:
            foreign.graph_of(lock, package_json.raw(folder))
        except foreign.Unfaithful:
            # The lock itself is packed, and its own tool installs by it.
            return ""
    wanted = Wanted(folder=folder, package=package, lock=lock, dev=True)
    own = {name: package_json.raw(folder).get(name) for name in ("name", "version", "engines", "bin", "license")}
    said = {"format": _FORMAT, "own": own, "wanted": dependencies.key(wanted, "any", any_machine=True)}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def lock(project: Project) -> Lock:
    """Npm's lock for the project.

    :raises BuildError: when nothing satisfies what ``package.json`` asks for.
    :raises Unreachable: when no registry answers.
    :raises ToolMissing: when there is no npm here.
    """
    variables = base_variables()
    package = package_json.read(project.folder)
    other = foreign.lock_of(project.folder)
    using = node.find(variables)
    with tempfile.TemporaryDirectory(prefix="bottool-lock-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch).resolve()
        for name in (package_json.FILE_NAME, NPMRC, *([other.name] if other else [])):
            if (project.folder / name).is_file():
                shutil.copyfile(project.folder / name, folder / name)
        wanted = Wanted(folder=project.folder, package=package, lock=None, dev=True)
        installing.copy_local_packages(wanted, folder)
        if other:
            _convert(folder, other.name, using, variables)
        else:
            code, output = node.npm(using, foreign_tools.RESOLVE, folder, variables)
            if code:
                raise resolving_failure(output, "npm install --package-lock-only")
        return Lock(file=LOCK_NAME, data=(folder / LOCK_NAME).read_bytes())


def _convert(folder: Path, name: str, using: node.Node, variables: Mapping[str, str]) -> None:
    try:
        foreign_tools.convert(folder, folder / name, using, variables)
    except foreign.Unfaithful as reason:
        tool = foreign.TOOLS[name]
        raise ToolMissing(
            f"'{name}' holds {reason}: a machine that runs this bot needs {tool}", f"npm install --global {tool}"
        ) from reason
