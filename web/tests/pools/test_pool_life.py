"""Entries of data pools in the hands of bots: whose they are, how they come back, and the tasks that pools start."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound, StaleAttempt, TooBig
from bottool_web.actions import attempts, automations, pool_bulk, pool_work, pools, tasks, upkeep
from bottool_web.actions.identity import acting_site, principal_of_token
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

from ..tasks.conftest import Life, ask, box, life  # noqa: F401, TID252  # fixtures of their neighbours

SYSTEM = wire.EntryChange(state="error", error_type="system", message="broken")


class Pool:
    """The data pool ``cases`` and what people and bots do with it."""

    def __init__(self, site: Site, who: Principal) -> None:
        self.site, self.who = site, who

    def make(self, entries: int = 0, **more: Any) -> None:
        pools.create(self.site, self.who, wire.NewPool(label="cases", automation="daily", **more))
        for number in range(entries):
            self.push(n=number)

    def push(self, **values: Any) -> wire.PoolEntry:
        return pool_work.push(self.site, self.who, "cases", wire.NewEntry(values=values))

    def pull(self, who: Principal | None = None) -> wire.PoolEntry | None:
        return pool_work.pull(self.site, who or self.who, "cases").entry

    def taken(self, who: Principal | None = None) -> wire.PoolEntry:
        entry = self.pull(who)
        assert entry is not None
        return entry

    def say(self, entry: wire.PoolEntry, change: wire.EntryChange, who: Principal | None = None) -> wire.PoolEntry:
        return pool_work.change_entry(self.site, who or self.who, "cases", entry.id, change)

    def read(self, entry: wire.PoolEntry) -> wire.PoolEntry:
        return pool_work.get_entry(self.site, self.who, "cases", entry.id)

    def moves(self, entry: wire.PoolEntry) -> list[str]:
        return [move.kind for move in pool_work.moves_of(self.site, self.who, "cases", entry.id)]

    @property
    def now(self) -> wire.Pool:
        return pools.get_pool(self.site, self.who, "cases")

    @property
    def tasks(self) -> list[wire.Task]:
        """Newest first."""
        return tasks.list_tasks(self.site, self.who)


@pytest.fixture
def pool(site: Site, admin: Principal, box: Principal) -> Pool:  # noqa: F811
    return Pool(site, admin)


@pytest.fixture
def start(site: Site, life: Life, box: Principal) -> Callable[[], tuple[wire.Work, Principal]]:  # noqa: F811
    """``start()``: the task that waits starts; what its runner and its bot are known by."""
    number = 0

    def start_() -> tuple[wire.Work, Principal]:
        nonlocal number
        number += 1
        work, permit = life.start(box, f"k{number}")
        return work, principal_of_token(site, permit.token)

    return start_


def test_what_a_bot_pulled_comes_back_when_its_attempt_ends(pool, life, ask, box, start):  # noqa: F811
    pool.make(2)
    ask()
    work, bot = start()
    entry, done = pool.taken(bot), pool.taken(bot)
    pool.say(done, wire.EntryChange(state="done"), bot)

    life.end(box, work, exit_code=1)

    seen = pool.read(entry)
    assert (seen.state, seen.task_id, seen.attempt, seen.returned) == ("pending", None, None, 1)
    assert pool.read(done).state == "done"
    assert pool.moves(entry) == ["pulled", "returned"]
    assert (pool.now.counts.pending, pool.now.counts.done, pool.now.counts.processing) == (1, 1, 0)


def test_what_comes_back_is_an_error_where_the_pool_says_so(pool, life, ask, box, start):  # noqa: F811
    pool.make(1, on_attempt_end="error", auto_retry=False)
    ask()
    work, bot = start()
    entry = pool.taken(bot)

    life.end(box, work)

    seen = pool.read(entry)
    assert (seen.state, seen.error_type) == ("error", "system")
    assert "ended without a word" in seen.message


def test_an_entry_that_ends_every_bot_fails_in_the_end(pool, life, ask, box, start):  # noqa: F811
    pool.make(1, auto_retry=False, max_errors=1)
    for number in range(4):
        ask()
        work, bot = start()
        entry = pool.taken(bot)
        life.end(box, work, key=f"r{number}", exit_code=139)

    seen = pool.read(entry)
    assert (seen.state, seen.error_type) == ("error", "system")
    assert "4 times" in seen.message
    assert not pool.now.active


def test_nobody_else_reports_on_a_bots_entry_and_people_may(pool, life, ask, box, start):  # noqa: F811
    pool.make(1)
    ask(), ask()
    _, bot = start()
    entry = pool.taken(bot)
    work = life.sync(box, "another", slots=2).work[0]
    permit = attempts.permit(pool.site, box, work.task_id, work.attempt)
    other = principal_of_token(pool.site, permit.token)

    with pytest.raises(StaleAttempt):
        pool.say(entry, wire.EntryChange(state="done"), other)

    assert pool.read(entry).state == "processing"
    assert pool.say(entry, wire.EntryChange(state="done")).state == "done"


def test_a_bot_whose_attempt_is_over_takes_nothing_and_reports_nothing(pool, life, ask, box, start):  # noqa: F811
    pool.make(2)
    ask()
    work, bot = start()
    entry = pool.taken(bot)
    life.end(box, work)

    with pytest.raises(StaleAttempt):
        pool.pull(bot)
    with pytest.raises(StaleAttempt):
        pool.say(entry, wire.EntryChange(state="done"), bot)

    assert pool.now.counts.pending == 2


def test_what_a_lost_bot_had_comes_back_when_it_is_given_up(site, pool, clock, ask, start):  # noqa: F811
    pool.make(1)
    ask()
    _, bot = start()
    entry = pool.taken(bot)
    keeper = acting_site(pool.who.workspace_id)

    clock.advance(site.settings.lease_seconds + site.settings.lost_margin_seconds + 1)
    upkeep.call_lost(site, keeper, upkeep.silent_attempts(site, keeper))
    assert pool.read(entry).state == "processing"
    clock.advance(site.settings.lost_window_seconds + site.settings.lost_margin_seconds + 1)
    upkeep.give_up_lost(site, keeper)

    assert pool.read(entry).state == "pending"
    with pytest.raises(StaleAttempt):
        pool.pull(bot)


def test_the_first_word_that_names_a_task_makes_the_entry_its_attempts(pool, life, ask, box, start):  # noqa: F811
    pool.make(1)
    task = ask()
    work, _ = start()
    entry = pool.taken()

    pool.say(entry, wire.EntryChange(task_id=task.id))
    assert (pool.read(entry).task_id, pool.read(entry).attempt) == (task.id, 1)
    life.end(box, work)

    assert pool.read(entry).state == "pending"
    with pytest.raises(NotFound):
        pool.say(entry, wire.EntryChange(task_id=999))


def test_an_entry_that_takes_too_long_is_timeout_and_may_still_end(site, pool, clock):
    pool.make(1, limit_minutes=5)
    entry = pool.taken()
    keeper = acting_site(pool.who.workspace_id)

    clock.advance(299)
    assert pool_work.call_overdue(site, keeper) == 0
    clock.advance(2)
    assert pool_work.call_overdue(site, keeper) == 1

    assert (pool.read(entry).state, pool.now.counts.timeout) == ("timeout", 1)
    assert pool.say(entry, wire.EntryChange(state="done")).state == "done"
    assert pool.moves(entry) == ["pulled", "timed_out", "done"]
    assert (pool.now.counts.done, pool.now.counts.average_seconds) == (1, 301.0)


def test_errors_of_the_system_on_end_switch_the_pool_off_and_tell(site, pool, ask, start):  # noqa: F811
    pool.make(6, max_errors=2, max_auto_retry=0)
    ask()
    _, bot = start()
    pool.say(pool.taken(bot), SYSTEM, bot)
    pool.say(pool.taken(bot), wire.EntryChange(state="error", error_type="business"), bot)
    pool.say(pool.taken(bot), SYSTEM, bot)
    assert pool.now.active

    pool.say(pool.taken(bot), SYSTEM, bot)

    seen = pool.now
    assert (seen.active, pool.pull(bot)) == (False, None)
    assert "2 errors of the system on end" in seen.note
    from bottool_web.actions import alerts

    assert "switched off" in alerts.list_alerts(site, pool.who)[0].title
    back = pools.change(site, pool.who, "cases", wire.PoolChange(active=True))
    assert (back.note, back.errors_in_row, pool.pull(bot) is not None) == ("", 0, True)


def test_always_starts_a_task_for_each_entry(pool):
    pool.make(3, trigger="always")

    assert len(pool.tasks) == 3
    assert pool.tasks[0].created_by == "data pool 'cases'"


def test_always_starts_another_task_for_what_came_back(pool, life, box, start):  # noqa: F811
    pool.make(1, trigger="always")
    for number in range(3):
        work, bot = start()
        pool.taken(bot)
        life.end(box, work, key=f"r{number}", exit_code=1)

    assert len(pool.tasks) == 4
    assert pool.now.counts.pending == 1


def test_no_task_active_starts_one_at_a_time_and_the_next_when_work_is_left(pool, life, box, start):  # noqa: F811
    pool.make(3, trigger="no_task_active")
    assert len(pool.tasks) == 1

    work, bot = start()
    pool.say(pool.taken(bot), wire.EntryChange(state="done"), bot)
    life.end(box, work)

    assert [task.state for task in pool.tasks] == ["queued", "succeeded"]


def test_a_task_that_ends_at_once_starts_no_chain(pool, life, clock, box, start):  # noqa: F811
    pool.make(3, trigger="no_task_active")
    clock.advance(1)
    work, _ = start()

    life.end(box, work, exit_code=1)

    assert [task.state for task in pool.tasks] == ["failed"]


def test_what_comes_in_while_the_last_task_goes_home_is_not_forgotten(pool, life, clock, box, start):  # noqa: F811
    pool.make(trigger="no_task_active")
    pool.push(n=1)
    work, bot = start()
    pool.say(pool.taken(bot), wire.EntryChange(state="done"), bot)
    assert pool.pull(bot) is None
    clock.advance(1)
    pool.push(n=2)
    assert len(pool.tasks) == 1

    life.end(box, work)

    assert [task.state for task in pool.tasks] == ["queued", "succeeded"]


def test_a_task_that_somebody_stopped_is_not_followed_by_another(site, pool, life, box, start):  # noqa: F811
    pool.make(2, trigger="no_task_active")
    work, bot = start()
    pool.taken(bot)
    tasks.stop(site, pool.who, work.task_id)

    life.end(box, work, reason="stopped", exit_code=None)

    assert [task.state for task in pool.tasks] == ["cancelled"]
    assert pool.now.counts.pending == 2


def test_a_task_that_is_tried_again_by_itself_is_the_next_one(site, pool, life, box, start):  # noqa: F811
    automations.change(site, pool.who, "daily", wire.AutomationChange(max_attempts=2))
    pool.make(1, trigger="no_task_active")
    work, bot = start()
    pool.taken(bot)

    life.end(box, work, exit_code=1)

    assert [task.state for task in pool.tasks] == ["queued"]


def test_a_pull_under_a_key_is_the_same_entry_again(site, pool):
    pool.make(2)

    first = pool_work.pull(site, pool.who, "cases", idempotency_key="one").entry
    again = pool_work.pull(site, pool.who, "cases", idempotency_key="one").entry

    assert first == again
    assert pool.now.counts.pending == 1


def test_a_retry_does_not_go_beside_another_entry_of_its_key(pool):
    pool.make(schema=[wire.PoolField(label="n", unique=True)], max_auto_retry=5, limit_minutes=1)
    pool.push(n=1)
    late = pool.taken()
    pool_work.call_overdue(pool.site, acting_site(pool.who.workspace_id))
    pool.say(late, wire.EntryChange(state="timeout"))
    pool.push(n=1)

    pool.say(late, SYSTEM)

    assert pool.read(late).child is None
    assert pool.now.counts.pending == 1


def test_a_deleted_pools_entries_are_gone_and_its_label_is_free(site, pool):
    pool.make(3)
    pools.delete(site, pool.who, "cases")

    with pytest.raises(NotFound):
        pool.pull()
    pool.make(1)

    assert pools.purge(site, acting_site(pool.who.workspace_id)) == 3
    assert pool.now.counts.pending == 1


def test_a_pool_that_is_switched_on_starts_a_task_for_what_waits(site, pool):
    pool.make(2, trigger="no_task_active", active=False)
    assert pool.tasks == []

    pools.change(site, pool.who, "cases", wire.PoolChange(active=True))
    pools.change(site, pool.who, "cases", wire.PoolChange(active=True))

    assert len(pool.tasks) == 1


# Many at once.


def test_many_are_cancelled_tried_again_reordered_and_deleted(site, pool):
    pool.make(5)
    failed = pool.taken()
    pool.say(failed, wire.EntryChange(state="error", error_type="business"))

    def change(**said: Any) -> int:
        return pool_bulk.change_entries(site, pool.who, "cases", wire.EntriesChange(**said)).count

    assert change(act="cancel", ids=[failed.id, failed.id + 1]) == 1
    assert change(act="priority", state="pending", priority=9) == 3
    assert change(act="retry", all=True) == 2
    assert change(act="retry", all=True) == 0
    assert change(act="delete", state="cancelled") == 1
    assert (pool.now.counts.pending, pool.now.counts.cancelled, pool.now.counts.error) == (5, 0, 1)
    assert pool.read(failed).child is not None
    with pytest.raises(InvalidInput):
        change(act="delete")


def test_a_person_takes_back_what_nobody_has_any_more(site, pool, ask, start):  # noqa: F811
    pool.make(2)
    ask()
    _, bot = start()
    held, free = pool.taken(bot), pool.taken()

    retry = wire.EntriesChange(act="retry", state="processing")
    assert pool_bulk.change_entries(site, pool.who, "cases", retry).count == 1

    assert (pool.read(held).state, pool.read(free).state) == ("processing", "pending")


def test_a_table_comes_in_whole_and_goes_out(site, pool):
    schema = [wire.PoolField(label="cpf", unique=True), wire.PoolField(label="total", type="double", shown=True)]
    pool.make(schema=schema)
    table = "\ufeffcpf;total;priority;cidade\r\n1;2.5;9;São Paulo\r\n2;;;=1+1\r\n\r\n"

    found = pool_bulk.import_csv(site, pool.who, "cases", [table.encode()[:10], table.encode()[10:]])

    assert found.count == 2
    first = pool.taken()
    assert (first.priority, first.values) == (9, {"cpf": "1", "total": 2.5, "cidade": "São Paulo"})
    text = b"".join(pool_bulk.exported(site, pool.who, "cases", pool_work.Asked())).decode()
    assert '"{""cidade"": ""=1+1""}"' in text
    assert "São Paulo" in text
    assert pool_bulk.sample(site, pool.who, "cases").decode().splitlines() == ["cpf,total,priority", "text,1.5,0"]


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_that_went_out_comes_in_elsewhere_as_it_was(site, pool, separator):
    schema = [wire.PoolField(label="phone", unique=True), wire.PoolField(label="total", type="double")]
    for label in ("here", "there"):
        pools.create(site, pool.who, wire.NewPool(label=label, schema=schema))
    for values, priority in (({"phone": "+55 1", "total": 2.5}, 0), ({"phone": "2", "id": "own"}, 3), ({}, 0)):
        pool_work.push(site, pool.who, "here", wire.NewEntry(values=values, priority=priority))
    table = list(pool_bulk.exported(site, pool.who, "here", pool_work.Asked(), separator=separator))

    pool_bulk.import_csv(site, pool.who, "there", table)

    here, there = (
        [(each.values, each.priority) for each in pool_work.list_entries(site, pool.who, label, pool_work.Asked())]
        for label in ("here", "there")
    )
    assert there == here


def test_numbers_have_a_comma_where_cells_are_parted_by_semicolons(site, pool):
    pool.make(schema=[wire.PoolField(label="total", type="double"), wire.PoolField(label="n", type="integer")])

    pool_bulk.import_csv(site, pool.who, "cases", [b"total;n\n12,5;1\n"])

    assert pool.taken().values == {"total": 12.5, "n": 1}
    for table in (b"total;n\n1.234,5;1\n", b"total;n\n1,2,3;1\n", b"total;n\n1;1,5\n", b'total,n\n"12,5",1\n'):
        with pytest.raises(InvalidInput, match="line 2"):
            pool_bulk.import_csv(site, pool.who, "cases", [table])


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (b"cpf,total\n1,2\n2,much\n3,x\n", "line 3: 'total' is 'much'"),
        (b"cpf\n1\n1\n", "line 3: its unique key '1' is that of line 2"),
        (b"cpf,cpf\n1,2\n", "twice"),
        (b"cpf\n1,2,3\n", "line 2: it has 3 cells"),
        (b"cpf,priority\n1,11\n", "priority"),
        (b"cpf\n\xff\xfe\n", "UTF-8"),
        (b'cpf\n"1\n', "cannot be read"),
        (b"\n\n", "no first line"),
        (b"cpf,more\n1,[]\n", "no JSON object"),
    ],
)
def test_a_table_with_a_wrong_line_brings_nothing(site, pool, table, word):
    schema = [wire.PoolField(label="cpf", unique=True), wire.PoolField(label="total", type="double")]
    pool.make(schema=schema)

    with pytest.raises(InvalidInput) as refused:
        pool_bulk.import_csv(site, pool.who, "cases", [table])

    assert word in refused.value.message
    assert pool.now.counts.total == 0


def test_a_table_whose_keys_are_there_already_brings_nothing(site, pool):
    pool.make(schema=[wire.PoolField(label="cpf", unique=True)])
    pool.push(cpf="2")

    with pytest.raises(Conflict, match="2"):
        pool_bulk.import_csv(site, pool.who, "cases", [b"cpf\n1\n2\n"])

    assert pool.now.counts.pending == 1


def test_a_table_starts_a_task_for_each_line_or_one(site, pool):
    pool.make(trigger="no_task_active")
    pool_bulk.import_csv(site, pool.who, "cases", [b"n\n1\n2\n3\n"])
    assert len(pool.tasks) == 1

    pools.change(site, pool.who, "cases", wire.PoolChange(trigger="always"))
    pool_bulk.import_csv(site, pool.who, "cases", [b"n\n1\n2\n3\n"])
    assert len(pool.tasks) == 4
    with pytest.raises(TooBig):
        pool_bulk.import_csv(site, pool.who, "cases", [b"n\n" + b"1\n" * 2001])


def test_an_import_under_a_key_comes_once(site, pool):
    pool.make()

    for _ in range(2):
        found = pool_bulk.import_csv(site, pool.who, "cases", [b"n\n1\n2\n"], idempotency_key="one")

    assert (found.count, pool.now.counts.pending) == (2, 2)


@pytest.mark.parametrize("search", ["São", "sã", "777", "nota"])
def test_a_search_finds_what_is_somewhere_in_an_entry(site, pool, search):
    pool.make(2)
    pool.push(city="São Paulo", number=777)
    pool.say(pool.push(x=1), wire.EntryChange(message="Nota ausente: São"))

    found = pool_work.list_entries(site, pool.who, "cases", pool_work.Asked(search=search))

    assert 1 <= len(found) <= 2
