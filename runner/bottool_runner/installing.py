"""Puts a runner into the care of its machine's service manager, and takes it out again.

Each system has a file to write and programs to call; what fails half-way is taken back. Knows no runner: ``service`` is
what it installs. The homes of runners are never touched.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bottool.errors import BottoolError, NotFound, SettingsError, ToolMissing
from bottool.settings import base_variables
from bottool_runner.service import Service, label, plist, task, unit

_CALL_SECONDS = 60


class Manager(Protocol):
    """How one system is told of services. ``add`` and ``remove`` are commands, run in their order."""

    def path(self, service: Service) -> Path: ...
    def content(self, service: Service) -> bytes: ...
    def add(self, service: Service) -> list[list[str]]: ...
    def remove(self, service: Service) -> list[list[str]]: ...
    def afterwards(self, service: Service) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemd:
    variables: dict[str, str]

    def path(self, service: Service) -> Path:
        if service.whole_machine:
            return Path("/etc/systemd/system") / f"{service.name}.service"
        said = self.variables.get("XDG_CONFIG_HOME")
        return (Path(said) if said else Path.home() / ".config") / "systemd" / "user" / f"{service.name}.service"

    def content(self, service: Service) -> bytes:
        return unit(service).encode()

    def add(self, service: Service) -> list[list[str]]:
        return [
            [*_systemctl(service), "daemon-reload"],
            [*_systemctl(service), "enable", "--now", f"{service.name}.service"],
        ]

    def remove(self, service: Service) -> list[list[str]]:
        return [[*_systemctl(service), "disable", "--now", f"{service.name}.service"]]

    def afterwards(self, service: Service) -> str:
        if service.whole_machine:
            return f"systemctl status {service.name}"
        return "loginctl enable-linger   (to have it run while you are not signed in)"


def _systemctl(service: Service) -> list[str]:
    return ["systemctl"] if service.whole_machine else ["systemctl", "--user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launchd:
    def path(self, service: Service) -> Path:
        folder = Path("/Library/LaunchDaemons") if service.whole_machine else Path.home() / "Library" / "LaunchAgents"
        return folder / f"{label(service.name)}.plist"

    def content(self, service: Service) -> bytes:
        return plist(service)

    def add(self, service: Service) -> list[list[str]]:
        return [["launchctl", "bootstrap", self._domain(service), str(self.path(service))]]

    def remove(self, service: Service) -> list[list[str]]:
        return [["launchctl", "bootout", f"{self._domain(service)}/{label(service.name)}"]]

    def afterwards(self, service: Service) -> str:
        return f"launchctl print {self._domain(service)}/{label(service.name)}"

    def _domain(self, service: Service) -> str:
        return "system" if service.whole_machine or sys.platform == "win32" else f"gui/{os.getuid()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScheduler:
    folder: Path

    def path(self, service: Service) -> Path:
        return self.folder / f"{service.name}.xml"

    def content(self, service: Service) -> bytes:
        return task(service)

    def add(self, service: Service) -> list[list[str]]:
        return [
            ["schtasks", "/Create", "/F", "/TN", service.name, "/XML", str(self.path(service))],
            ["schtasks", "/Run", "/TN", service.name],
        ]

    def remove(self, service: Service) -> list[list[str]]:
        return [["schtasks", "/Delete", "/F", "/TN", service.name]]

    def afterwards(self, service: Service) -> str:
        return f"schtasks /Query /TN {service.name}"


def manager_of(platform: str, folder: Path) -> Manager:
    """The one of that ``sys.platform``. ``folder`` is where a file may lie that only its program reads."""
    if platform == "win32":
        return TaskScheduler(folder=folder)
    if platform == "darwin":
        return Launchd()
    return Systemd(variables=base_variables())


def install(service: Service, manager: Manager) -> Path:
    """Write the file and have the service started, now and with the machine; an older one of that name is replaced.

    :raises SettingsError: when the file cannot be written.
    :raises BottoolError: when the system refuses; the file is as before then.
    """
    path = manager.path(service)
    before = path.read_bytes() if path.exists() else None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(manager.content(service))
    except OSError as error:
        _put_back(path, before)
        hint = "as root, or without --system" if service.whole_machine else "look at who owns its folder"
        raise SettingsError(f"'{path}' cannot be written: {error.strerror}", hint) from error
    try:
        for line in manager.add(service):
            _call(line)
    except BottoolError:
        _put_back(path, before)
        raise
    return path


def uninstall(service: Service, manager: Manager) -> Path:
    """Have the service ended and forgotten. Bots that run go on until their end.

    :raises NotFound: when there is none of that name.
    :raises BottoolError: when the system refuses; the file is still there then.
    """
    path = manager.path(service)
    if not path.exists():
        raise NotFound(f"no runner is installed as '{service.name}'", f"it would be in '{path.parent}'")
    for line in manager.remove(service):
        _call(line)
    path.unlink()
    return path


def _put_back(path: Path, before: bytes | None) -> None:
    if before is not None:
        path.write_bytes(before)
    elif path.exists():
        path.unlink()


def _call(line: list[str]) -> None:
    try:
        done = subprocess.run(
            line, capture_output=True, stdin=subprocess.DEVNULL, timeout=_CALL_SECONDS, check=False, text=True
        )
    except FileNotFoundError as error:
        raise ToolMissing(
            f"'{line[0]}' is missing", "write the service yourself: bottool runner install --print"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise BottoolError(f"'{' '.join(line)}' did not end within {_CALL_SECONDS} seconds") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["it said nothing"]
        raise BottoolError(
            f"'{' '.join(line)}' ended with status {done.returncode}: {said[0]}",
            "write the service yourself: bottool runner install --print",
        )
