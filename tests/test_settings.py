"""Settings: flags before variables before the user's file."""

import os
import stat
from pathlib import Path

import pytest

from bottool.errors import SettingsError
from bottool.settings import (
    ClientSettings,
    base_variables,
    cache_folder,
    config_folder,
    data_folder,
    disabled_plugins,
    load_client_settings,
    save_client_settings,
    without_own,
)


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Variables with a settings folder of the test's own."""
    return {"BOTTOOL_CONFIG": str(tmp_path / "config")}


@pytest.fixture
def settings_file(variables: dict[str, str]):
    def write(content: str | bytes) -> Path:
        folder = Path(variables["BOTTOOL_CONFIG"])
        folder.mkdir()
        (folder / "settings.toml").write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / "settings.toml"

    return write


def test_without_anything_everything_is_empty(variables):
    assert load_client_settings(variables=variables) == ClientSettings()


def test_a_flag_counts_before_a_variable_and_that_before_the_file(variables, settings_file):
    settings_file('server = "http://file"\nworkspace = "file"\n')

    by_file = load_client_settings(variables=variables)
    by_variable = load_client_settings(variables=variables | {"BOTTOOL_SERVER": "http://variable"})
    by_flag = load_client_settings({"server": "http://flag"}, variables | {"BOTTOOL_SERVER": "http://variable"})

    assert [each.server for each in (by_file, by_variable, by_flag)] == [
        "http://file",
        "http://variable",
        "http://flag",
    ]
    assert by_file.workspace == "file"


def test_a_flag_that_was_not_given_hides_nothing(variables):
    settings = load_client_settings({"server": None, "login": ""}, variables | {"BOTTOOL_LOGIN": "me"})

    assert settings.login == "me"


def test_login_and_key_come_from_the_variables(variables):
    given = {"BOTTOOL_SERVER": "http://x", "BOTTOOL_LOGIN": "me", "BOTTOOL_KEY": "secret"}

    settings = load_client_settings(variables=variables | given)

    assert (settings.login, settings.key, settings.token) == ("me", "secret", "")


def test_the_token_of_the_file_goes_to_no_other_server(variables, settings_file):
    settings_file('server = "http://home"\ntoken = "secret"\n')

    home = load_client_settings({"server": "http://home/"}, variables)
    stranger = load_client_settings({"server": "http://stranger"}, variables)

    assert home.token == "secret"
    assert stranger.token == ""


def test_a_login_from_a_variable_counts_before_the_token_of_the_file(variables, settings_file):
    settings_file('server = "http://home"\ntoken = "old"\n')

    settings = load_client_settings(variables=variables | {"BOTTOOL_LOGIN": "me", "BOTTOOL_KEY": "k"})

    assert (settings.server, settings.token, settings.login) == ("http://home", "", "me")


def test_a_token_on_the_command_line_counts_before_a_login_from_a_variable(variables):
    settings = load_client_settings({"token": "t"}, variables | {"BOTTOOL_LOGIN": "me", "BOTTOOL_KEY": "k"})

    assert settings.token == "t"


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://x", "http://", "http:// x", "C:\\server"])
def test_an_address_that_is_none_is_refused_with_where_it_was_said(variables, address):
    with pytest.raises(SettingsError, match=r"BOTTOOL_SERVER: '.*' is no address of a server") as refusal:
        load_client_settings(variables=variables | {"BOTTOOL_SERVER": address})

    assert "http://HOST:PORT" in refusal.value.hint


def test_a_slash_at_the_end_of_an_address_does_not_count(variables):
    assert load_client_settings({"server": "https://x.example:8443/"}, variables).server == "https://x.example:8443"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('sever = "http://x"\n', "unknown setting 'sever'"),
        ("server = 8000\n", "'server' is no text"),
        ("server = \n", r"settings\.toml:1: "),
        ("server = 'a'".encode("utf-16"), r"settings\.toml is not UTF-8 text"),
        ('server = "nowhere"\n', r"settings\.toml: 'nowhere' is no address"),
    ],
)
def test_a_broken_settings_file_is_named(variables, settings_file, content, message):
    settings_file(content)

    with pytest.raises(SettingsError, match=message) as refusal:
        load_client_settings(variables=variables)

    assert refusal.value.hint


def test_what_is_saved_is_loaded_again_and_holds_no_key(variables):
    settings = ClientSettings(
        server="http://x:1", token='a"b\\c\tç', workspace="acme", login="me", key="must not be written"
    )

    path = save_client_settings(settings, variables)

    assert load_client_settings(variables=variables) == ClientSettings(
        server="http://x:1", token='a"b\\c\tç', workspace="acme"
    )
    assert "must not be written" not in path.read_text(encoding="utf-8")
    assert [each.name for each in path.parent.iterdir()] == ["settings.toml"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes; the user's folder is private there")
def test_the_settings_file_is_for_its_owner_only_even_where_an_open_one_was(variables, settings_file):
    settings_file('token = "old"\n').chmod(0o644)

    path = save_client_settings(ClientSettings(token="new"), variables)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_do_not_show_in_the_text_of_settings():
    assert "hunter2" not in repr(ClientSettings(key="hunter2", token="hunter2"))


def test_the_folders_may_be_moved_by_variables(tmp_path):
    moved = {"BOTTOOL_CACHE": str(tmp_path / "c"), "BOTTOOL_DATA": str(tmp_path / "d"), "BOTTOOL_CONFIG": "~/e"}

    assert cache_folder(moved) == tmp_path / "c"
    assert data_folder(moved) == tmp_path / "d"
    assert config_folder(moved) == Path.home() / "e"


def test_without_variables_the_folders_are_the_users_own():
    assert all(folder({}).is_absolute() for folder in (cache_folder, data_folder, config_folder))
    assert cache_folder({}) != data_folder({})


def test_plugins_are_disabled_by_a_list():
    assert disabled_plugins({"BOTTOOL_DISABLE_PLUGINS": "java, ruby,,"}) == {"java", "ruby"}
    assert disabled_plugins({}) == frozenset()


def test_base_variables_are_a_copy():
    copy = base_variables()
    copy["ONLY_IN_THE_COPY"] = "1"

    assert "ONLY_IN_THE_COPY" not in base_variables()


def test_tools_of_strangers_get_all_variables_but_ours():
    given = {"PATH": "/bin", "BOTTOOL_KEY": "swordfish", "bottool_token": "x", "MY_BOTTOOL_X": "1"}

    assert without_own(given) == {"PATH": "/bin", "MY_BOTTOOL_X": "1"}
