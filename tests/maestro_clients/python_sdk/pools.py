"""Data pools and their entries."""

import json

import requests
from botcity.maestro import DataPool, DataPoolEntry, ErrorType, FieldType, SchemaField
from scenes import Work, is_date, refused, scenario, unique


def pulls(pool: DataPool) -> str:
    return f"{pool.maestro.server}/api/v2/datapool/{pool.label}/pull"


@scenario("a data pool is created, read, switched off and on")
def _(work: Work) -> None:
    schema = [
        SchemaField("cpf", FieldType.TEXT, unique_id=True),
        SchemaField("idade", FieldType.INTEGER),
        SchemaField("valor", FieldType.DOUBLE, display_value=True),
    ]
    made = work.pool(
        name="Notas fiscais", schema=schema, auto_retry=True, max_auto_retry=2, max_errors_before_inactive=5,
        enable_processing_time=True, item_max_processing_time=30,
    )  # fmt: skip
    read = work.sdk.get_datapool(made.label)

    assert read.to_dict() == made.to_dict()
    assert (read.datapool_id is not None, read.is_active()) == (True, True)
    assert read.deactivate() is True
    assert (read.active, work.sdk.get_datapool(made.label).is_active()) == (False, False)
    assert read.to_dict() == {**made.to_dict(), "active": False}
    assert read.activate() is True
    assert read.is_active()
    again = DataPool.from_json(json.dumps({"label": "x", "schema": []}).encode(), work.sdk)
    assert (again.label, again.schema) == ("x", [])


@scenario("entries are pulled by priority, then first in first out or the other way")
def _(work: Work) -> None:
    for policy, wanted in (("FIFO", ["c", "d", "a", "b"]), ("LIFO", ["d", "c", "b", "a"])):
        entries = [DataPoolEntry(priority=9 * (name > "b"), values={"name": name}) for name in "abcd"]
        pool = work.pool(*entries, consumption_policy=policy)

        pulled = []
        while pool.has_next():
            entry = pool.next(work.sdk.task_id or None)
            pulled.append(entry["name"])
            entry.report_done()

        assert pulled == wanted, (policy, pulled)
        assert pool.next(None) is None


@scenario("an entry goes from pending to done, and every field comes along")
def _(work: Work) -> None:
    schema = [
        SchemaField("cpf", FieldType.TEXT, unique_id=True),
        SchemaField("nome", FieldType.TEXT, display_value=True),
    ]
    pool = work.pool(schema=schema)
    task = work.task()
    values = {"cpf": "123", "nome": "José 🤖", "extra": "not in the schema"}

    pushed = pool.create_entry(DataPoolEntry(priority=3, values=values))
    assert (pushed.state, pushed.values, pushed.priority) == ("PENDING", values, 3)
    assert (pushed.datapool_label, pushed.unique_key, pushed.display_value) == (pool.label, "123", "José 🤖")
    assert is_date(pushed.date_register) and pushed.date_finished is None
    summary = pool.summary()
    assert [summary[f"count{name}"] for name in ("Pending", "Processing", "Done", "Error", "Timeout")] == [
        1,
        0,
        0,
        0,
        0,
    ]

    entry = pool.next(task)
    assert (entry.entry_id, entry.state, entry.values) == (pushed.entry_id, "PROCESSING", values)
    assert is_date(entry.date_processing)
    entry["extra"] = "changed"
    entry.save()
    assert entry.get_value("extra") == "changed"
    assert pool.get_entry(entry.entry_id).values == {**values, "extra": "changed"}

    entry.report_done("feito")
    read = pool.get_entry(entry.entry_id)
    assert (read.state, read.message, str(read.task_id)) == ("DONE", "feito", task)
    assert is_date(read.date_finished)
    summary = pool.summary()
    assert (summary["countDone"], summary["countPending"], summary["active"]) == (1, 0, True)
    assert (pool.is_empty(), pool.has_next()) == (True, False)


@scenario("an entry that failed stays so, and cannot be done afterwards")
def _(work: Work) -> None:
    pool = work.pool(DataPoolEntry(values={"a": 1}), abort_on_error=False)
    entry = pool.next(None)
    entry.report_error(ErrorType.BUSINESS, "não existe")

    read = pool.get_entry(entry.entry_id)
    assert (read.state, read.error_type, read.message) == ("ERROR", "BUSINESS", "não existe")
    with refused(requests.HTTPError):
        read.report_done()
    assert pool.get_entry(entry.entry_id).state == "ERROR"


@scenario("only what the system broke is tried again, as often as the pool says")
def _(work: Work) -> None:
    pool = work.pool(auto_retry=True, max_auto_retry=1, abort_on_error=False)
    pool.create_entry(DataPoolEntry(values={"a": 1}))
    first = pool.next(None)
    first.report_error(ErrorType.SYSTEM, "broken")

    second = pool.next(None)
    assert (second.values, second.retry_index) == ({"a": 1}, 1)
    second.report_error(ErrorType.SYSTEM, "broken again")
    assert pool.is_empty()

    pool.create_entry(DataPoolEntry(values={"a": 2}))
    pool.next(None).report_error(ErrorType.BUSINESS, "wrong")
    assert pool.is_empty()


@scenario("too many errors on end switch a pool off, and then nothing is pulled but much can be pushed")
def _(work: Work) -> None:
    entries = [DataPoolEntry(values={"number": number}) for number in range(4)]
    pool = work.pool(*entries, abort_on_error=True, max_errors_before_inactive=2)
    pool.next(None).report_error(ErrorType.SYSTEM)
    assert pool.is_active()
    pool.next(None).report_error(ErrorType.SYSTEM)
    assert not pool.is_active()

    assert pool.create_entry(DataPoolEntry(values={"number": 5})).state == "PENDING"
    assert requests.get(pulls(pool), headers=work.sdk._headers()).status_code in {204, *range(400, 500)}
    pool.activate()
    assert pool.next(None).state == "PROCESSING"


@scenario("entries that wait are cancelled and deleted, those in work are not")
def _(work: Work) -> None:
    pool = work.pool()
    first, second, third = (pool.create_entry(DataPoolEntry(values={"n": number})) for number in range(3))

    cancelled = pool.cancel_entry(second.entry_id, "desistiu")
    assert (cancelled.state, cancelled.message) == ("CANCELED", "desistiu")
    pool.delete_entry(second.entry_id)
    pool.delete_entry(third.entry_id)
    entry = pool.next(None)
    assert entry.entry_id == first.entry_id
    for call in (pool.cancel_entry, pool.delete_entry):
        with refused():
            call(first.entry_id)
    # What the SDK holds back itself the server refuses too.
    head = work.sdk._headers()
    address = f"{work.sdk.server}/api/v2/datapool/{pool.label}/entry/{first.entry_id}"
    assert 400 <= requests.delete(address, headers=head).status_code < 500
    assert 400 <= requests.put(f"{address}/cancel", headers=head, json={"state": "CANCELED"}).status_code < 500
    with refused(requests.HTTPError, "404"):
        pool.get_entry(second.entry_id)


@scenario("what an entry and a pool are as JSON is what the server reads")
def _(work: Work) -> None:
    pool = work.pool(DataPoolEntry(values={"a": "b"}))
    entry = DataPoolEntry()
    entry.update_from_json(requests.get(pulls(pool), headers=work.sdk._headers()).content)
    assert json.loads(entry.to_json()) == {"priority": 0, "values": {"a": "b"}}
    address = f"{work.sdk.server}/api/v2/datapool/{pool.label}/entry/{entry.entry_id}"
    said = requests.post(address, data=entry.json_to_update(), headers=work.sdk._headers())
    assert (said.status_code, said.json()["state"]) == (200, "PROCESSING")


@scenario("a data pool that is not there is told, and one that is there is not made anew")
def _(work: Work) -> None:
    with refused(requests.HTTPError, "404"):
        work.sdk.get_datapool(unique("none"))
    pool = work.pool(DataPoolEntry(values={"a": 1}))
    with refused(requests.HTTPError):
        work.sdk.create_datapool(DataPool(label=pool.label))
    assert pool.has_next()
    pool._delete()
    with refused(requests.HTTPError, "404"):
        pool.summary()
