"""Reads ``Gemfile.lock``: bundler's list of exact versions. Never runs a ``Gemfile``, which is a program."""

import re

from bottool.model import Dependency

NAME = "Gemfile"
LOCK = "Gemfile.lock"
LIMIT_BYTES = 4_000_000
# Four blanks before what is installed, six before what that needs, two before what was asked for.
_INSTALLED = re.compile(r" {4}([A-Za-z0-9._-]+) \(([^()\s]+)\)")
_ASKED = re.compile(r" {2}([A-Za-z0-9._-]+)!?( \(.*\))?")
_SOURCES = frozenset({"GEM", "PATH", "GIT", "PLUGIN SOURCE"})
_PLATFORM = re.compile(r"-(x86|x64|arm|aarch|java|universal|mswin|mingw).*")


def dependencies(lock: bytes) -> tuple[Dependency, ...]:
    """The gems with their versions, sorted; ``direct`` are those that the Gemfile asks for."""
    versions: dict[str, str] = {}
    asked: set[str] = set()
    section = ""
    for line in lock.decode("utf-8", "replace").splitlines():
        if line and not line.startswith(" "):
            section = line.strip()
        elif section in _SOURCES and (found := _INSTALLED.fullmatch(line)):
            versions[found[1]] = _PLATFORM.sub("", found[2])
        elif section == "DEPENDENCIES" and (wanted := _ASKED.fullmatch(line)):
            asked.add(wanted[1])
    return tuple(
        Dependency(name=name, version=version, ecosystem="gem", direct=name in asked)
        for name, version in sorted(versions.items())
    )
