"""Which server, and as whom: flags, variables, the settings file, secrets; and what is said when nothing answers."""

import json
import socket
import stat
import sys
from pathlib import Path

import pytest

from bottool.cli.secret import ask_secret, read_secret
from bottool.errors import SettingsError
from bottool.sqlite_build import has_wal_reset_bug


def nobody_listens() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_without_a_server_it_is_said_how_to_name_one(bottool) -> None:
    done = bottool("task", "list")

    assert done.returncode == 3
    assert "no server is known" in done.stderr
    assert "bottool login" in done.stderr


def test_without_a_key_it_is_said_how_to_give_it(bottool) -> None:
    done = bottool("task", "list", "--server", nobody_listens(), "--login", "demo")

    assert done.returncode == 3
    assert "no key is known" in done.stderr
    assert "BOTTOOL_KEY" in done.stderr


def test_a_server_that_is_not_there_is_named(bottool) -> None:
    address = nobody_listens()

    done = bottool("runner", "list", "--json", BOTTOOL_SERVER=address, BOTTOOL_LOGIN="demo", BOTTOOL_KEY="secret")

    assert done.returncode == 7
    error = json.loads(done.stderr)["error"]
    assert address in error["message"]
    assert "secret" not in done.stderr


def test_an_address_that_is_none_names_where_it_was_said(bottool) -> None:
    done = bottool("task", "list", BOTTOOL_SERVER="somewhere")

    assert done.returncode == 3
    assert "BOTTOOL_SERVER: 'somewhere'" in done.stderr


def test_no_command_takes_a_secret_as_a_plain_argument(bottool) -> None:
    for command in (["login"], ["task", "list"], ["runner", "start"], ["server", "init"]):
        said = bottool(*command, "--help").stdout
        assert "--key-file" in said
        assert [flag for flag in ("--key ", "--password ", "--token ") if flag in said] == []


def test_login_without_a_terminal_names_the_flag(bottool) -> None:
    done = bottool("login", nobody_listens(), "--login", "demo")

    assert done.returncode == 3
    assert "--key-file FILE" in done.stderr


def test_a_secret_is_the_first_line_of_its_file(tmp_path) -> None:
    file = tmp_path / "key"
    file.write_text("k3y ação\nsecond line\n", "utf-8")

    assert read_secret(str(file), "key") == "k3y ação"


@pytest.mark.parametrize("content", ["", "\n", "   \n"])
def test_an_empty_secret_is_refused(tmp_path, content) -> None:
    file = tmp_path / "key"
    file.write_text(content)

    with pytest.raises(SettingsError, match="there is no key"):
        read_secret(str(file), "key")


def test_a_secret_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(SettingsError, match=r"nothing.*cannot be read"):
        read_secret(str(tmp_path / "nothing"), "key")


def test_a_secret_is_not_asked_for_without_a_terminal(monkeypatch, tmp_path) -> None:
    with (tmp_path / "empty").open("w+") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)

        with pytest.raises(SettingsError, match="no terminal"):
            ask_secret("key", "--key-file")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps such rights in another way")
def test_logout_forgets_the_token_and_keeps_the_server(bottool) -> None:
    file = Path(bottool.variables["BOTTOOL_CONFIG"]) / "settings.toml"
    file.parent.mkdir()
    file.write_text('server = "http://127.0.0.1:1"\ntoken = "btl_x"\nworkspace = "demo"\n')

    assert bottool("logout").returncode == 0

    text = file.read_text()
    assert "btl_x" not in text
    assert "http://127.0.0.1:1" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_doctor_tells_the_languages_and_their_tools(bottool) -> None:
    found = bottool.json("doctor", "--offline")

    languages = {each["name"]: each for each in found["languages"]}
    assert {"command", "java", "javascript", "python", "typescript"} <= languages.keys()
    assert languages["python"]["can_run"] is True
    assert {check["name"] for check in found["checks"]} >= {"cache folder", "data folder"}
    for language in languages.values():
        assert language["can_run"] == all(tool["found"] for tool in language["tools"] if "run" in tool["needed_for"])


def test_doctor_says_what_to_type_for_a_missing_tool(bottool, tmp_path) -> None:
    empty = tmp_path / "nothing on it"
    empty.mkdir()

    found = json.loads(bottool("doctor", "--offline", "--json", PATH=str(empty), JAVA_HOME="").stdout)

    java = next(each for each in found["languages"] if each["name"] == "java")
    assert java["can_build"] is False
    assert [tool["hint"] for tool in java["tools"] if not tool["found"] and tool["hint"]]


@pytest.mark.parametrize(
    ("version", "risky"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((4, 0, 0), False),
    ],
)
def test_it_is_known_which_builds_of_sqlite_can_lose_writes(version: tuple[int, int, int], risky: bool) -> None:
    assert has_wal_reset_bug(version) is risky


@pytest.mark.parametrize(("version", "state"), [("3.51.2", "warn"), ("3.51.3", "ok")])
def test_doctor_warns_of_a_sqlite_that_can_lose_writes(bottool, tmp_path, version, state) -> None:
    build = tmp_path / "builds" / "pysqlite3"
    build.mkdir(parents=True)
    info = tuple(map(int, version.split(".")))
    (build / "__init__.py").touch()
    (build / "dbapi2.py").write_text(f"sqlite_version = '{version}'\nsqlite_version_info = {info}\n")

    done = bottool("doctor", "--offline", "--json", PYTHONPATH=str(build.parent))

    (check,) = [check for check in json.loads(done.stdout)["checks"] if check["name"] == "SQLite"]
    assert (check["state"], version in check["message"], bool(check["hint"])) == (state, True, state == "warn")


def test_doctor_fails_when_the_server_is_not_there(bottool) -> None:
    done = bottool("doctor", "--json", BOTTOOL_SERVER=nobody_listens())

    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["server"]["state"] == "fail"
    assert done.returncode == 1


def test_the_six_questions_are_answered_even_without_a_server(bottool) -> None:
    done = bottool(
        "doctor", "--automation", "invoices", "--machine-id", "box-1", "--json", BOTTOOL_SERVER=nobody_listens()
    )

    questions = json.loads(done.stdout)["questions"]
    assert len(questions) == 6
    assert questions[0]["answer"] == "no"
    assert questions[0]["hint"]
    assert done.returncode == 1
