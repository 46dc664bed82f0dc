"""What taking a task costs when much waits and much is finished: the ratio says whether the cost is flat.

    python benchmarks/claim_cost.py                     SQLite in a temporary folder
    python benchmarks/claim_cost.py postgresql://…      an empty database of PostgreSQL

Fills a site with 1,000 waiting tasks, takes some, then does the same again on top of 100,000 waiting and 100,000
finished ones, with both sides in turn, several rounds. One runner, ten automations, one task a call; each call is what
a runner's call does on the server: session, leases, verdicts, claim. Only the ratio is worth quoting.
"""

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import attempts, setup
from bottool_web.actions.identity import acting_site
from bottool_web.actions.site import Site
from bottool_web.settings import SiteSettings
from bottool_web.store import tables
from bottool_web.store.scope import Principal

AUTOMATIONS = 10
ROUNDS = 5
CLAIMS = 100
BATCH = 2000
NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEYS = count()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", default="", help="address of an empty PostgreSQL; else SQLite")
    parser.add_argument("--queued", type=int, default=100_000)
    parser.add_argument("--finished", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder:
        # No leases run out while tables are filled.
        settings = SiteSettings(data=Path(folder), database=given.database, lease_seconds=10**6)
        site = setup.open_site(settings)
        try:
            measure(site, queued=given.queued, finished=given.finished)
        finally:
            site.close()


def measure(site: Site, *, queued: int, finished: int) -> None:
    small, large = a_workspace(site, "small"), a_workspace(site, "large")
    fill(site, small, "queued", 1000)
    fill(site, large, "succeeded", finished)
    fill(site, large, "queued", queued)
    site.store.write(lambda tx: tx.exec_driver_sql("ANALYZE"))
    claim(site, small, 20)
    claim(site, large, 20)
    pairs = [(claim(site, small, CLAIMS), claim(site, large, CLAIMS)) for _ in range(ROUNDS)]
    few, many = ([pair[side] for pair in pairs] for side in (0, 1))
    print(f"{'SQLite' if site.store.is_sqlite else 'PostgreSQL'}, {ROUNDS} rounds of {CLAIMS} claims each, in turn")
    print(f"  1,000 waiting                          {statistics.median(few):8.0f} claims/s")
    print(f"  {queued:,} waiting, {finished:,} finished   {statistics.median(many):8.0f} claims/s")
    ratio = statistics.median(small / large for small, large in pairs)
    print(f"  cost with many / cost with few: {ratio:.2f}")


def a_workspace(site: Site, label: str) -> Principal:
    """Its runner, linked to automations of a released bot."""
    workspace_id = setup.create_workspace(site, label, label, "a key of the bench")
    scope = acting_site(workspace_id).scope

    def make(tx: sa.Connection) -> int:
        own = {"workspace_id": workspace_id, "created_at": NOW}
        repository = tx.scalar(
            sa.select(tables.repository.c.id).where(tables.repository.c.workspace_id == scope.workspace_id)
        )
        bot = add(tx, tables.bot, **own, repository_id=repository, bot_id="bench", technology="PYTHON")
        version = add(tx, tables.bot_version, **own, bot_id=bot, version="1", technology="PYTHON", state="ready")
        revision = add(tx, tables.revision, **own, bot_version_id=version, sha256="0" * 64, size_bytes=1, findings=[])
        tx.execute(sa.update(tables.bot).where(tables.bot.c.id == bot).values(release_id=version))
        tx.execute(sa.update(tables.bot_version).where(tables.bot_version.c.id == version).values(revision_id=revision))
        runner = add(tx, tables.runner, **own, machine_id="bench", slots=1000, capabilities={})
        for number in range(AUTOMATIONS):
            automation = add(
                tx,
                tables.automation,
                **own,
                repository_id=repository,
                label=f"a{number}",
                name="",
                bot_id=bot,
                parameters=[],
            )
            add(
                tx,
                tables.automation_runner,
                workspace_id=workspace_id,
                automation_id=automation,
                runner_id=runner,
            )
        return runner

    runner = site.store.write(make)
    return Principal(kind="runner", id=runner, name="bench", role="runner", workspace_id=workspace_id)


def add(tx: sa.Connection, table: sa.Table, **values: object) -> int:
    return int(tx.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one())


def fill(site: Site, who: Principal, state: str, number: int) -> None:
    """So many tasks of every priority, spread over the automations."""

    def make(tx: sa.Connection, rows: range) -> None:
        automations = tx.execute(
            sa.select(tables.automation.c.id, tables.automation.c.repository_id).where(
                tables.automation.c.workspace_id == who.workspace_id
            )
        ).all()
        tx.execute(
            sa.insert(tables.task),
            [
                {
                    "workspace_id": who.workspace_id,
                    "repository_id": automations[row % AUTOMATIONS].repository_id,
                    "automation_id": automations[row % AUTOMATIONS].id,
                    "state": state,
                    "priority": row * 7 % 11,
                    "test": False,
                    "parameters": {},
                    "created_by": "bench",
                    "created_at": NOW + timedelta(seconds=row),
                    "changed_at": NOW,
                }
                for row in rows
            ],
        )

    for start in range(0, number, BATCH):
        rows = range(start, min(start + BATCH, number))
        site.store.write(lambda tx, rows=rows: make(tx, rows))  # type: ignore[misc]


def claim(site: Site, who: Principal, number: int) -> float:
    """Claims per second of ``number`` calls, each with a key of its own and room for one task.

    What was taken is ended in between, so that slots are never the limit.
    """
    began = time.perf_counter()
    for _ in range(number):
        said = wire.Sync(
            session_id="bench",
            installation_id="bench",
            claim_key=f"k{next(KEYS)}",
            free_slots=1,
            slots=1000,
            capabilities=wire.Capabilities(languages=["python"]),
        )
        taken = attempts.sync(site, who, said).work
        assert len(taken) == 1, "a call brought no task"
    seconds = time.perf_counter() - began
    end_all(site, who)
    return number / seconds


def end_all(site: Site, who: Principal) -> None:
    def end(tx: sa.Connection) -> None:
        mine = tables.attempt.c.workspace_id == who.workspace_id
        tx.execute(sa.update(tables.attempt).where(mine).values(state="ended"))
        taken = (tables.task.c.workspace_id == who.workspace_id) & (tables.task.c.state == "leased")
        tx.execute(sa.update(tables.task).where(taken).values(state="succeeded"))

    site.store.write(end)


if __name__ == "__main__":
    main()
