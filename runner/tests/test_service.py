"""The runner as a service: the texts, checked by systemd itself where there is one, and how they get to their place."""

import os
import plistlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bottool.errors import BottoolError, NotFound, SettingsError, ToolMissing
from bottool.settings import base_variables
from bottool_runner.installing import Launchd, Systemd, TaskScheduler, install, manager_of, uninstall
from bottool_runner.service import Service, command, plist, task, unit

WILD = 'a "b" %h $HOME \\n é'
SCHEMA = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def service(home, **changes):
    said = {
        "name": "bottool-runner",
        "arguments": command(home, ("--slots", "2", "--tag", WILD)),
        "folder": home,
        "variables": {"BOTTOOL_CACHE": str(home / WILD)},
    }
    return Service(**{**said, **changes})


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "my home"
    home.mkdir()
    return home


@pytest.mark.parametrize("whole_machine", [False, True])
def test_systemd_itself_finds_no_fault_with_the_unit(home, tmp_path, whole_machine):
    analyze = shutil.which("systemd-analyze")
    assert analyze, "systemd is among the programs that the tests need"
    path = tmp_path / "bottool-runner.service"
    path.write_text(unit(service(home, whole_machine=whole_machine, user="root" if whole_machine else "")))

    whose = "--system" if whole_machine else "--user"
    said = subprocess.run(
        [analyze, "verify", whose, "--man=no", str(path)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )

    assert said.returncode == 0, said.stderr
    assert "bottool-runner.service" not in said.stderr


def test_systemd_finds_fault_where_there_is_one(home, tmp_path):
    path = tmp_path / "bottool-runner.service"
    path.write_text(unit(service(home)).replace("KillMode=process", "KillMode=runner"))

    said = subprocess.run(
        [shutil.which("systemd-analyze"), "verify", "--user", "--man=no", str(path)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )

    assert "kill mode" in said.stderr


def test_a_unit_leaves_bots_alone_and_is_not_started_again_in_vain(home):
    lines = unit(service(home)).splitlines()

    assert "KillMode=process" in lines
    assert "Restart=on-failure" in lines
    assert "RestartPreventExitStatus=2 3 4 5" in lines
    assert "WantedBy=default.target" in lines
    start = next(line for line in lines if line.startswith("ExecStart="))
    assert r'"a \"b\" %%h $$HOME \\n é"' in start


def test_a_plist_says_the_same(home):
    said = plistlib.loads(plist(service(home, whole_machine=True, user="bots")))

    assert said["ProgramArguments"][1:6] == ["-P", "-m", "bottool", "runner", "start"]
    assert said["ProgramArguments"][-1] == WILD
    assert said["AbandonProcessGroup"] is True
    assert said["KeepAlive"] == {"SuccessfulExit": False}
    assert said["UserName"] == "bots"


def test_a_task_of_windows_says_the_same(home):
    said = ElementTree.fromstring(task(service(home)))  # noqa: S314 - our own text

    line = said.findtext(f".//{SCHEMA}Arguments")
    assert said.find(f".//{SCHEMA}LogonTrigger") is not None
    assert said.findtext(f".//{SCHEMA}LogonType") == "InteractiveToken"
    assert said.findtext(f".//{SCHEMA}ExecutionTimeLimit") == "PT0S"
    assert "-m bottool runner start --home" in line
    assert line.startswith('/d /s /c "set "BOTTOOL_CACHE=')


def test_each_system_has_its_manager(home):
    kinds = {name: type(manager_of(name, home)) for name in ("linux", "darwin", "win32")}

    assert kinds == {"linux": Systemd, "darwin": Launchd, "win32": TaskScheduler}
    assert manager_of("win32", home).add(service(home))[0][:4] == ["schtasks", "/Create", "/F", "/TN"]
    assert manager_of("darwin", home).remove(service(home))[0][1] == "bootout"


@pytest.fixture
def systemctl(tmp_path, monkeypatch):
    """A program of that name that writes down what it is told, and ends as it was asked to."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(status: int = 0) -> Path:
        program = folder / "systemctl"
        program.write_text(f'#!/bin/sh\necho "$@" >> {folder}/told\necho "not booted" >&2\nexit {status}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return folder / "told"

    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    return make


@pytest.mark.skipif(sys.platform == "win32", reason="the program that plays systemctl is a shell's")
def test_a_service_is_written_started_and_taken_out_again(home, tmp_path, systemctl):
    told = systemctl()
    manager = Systemd(variables={"XDG_CONFIG_HOME": str(tmp_path / "config")})

    path = install(service(home), manager)

    assert path == tmp_path / "config" / "systemd" / "user" / "bottool-runner.service"
    assert path.read_text() == unit(service(home))
    assert told.read_text().splitlines() == [
        "--user daemon-reload",
        "--user enable --now bottool-runner.service",
    ]
    uninstall(service(home), manager)
    assert not path.exists()
    assert told.read_text().splitlines()[-1] == "--user disable --now bottool-runner.service"
    with pytest.raises(NotFound, match="bottool-runner"):
        uninstall(service(home), manager)


@pytest.mark.skipif(sys.platform == "win32", reason="the program that plays systemctl is a shell's")
@pytest.mark.parametrize("before", [None, "an older one\n"])
def test_what_the_system_refuses_leaves_everything_as_it_was(home, tmp_path, systemctl, before):
    systemctl(status=1)
    manager = Systemd(variables={"XDG_CONFIG_HOME": str(tmp_path / "config")})
    path = manager.path(service(home))
    if before:
        path.parent.mkdir(parents=True)
        path.write_text(before)

    with pytest.raises(BottoolError, match="status 1: not booted"):
        install(service(home), manager)

    assert (path.read_text() if path.exists() else None) == before


def test_a_machine_without_the_program_is_told(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolMissing, match="'systemctl' is missing") as refused:
        install(service(home), Systemd(variables={"XDG_CONFIG_HOME": str(tmp_path / "config")}))

    assert "--print" in refused.value.hint


def test_a_place_that_cannot_be_written_is_named(home, tmp_path):
    (tmp_path / "config").touch()

    with pytest.raises(SettingsError, match="cannot be written"):
        install(service(home), Systemd(variables={"XDG_CONFIG_HOME": str(tmp_path / "config")}))


def test_what_is_said_at_install_is_said_again_at_every_start(tmp_path):
    words = ["--slots", "2", "--cache-limit", "1.5", "--disk-floor", "900"]
    said = subprocess.run(
        [sys.executable, "-P", "-m", "bottool", "runner", "install", "--print", "--home", str(tmp_path / "h"), *words],
        capture_output=True,
        text=True,
        env=base_variables(),
    )

    assert said.returncode == 0, said.stderr
    assert " ".join(words) in said.stdout.replace('"', "")
    assert "output-limit" not in said.stdout, "what was not said is left to the release that starts it"
    assert not (tmp_path / "h").exists()
