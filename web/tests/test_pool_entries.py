"""Entries of data pools as rows: who pulls, what comes first, and that nobody gets what another has."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from bottool_web.actions.site import Site
from bottool_web.store import pool_entries, pool_lists, pools, workspaces
from bottool_web.store.pool_entries import Holder
from bottool_web.store.scope import Principal


@pytest.fixture
def who(workspace: Any) -> Principal:
    return Principal(kind="workspace", id=1, name="acme", role="workspace", workspace_id=workspace.id)


def made(site: Site, who: Principal, priorities: list[int], **more: Any) -> None:
    def work(tx: sa.Connection) -> None:
        repository = workspaces.repository_id(tx, who.scope, "DEFAULT")
        said = {"label": "invoices", "repository_id": repository, "schema": [], **more}
        pool = pools.add(tx, who.scope, said, site.now())
        rows = [{"values": {"n": number}, "priority": priority} for number, priority in enumerate(priorities)]
        pool_entries.add(tx, who.scope, pool, rows, site.now())
        pools.count_moves(tx, who.scope, pool, {"open": len(rows)})

    site.store.write(work)


def pulled(site: Site, who: Principal) -> int | None:
    def work(tx: sa.Connection) -> int | None:
        return pool_entries.pull(tx, who.scope, pools.row(tx, who.scope, "invoices"), Holder(at=site.now()))

    return site.store.write(work)


def values(site: Site, who: Principal, entry: int | None) -> Any:
    def look(tx: sa.Connection) -> Any:
        pool = pools.row(tx, who.scope, "invoices")
        return pool_lists.get(tx, who.scope, pool.id, entry or 0).values["n"]

    return site.store.read(look)


@pytest.mark.parametrize(("policy", "wanted"), [("fifo", [2, 3, 0, 1]), ("lifo", [3, 2, 1, 0])])
def test_the_highest_priority_goes_first_and_then_the_policy(
    site: Site, who: Principal, policy: str, wanted: list[int]
) -> None:
    made(site, who, [0, 0, 9, 9], policy=policy)

    assert [values(site, who, pulled(site, who)) for _ in wanted] == wanted
    assert pulled(site, who) is None
    counts = site.store.read(lambda tx: pools.get(tx, who.scope, "invoices")).counts
    assert (counts.pending, counts.processing) == (0, 4)


def test_an_inactive_pool_gives_nothing(site: Site, who: Principal) -> None:
    made(site, who, [0], active=False)

    assert pulled(site, who) is None


def test_of_many_that_pull_no_two_get_the_same_entry(site: Site, who: Principal) -> None:
    made(site, who, [0] * 120)
    found: list[int] = []

    def consume() -> None:
        while (entry := pulled(site, who)) is not None:
            found.append(entry)

    threads = [threading.Thread(target=consume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(found), len(set(found))) == (120, 120)
