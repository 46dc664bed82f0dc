"""Makes an environment in the cache of the first argument: ``quick``, or ``hang`` half-way for ever.

Prints, as JSON, the folder that it was given to prepare (only when it was), and at the end the environment.
"""
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from bottool.environments import Cache
from bottool.model import Installation, Package

root, how = Path(sys.argv[1]), sys.argv[2]


def prepare(_installation, environment):
    (environment / "half.txt").write_text("half", encoding="utf-8")
    print(json.dumps(str(environment)), flush=True)
    time.sleep(120 if how == "hang" else 0.02)
    (environment / "whole.txt").write_text("whole", encoding="utf-8")


language = SimpleNamespace(name="any", title="Any", environment_key=lambda _installation: "key", prepare=prepare)
package = Package(path=root, bot_id="bot", version="1", language="any", sha256="0" * 64, size_bytes=1)
print(json.dumps(str(Cache(root).environment(language, Installation(package=package, folder=root)))), flush=True)
