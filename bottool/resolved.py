"""What a bot depends on, resolved: locks are kept in the cache, so that the same input gives the same bytes here.

Asks the language, which alone knows how to resolve; knows no format of a lock. What was resolved stays until somebody
asks for it anew.

    <cache>/resolved/<sha of language and key>.json      the lock's name and content
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bottool.errors import BottoolError, PluginError, ToolMissing, Unreachable
from bottool.language import Language
from bottool.model import Lock, Problem, Project, Severity
from bottool.plugins import Plugins, one_line

Note = Callable[[str], None]
_HINT = "'bottool lock' writes one beside the project, for every build and machine"


def with_lock(
    plugins: Plugins, project: Project, cache: Path | None, note: Note, *, anew: bool = False
) -> tuple[Project, tuple[Problem, ...]]:
    """The project with the lock to pack, when it needs one that its folder does not have; else as it is.

    ``anew`` resolves again what is kept. A problem says why there is none.

    :raises BuildError: when nothing satisfies what the project asks for.
    """
    language = plugins.language(project.language)
    key = lock_key(plugins, project)
    if not key:
        return project, ()
    kept = None if cache is None else _place(cache, language, key)
    lock = None if kept is None or anew else _read(kept)
    if lock is None:
        note(f"resolving what '{project.bot_id}' depends on")
        try:
            lock = resolve(plugins, project)
        except (Unreachable, ToolMissing) as error:
            return project, (not_locked(f"packed without a lock: {error.message}", error.hint or _HINT),)
        if kept is not None:
            _write(kept, lock)
        note(f"packed with '{lock.file}', resolved now; {_HINT}")
    return replace(project, lock=lock), ()


def kept(language: Language, key: str, cache: Path | None) -> str | None:
    """The checksum of the lock that is kept for a key, ``""`` when none is needed, ``None`` when none is kept."""
    if not key:
        return ""
    lock = None if cache is None else _read(_place(cache, language, key))
    return None if lock is None else hashlib.sha256(lock.data).hexdigest()


def not_locked(message: str, hint: str = _HINT) -> Problem:
    """The warning about a package without exact versions."""
    return Problem(severity=Severity.WARNING, code="not_locked", message=message, hint=hint)


def lock_key(plugins: Plugins, project: Project) -> str:
    """As ``Language.lock_key``; a plugin that breaks is named."""
    language = plugins.language(project.language)
    return str(_asked(plugins, language, "lock_key", lambda: language.lock_key(project)))


def resolve(plugins: Plugins, project: Project) -> Lock:
    """As ``Language.lock``; a plugin that breaks is named."""
    language = plugins.language(project.language)
    lock: Lock = _asked(plugins, language, "lock", lambda: language.lock(project))
    return lock


def _asked(plugins: Plugins, language: Language, method: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except BottoolError:
        raise
    except Exception as error:
        plugin = plugins.owner(language.name)
        raise PluginError(f"plugin '{plugin}' failed in {language.name}.{method}: {one_line(error)}") from error


def _place(cache: Path, language: Language, key: str) -> Path:
    digest = hashlib.sha256(f"{language.name}\n{key}".encode()).hexdigest()
    return cache / "resolved" / f"{digest}.json"


def _read(path: Path) -> Lock | None:
    """What is kept; ``None`` when it is not there, or damaged."""
    try:
        said = json.loads(path.read_bytes())
        data = base64.b64decode(said["data"], validate=True)
        return Lock(file=said["file"], data=data) if hashlib.sha256(data).hexdigest() == said["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, lock: Lock) -> None:
    """Keep a lock; a cache that cannot be written costs a resolving each time, not the build."""
    said = {
        "file": lock.file,
        "sha256": hashlib.sha256(lock.data).hexdigest(),
        "data": base64.b64encode(lock.data).decode(),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.stem}.{os.getpid()}.part")
        part.write_text(json.dumps(said), "utf-8")
        part.replace(path)
    except OSError:
        return
