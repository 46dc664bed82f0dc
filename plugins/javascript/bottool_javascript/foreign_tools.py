"""Installs by a lock of pnpm or yarn: through npm with the same versions, else by the tool itself.

npm is the first choice although the tool may be there: its packages come from the shared store, and it behaves alike on
every machine. The tool is the choice where npm could not do the same (a patched package).
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from bottool.errors import BuildError, ToolMissing
from bottool_javascript import foreign, hoisting, node, package_json
from bottool_javascript.npm_errors import resolving_failure

RESOLVE = (
    *("install", "--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved"),
    *("--no-audit", "--no-fund", "--loglevel=error", "--include=dev", "--include=optional", "--include=peer"),
)
_LOCK = "package-lock.json"


def installed(folder: Path, using: node.Node, variables: Mapping[str, str], *, dev: bool) -> bool:
    """True when the tool itself has made ``node_modules``; false when npm may, by the lock that lies there now.

    :raises ToolMissing: when only the tool could, and it is not on this machine.
    """
    lock = foreign.lock_of(folder)
    if lock is None:
        return False
    try:
        convert(folder, lock, using, variables)
    except foreign.Unfaithful as reason:
        (folder / _LOCK).unlink(missing_ok=True)
        _by_tool(folder, lock, str(reason), variables, dev=dev)
        return True
    return False


def convert(folder: Path, lock: Path, using: node.Node, variables: Mapping[str, str]) -> None:
    """Write a ``package-lock.json`` into ``folder`` with exactly the versions of ``lock``; asks the registry.

    :raises Unfaithful: when npm could not install the same.
    :raises Unreachable: when no registry answers.
    """
    package = package_json.raw(folder)
    graph = foreign.graph_of(lock, package)
    try:
        said = hoisting.as_npm_lock(graph, package)
    except hoisting.Circular as name:
        raise foreign.Unfaithful(f"a circle around '{name}'") from name
    (folder / _LOCK).write_text(json.dumps(said, indent=1), encoding="utf-8")
    # npm would read yarn's lock too, which says less.
    (folder / foreign.YARN_LOCK).unlink(missing_ok=True)
    code, output = node.npm(using, (*RESOLVE, "--legacy-peer-deps"), folder, variables)
    if code:
        raise resolving_failure(output, f"npm install by '{lock.name}'")
    made = {(each.name, each.version) for each in package_json.locked((folder / _LOCK).read_bytes(), real_names=True)}
    if others := sorted(made - graph.versions()):
        raise foreign.Unfaithful(f"no '{'@'.join(others[0])}', which npm wants")


def _by_tool(folder: Path, lock: Path, reason: str, variables: Mapping[str, str], *, dev: bool) -> None:
    name = foreign.TOOLS[lock.name]
    program = shutil.which(name, path=variables.get("PATH", ""))
    corepack = shutil.which("corepack", path=variables.get("PATH", ""))
    if program:
        words = [program]
    elif corepack and "packageManager" in package_json.raw(folder):
        words = [corepack, name]
    else:
        raise ToolMissing(
            f"'{lock.name}' holds {reason}: only {name} can install it, and there is none on this machine",
            f"npm install --global {name}",
        )
    arguments = ["install", "--frozen-lockfile", "--ignore-scripts", *([] if dev else ["--prod"])]
    if name == "yarn" and "__metadata:" in lock.read_text(encoding="utf-8", errors="replace"):
        arguments = ["install", "--immutable", "--mode=skip-build"]
    settings = {"YARN_NODE_LINKER": "node-modules", "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0", "CI": "1"}
    code, output = node.run_program([*words, *arguments], folder, {**variables, **settings})
    if code:
        raise BuildError(
            f"{name} install failed", "run it in the project yourself to try", output=node.last_lines(output)
        )
