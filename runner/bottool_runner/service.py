"""A runner as a service of its machine: what systemd, launchd and Windows' Task Scheduler are told of it.

Owns the texts; ``installing`` puts them in their place. All three let bots and keepers live on when the runner is
stopped or started anew, and start it again when it fails; one that ended as it was asked to is left alone. Tokens and
keys are in none of them.
"""

import plistlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_USELESS_AGAIN = "2 3 4 5"
"""Exit statuses for which another start would end the same way, see ``bottool.errors``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """``arguments`` is the whole command. ``user``: whose runner it is; empty for the user who installs it."""

    name: str
    arguments: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]
    whole_machine: bool = False
    user: str = ""


def command(home: Path, options: tuple[str, ...]) -> tuple[str, ...]:
    """What starts the runner of that home, whatever folder the service begins in."""
    return (sys.executable, "-P", "-m", "bottool", "runner", "start", "--home", str(home), *options)


# systemd.


def unit(service: Service) -> str:
    """Source: systemd.service(5), systemd.exec(5), systemd.kill(5)."""
    network = "Wants=network-online.target\nAfter=network-online.target\n" if service.whole_machine else ""
    user = f"User={service.user}\n" if service.whole_machine and service.user else ""
    variables = "".join(
        f"Environment={_quoted(f'{name}={value}', dollars=False)}\n" for name, value in service.variables.items()
    )
    return f"""[Unit]
Description=bottool runner {service.name.replace("%", "%%")}
{network}
[Service]
Type=exec
ExecStart={" ".join(map(_quoted, service.arguments))}
WorkingDirectory={str(service.folder).replace("%", "%%")}
{user}{variables}UMask=0077
# Only the runner is told to end: its bots go on under their keepers, and the next start takes care of them.
KillMode=process
TimeoutStopSec=30
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={_USELESS_AGAIN}

[Install]
WantedBy={"multi-user.target" if service.whole_machine else "default.target"}
"""


def _quoted(text: str, *, dollars: bool = True) -> str:
    """A word of a unit's line, whatever is in it. Only commands know ``$``."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("\n", "\\n")
    return f'"{escaped.replace("$", "$$") if dollars else escaped}"'


# launchd.


def plist(service: Service) -> bytes:
    """Source: launchd.plist(5)."""
    said: dict[str, object] = {
        "Label": label(service.name),
        "ProgramArguments": list(service.arguments),
        "WorkingDirectory": str(service.folder),
        "EnvironmentVariables": dict(service.variables),
        "RunAtLoad": True,
        # One that ended well was asked to end.
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        # Only the runner is told to end: its bots go on under their keepers.
        "AbandonProcessGroup": True,
        "ExitTimeOut": 30,
        "Umask": 0o077,
        "StandardErrorPath": str(service.folder / "service.log"),
    }
    if service.whole_machine and service.user:
        said["UserName"] = service.user
    return plistlib.dumps(said)


def label(name: str) -> str:
    return f"bottool.{name}"


# Windows.


def task(service: Service) -> bytes:
    """A task at log-on, so that bots have the screen of whoever is signed in. Source: Task Scheduler Schema.

    A task has no variables of its own, so they are set by the shell that starts the runner.
    """
    program, *rest = service.arguments
    sets = [f'set "{name}={value}"' for name, value in service.variables.items()]
    line = " && ".join([*sets, subprocess.list2cmdline([program, *rest])])
    user = f"<UserId>{escape(service.user)}</UserId>" if service.user else ""
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>bottool runner {escape(service.name)}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled>{user}</LogonTrigger></Triggers>
  <Principals>
    <Principal id="Author">{user}<LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Hidden>true</Hidden>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>cmd.exe</Command>
      <Arguments>/d /s /c "{escape(line)}"</Arguments>
      <WorkingDirectory>{escape(str(service.folder))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""
    return text.replace("\n", "\r\n").encode("utf-16")
