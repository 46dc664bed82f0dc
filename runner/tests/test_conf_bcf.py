"""Forty ways to write a ``conf.bcf``, made here: each is read, or refused in one line with file, line, key and a hint."""

import os
import sys

import pytest

from bottool.errors import SettingsError
from bottool_runner.conf_bcf import read

SECRET = "geheim-4711"
GOOD = {
    "server": "https://bots.example",
    "workspace": "acme",
    "machineId": "vm-01",
    "login": "acme-login",
    "key": SECRET,
    "logApplication": "true",
    "logScreen": "false",
}


def text(**changes):
    return "#Mon Nov 23 10:00:00 BRT 2026\n" + "".join(f"{key}={value}\n" for key, value in {**GOOD, **changes}.items())


def without(key):
    return text().replace(f"{key}={GOOD[key]}\n", "")


@pytest.fixture
def write(tmp_path):
    def write(content, mode=0o600):
        path = tmp_path / "conf" / "conf.bcf"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    return write


# Name of the case: what the file holds.
READ = {
    "as the wizard writes it": text(),
    "UTF-16 with its mark": text().encode("utf-16"),
    "a byte order mark": text().encode("utf-8-sig"),
    "Latin-1": text(login="joão").encode("latin-1"),
    "escapes": text(login=r"jo\u00e3o"),
    "CRLF": text().replace("\n", "\r\n"),
    "CR only": text().replace("\n", "\r"),
    "colons": text().replace("=", ": "),
    "blanks": text().replace("=", " "),
    "continuation lines": text(server="https://\\\n    bots.example"),
    "an IPv6 address": text(server="http://[::1]:8080"),
    "an international name": text(server="https://robôs.example"),
    "a slash behind the host": text(server="https://bots.example/"),
    "http inside": text(server="http://10.1.2.3:8080"),
    "http by a short name": text(server="http://buildbox"),
    "no login and no key": text().replace(f"key={SECRET}\n", "").replace("login=acme-login\n", ""),
    "no workspace": without("workspace"),
}

WARNED = {
    "trailing blanks": (text(machineId="vm-01  "), 4, "machineId", "blanks"),
    "a key twice": (text() + "machineId=vm-01\n", 9, "machineId", "line 4"),
    "an unknown key": (text() + "pythonPath=C:/Python\n", 9, "pythonPath", "not known"),
    "a key almost right": (text() + "machineld=x\n", 9, "machineld", "did you mean 'machineId'?"),
    "another case": (text().replace("machineId", "machineid"), 4, "machineid", "taken as 'machineId'"),
}

REFUSED = {
    "nothing in it": ("", 0, "server", "is missing"),
    "only comments": ("# server=x\n", 0, "server", "is missing"),
    "a broken escape": (text(login=r"jo\u12"), 5, "login", "hexadecimal"),
    "a broken escape in the key": (text(key=SECRET + r"\u12"), 6, "key", "hexadecimal"),
    "no server": (without("server"), 0, "server", "is missing"),
    "no machine id": (without("machineId"), 0, "machineId", "is missing"),
    "a blank value": (text(machineId="   "), 4, "machineId", "no value"),
    "quotes": (text(server='"https://bots.example"'), 2, "server", "quotes"),
    "a quoted secret": (text(key=f'"{SECRET}"'), 6, "key", "quotes"),
    "no scheme": (text(server="bots.example"), 2, "server", "https://"),
    "another scheme": (text(server="ftp://bots.example"), 2, "server", "ftp"),
    "a path": (text(server="https://bots.example/app/login"), 2, "server", "behind the host"),
    "http to the world": (text(server="http://bots.example.com"), 2, "server", "without encryption"),
    "port 0": (text(server="https://bots.example:0"), 2, "server", "port"),
    "port 70000": (text(server="https://bots.example:70000"), 2, "server", "port"),
    "an IPv6 address without brackets": (text(server="http://::1:8080"), 2, "server", "brackets"),
    "a secret in the address": (text(server=f"https://u:{SECRET}@bots.example"), 2, "server", "name or password"),
    "a machine id with blanks": (text(machineId="vm 01"), 4, "machineId", "no machine id"),
    "neither true nor false": (text(logScreen="yes"), 8, "logScreen", "neither true nor false"),
    "startup that is nowhere": (text(startup="startup/none.bat"), 9, "startup", "no file"),
    "single backslashes": (text(startup=r"C:\BotCity\startup.bat"), 9, "startup", "backslashes"),
    "single backslashes before a u": (text(startup=r"C:\users\startup.bat"), 9, "startup", "hexadecimal"),
    "UTF-16 without its mark": (text().encode("utf-16-le"), 0, "", "UTF-16"),
}


def test_there_are_forty_and_more():
    assert len(READ) + len(WARNED) + len(REFUSED) >= 40


@pytest.mark.parametrize("case", READ)
def test_it_is_read_without_a_warning(write, case):
    conf = read(write(READ[case]))

    assert conf.machine_id == "vm-01"
    assert conf.warnings == ()
    assert conf.login in {"acme-login", "joão", ""}
    assert conf.key in {SECRET, ""}
    assert conf.server.startswith("http")
    assert not conf.server.endswith("/")
    assert (conf.log_application, conf.log_screen) == (True, False)
    assert SECRET not in repr(conf)


@pytest.mark.parametrize("case", WARNED)
def test_it_is_read_with_one_warning_that_says_where(write, case):
    content, line, key, what = WARNED[case]
    path = write(content)

    conf = read(path)

    assert conf.machine_id == "vm-01"
    (warning,) = conf.warnings
    assert warning.startswith(f"{path}, line {line}, '{key}': ")
    assert what in warning


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line_with_a_hint_and_without_the_secret(write, case):
    content, line, key, what = REFUSED[case]
    path = write(content)

    with pytest.raises(SettingsError) as refused:
        read(path)

    said = f"{refused.value} {refused.value.hint}"
    assert str(path) in str(refused.value)
    assert refused.value.hint
    assert what in said
    assert "\n" not in said
    assert SECRET not in said
    assert f"'{key}'" in said or not key
    if line:
        assert f", line {line}, " in said


def test_http_to_the_world_may_be_allowed(write):
    assert read(write(text(server="http://bots.example.com")), allow_http=True).server == "http://bots.example.com"


def test_a_file_that_is_missing_a_folder_or_huge_is_named(write, tmp_path):
    huge = write(b"")
    os.truncate(huge, 1_000_000_000)

    for path, what in ((tmp_path / "none", "cannot be read"), (tmp_path, "is no file"), (huge, "1,000,000,000 bytes")):
        with pytest.raises(SettingsError, match=what) as refused:
            read(path)
        assert str(path) in str(refused.value)
        assert refused.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
def test_a_file_that_others_can_read_is_warned_of(write):
    path = write(text(), mode=0o644)

    (warning,) = read(path).warnings

    assert warning == f"{path}, line 6, 'key': other users of this machine can read it (chmod 600 '{path}')"


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid"), reason="modes mean nothing there")
def test_a_script_of_the_sdk_is_found_beside_the_folder_of_the_file(write, tmp_path):
    script = tmp_path / "startup" / "startup.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    path = write(text(startup="startup/startup.sh"))

    with pytest.raises(SettingsError, match="may not be executed") as refused:
        read(path)
    script.chmod(0o700)

    assert "chmod u+x" in refused.value.hint
    assert read(path).startup == script
    assert read(path).warnings == ()


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
def test_a_script_outside_is_run_and_warned_of(write, tmp_path):
    (tmp_path / "conf").mkdir()
    path = write(text(startup=sys.executable))

    conf = read(path)

    assert str(conf.startup) == sys.executable
    assert "outside" in conf.warnings[0]
