"""Runners: registered with a code or with login and key, each with a token of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool.errors import Conflict, InvalidInput, TooManyTries, Unauthorized
from bottool_web.actions import identity, runners
from bottool_web.actions.site import Site
from bottool_web.store import runners as stored
from bottool_web.store.scope import Principal

HERE = "192.0.2.1"


@pytest.fixture
def register(site: Site, workspace: Any) -> Callable[..., wire.Registered]:
    """``register("box-1")`` with login and key; ``register(code=…)`` with a code."""

    def make(machine_id: str = "", *, installation_id: str = "this-machine", code: str = "") -> wire.Registered:
        said = {"code": code} if code else {"login": workspace.login, "key": workspace.key}
        given = wire.Register(machine_id=machine_id, installation_id=installation_id, hostname="host", **said)
        return runners.register(site, given, HERE)

    return make


def seen(site: Site, who: Principal, machine_id: str) -> None:
    def write(tx: Any) -> None:
        row = stored.get(tx, who.scope, machine_id)
        stored.change(tx, who.scope, row.id, {"seen_at": site.now()})

    site.store.write(write)


def test_login_and_key_make_a_runner_with_a_token_of_its_own(
    site: Site, admin: Principal, register: Callable[..., wire.Registered]
) -> None:
    made = register("box-1")

    who = identity.principal_of_token(site, made.token)
    assert (who.kind, who.id, who.name) == ("runner", made.runner_id, "box-1")
    assert made.workspace == "acme"
    assert [runner.hostname for runner in runners.list_runners(site, admin)] == ["host"]


def test_a_code_registers_once_and_under_its_own_name(
    site: Site, admin: Principal, register: Callable[..., wire.Registered]
) -> None:
    code = runners.create_code(site, admin, wire.NewRunner(machine_id="box-1"))

    assert register(code=f" {code.code.lower()} ").machine_id == "box-1"

    with pytest.raises(Unauthorized, match="used already"):
        register(code=code.code)


def test_a_code_for_another_machine_is_refused_and_not_used_up(
    site: Site, admin: Principal, register: Callable[..., wire.Registered]
) -> None:
    code = runners.create_code(site, admin, wire.NewRunner(machine_id="box-1"))

    with pytest.raises(Conflict, match="'box-1'"):
        register("box-2", code=code.code)

    assert register("box-1", code=code.code).token


def test_a_code_ends_after_a_quarter_of_an_hour(
    site: Site, admin: Principal, register: Callable[..., wire.Registered], clock: Any
) -> None:
    code = runners.create_code(site, admin, wire.NewRunner(machine_id="box-1"))
    clock.advance(15 * 60)

    with pytest.raises(Unauthorized):
        register(code=code.code)


def test_guessing_codes_is_slowed_down(register: Callable[..., wire.Registered]) -> None:
    ends = []
    for number in range(50):
        try:
            register(code=f"GUESS-{number}")
        except TooManyTries:
            ends.append("turned away")
        except Unauthorized:
            ends.append("checked")

    assert ends.count("checked") <= 15
    assert ends[-1] == "turned away"


def test_registering_again_ends_the_older_token(site: Site, register: Callable[..., wire.Registered]) -> None:
    first = register("box-1")

    second = register("box-1")

    assert second.runner_id == first.runner_id
    assert identity.principal_of_token(site, second.token).name == "box-1"
    with pytest.raises(Unauthorized):
        identity.principal_of_token(site, first.token)


def test_another_machine_cannot_take_the_name_of_a_living_runner(
    site: Site, admin: Principal, register: Callable[..., wire.Registered], clock: Any
) -> None:
    first = register("box-1", installation_id="first-machine")
    seen(site, admin, "box-1")

    with pytest.raises(Conflict, match="another machine works as 'box-1'"):
        register("box-1", installation_id="second-machine")
    assert identity.principal_of_token(site, first.token)

    clock.advance(site.settings.lease_seconds + site.settings.lost_margin_seconds + 1)
    assert register("box-1", installation_id="second-machine").token


def test_a_runner_is_new_then_online_then_late_then_offline(
    site: Site, admin: Principal, register: Callable[..., wire.Registered], clock: Any
) -> None:
    def state() -> str:
        return runners.list_runners(site, admin)[0].state

    register("box-1")
    states = [state()]
    seen(site, admin, "box-1")
    for seconds in (0, 31, 60):
        clock.advance(seconds)
        states.append(state())

    assert states == ["new", "online", "late", "offline"]


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"machine_id": "no label"}, "machine_id"),
        ({"machine_id": ""}, "machine_id"),
        ({"installation_id": ""}, "installation_id"),
        ({"hostname": "two\nlines"}, "hostname"),
        ({"system": "nul\0"}, "system"),
    ],
)
def test_a_registration_with_a_wrong_field_makes_no_runner(
    site: Site, admin: Principal, workspace: Any, changed: dict[str, str], path: str
) -> None:
    said = {"machine_id": "box-1", "installation_id": "this-machine", "login": workspace.login, "key": workspace.key}

    with pytest.raises(InvalidInput) as refused:
        runners.register(site, wire.Register(**said | changed), HERE)

    assert refused.value.details["path"] == path
    assert runners.list_runners(site, admin) == []


def test_a_wrong_key_makes_no_runner(site: Site, admin: Principal) -> None:
    given = wire.Register(machine_id="box-1", installation_id="this-machine", login="acme", key="wrong")

    with pytest.raises(Unauthorized):
        runners.register(site, given, HERE)

    assert runners.list_runners(site, admin) == []


def test_one_name_in_two_workspaces_is_two_runners(
    site: Site, workspace: Any, other_workspace: Any, a_runner: Callable[..., Principal]
) -> None:
    first, second = a_runner("box-1"), a_runner("box-1", of=other_workspace)

    assert first.id != second.id
    assert {first.workspace_id, second.workspace_id} == {workspace.id, other_workspace.id}
