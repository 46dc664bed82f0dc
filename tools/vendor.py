"""Fetch the browser's parts again and compare them with ``vendor.lock.json``: ``python tools/vendor.py [--write]``.

Each package is taken by name and version through ``npm pack``; the files named in the lock are copied into the pages'
``static/vendor`` folder. Without ``--write`` nothing is changed: the command fails when a file differs.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "web" / "bottool_web" / "static" / "vendor"
LOCK = VENDOR / "vendor.lock.json"


def fetch(name: str, version: str, folder: Path) -> Path:
    """The unpacked package of one name and version, below ``folder``."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    target = folder / done.stdout.strip().removesuffix(".tgz")
    with tarfile.open(folder / done.stdout.strip()) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def compare(part: dict[str, Any], package: Path, *, write: bool) -> list[str]:
    """Names of the part's files that are not as the lock says; with ``write`` the lock's sums are set instead."""
    wrong = []
    for file in part["files"]:
        data = (package / file["from"]).read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if write:
            file["sha256"] = digest
            (VENDOR / file["to"]).write_bytes(data)
        elif digest != file["sha256"] or (VENDOR / file["to"]).read_bytes() != data:
            wrong.append(file["to"])
    return wrong


def main() -> int:
    """0 when every file is what its package holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="copy the files and set their sums")
    write = options.parse_args().write
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for part in lock:
            wrong += compare(part, fetch(part["name"], part["version"], Path(folder)), write=write)
    if write:
        LOCK.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")
    for name in wrong:
        print(f"{name} is not what the lock says", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
