"""Archives of classes, with which a Java bot starts in half the time: made here, after a bot's first good run.

The virtual machine writes down which classes it loads; when the bot has ended well, another process makes the archive
of them (class data sharing). So a bot is never in danger: a process that is asked to write an archive at its own end
turns the exit status 0 into 1 when the disk is full. An archive counts when a file beside it, written last, says its
size and time: a virtual machine that is given half an archive crashes. An archive fits one jar at one absolute path,
which is why the jar lies in the environment. Knows files and processes; knows no tasks.

    <store>/classes/<environment>.json             names the archive; an empty name means: tried, and not possible
    <store>/classes/<environment>-<attempt>.jsa
    <store>/classes/<environment>-<attempt>.classes    being written while the bot runs
"""

import contextlib
import hashlib
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OLDEST = 13
"""JDK 12 and older would need other options, and are hardly found any more."""
_MAKE_SECONDS = 120.0
_PROVE_SECONDS = 30.0
_FORGOTTEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The place of one environment's archive, as one attempt sees it."""

    environment: Path
    folder: Path
    attempt: str

    @property
    def _name(self) -> str:
        return f"{self.environment.parent.name}-{self.environment.name}"

    @property
    def _note(self) -> Path:
        return self.folder / f"{self._name}.json"

    @property
    def classes(self) -> Path:
        """Where the virtual machine of this attempt writes down what it loads."""
        return self.folder / f"{self._name}-{self.attempt}.classes"

    @property
    def _fresh(self) -> Path:
        return self.folder / f"{self._name}-{self.attempt}.jsa"

    def archive(self) -> Path | None:
        """The archive to start with, or ``None``. One that was changed since it was made does not count."""
        said = self._said()
        path = self.folder / str(said.get("file") or "-")
        return path if said.get("file") and said == _stamp(path) else None

    def wanted(self) -> bool:
        """True when this attempt should write down its classes."""
        said = self._said()
        if said and not said.get("file"):
            return False
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return os.access(self.folder, os.W_OK)

    def _said(self) -> dict[str, object]:
        try:
            said = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def make(self, java: Sequence[str], jar: Path, variables: Mapping[str, str]) -> None:
        """Make the archive of the classes that this attempt wrote down, unless another attempt was quicker.

        ``java`` starts the virtual machine, with the options of the bot.
        """
        if self.archive() is not None or not self.wanted():
            return
        self._forget_others()
        archive = f"-XX:SharedArchiveFile={self._fresh}"
        dump = [*java, "-Xshare:dump", f"-XX:SharedClassListFile={self.classes}", archive, "-cp", str(jar)]
        made = _succeeds(dump, variables, _MAKE_SECONDS) and self._fresh.is_file()
        # With "on" instead of "auto" the virtual machine ends at once when the archive does not fit.
        if made and _succeeds([*java, "-Xshare:on", archive, "-cp", str(jar), "-version"], variables, _PROVE_SECONDS):
            _to_disk(self._fresh)
            self._declare(_stamp(self._fresh))
        else:
            self._fresh.unlink(missing_ok=True)
            self._declare({"file": ""})

    def drop_classes(self) -> None:
        """The list of classes has served."""
        with contextlib.suppress(OSError):
            self.classes.unlink(missing_ok=True)

    def _declare(self, said: Mapping[str, object]) -> None:
        before = self._said().get("file")
        part = self._note.with_suffix(f".{self.attempt}")
        part.write_text(json.dumps(said), encoding="utf-8")
        part.replace(self._note)
        if before and before != said.get("file"):
            with contextlib.suppress(OSError):
                (self.folder / str(before)).unlink()

    def _forget_others(self) -> None:
        """Remove archives of environments that are gone, and what attempts left that were killed."""
        root = self.environment.parent.parent
        for path in self.folder.iterdir():
            key, _, rest = path.stem.partition("-")
            gone = not (root / key / rest.partition("-")[0]).is_dir()
            with contextlib.suppress(OSError):
                old = time.time() - path.stat().st_mtime > _FORGOTTEN_SECONDS
                if gone or (old and path.suffix == ".classes"):
                    path.unlink()


def shelf(environment: Path, store: Path, attempt_folder: Path) -> Shelf:
    """The place of the archive for an environment; an attempt is known by its folder."""
    attempt = hashlib.sha256(str(attempt_folder).encode()).hexdigest()[:12]
    return Shelf(environment=environment, folder=store / "classes", attempt=attempt)


def _stamp(path: Path) -> dict[str, object]:
    try:
        found = path.stat()
    except OSError:
        return {}
    return {"file": path.name, "size": found.st_size, "time": found.st_mtime_ns}


def _succeeds(arguments: Sequence[str], variables: Mapping[str, str], seconds: float) -> bool:
    try:
        ended = subprocess.run(
            arguments,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0


def _to_disk(path: Path) -> None:
    """A power cut must not leave an archive of the right size with nothing in it."""
    # The virtual machine makes it read-only, which keeps from syncing it, and on Windows from removing it.
    path.chmod(0o600)
    with path.open("rb+") as file:
        os.fsync(file.fileno())
