"""Reads ``conda.yaml`` and ``environment.yml`` as far as they matter here: the Python version, and the pip part.

Understands the plain block lists that these files are, line by line: no aliases, no tags, no flow style, so that
nothing hostile is ever built from them. What comes from conda's own channels is named, not installed.
"""

import re
from dataclasses import dataclass

from bottool_python.tree import Tree

FILES = ("conda.yaml", "conda.yml", "environment.yml", "environment.yaml")
_LIMIT_BYTES = 200_000
_ITEM = re.compile(r"(\s*)-\s+(.*)")
_NO_PACKAGES = frozenset({"python", "pip", "uv", "setuptools", "wheel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conda:
    """``lines`` are pip's requirements, ``numbers`` their line numbers; ``others`` what only conda can install."""

    path: str = ""
    python: str = ""
    lines: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    others: tuple[str, ...] = ()


def read(tree: Tree) -> Conda:
    """The first of the files that is there; empty without one."""
    path = next((name for name in FILES if name in tree.top), "")
    data = tree.read(path) if path else None
    if not data or len(data) > _LIMIT_BYTES:
        return Conda(path=path)
    pip: list[tuple[str, int]] = []
    own: list[str] = []
    inside, pip_indent = False, -1
    for number, raw in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        item = _ITEM.match(line)
        if item is None:
            # A key at the left edge ends the list; empty lines end nothing.
            inside = line.startswith("dependencies:") if line and not line[0].isspace() else inside
            continue
        indent, said = len(item[1]), item[2].strip().strip("\"'")
        if not inside:
            continue
        if said.rstrip(":") == "pip" and said.endswith(":"):
            pip_indent = indent
        elif 0 <= pip_indent < indent:
            pip.append((said, number))
        else:
            pip_indent = -1
            own.append(said)
    return Conda(
        path=path,
        python=_python(own),
        lines=tuple(text for text, _ in pip),
        numbers=tuple(number for _, number in pip),
        others=tuple(each for each in own if _name(each) not in _NO_PACKAGES),
    )


def _name(said: str) -> str:
    return re.split(r"[=<>!~ ]", said.rpartition("::")[2], maxsplit=1)[0].lower()


def _python(own: list[str]) -> str:
    """``python=3.10.12`` as ``==3.10.*``: the patch that conda has is seldom the one that others have."""
    for said in own:
        if _name(said) != "python":
            continue
        wanted = said[len("python") :].replace(" ", "")
        exact = re.match(r"={1,2}(\d+)\.(\d+)", wanted)
        if exact:
            return f"=={exact[1]}.{exact[2]}.*"
        return wanted if re.match(r"[<>!~]", wanted) else ""
    return ""
