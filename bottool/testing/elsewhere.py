"""Builds or runs a language's bot in another process: with other variables, fewer rights, or no network.

The language comes from its file, since a language may stand in a test's own module, which cannot be imported by name.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import getfile
from pathlib import Path
from typing import Any

from bottool.language import Language
from bottool.model import Package, Project
from bottool.settings import base_variables

LIMIT_SECONDS = 240.0
NO_PROXY = "http://127.0.0.1:9"
"""An address at which nobody answers: the discard port."""
_LOADED = """
import importlib.util, json, os, sys
from pathlib import Path
file, name, *arguments = sys.argv[1:]
spec = importlib.util.spec_from_file_location("language_under_test", file)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
from bottool.testing.workbench import plugins_with
plugins = plugins_with(getattr(module, name)())
"""
MAKES_READY = (
    _LOADED
    + """
from bottool.environments import Cache, make_ready
from bottool.model import Limits, Package
package, cache, work = arguments[:3]
fields = json.loads(package)
fields["path"] = Path(fields["path"])
installation = make_ready(plugins, Package(**fields), Cache(Path(cache)), Path(work), print)
"""
)
_RUNS = (
    MAKES_READY
    + """
from bottool.run import run
def output(stream, data):
    os.write(2, data)
outcome = run(plugins, installation, task=None, limits=Limits(timeout_seconds=120.0), output=output)
print(json.dumps({"reason": outcome.reason, "exit_code": outcome.exit_code, "message": outcome.message}))
"""
)
_BUILDS = (
    _LOADED
    + """
from bottool.build import build
from bottool.project import find
folder, output, version, exclude, umask = arguments
os.umask(int(umask, 8))
from dataclasses import replace
project = replace(find(Path(folder), plugins, version=version), exclude=tuple(json.loads(exclude)))
print(json.dumps({"sha256": build(plugins, project, Path(output)).package.sha256}))
"""
)


def arguments_for(language: Language, package: Package, cache: Path, work: Path) -> list[str]:
    """What a program that begins with ``MAKES_READY`` is given."""
    said = json.dumps(asdict(package) | {"path": str(package.path), "manifest": dict(package.manifest)})
    return [*_where(language), said, str(cache), str(work)]


def built_elsewhere(
    project: Project,
    output: Path,
    language: Language,
    *,
    variables: Mapping[str, str] | None = None,
    umask: str = "022",
    prefix: Sequence[str] = (),
) -> str:
    """Build the project in another process; the package's SHA-256."""
    said = [str(project.folder), str(output), project.version, json.dumps(project.exclude), umask]
    answer = _answer([*prefix, sys.executable, "-c", _BUILDS, *_where(language), *said], variables)
    return str(answer["sha256"])


def run_without_network(language: Language, package: Package, cache: Path, work: Path) -> Mapping[str, Any]:
    """Run a package whose environment is prepared in ``cache``, where nothing can be reached.

    In a network of its own where this user may make one (root on Linux), else with proxies that are not there.
    """
    dead = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NO_PROXY)
    program = [sys.executable, "-c", _RUNS, *arguments_for(language, package, cache, work)]
    return _answer([*_alone(), *program], dead | {"NO_PROXY": "", "no_proxy": ""})


def without_root_rights() -> list[str] | None:
    """Words before a command for which the modes of files count as for anybody; ``None`` where that cannot be had."""
    if sys.platform == "win32":
        return None
    if not _is_root():
        return []
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    return words if _works(words) else None


def _alone() -> list[str]:
    words = ["unshare", "--net"]
    return words if _works(words) else []


def _works(words: list[str]) -> bool:
    return (
        bool(shutil.which(words[0]))
        and subprocess.run([*words, "true"], check=False, capture_output=True).returncode == 0
    )


def _is_root() -> bool:
    return bool(sys.platform != "win32" and os.geteuid() == 0)


def _where(language: Language) -> list[str]:
    kind = type(language)
    return [getfile(kind), kind.__name__]


def _answer(command: list[str], variables: Mapping[str, str] | None) -> dict[str, Any]:
    done = subprocess.run(
        command,
        env={**base_variables(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"it ended with status {done.returncode}: {done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
