"""Where the vault's keys lie, and that a site neither starts without them nor makes others in their place."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import SettingsError
from bottool_web.actions import credentials, rotation, setup
from bottool_web.actions.site import Site
from bottool_web.settings import SiteSettings
from bottool_web.store.credential_tables import credential, credential_secret
from bottool_web.store.scope import Principal

Open = Callable[..., Site]


@pytest.fixture
def opened(empty_database_address: str, tmp_path: Path) -> Iterator[Open]:
    """``opened()``: the site in the state in which the last one left it; ``opened(vault_key_file=…)``."""
    settings = SiteSettings(data=tmp_path / "data", database=empty_database_address)
    sites: list[Site] = []

    def open_(**more: str) -> Site:
        for site in sites:
            site.close()
        sites.append(setup.open_site(replace(settings, **more)))
        return sites[-1]

    yield open_
    for site in sites:
        site.close()


@pytest.fixture
def somebody(opened: Open) -> Principal:
    made = setup.create_workspace(opened(), "acme", "acme", "a key of the workspace")
    return Principal(kind="account", id=1, name="ana", role="administrator", workspace_id=made)


def make(site: Site, somebody: Principal) -> None:
    secrets = [wire.Secret(key="pass", value="first")]
    credentials.create(site, somebody, wire.NewCredential(label="bank", secrets=secrets))


@pytest.mark.parametrize("place", ["../keys/of-the-vault", ""])
def test_the_keys_lie_where_the_setting_says(opened: Open, somebody: Principal, tmp_path: Path, place: str) -> None:
    (tmp_path / "keys").mkdir()
    given = place or str(tmp_path / "keys" / "of-the-vault")
    site = opened(vault_key_file=given)
    make(site, somebody)

    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["of-the-vault"]
    assert not (tmp_path / "data" / "vault.key").exists()
    assert credentials.read_value(opened(vault_key_file=given), somebody, "bank", "pass") == "first"


def test_a_site_with_secrets_does_not_start_without_their_keys(
    opened: Open, somebody: Principal, tmp_path: Path
) -> None:
    make(opened(), somebody)
    path = tmp_path / "data" / "vault.key"
    kept = path.read_bytes()
    path.unlink()

    for more in ({}, {"vault_key_file": str(tmp_path / "none")}):
        with pytest.raises(SettingsError, match="are missing") as refused:
            opened(**more)
        assert "vault_key_file" in refused.value.hint
    assert not path.exists()

    path.write_bytes(kept)
    path.chmod(0o600)
    assert credentials.read_value(opened(), somebody, "bank", "pass") == "first"


def test_a_site_without_secrets_starts_without_keys(opened: Open, somebody: Principal) -> None:
    assert opened().vault.key_ids() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_keys_that_others_can_read_stop_the_start(opened: Open, somebody: Principal, tmp_path: Path, mode: int) -> None:
    make(opened(), somebody)
    (tmp_path / "data" / "vault.key").chmod(mode)

    with pytest.raises(SettingsError, match="others can read"):
        opened()


def test_a_folder_that_is_not_there_is_said(opened: Open, somebody: Principal, tmp_path: Path) -> None:
    site = opened(vault_key_file=str(tmp_path / "none" / "keys"))

    with pytest.raises(SettingsError, match="no keys can be written"):
        make(site, somebody)
    assert credentials.list_credentials(site, somebody) == []
    with pytest.raises(SettingsError, match="cannot be written"):
        rotation.rotate(site)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_rotation_keeps_the_link_to_the_keys(opened: Open, somebody: Principal, tmp_path: Path) -> None:
    make(opened(), somebody)
    path, place = tmp_path / "data" / "vault.key", tmp_path / "real.key"
    path.rename(place)
    path.symlink_to(place)
    site = opened()

    rotation.rotate(site)

    assert path.is_symlink()
    assert credentials.read_value(site, somebody, "bank", "pass") == "first"


def test_an_older_value_does_not_open_in_its_place(opened: Open, somebody: Principal) -> None:
    site = opened()
    make(site, somebody)
    old = site.store.read(lambda tx: tx.scalar(sa.select(credential_secret.c.sealed)))

    def put_back(tx: sa.Connection) -> None:
        tx.execute(sa.update(credential_secret).values(sealed=old))

    credentials.set_value(site, somebody, "bank", "pass", wire.SecretValue(value="second"))
    site.store.write(put_back)
    with pytest.raises(SettingsError, match="changed or moved"):
        credentials.read_value(site, somebody, "bank", "pass")

    credentials.remove_key(site, somebody, "bank", "pass")
    credentials.set_value(site, somebody, "bank", "pass", wire.SecretValue(value="third"))
    site.store.write(put_back)
    with pytest.raises(SettingsError, match="changed or moved"):
        credentials.read_value(site, somebody, "bank", "pass")


def test_values_from_before_versions_get_one_at_the_start(opened: Open, somebody: Principal) -> None:
    site = opened()
    make(site, somebody)
    row = site.store.read(lambda tx: tx.execute(sa.select(credential_secret)).one())
    what = f"credential {row.workspace_id} {row.credential_id} pass"
    old = site.vault.seal("of old", what)

    def age(tx: sa.Connection) -> None:
        tx.execute(sa.update(credential_secret).values(sealed=old, version=0))
        tx.execute(sa.update(credential).values(version=1))

    site.store.write(age)
    assert credentials.read_value(site, somebody, "bank", "pass") == "of old"

    site = opened()

    assert site.store.read(lambda tx: tx.scalar(sa.select(credential_secret.c.version))) == 1
    assert credentials.read_value(site, somebody, "bank", "pass") == "of old"
    site.store.write(lambda tx: tx.execute(sa.update(credential_secret).values(sealed=old)))
    with pytest.raises(SettingsError, match="changed or moved"):
        credentials.read_value(site, somebody, "bank", "pass")
    credentials.set_value(site, somebody, "bank", "pass", wire.SecretValue(value="new"))
    assert site.store.read(lambda tx: tx.scalar(sa.select(credential_secret.c.version))) == 2
