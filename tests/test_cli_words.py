"""What the command line reads and prints: parameters, tables, durations."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottool.cli import present
from bottool.cli.parameters import definition, object_of, typed, values
from bottool.errors import InvalidInput
from bottool.wire import Parameter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("city", Parameter(label="city")),
        ("city!", Parameter(label="city", required=True)),
        ("city=São Paulo", Parameter(label="city", default="São Paulo")),
        ("count:integer=3", Parameter(label="count", type="integer", default=3)),
        ("amount:decimal!", Parameter(label="amount", type="decimal", required=True)),
        ("dry:boolean=yes", Parameter(label="dry", type="boolean", default=True)),
        ("kind:choice(a|b)=a", Parameter(label="kind", type="choice", choices=["a", "b"], default="a")),
        ("day:date!=2026-01-31", Parameter(label="day", type="date", required=True, default="2026-01-31")),
        ("path=a=b", Parameter(label="path", default="a=b")),
    ],
)
def test_a_parameter_is_defined_on_the_command_line(text, expected) -> None:
    assert definition(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "defines no parameter"),
        ("count:number", "there is no type 'number'"),
        ("count:integer=three", "'three', not a whole number"),
        ("kind:choice", "names its choices"),
        ("city:text(a|b)", "names its choices"),
        ("kind:choice(a|b)=c", "not one of a, b"),
    ],
)
def test_a_definition_that_is_none_says_why(text, part) -> None:
    with pytest.raises(InvalidInput) as refused:
        definition(text)

    assert part in refused.value.message


KNOWN = [
    Parameter(label="count", type="integer"),
    Parameter(label="city"),
    Parameter(label="dry", type="boolean"),
]


def test_values_get_the_types_that_the_automation_wants() -> None:
    said = values(["count=3", "city=3", "dry=off", 'extra:={"a": [1]}'], KNOWN, "invoices")

    assert said == {"count": 3, "city": "3", "dry": False, "extra": {"a": [1]}}


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("cuont=3", "has no parameter 'cuont'; it has: count, city, dry", "did you mean 'count'?"),
        ("count=x", "parameter 'count' is 'x', not a whole number", ""),
        ("count", "'count' sets no parameter", "NAME=VALUE"),
        ("=3", "'=3' sets no parameter", ""),
        ("count:=x", "'count' is no JSON", ""),
    ],
)
def test_a_value_that_does_not_fit_says_why(said, message, hint) -> None:
    with pytest.raises(InvalidInput) as refused:
        values([said], KNOWN, "invoices")

    assert message in refused.value.message
    assert hint in refused.value.hint


@given(st.integers())
def test_every_whole_number_survives(number) -> None:
    assert typed(Parameter(label="n", type="integer"), str(number)) == number


@given(st.text())
def test_every_text_survives(text) -> None:
    assert typed(Parameter(label="t"), text) == text


def test_a_file_of_parameters_must_hold_an_object() -> None:
    assert object_of('{"a": 1}', "file") == {"a": 1}
    with pytest.raises(InvalidInput, match="no JSON object"):
        object_of("[1]", "file")


def test_columns_are_as_wide_as_they_look(capsys) -> None:
    present.table(["NAME", "N"], [["日本", 1], ["São", 22], [None, True]])

    assert capsys.readouterr().out.splitlines() == ["NAME  N", "日本  1", "São   22", "      yes"]


def test_fields_leave_out_what_is_empty(capsys) -> None:
    present.fields({"task": 7, "message": "", "machine": None, "left behind": [], "failed": 0})

    assert capsys.readouterr().out.splitlines() == ["task    7", "failed  0"]


def test_a_value_breaks_no_table_and_commands_no_terminal(capsys) -> None:
    present.table(["MESSAGE"], [["two\nlines\x1b[31m"]])

    said = capsys.readouterr().out
    assert said.splitlines() == ["MESSAGE", "two lines\ufffd[31m"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, ""),
        (0.0351, "35 ms"),
        (4.25, "4.2 s"),
        (59.9, "59.9 s"),
        (185, "3 min 5 s"),
        (7_800, "2 h 10 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_said_in_two_units_at_most(seconds, expected) -> None:
    assert present.duration(seconds) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0, "0 B"), (999, "999 B"), (12_345, "12.3 kB"), (5_000_000, "5.0 MB"), (7e9, "7.0 GB")]
)
def test_sizes_are_said_in_the_unit_that_fits(size, expected) -> None:
    assert present.size(int(size)) == expected


def test_what_never_happened_is_nothing_ago() -> None:
    assert present.ago(None) == ""
    assert present.ago(datetime.now(UTC) - timedelta(minutes=5, seconds=1)).startswith("5 min 1 s ago")


def test_json_keeps_what_a_person_wrote(capsys) -> None:
    present.as_json({"name": "ação", "at": datetime(2026, 1, 31, tzinfo=UTC)})

    assert '"ação"' in (said := capsys.readouterr().out)
    assert "2026-01-31T00:00:00Z" in said
