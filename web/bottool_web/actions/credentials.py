"""Credentials: secrets that people put in and bots read. Every read is audited, in the transaction that allows it.

The server of a local run has some from a file of its developer instead.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleAttempt, did_you_mean
from bottool.states import AttemptState
from bottool_web.actions import checks
from bottool_web.actions.fencing import check_bot, in_one_write
from bottool_web.actions.permissions import action
from bottool_web.actions.sealing import seal
from bottool_web.actions.site import Site
from bottool_web.store import attempts, audit, credential_lists, credentials, workspaces
from bottool_web.store.credentials import Sealed
from bottool_web.store.scope import Principal

MOST_KEYS = 200
VALUE_LIMIT = 20_000


@action("credential.read")
def list_credentials(site: Site, who: Principal) -> list[wire.Credential]:
    """By label; keys without values."""
    return site.store.read(lambda tx: credentials.all_living(tx, who.scope))


@action("credential.read")
def get_credential(site: Site, who: Principal, label: str) -> wire.Credential:
    """:raises NotFound: when there is no such credential."""
    return site.store.read(lambda tx: credentials.get(tx, who.scope, label))


@action("credential.change")
def create(site: Site, who: Principal, new: wire.NewCredential) -> wire.Credential:
    """:raises Conflict: when the label is taken; what is there stays untouched."""
    checks.spoken_label(new.label, "label")
    _check(new.secrets)
    now = site.now()

    def make(tx: sa.Connection) -> wire.Credential:
        check_bot(tx, who)
        if automation := credential_lists.narrowed_by(tx, who.scope):
            raise Forbidden(
                f"the automation '{automation}' lists its credentials, so its bots make none",
                "let a person make it, and list it",
            )
        made = credentials.add(tx, who.scope, new.label, workspaces.repository_id(tx, who.scope, new.repository), now)
        for each in new.secrets:
            _put(tx, site, who, made, each)
        _audit(tx, site, who, "credential.change", new.label, [each.key for each in new.secrets], made=True)
        return credentials.get(tx, who.scope, new.label)

    return site.store.write(make)


@action("credential.change")
def add_key(site: Site, who: Principal, label: str, new: wire.Secret) -> wire.Credential:
    """:raises Conflict: when the key is there: whoever wants to change a value says so, see ``set_value``."""
    return _change(site, who, label, [new], taken=f"'{label}' has a key '{new.key}' already")


@action("credential.change")
def set_value(site: Site, who: Principal, label: str, key: str, value: wire.SecretValue) -> wire.Credential:
    """Set the value of a key, also of one that is there."""
    return _change(site, who, label, [wire.Secret(key=key, value=value.value)])


@action("credential.change")
def replace(
    site: Site, who: Principal, label: str, secrets: list[wire.Secret], *, kept: tuple[str, ...] = ()
) -> wire.Credential:
    """Exactly these keys, and those of ``kept`` with the values that they have; what is left out is gone."""
    return _change(site, who, label, secrets, only=(*kept, *(each.key for each in secrets)))


def _change(
    site: Site,
    who: Principal,
    label: str,
    secrets: list[wire.Secret],
    *,
    taken: str = "",
    only: tuple[str, ...] | None = None,
) -> wire.Credential:
    _check(secrets)

    def make(tx: sa.Connection) -> wire.Credential:
        found = _mine(tx, who, label)
        if taken and any(each.key in found.keys for each in secrets):
            raise Conflict(taken, "take another key, or change the value of this one")
        if only is not None:
            credentials.keep_only(tx, who.scope, found.id, only)
        for each in secrets:
            _put(tx, site, who, found.id, each)
        _audit(tx, site, who, "credential.change", label, [each.key for each in secrets])
        return credentials.get(tx, who.scope, label)

    return site.store.write(make)


@action("credential.change")
def remove_key(site: Site, who: Principal, label: str, key: str) -> wire.Credential:
    """:raises NotFound: when there is no such key."""

    def make(tx: sa.Connection) -> wire.Credential:
        found = _mine(tx, who, label)
        _known(label, key, found.keys)
        credentials.keep_only(tx, who.scope, found.id, tuple(each for each in found.keys if each != key))
        _audit(tx, site, who, "credential.change", label, [key], removed=True)
        return credentials.get(tx, who.scope, label)

    return site.store.write(make)


@action("credential.delete")
def delete(site: Site, who: Principal, label: str) -> None:
    """The credential and all its values."""

    def make(tx: sa.Connection) -> None:
        found = credentials.get(tx, who.scope, label)
        credentials.delete(tx, who.scope, found.id, site.now())
        _audit(tx, site, who, "credential.delete", label, found.keys)

    site.store.write(make)


@action("credential.use")
def read_set(site: Site, who: Principal, label: str) -> dict[str, str]:
    """All keys of a credential with their values.

    :raises NotFound: when there is no such credential.
    :raises StaleAttempt: to a bot whose attempt was replaced.
    """
    if site.local_credentials is not None:
        return _local(site, label)
    return _read(site, who, label, None)


@action("credential.use")
def read_value(site: Site, who: Principal, label: str, key: str) -> str:
    """One value.

    :raises NotFound: when there is no such credential, or no such key in it.
    :raises StaleAttempt: to a bot whose attempt was replaced.
    """
    if site.local_credentials is not None:
        found = _local(site, label)
        _known(label, key, found)
        return found[key]
    return _read(site, who, label, key)[key]


@action("credential.use")
def repository_of(site: Site, who: Principal, label: str) -> str:
    """In which repository the credential lies.

    :raises NotFound: when there is no such credential.
    """
    if site.local_credentials is not None:
        return "DEFAULT"
    return site.store.read(lambda tx: _mine(tx, who, label)).repository


@action("credential.use")
def reveal(site: Site, who: Principal, label: str, key: str) -> wire.SecretValue:
    """As ``read_value``, for people."""
    return wire.SecretValue(value=read_value(site, who, label, key))


def _local(site: Site, label: str) -> dict[str, str]:
    known = site.local_credentials or {}
    if label not in known:
        raise NotFound(f"there is no credential '{label}'", did_you_mean(label, known))
    return dict(known[label])


def _read(site: Site, who: Principal, label: str, key: str | None) -> dict[str, str]:
    """What is read is written down before anybody sees it; a value that cannot be opened is not read."""

    def work(tx: sa.Connection) -> dict[str, Sealed] | Forbidden:
        _check_alive(tx, who)
        found = credentials.get(tx, who.scope, label)
        if refused := _not_listed(tx, who, found):
            _audit(tx, site, who, "credential.use", label, found.keys if key is None else [key], refused=True)
            return refused
        known = credentials.secrets(tx, who.scope, found.id)
        if key is not None:
            _known(label, key, known)
            known = {key: known[key]}
        credentials.note_read(tx, who.scope, list(known.values()))
        _audit(tx, site, who, "credential.use", label, list(known))
        return known

    read = in_one_write(site, work)
    return {name: site.vault.unseal(each.sealed, each.what) for name, each in read.items()}


def _not_listed(tx: sa.Connection, who: Principal, found: wire.Credential) -> Forbidden | None:
    """What to answer a bot whose automation lists credentials, but not this one."""
    automation = credential_lists.narrowed_by(tx, who.scope)
    if not automation or credential_lists.is_listed(tx, who.scope, found.id):
        return None
    return Forbidden(
        f"the automation '{automation}' does not list the credential '{found.label}'",
        f"bottool automation update {automation} --credential {found.label}, beside those that it has",
    )


def _mine(tx: sa.Connection, who: Principal, label: str) -> wire.Credential:
    """The credential, for who wants to change it.

    :raises Forbidden: to a bot whose automation does not list it.
    """
    check_bot(tx, who)
    found = credentials.get(tx, who.scope, label)
    if refused := _not_listed(tx, who, found):
        raise refused
    return found


def _check_alive(tx: sa.Connection, who: Principal) -> None:
    """A bot reads while its attempt lives; its token lives a little longer, for its last words.

    :raises StaleAttempt: afterwards.
    """
    check_bot(tx, who)
    if who.kind != "attempt" or who.task_id is None or who.attempt is None:
        return
    mine = attempts.find(tx, who.scope, who.task_id, who.attempt)
    if mine is None or mine.state == AttemptState.ENDED:
        raise StaleAttempt(f"attempt {who.attempt} of task {who.task_id} has ended", "bots read while they run")


def _known(label: str, key: str, keys: Iterable[str]) -> None:
    known = list(keys)
    if key not in known:
        raise NotFound(f"credential '{label}' has no key '{key}'", did_you_mean(key, known))


def _put(tx: sa.Connection, site: Site, who: Principal, credential_id: int, secret: wire.Secret) -> None:
    """What a bot writes it knows, so it is masked from then on like what it reads."""
    version = credentials.next_version(tx, who.scope, credential_id, site.now())
    what = credentials.what_of(who.scope, credential_id, secret.key, version)
    sealed = seal(tx, site, secret.value, what)
    credentials.put(tx, who.scope, credential_id, secret.key, version=version, sealed=sealed, now=site.now())
    credentials.note_read(tx, who.scope, [Sealed(sealed=sealed, what=what)])


def _check(secrets: list[wire.Secret]) -> None:
    checks.number(len(secrets), "the number of keys", 0, MOST_KEYS)
    seen: set[str] = set()
    for index, each in enumerate(secrets):
        checks.name(each.key, f"secrets[{index}].key")
        if not each.key.strip() or "/" in each.key or each.key in seen:
            trouble = "is there twice" if each.key in seen else "is empty or holds a slash"
            raise InvalidInput(f"secrets[{index}].key {trouble}", "give each key a name of its own")
        seen.add(each.key)
        checks.text(each.value, f"the value of '{checks.shortened(each.key)}'", VALUE_LIMIT)


def _audit(  # one for each word of the line
    tx: sa.Connection, site: Site, who: Principal, act: str, label: str, keys: list[str], **more: object
) -> None:
    detail = {"keys": keys, **more}
    if who.kind == "attempt":
        detail |= {"task": who.task_id, "attempt": who.attempt}
    audit.record(tx, who.scope, act, f"credential {label}", site.now(), **detail)
