"""Items of a task as the command line counts them."""

import pytest

from bottool.cli.ending import items
from bottool.errors import InvalidInput


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ((None, None, None), (None, None, None)),
        ((10, 8, 2), (10, 8, 2)),
        ((10, 8, None), (10, 8, 2)),
        ((10, None, 2), (10, 8, 2)),
        ((None, 8, 2), (10, 8, 2)),
        ((10, None, None), (10, None, None)),
    ],
)
def test_two_of_the_three_tell_the_third(said: tuple[int | None, ...], meant: tuple[int | None, ...]) -> None:
    assert items(*said) == meant


@pytest.mark.parametrize("said", [(10, 8, 3), (5, 8, None), (5, None, 6)])
def test_items_that_do_not_add_up_are_refused(said: tuple[int | None, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        items(*said)

    assert "total = processed + failed" in refused.value.hint
