"""A resolved group opens for newer versions alone; a group knows its bots, its days, and at which version it ended."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import errors, identity
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

RESOLVED = wire.ErrorGroupChange(status="resolved")


def group_of(site: Site, who: Principal, report: wire.ErrorReport) -> wire.ErrorGroup:
    return errors.get_group(site, who, report.group_id)


def test_a_resolved_group_stays_so_for_old_versions_and_opens_for_a_newer_one(
    site: Site, admin: Principal, an_automation: Any, deploy: Any, running: Any, reported: Any
) -> None:
    an_automation()
    old = running()
    first = reported(old)
    changed = errors.change_group(site, admin, first.group_id, RESOLVED)
    deploy("my-bot", "1.1.0")

    again = reported(old)
    still = group_of(site, admin, first)
    newer = reported(running())
    opened = group_of(site, admin, first)

    assert [(each.resolved_version, each.resolved_revision) for each in changed.bots] == [("1.0.0", 1)]
    assert (again.known, again.version, again.group_id) == (True, "1.0.0", first.group_id)
    assert (still.status, still.count, still.last_at) == ("resolved", 2, again.at)
    assert (newer.known, newer.version) == (False, "1.1.0")
    assert (opened.status, opened.count) == ("open", 3)
    assert (opened.bots[0].version, opened.bots[0].count) == ("1.1.0", 3)


def test_another_file_under_the_same_version_is_newer_and_the_old_one_put_back_is_not(
    site: Site, admin: Principal, an_automation: Any, replace_file: Any, running: Any, reported: Any
) -> None:
    an_automation()
    first = reported(running())
    errors.change_group(site, admin, first.group_id, RESOLVED)

    replace_file("my-bot", "1.0.0", "my-bot 1.0.0")
    same_bytes = reported(running())
    stays = group_of(site, admin, first).status
    replace_file("my-bot", "1.0.0", "mended")
    mended = reported(running())

    assert (same_bytes.known, stays) == (True, "resolved")
    assert not mended.known
    group = group_of(site, admin, first)
    assert (group.status, group.bots[0].version, group.bots[0].revision) == ("open", "1.0.0", 3)


def test_a_bot_that_is_new_to_a_resolved_group_opens_it_and_so_does_an_unknown_version(
    site: Site, admin: Principal, an_automation: Any, running: Any, reported: Any
) -> None:
    an_automation("other", bot_id="other-bot")
    an_automation()
    waiting = errors.create(site, admin, wire.NewErrorReport(task_id=running().id, type="A"))
    first = reported(running())
    errors.change_group(site, admin, first.group_id, RESOLVED)

    assert not reported(running("other")).known
    opened = group_of(site, admin, first)

    assert opened.status == "open"
    assert [(each.bot_id, each.count) for each in opened.bots] == [("my-bot", 1), ("other-bot", 1)]
    assert [each.id for each in errors.list_groups(site, admin, bot="other-bot")] == [first.group_id]
    assert len(errors.list_groups(site, admin, bot="my-bot")) == 2
    asked = errors.Asked(bot="other-bot", group_id=first.group_id)
    assert [each.bot_id for each in errors.list_errors(site, admin, asked)] == ["other-bot"]
    assert len(errors.list_errors(site, admin, errors.Asked(bot="my-bot"))) == 2
    assert errors.list_errors(site, admin, errors.Asked(bot="nobody")) == []
    assert waiting.bot_id == "my-bot"


def test_an_ignored_group_stays_ignored_whatever_comes(
    site: Site, admin: Principal, an_automation: Any, deploy: Any, running: Any, reported: Any
) -> None:
    an_automation()
    first = reported(running())
    errors.change_group(site, admin, first.group_id, wire.ErrorGroupChange(status="ignored"))
    deploy("my-bot", "1.1.0")

    newer = reported(running())

    assert (newer.known, group_of(site, admin, first).status) == (False, "ignored")


def test_the_trend_counts_the_last_fourteen_days(
    site: Site, admin: Principal, clock: Any, an_automation: Any, running: Any, reported: Any
) -> None:
    an_automation()
    task = running()
    for days in (0, 1, 0, 3):
        clock.advance(days * 86_400)
        report = reported(task)

    trend = group_of(site, admin, report).trend
    clock.advance(13 * 86_400)
    later = group_of(site, admin, report).trend
    clock.advance(86_400)

    assert trend == [0] * 9 + [1, 2, 0, 0, 1]
    assert later == [1] + [0] * 13
    assert group_of(site, admin, report).trend == [0] * 14
    keeper = identity.acting_site(admin.workspace_id)
    assert errors.purge(site, keeper) == 0
    clock.advance(errors.DAYS_KEPT * 86_400)
    assert errors.purge(site, keeper) == 3
    assert group_of(site, admin, report).count == 4


def test_pages_tell_versions_bots_and_the_trend(
    site: Site,
    admin: Principal,
    workspace: Any,
    account: int,
    an_automation: Any,
    running: Any,
    reported: Callable[..., wire.ErrorReport],
) -> None:
    an_automation()
    task = running()
    first = reported(task)
    errors.change_group(site, admin, first.group_id, RESOLVED)
    again = reported(task)
    client: FlaskClient = create_app(site).test_client()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client.set_cookie("bottool_session", cookie)

    group = client.get(f"/errors/groups/{first.group_id}").text
    found = client.get("/errors?status=resolved&bot=my-bot").text

    for page in (group, found):
        assert 'role="img" aria-label="2 in 14 days; most on 2030-01-15: 2"' in page
        assert "style=" not in page
        assert "my-bot" in page
    assert "opens again for a version newer than" in group
    assert "1.0.0" in group
    assert "known, of an older version" in group
    assert "known, of an older version" in client.get(f"/errors/{again.id}").text
    assert "known, of an older version" not in client.get(f"/errors/{first.id}").text
    assert f'id="group-{first.group_id}"' not in client.get("/errors?status=resolved&bot=other").text
    assert "No older report" in client.get(f"/errors/groups/{first.group_id}?bot=other").text
