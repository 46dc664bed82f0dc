"""Signing in, tokens and sessions: who gets in, for how long, and how slowly those who guess."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import BottoolError, Forbidden, Refused, TooManyTries, Unauthorized
from bottool_web.actions import identity
from bottool_web.actions.passwords import hash_password, password_matches
from bottool_web.actions.site import Site
from bottool_web.store import tables, tokens, workspaces
from bottool_web.store.scope import Principal

HERE = "192.0.2.1"


def test_a_workspaces_login_and_key_give_its_own_token(site: Site, workspace: Any) -> None:
    given = identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address=HERE)

    who = identity.principal_of_token(site, given.token)

    assert given.token.startswith("btl_workspace_")
    assert (who.kind, who.role, who.name, who.workspace_id) == ("workspace", "workspace", "acme", workspace.id)


def test_a_persons_password_gives_a_token_with_the_persons_role(site: Site, workspace: Any, account: int) -> None:
    given = identity.login(site, wire.Login(email="ADA@example.org ", password=workspace.password), address=HERE)

    who = identity.principal_of_token(site, given.token)

    assert (who.kind, who.id, who.role, who.name) == ("account", account, "administrator", "ada@example.org")
    assert given.workspace == "acme"


@pytest.mark.parametrize(
    "given",
    [
        wire.Login(login="acme", key="wrong"),
        wire.Login(login="acme"),
        wire.Login(login="nobody", key="a key of the workspace"),
        wire.Login(email="ada@example.org", password="wrong"),
        wire.Login(email="nobody@example.org", password="correct horse battery"),
        wire.Login(email="ada@example.org", password="\ud800"),
    ],
)
def test_what_does_not_fit_is_refused_without_saying_which_part(site: Site, account: int, given: wire.Login) -> None:
    with pytest.raises(Unauthorized) as refused:
        identity.login(site, given, address=HERE)

    assert refused.value.message in {
        "the login or the key is wrong",
        "the e-mail address or the password is wrong",
    }


def test_nothing_at_all_is_no_login(site: Site, workspace: Any) -> None:
    with pytest.raises(Refused, match="neither"):
        identity.login(site, wire.Login(), address=HERE)


def test_an_unknown_address_takes_as_long_as_a_wrong_password() -> None:
    known = hash_password("correct horse battery")

    def seconds(stored: str | None) -> float:
        started = time.process_time()
        assert not password_matches("wrong", stored)
        return time.process_time() - started

    slowest_known = max(seconds(known) for _ in range(2))
    # Not a race of milliseconds: without the extra check the unknown one would be a thousand times faster.
    assert seconds(None) > slowest_known / 4


def guesses(site: Site, count: int, **said: str) -> tuple[int, int]:
    """How many of so many wrong sign-ins were checked, and how many were turned away."""
    checked = turned_away = 0
    for _ in range(count):
        try:
            identity.login(site, wire.Login(**said), address=HERE)
        except TooManyTries:
            turned_away += 1
        except Unauthorized:
            checked += 1
    return checked, turned_away


def test_of_a_thousand_guesses_of_a_key_few_are_checked(site: Site, workspace: Any) -> None:
    checked, turned_away = guesses(site, 1000, login=workspace.login, key="guess")

    assert checked <= 15
    assert checked + turned_away == 1000


def test_guessing_a_password_is_throttled_before_the_slow_check(site: Site, account: int) -> None:
    site.store.write(
        lambda tx: [
            tokens.add_failure(tx, subject="account:ada@example.org", address=HERE, now=site.now()) for _ in range(10)
        ]
    )

    checked, turned_away = guesses(site, 100, email="ada@example.org", password="guess")

    assert (checked, turned_away) == (0, 100)


def test_the_right_key_is_turned_away_too_until_the_wait_is_over(site: Site, workspace: Any, clock: Any) -> None:
    guesses(site, 20, login=workspace.login, key="guess")
    right = wire.Login(login=workspace.login, key=workspace.key)

    with pytest.raises(TooManyTries) as early:
        identity.login(site, right, address=HERE)
    clock.advance(early.value.details["retry_after_seconds"])

    assert identity.login(site, right, address=HERE).token


def test_who_guesses_from_elsewhere_does_not_keep_the_owner_out(site: Site, workspace: Any) -> None:
    guesses(site, 50, login=workspace.login, key="guess")

    assert identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address="192.0.2.2").token


def test_a_success_forgets_the_failures_before_it(site: Site, workspace: Any) -> None:
    for _ in range(3):
        guesses(site, 9, login=workspace.login, key="guess")
        identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address=HERE)


def test_many_right_logins_at_once_are_no_guessing(site: Site, workspace: Any) -> None:
    right = wire.Login(login=workspace.login, key=workspace.key)

    assert len({identity.login(site, right, address=HERE).token for _ in range(60)}) == 60


def test_a_token_ends_with_its_time(site: Site, workspace: Any, clock: Any) -> None:
    given = identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address=HERE)
    clock.advance(site.settings.token_hours * 3600 - 1)
    identity.principal_of_token(site, given.token)

    clock.advance(1)

    with pytest.raises(Unauthorized):
        identity.principal_of_token(site, given.token)


@pytest.mark.parametrize(
    "token", ["", "nonsense", "btl_session_" + "x" * 40, "btl_workspace_" + "x" * 40, "\0", "é" * 30]
)
def test_what_is_no_token_is_refused(site: Site, token: str) -> None:
    with pytest.raises(Unauthorized):
        identity.principal_of_token(site, token)


def test_a_change_of_role_acts_at_the_next_request(site: Site, workspace: Any, account: int) -> None:
    given = identity.login(site, wire.Login(email=workspace.email, password=workspace.password), address=HERE)
    site.store.write(lambda tx: tx.execute(sa.update(tables.membership).values(role="viewer")))

    assert identity.principal_of_token(site, given.token).role == "viewer"


def test_a_disabled_person_is_out_at_once_and_cannot_come_back(site: Site, workspace: Any, account: int) -> None:
    given = identity.login(site, wire.Login(email=workspace.email, password=workspace.password), address=HERE)
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, HERE)
    site.store.write(lambda tx: tx.execute(sa.update(tables.account).values(disabled_at=site.now())))

    for entry in (
        lambda: identity.principal_of_token(site, given.token),
        lambda: identity.principal_of_session(site, cookie),
        lambda: identity.start_session(site, workspace.email, workspace.password, HERE),
    ):
        with pytest.raises(Unauthorized):
            entry()


def test_a_person_who_belongs_nowhere_is_told_so_after_the_right_password(
    site: Site, workspace: Any, account: int
) -> None:
    site.store.write(lambda tx: tx.execute(sa.delete(tables.membership)))

    with pytest.raises(Forbidden, match=r"ada@example\.org"):
        identity.login(site, wire.Login(email=workspace.email, password=workspace.password), address=HERE)


def test_a_person_of_two_workspaces_chooses_one(site: Site, workspace: Any, other_workspace: Any, account: int) -> None:
    scope = other_workspace.principal("administrator").scope
    site.store.write(lambda tx: workspaces.add_membership(tx, scope, account, "viewer"))
    said = wire.Login(email=workspace.email, password=workspace.password)

    first = identity.login(site, said, address=HERE)
    other = identity.login(site, wire.Login(email=said.email, password=said.password, workspace="other"), address=HERE)

    assert (first.workspace, other.workspace) == ("acme", "other")
    assert identity.principal_of_token(site, other.token).role == "viewer"


def test_a_runners_token_ends_when_the_runner_is_deleted(
    site: Site, workspace: Any, a_runner: Callable[..., Principal]
) -> None:
    who = a_runner("box-1")
    secret = identity.new_secret("runner")
    new = tokens.NewToken(
        kind="runner", token_hash=identity.hash_secret(secret), runner_id=who.id, created_at=site.now()
    )
    site.store.write(lambda tx: tokens.add(tx, who.scope, new))
    assert identity.principal_of_token(site, secret) == who

    site.store.write(lambda tx: tx.execute(sa.update(tables.runner).values(deleted_at=site.now())))

    with pytest.raises(Unauthorized):
        identity.principal_of_token(site, secret)


def test_only_hashes_of_secrets_are_stored(site: Site, workspace: Any, account: int) -> None:
    given = identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address=HERE)
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, HERE)

    stored = site.store.read(
        lambda tx: str([row for table in tables.metadata.sorted_tables for row in tx.execute(sa.select(table))])
    )

    for secret in (given.token, cookie, workspace.key, workspace.password):
        assert secret not in stored
    assert "$argon2id$" in stored


def test_an_old_hash_is_made_anew_at_the_next_sign_in(site: Site, workspace: Any, account: int) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(workspace.password)
    site.store.write(lambda tx: workspaces.change_password_hash(tx, account, weak))

    identity.start_session(site, workspace.email, workspace.password, HERE)

    stored = site.store.read(lambda tx: workspaces.account_by_email(tx, workspace.email))
    assert stored is not None
    assert "m=65536" in stored.password_hash


# Sessions of browsers.


def test_a_session_lives_while_it_is_used_and_not_longer_than_its_hours(
    site: Site, workspace: Any, account: int, clock: Any
) -> None:
    cookie, who = identity.start_session(site, workspace.email, workspace.password, HERE)
    minutes = 0
    while minutes + 20 < site.settings.session_hours * 60:
        clock.advance(20 * 60)
        minutes += 20
        assert identity.principal_of_session(site, cookie) == who

    clock.advance(20 * 60)

    with pytest.raises(Unauthorized):
        identity.principal_of_session(site, cookie)


def test_a_session_that_is_not_used_ends(site: Site, workspace: Any, account: int, clock: Any) -> None:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, HERE)

    clock.advance(site.settings.session_idle_minutes * 60)

    with pytest.raises(Unauthorized):
        identity.principal_of_session(site, cookie)


def test_signing_out_ends_the_session_for_good(site: Site, workspace: Any, account: int) -> None:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, HERE)

    identity.end_session(site, cookie)
    identity.end_session(site, cookie)

    with pytest.raises(Unauthorized):
        identity.principal_of_session(site, cookie)


def test_each_sign_in_has_a_cookie_of_its_own(site: Site, workspace: Any, account: int) -> None:
    first, _ = identity.start_session(site, workspace.email, workspace.password, HERE)
    second, _ = identity.start_session(site, workspace.email, workspace.password, HERE)

    assert first != second
    assert len(first) >= 40


def test_what_is_over_is_purged_and_what_lives_stays(site: Site, workspace: Any, account: int, clock: Any) -> None:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, HERE)
    clock.advance(3600)
    living, _ = identity.start_session(site, workspace.email, workspace.password, HERE)
    now = site.now()

    site.store.write(
        lambda tx: tokens.purge(
            tx, now=now, idle_before=now - timedelta(minutes=30), kept_since=now - timedelta(minutes=90)
        )
    )

    count = site.store.read(lambda tx: tx.scalar(sa.select(sa.func.count()).select_from(tables.session)))
    assert count == 1
    identity.principal_of_session(site, living)
    with pytest.raises(BottoolError):
        identity.principal_of_session(site, cookie)
