"""The temporary folder of one run, and those that killed runs left behind."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_PLACE = re.compile(r"bottool-run-([0-9]+)-.+")


@contextmanager
def place(pid: int) -> Iterator[Path]:
    """A new folder that bears the number of this process and is removed at the end."""
    clear_abandoned()
    with tempfile.TemporaryDirectory(prefix=f"bottool-run-{pid}-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def clear_abandoned() -> None:
    """Remove the folders of runs whose process is gone; those of other people cannot be, and stay."""
    for folder in Path(tempfile.gettempdir()).glob("bottool-run-*"):
        found = _PLACE.fullmatch(folder.name)
        if found and not folder.is_symlink() and not psutil.pid_exists(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)
