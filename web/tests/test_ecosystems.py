"""Names and versions compare as their ecosystems say."""

import pytest

from bottool_web.ecosystems import is_below, plain_name

ASCENDING = {
    "pypi": ["1.0.dev1", "1.0a1", "1.0", "1.0.post1", "1.2", "1.10"],
    "npm": ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.2.0", "1.10.0"],
    "gem": ["1.0.a", "1.0.b1", "1.0", "1.0.1.rc1", "1.0.1", "1.2", "1.10"],
    "maven": [
        "1-alpha-1", "1-beta-2", "1-milestone-1", "1-rc1", "1-SNAPSHOT", "1", "1-sp", "1-foo", "1-1", "1.1", "1.2", "1.10",
    ],
}  # fmt: skip


@pytest.mark.parametrize("ecosystem", ASCENDING)
def test_versions_stand_in_their_order(ecosystem: str) -> None:
    versions = ASCENDING[ecosystem]
    wrong = [
        (one, other)
        for place, one in enumerate(versions)
        for index, other in enumerate(versions)
        if is_below(ecosystem, one, other) is not (place < index)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("ecosystem", "one", "other"),
    [
        ("pypi", "1.0", "1.0.0"),
        ("npm", "1.0.0+build", "1.0.0"),
        ("gem", "1.0", "1.0.0"),
        ("maven", "1.0.0", "1"),
        ("maven", "1-ga", "1.0-final"),
        ("maven", "1.0-RC1", "1.0-cr1"),
        ("maven", "1a1", "1-alpha-1"),
    ],
)
def test_two_ways_to_write_one_version_are_equal(ecosystem: str, one: str, other: str) -> None:
    assert (is_below(ecosystem, one, other), is_below(ecosystem, other, one)) == (False, False)


@pytest.mark.parametrize(
    ("ecosystem", "version", "limit"),
    [("pypi", "one", "1"), ("npm", "^1.0.0", "2.0.0"), ("gem", "~> 1", "2"), ("maven", "[1,2)", "2"), ("pypi", "", "1"),
     ("cargo", "1", "2"), ("pypi", "1" * 300, "2")],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_to_be_so(ecosystem: str, version: str, limit: str) -> None:
    assert is_below(ecosystem, version, limit) is None


def test_names_are_one_where_the_ecosystem_says_so() -> None:
    assert plain_name("pypi", "Foo_Bar") == plain_name("pypi", "foo.bar") == "foo-bar"
    assert plain_name("npm", "@Scope/Name") == "@scope/name"
