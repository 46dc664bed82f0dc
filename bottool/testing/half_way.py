"""Prepares an installation in another process and kills it, with all that it started, in the middle."""

import contextlib
import json
import sys
import time
from dataclasses import asdict
from inspect import getfile
from pathlib import Path

from bottool.language import Language
from bottool.model import Package
from bottool.process import ProcessTree, start
from bottool.settings import base_variables

_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.01
# The language comes from its file, since a language may stand in a test's own module, which cannot be imported by name.
_PROGRAM = """
import importlib.util, json, sys
from pathlib import Path
file, name, package, cache, work = sys.argv[1:]
spec = importlib.util.spec_from_file_location("language_under_test", file)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
from bottool.environments import Cache, make_ready
from bottool.model import Package
from bottool.testing.workbench import plugins_with
fields = json.loads(package)
fields["path"] = Path(fields["path"])
make_ready(plugins_with(getattr(module, name)()), Package(**fields), Cache(Path(cache)), Path(work), print)
"""


def prepare_until_killed(language: Language, package: Package, cache: Path, work: Path) -> None:
    """Start to make ``package`` ready, and kill the process as soon as the first file of an environment appears.

    A language that needs no environment may be through by then; its cache is then complete, which is fine as well.
    """
    kind = type(language)
    said = json.dumps(asdict(package) | {"path": str(package.path), "manifest": dict(package.manifest)})
    printed: list[bytes] = []
    tree = start(
        [sys.executable, "-c", _PROGRAM, getfile(kind), kind.__name__, said, str(cache), str(work)],
        folder=cache.parent,
        variables=base_variables(),
        output=lambda _stream, data: printed.append(data),
    )
    try:
        _wait_for_work(tree, cache)
    finally:
        tree.stop(0.0)
        tree.close(5.0)
    exit_code = tree.poll()
    if exit_code is not None and exit_code > 0:
        raise AssertionError(f"preparing failed by itself: {b''.join(printed).decode('utf-8', 'replace')}")


def _wait_for_work(tree: ProcessTree, cache: Path) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while tree.wait(_LOOK_SECONDS) is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if any(cache.glob("environments/*/*/*")):
                return
