"""Reads ``package.json`` and ``package-lock.json``: the few things that bottool wants to know of them.

A field of an unexpected type counts as missing, as it does for npm in most places; only what cannot be read at all is
an error. Runs nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottool.errors import ProjectError
from bottool.model import Dependency
from bottool_javascript import marks

FILE_NAME = marks.PACKAGE_JSON
LOCK_NAMES = ("npm-shrinkwrap.json", "package-lock.json")
"""In npm's own order."""
_ASKED = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
SIZE_LIMIT_BYTES = 20_000_000
_NAME = re.compile(r"(@[\w.-]+/)?\w[\w.-]*(@[\w.^~| -]+)?\Z")
"""A package, perhaps with a version; these are handed to npm, and must not be taken for its options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageJson:
    """``allowed`` are the packages whose install scripts may run, as npm's ``allowScripts`` has them."""

    name: str = ""
    version: str = ""
    main: str = ""
    node: str = ""
    """The range of Node.js versions in ``engines``."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    dependencies: Mapping[str, str] = field(default_factory=dict)
    dev_dependencies: Mapping[str, str] = field(default_factory=dict)
    other_dependencies: Mapping[str, str] = field(default_factory=dict)
    """Optional ones and peers, which npm installs too."""
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    workspaces: bool = False


def read(folder: Path) -> PackageJson:
    """The ``package.json`` of ``folder``; an empty one when there is none.

    :raises ProjectError: when it cannot be read; the message starts with the file's name and line.
    """
    path = folder / FILE_NAME
    try:
        content = _limited(path) if path.exists() else b"{}"
    except OSError as error:
        raise _broken(f"{FILE_NAME} cannot be read: {error.strerror}") from error
    return understood(content)


def _limited(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT_BYTES)


def _broken(message: str, hint: str = "", line: int | None = None) -> ProjectError:
    return ProjectError(message, hint, problem="bad_package_json", line=line)


def raw(folder: Path) -> dict[str, Any]:
    """Everything that ``package.json`` says, for those who hand it on; empty when it cannot be read."""
    try:
        said = json.loads(_limited(folder / FILE_NAME).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def understood(content: bytes) -> PackageJson:
    """What the bytes of a ``package.json`` say.

    :raises ProjectError: when they are no JSON object.
    """
    try:
        said = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        message = f"{error.msg[:1].lower()}{error.msg[1:]}"
        raise _broken(
            f"{FILE_NAME}:{error.lineno}: {message} (column {error.colno})", "it must be JSON", error.lineno
        ) from error
    except UnicodeDecodeError as error:
        raise _broken(f"{FILE_NAME} is not UTF-8 text", "save it as UTF-8") from error
    except RecursionError as error:
        raise _broken(f"{FILE_NAME} is nested too deeply") from error
    if not isinstance(said, dict):
        raise _broken(f"{FILE_NAME} holds no object", 'it must start with "{"')
    reviewed = said.get("allowScripts")
    scripts_allowed: dict[str, Any] = reviewed if isinstance(reviewed, dict) else {}
    return PackageJson(
        name=_text(said, "name"),
        version=_text(said, "version"),
        main=_text(said, "main"),
        node=_text(_texts(said, "engines"), "node"),
        scripts=_texts(said, "scripts"),
        dependencies=_texts(said, "dependencies"),
        dev_dependencies=_texts(said, "devDependencies"),
        other_dependencies={**_texts(said, "peerDependencies"), **_texts(said, "optionalDependencies")},
        allowed=tuple(sorted(name for name, value in scripts_allowed.items() if value is True and _NAME.match(name))),
        denied=tuple(sorted(name for name, value in scripts_allowed.items() if value is False)),
        workspaces="workspaces" in said,
    )


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return value.strip() if isinstance(value, str) else ""


def _texts(said: Mapping[str, Any], key: str) -> dict[str, str]:
    value = said.get(key)
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package of a lock. ``has_script`` tells that it wants to run a script when it is installed."""

    name: str
    version: str
    licence: str = ""
    dev: bool = False
    has_script: bool = False
    direct: bool = False

    def as_dependency(self) -> Dependency:
        return Dependency(
            name=self.name, version=self.version, licence=self.licence, ecosystem="npm", direct=self.direct
        )


def lock_of(folder: Path) -> Path | None:
    """The lock that npm would use, or None."""
    return next((folder / name for name in LOCK_NAMES if (folder / name).is_file()), None)


def locked(content: bytes, *, real_names: bool = False) -> tuple[Locked, ...]:
    """The packages of a lock (format 2 or 3), sorted; nothing when it is in another format or broken.

    With ``real_names`` a package that is installed under another's name bears its own.
    """
    try:
        said = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ()
    packages = said.get("packages") if isinstance(said, dict) else None
    found = _locked(packages, real_names=real_names) if isinstance(packages, dict) else ()
    return tuple(sorted(found, key=lambda each: (each.name, each.version)))


def _locked(packages: Mapping[str, Any], *, real_names: bool) -> Iterator[Locked]:
    root = packages.get("")
    asked = {name for part in _ASKED for name in _texts(root if isinstance(root, dict) else {}, part)}
    for place, said in packages.items():
        _, inside, name = place.rpartition("node_modules/")
        if inside and isinstance(said, dict):
            # A package of the project's own folder is a link to an entry of its own.
            target = packages.get(_text(said, "resolved")) if said.get("link") is True else None
            said = {**target, **said} if isinstance(target, dict) else said
            yield Locked(
                name=(_text(said, "name") or name) if real_names else name,
                direct=place == f"node_modules/{name}" and name in asked,
                version=_text(said, "version"),
                licence=_text(said, "license"),
                dev=said.get("dev") is True or said.get("devOptional") is True,
                has_script=said.get("hasInstallScript") is True,
            )


def unreviewed(package: PackageJson, packages: tuple[Locked, ...], *, dev: bool) -> tuple[str, ...]:
    """Names of packages whose install scripts npm will not run, because nobody said that they may."""
    reviewed = {*package.allowed, *package.denied}
    return tuple(
        dict.fromkeys(
            each.name
            for each in packages
            if each.has_script and (dev or not each.dev) and not {each.name, f"{each.name}@{each.version}"} & reviewed
        )
    )
