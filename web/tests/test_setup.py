"""A site's folder, its key, its lock, and its first workspace; and the commands that do it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bottool import wire
from bottool.errors import BottoolError, Conflict, InvalidInput, NotFound, SettingsError
from bottool_web import plugin
from bottool_web.actions import identity, setup
from bottool_web.actions.site import Site
from bottool_web.settings import SiteSettings, load_site_settings

FIRST = setup.First(
    workspace="acme", login="acme", key="a key of ours", email="ada@example.org", password="correct horse battery"
)


@pytest.fixture
def settings(empty_database_address: str, tmp_path: Path) -> SiteSettings:
    return SiteSettings(data=tmp_path / "data", database=empty_database_address)


@pytest.fixture
def opened(settings: SiteSettings) -> Iterator[Site]:
    site = setup.open_site(settings)
    yield site
    site.close()


def test_a_new_folder_becomes_a_site_that_only_its_owner_can_read(opened: Site) -> None:
    data = opened.settings.data

    assert opened.now().tzinfo is not None
    assert not setup.has_workspace(opened)
    if os.name != "nt":
        assert stat.S_IMODE((data / "site.key").stat().st_mode) == 0o600
        assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_site_is_the_same_after_a_restart(settings: SiteSettings) -> None:
    first = setup.open_site(settings)
    setup.begin(first, FIRST)
    first.close()
    first.close()

    again = setup.open_site(settings)

    assert again.key == first.key
    assert setup.has_workspace(again)
    assert identity.login(again, wire.Login(login="acme", key="a key of ours"), address="").workspace == "acme"
    again.close()


def test_a_second_server_on_one_folder_is_refused(opened: Site) -> None:
    with pytest.raises(SettingsError, match="another server"):
        setup.open_site(opened.settings)


def test_the_lock_goes_with_its_process_however_that_ends(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    settings = SiteSettings(data=tmp_path)
    with pytest.raises(SettingsError, match="another server"):
        setup.open_site(settings)

    holder.kill()
    holder.wait()
    holder.stdout.close()
    holder.stdin.close()

    setup.open_site(settings).close()


_HOLDER = """
import sys
from pathlib import Path
from bottool_web.actions.setup import open_site
from bottool_web.settings import SiteSettings
site = open_site(SiteSettings(data=Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_key_that_is_missing_is_never_invented_anew(settings: SiteSettings) -> None:
    setup.open_site(settings).close()
    (settings.data / "site.key").unlink()

    with pytest.raises(SettingsError, match="key of this site is missing"):
        setup.open_site(settings)

    assert not (settings.data / "site.key").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_key_that_others_can_read_is_refused(settings: SiteSettings) -> None:
    setup.open_site(settings).close()
    (settings.data / "site.key").chmod(0o644)

    with pytest.raises(SettingsError, match="others can read"):
        setup.open_site(settings)


def test_a_key_that_was_cut_is_refused(settings: SiteSettings) -> None:
    setup.open_site(settings).close()
    (settings.data / "site.key").write_bytes(b"short")

    with pytest.raises(SettingsError, match="not the key"):
        setup.open_site(settings)


def test_a_database_that_does_not_answer_is_one_sentence_and_gives_the_folder_back(tmp_path: Path) -> None:
    broken = SiteSettings(data=tmp_path, database=f"postgresql:///nothing?host={tmp_path}")

    with pytest.raises(BottoolError, match="does not answer"):
        setup.open_site(broken)

    setup.open_site(SiteSettings(data=tmp_path)).close()


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"workspace": "no label"}, "workspace"),
        ({"login": ""}, "login"),
        ({"key": "short"}, "key"),
        ({"key": "two\nlines of key"}, "key"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@example.org"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "Password1"}, "password"),
        ({"password": "x" * 1001}, "password"),
    ],
)
def test_a_beginning_with_a_wrong_field_makes_nothing(opened: Site, changed: dict[str, str], path: str) -> None:
    said = {name: getattr(FIRST, name) for name in ("workspace", "login", "key", "email", "password")}

    with pytest.raises(InvalidInput) as refused:
        setup.begin(opened, setup.First(**said | changed))

    assert refused.value.details["path"] == path
    assert not setup.has_workspace(opened)


def test_beginning_twice_is_a_conflict_and_changes_nothing(opened: Site) -> None:
    setup.begin(opened, FIRST)

    with pytest.raises(Conflict, match="acme"):
        setup.begin(opened, FIRST)


def test_a_second_person_gets_a_role_that_exists(opened: Site) -> None:
    setup.begin(opened, FIRST)

    setup.create_account(opened, "acme", "Bob@Example.org", "another long password", "viewer")

    _, who = identity.start_session(opened, "bob@example.org", "another long password", "")
    assert who.role == "viewer"
    with pytest.raises(InvalidInput, match="no role 'king'"):
        setup.create_account(opened, "acme", "eve@example.org", "another long password", "king")
    with pytest.raises(NotFound, match="no workspace 'nowhere'"):
        setup.create_account(opened, "nowhere", "eve@example.org", "another long password", "viewer")
    with pytest.raises(Conflict, match="bob@example"):
        setup.create_account(opened, "acme", "bob@example.org", "another long password", "viewer")


# The commands.


@pytest.fixture
def cli() -> click.Group:
    group = click.Group("bottool")
    plugin.bottool_register_commands(group)
    return group


@pytest.fixture
def init(tmp_path: Path) -> list[str]:
    (tmp_path / "key").write_text("a key of ours\n")
    (tmp_path / "password").write_text("correct horse battery\r\n")
    said = {"data": "data dir", "key-file": "key", "password-file": "password"}
    paths = [part for name, value in said.items() for part in (f"--{name}", str(tmp_path / value))]
    return ["server", "init", *paths, "--workspace", "acme", "--login", "acme", "--admin", "ada@example.org"]


def test_server_init_makes_a_site_that_both_can_sign_in_to(cli: click.Group, init: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, init, catch_exceptions=False)

    assert result.exit_code == 0, result.output
    assert "bottool serve --data" in result.output
    assert "a key of ours" not in result.output
    site = setup.open_site(load_site_settings(tmp_path / "data dir", {}, {}))
    assert identity.login(site, wire.Login(login="acme", key="a key of ours"), address="").token
    assert identity.start_session(site, "ada@example.org", "correct horse battery", "")[1].role == "administrator"
    site.close()


def test_server_init_remembers_the_database(
    cli: click.Group, init: list[str], tmp_path: Path, empty_database_address: str
) -> None:
    result = CliRunner().invoke(cli, [*init, "--database", empty_database_address], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    settings = load_site_settings(tmp_path / "data dir", {}, {})
    assert settings.database_address == empty_database_address
    site = setup.open_site(settings)
    assert setup.has_workspace(site)
    site.close()


def test_server_init_twice_says_what_exists(cli: click.Group, init: list[str]) -> None:
    CliRunner().invoke(cli, init, catch_exceptions=False)

    with pytest.raises(Conflict, match="workspace 'acme'"):
        CliRunner().invoke(cli, init, catch_exceptions=False)


def test_server_init_with_a_key_file_that_is_not_there_is_wrong_usage(
    cli: click.Group, init: list[str], tmp_path: Path
) -> None:
    (tmp_path / "key").unlink()

    result = CliRunner().invoke(cli, init)

    assert result.exit_code == 2
    assert not (tmp_path / "data dir").exists()


def test_server_init_with_a_wrong_password_makes_nothing(cli: click.Group, init: list[str], tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short")

    with pytest.raises(InvalidInput, match="password"):
        CliRunner().invoke(cli, init, catch_exceptions=False)

    assert not (tmp_path / "data dir").exists()


@pytest.mark.parametrize("made", [True, False], ids=["an empty folder", "no folder"])
def test_serve_says_how_to_set_a_site_up(cli: click.Group, tmp_path: Path, made: bool) -> None:
    data = tmp_path / "site"
    if made:
        data.mkdir()

    with pytest.raises(SettingsError, match="no site is set up") as refused:
        CliRunner().invoke(cli, ["serve", "--data", str(data)], catch_exceptions=False)

    assert "server init" in refused.value.hint
    assert list(tmp_path.rglob("*")) == ([data] if made else [])
