import json
import os
import stat
import sys

import pytest

from bottool.errors import SettingsError, Unauthorized, Unreachable
from bottool_runner.home import Home, Identity
from bottool_runner.machine import hostname, system, understood, version
from bottool_runner.registration import Wanted, known_or_registered, registered_again


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.open()
    yield home
    home.close()


def test_a_second_runner_in_one_home_is_refused_and_told_what_to_do(home):
    second = Home(home.folder)

    with pytest.raises(SettingsError, match=r"works in .* already") as refused:
        second.open()

    assert "--home" in refused.value.hint
    home.close()
    second.open()
    second.close()


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="file/home"):
        Home(tmp_path / "file" / "home").open()


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
def test_token_and_folders_are_for_their_user_only(home):
    home.remember(Identity(installation_id="i", token="t"))

    assert stat.S_IMODE(os.stat(home.folder / "runner.json").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(home.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(home.attempts).st_mode) == 0o700


def test_the_installation_id_lasts(home):
    first = home.identity()

    assert first.installation_id
    assert home.identity() == first


def test_a_broken_identity_is_not_replaced_by_a_new_one(home):
    (home.folder / "runner.json").write_text("{")

    with pytest.raises(SettingsError, match=r"runner\.json"):
        home.identity()


def test_an_identity_does_not_show_its_token():
    assert "geheim" not in repr(Identity(installation_id="i", token="geheim"))
    assert "geheim" not in repr(Wanted(key="geheim", code="geheim"))


def test_a_claim_key_stays_until_it_has_brought_work(home, bench):
    key = home.claim_key()

    assert home.claim_key() == key
    folder = bench.attempt(claim_key=key)
    folder.path.rename(home.attempts / folder.name)
    assert home.claim_key() != key


def test_a_torn_claim_key_is_replaced(home):
    home.claim_key()
    (home.folder / "claim.json").write_bytes(b'"abc')

    assert len(home.claim_key()) == 32


def test_a_machine_registers_with_a_code_and_keeps_its_token(home, server):
    identity = known_or_registered(home, Wanted(server=server.address, code="ONE-TIME-CODE"))

    assert (identity.machine_id, identity.workspace) == ("named-by-code", "workspace")
    assert home.identity() == identity
    assert json.loads((home.folder / "runner.json").read_text())["token"] == identity.token
    assert server.registered[0]["installation_id"] == identity.installation_id
    assert server.registered[0]["hostname"] == hostname()


def test_a_known_machine_needs_no_credentials_and_asks_nobody(home, server):
    wanted = Wanted(server=server.address, machine_id="m1", login="login", key="key")
    first = known_or_registered(home, wanted)

    assert known_or_registered(home, Wanted()) == first
    assert known_or_registered(home, Wanted(server=server.address, machine_id="m1")) == first
    assert len(server.registered) == 1


def test_a_server_that_has_moved_keeps_the_machines_token(home, server):
    first = known_or_registered(home, Wanted(server=server.address, machine_id="m1", login="login", key="key"))

    moved = known_or_registered(home, Wanted(server="http://127.0.0.1:2"))

    assert (moved.server, moved.token) == ("http://127.0.0.1:2", first.token)
    assert home.identity() == moved


def test_another_machine_id_registers_anew_as_the_same_installation(home, server):
    wanted = Wanted(server=server.address, machine_id="m1", login="login", key="key")
    first = known_or_registered(home, wanted)

    second = known_or_registered(home, Wanted(server=server.address, machine_id="m2", login="login", key="key"))

    assert second.machine_id == "m2"
    assert second.installation_id == first.installation_id


def test_a_refused_token_is_replaced_with_the_same_credentials(home, server):
    wanted = Wanted(server=server.address, machine_id="m1", login="login", key="key")
    known_or_registered(home, wanted)

    registered_again(home, wanted)

    assert len(server.registered) == 2


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({}, "no server is named"),
        ({"server": "http://127.0.0.1:2"}, "not registered"),
        ({"server": "http://127.0.0.1:2", "login": "login", "machine_id": "m"}, "not registered"),
        ({"server": "http://127.0.0.1:2", "login": "login", "key": "key"}, "no machine id"),
    ],
)
def test_what_is_missing_for_registering_is_named(home, wanted, message):
    with pytest.raises(SettingsError, match=message) as refused:
        known_or_registered(home, Wanted(**wanted))

    assert "--" in refused.value.hint


def test_a_wrong_key_is_refused_and_nothing_is_kept(home, server):
    with pytest.raises(Unauthorized):
        known_or_registered(home, Wanted(server=server.address, machine_id="m", login="login", key="wrong"))

    assert home.identity().token == ""


def test_a_server_that_is_not_there_is_named(home):
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        known_or_registered(home, Wanted(server="http://127.0.0.1:1", machine_id="m", login="login", key="key"))


def test_what_the_machine_can_do_is_understood():
    said = {
        "languages": [
            {"name": "python", "title": "Python", "can_run": True, "technologies": ["PYTHON"],
             "tools": [{"name": "uv", "found": True, "version": "1"}]},
            {"name": "java", "title": "Java", "can_run": False, "technologies": ["JAVA"], "tools": [{"name": "java", "found": False}]},
            {"name": "command", "title": "Any", "can_run": True, "tools": []},
        ]
    }  # fmt: skip

    able = understood(said)

    assert able.languages == ["python", "command"]
    assert able.technologies == ["PYTHON", "command"]
    assert able.tools == [
        {"name": "uv", "found": True, "version": "1", "language": "python"},
        {"name": "java", "found": False, "language": "java"},
    ]


def test_a_machine_has_a_name_a_system_and_a_version():
    assert hostname()
    assert "Python" in system()
    assert version().count(".") == 2
