"""Compiled Python, kept by the content of its source: compiled once on a machine, linked into each environment.

A file is known by the SHA-256 of what really lies in the environment, not by what a distribution says of itself:
otherwise one that lies could slip its code into another's. The compiled file says that it is never to be compared
with its source (PEP 552, unchecked), because a copied source has a new time; the interpreter that made it counts.
"""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bottool.errors import BuildError
from bottool_python import files, tool

_SETTINGS = ("-I", "-S", "-X", "utf8")
_WHO = "import sys, importlib.util as u; print(sys.implementation.cache_tag, u.MAGIC_NUMBER.hex())"
_COMPILE = """
import os, sys, warnings
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

def compiled(pair):
    source, target = pair
    try:
        with open(source, "rb") as file:
            data = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(data, source, "exec", dont_inherit=True, optimize=0)
        whole = bytes(_code_to_hash_pyc(code, source_hash(data), False))
        part = f"{target}.{os.getpid()}.part"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(part, "wb") as file:
            file.write(whole)
        os.replace(part, target)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        # What does not compile is compiled by whoever imports it, with its own complaint.
        pass

if __name__ == "__main__":
    words = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\\0")
    pairs = list(zip(words[::2], words[1::2]))
    for pair in pairs[int(sys.argv[1])::int(sys.argv[2])]:
        compiled(pair)
"""


def give(python: Path, packages: Path, store: Path) -> None:
    """Put compiled files beside all sources below ``packages``, for the interpreter ``python``.

    :raises BuildError: when the interpreter does not start.
    """
    cache_tag, magic = _who(python)
    kept = store / "bytecode" / f"{cache_tag}-{magic}"
    wanted = dict(_wanted(packages, kept, cache_tag))
    missing = {kept_file: source for source, (kept_file, _) in wanted.items() if not kept_file.exists()}
    if missing:
        _compile(python, missing)
    folders = {target.parent for _, target in wanted.values()}
    for folder in folders:
        folder.mkdir(exist_ok=True)
    for kept_file, target in wanted.values():
        if kept_file not in missing or kept_file.exists():
            files.link_or_copy(kept_file, target)


def _who(python: Path) -> tuple[str, str]:
    done = subprocess.run(
        [str(python), *_SETTINGS, "-c", _WHO], capture_output=True, text=True, env=tool.variables(), check=False
    )
    words = done.stdout.split()
    if done.returncode or len(words) != 2:  # noqa: PLR2004 - the two that were asked for
        raise BuildError("the environment's Python does not start", output=done.stderr[-2000:])
    return words[0], words[1]


def _wanted(packages: Path, kept: Path, cache_tag: str) -> Iterator[tuple[str, tuple[Path, Path]]]:
    """Each source with the compiled file that is kept for it, and the place where the interpreter looks for one."""
    sources = list(_sources(str(packages)))
    with ThreadPoolExecutor(max_workers=4) as pool:
        for source, digest in zip(sources, pool.map(_digest, sources, chunksize=64), strict=True):
            folder, name = os.path.split(source)
            target = Path(folder, "__pycache__", f"{name[:-3]}.{cache_tag}.pyc")
            yield source, (kept / digest[:2] / f"{digest}.pyc", target)


def _digest(source: str) -> str:
    with open(source, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of them, and this is quicker
        return hashlib.sha256(file.read()).hexdigest()


def _sources(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _sources(entry.path)
            elif entry.name.endswith(".py") and entry.is_file(follow_symlinks=False):
                yield entry.path


def _compile(python: Path, missing: dict[Path, str]) -> None:
    """In a few processes of the environment's own interpreter: only that one knows its bytecode."""
    words = "\0".join(f"{source}\0{kept}" for kept, source in missing.items())
    said = words.encode("utf-8", "surrogateescape")
    share = min(os.cpu_count() or 1, 8) if len(missing) > 64 else 1  # noqa: PLR2004 - below that a start costs more
    arguments = [[str(python), *_SETTINGS, "-c", _COMPILE, str(each), str(share)] for each in range(share)]
    with ThreadPoolExecutor(max_workers=share) as pool:
        list(pool.map(lambda each: subprocess.run(each, input=said, env=tool.variables(), check=False), arguments))
