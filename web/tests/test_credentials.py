"""Credentials: sealed where they lie, opened for the right ones, written down when they are, masked in what bots say."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, Forbidden, NotFound, SettingsError, Unavailable
from bottool_web.actions import audits, credentials, rotation
from bottool_web.actions.site import Site
from bottool_web.folder_lock import FolderLock
from bottool_web.store.credential_tables import credential_secret
from bottool_web.store.scope import Principal
from bottool_web.store.tables import metadata
from bottool_web.vault import Vault

SECRET = "correct horse + battery/staple é"


@pytest.fixture
def bank(site: Site, admin: Principal) -> wire.Credential:
    secrets = [wire.Secret(key="user", value="ana@bank"), wire.Secret(key="pass", value=SECRET)]
    return credentials.create(site, admin, wire.NewCredential(label="bank", secrets=secrets))


def test_the_database_holds_no_value(site: Site, admin: Principal, bank: wire.Credential) -> None:
    def dump(tx: sa.Connection) -> str:
        return "".join(str(row) for table in metadata.sorted_tables for row in tx.execute(sa.select(table)))

    credentials.read_set(site, admin, "bank")
    text = site.store.read(dump)

    assert "bank" in text
    for form in (SECRET, quote(SECRET), base64.b64encode(SECRET.encode()).decode()):
        assert form not in text


def test_a_sealed_value_opens_in_its_own_row_only(site: Site, admin: Principal, bank: wire.Credential) -> None:
    def swap(tx: sa.Connection) -> None:
        sealed = tx.scalar(sa.select(credential_secret.c.sealed).where(credential_secret.c.key == "pass"))
        tx.execute(sa.update(credential_secret).where(credential_secret.c.key == "user").values(sealed=sealed))

    site.store.write(swap)

    with pytest.raises(SettingsError, match="changed or moved"):
        credentials.read_value(site, admin, "bank", "user")
    assert credentials.read_value(site, admin, "bank", "pass") == SECRET


def test_without_its_key_nothing_opens_and_the_file_is_named(
    site: Site, admin: Principal, bank: wire.Credential
) -> None:
    path = site.settings.data / "vault.key"
    kept = path.read_bytes()
    path.unlink()

    with pytest.raises(SettingsError) as refused:
        credentials.read_value(site, admin, "bank", "pass")
    assert "vault.key" in refused.value.message
    path.write_bytes(kept)
    path.chmod(0o600)
    assert credentials.read_value(site, admin, "bank", "pass") == SECRET


@pytest.mark.parametrize("text", ["", "{", "[]", "[1]", '[{"id": "a", "key": "AAAA"}]'])
def test_a_file_that_holds_no_keys_is_said(tmp_path: Path, text: str) -> None:
    vault = Vault(tmp_path / "vault.key")
    vault.path.write_text(text)
    vault.path.chmod(0o600)

    with pytest.raises(SettingsError, match="holds no keys"):
        vault.seal("a", "b")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.key")
    sealed = vault.seal("a", "b")
    assert vault.path.stat().st_mode & 0o777 == 0o600
    vault.path.chmod(0o644)

    with pytest.raises(SettingsError, match="others can read"):
        vault.unseal(sealed, "b")


def test_a_rotation_seals_everything_anew_and_drops_what_nothing_needs(
    site: Site, admin: Principal, bank: wire.Credential
) -> None:
    first = site.vault.key_ids()

    assert rotation.rotate(site).resealed == 2
    assert credentials.read_value(site, admin, "bank", "pass") == SECRET
    assert len(site.vault.key_ids()) == 2
    again = rotation.rotate(site)

    assert again.resealed == 2
    assert first[0] not in site.vault.key_ids()
    assert credentials.read_set(site, admin, "bank") == {"user": "ana@bank", "pass": SECRET}


def test_a_rotation_that_was_killed_is_repeated(site: Site, admin: Principal, bank: wire.Credential) -> None:
    site.vault.add_key()  # and then the process ended
    assert credentials.read_value(site, admin, "bank", "pass") == SECRET

    rotation.rotate(site)

    assert credentials.read_value(site, admin, "bank", "pass") == SECRET


def test_every_read_is_written_down_without_the_value(site: Site, admin: Principal, bank: wire.Credential) -> None:
    credentials.read_value(site, admin, "bank", "pass")
    credentials.read_set(site, admin, "bank")
    with pytest.raises(NotFound):
        credentials.read_value(site, admin, "bank", "none")

    found = audits.list_audit(site, admin, act="credential.use", subject="credential bank")

    assert [each.detail["keys"] for each in found] == [["user", "pass"], ["pass"]]
    assert SECRET not in str(audits.list_audit(site, admin))


@pytest.mark.parametrize("role", ["viewer", "operator", "developer"])
def test_who_may_not_use_credentials_reads_none(site: Site, workspace: Any, bank: wire.Credential, role: str) -> None:
    with pytest.raises(Forbidden):
        credentials.read_value(site, workspace.principal(role), "bank", "pass")


def test_a_create_leaves_what_is_there(site: Site, admin: Principal, bank: wire.Credential) -> None:
    with pytest.raises(Conflict):
        credentials.create(site, admin, wire.NewCredential(label="bank"))
    with pytest.raises(Conflict):
        credentials.add_key(site, admin, "bank", wire.Secret(key="pass", value="other"))

    assert credentials.read_value(site, admin, "bank", "pass") == SECRET


def test_no_representation_shows_a_value() -> None:
    assert SECRET not in repr(wire.Secret(key="pass", value=SECRET)) + repr(wire.SecretValue(value=SECRET))
    assert SECRET not in repr(wire.NewCredential(label="a", secrets=[wire.Secret(key="pass", value=SECRET)]))


def test_many_who_begin_a_vault_at_once_share_its_key(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.key")
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda number: vault.seal(f"secret {number}", "here"), range(40)))

    assert [vault.unseal(each, "here") for each in sealed] == [f"secret {number}" for number in range(40)]
    assert len(vault.key_ids()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["vault.key"]


def test_many_who_set_one_new_key_at_once_all_succeed(site: Site, admin: Principal, bank: wire.Credential) -> None:
    def put(number: int) -> list[str]:
        return credentials.set_value(site, admin, "bank", "new", wire.SecretValue(value=str(number))).keys

    with ThreadPoolExecutor(8) as pool:
        assert all(keys == ["user", "pass", "new"] for keys in pool.map(put, range(24)))
    assert credentials.read_value(site, admin, "bank", "new") in {str(number) for number in range(24)}


def test_keys_that_are_gone_are_not_made_anew_while_something_is_sealed(
    site: Site, admin: Principal, bank: wire.Credential
) -> None:
    path = site.settings.data / "vault.key"
    kept = path.read_bytes()
    path.unlink()

    with pytest.raises(Unavailable, match="is gone"):
        credentials.set_value(site, admin, "bank", "pass", wire.SecretValue(value="new"))

    assert not path.exists()
    path.write_bytes(kept)
    path.chmod(0o600)
    assert credentials.read_value(site, admin, "bank", "pass") == SECRET


def test_two_rotations_do_not_go_beside_each_other(site: Site, bank: wire.Credential) -> None:
    lock = FolderLock(site.vault.path.with_suffix(".lock"))
    with pytest.raises(SettingsError, match="another rotation"):
        rotation.rotate(site)
    lock.release()

    assert rotation.rotate(site).keys == 2
