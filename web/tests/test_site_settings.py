"""The settings of a site."""

from pathlib import Path

import pytest

from bottool_web.settings import SiteSettings


@pytest.mark.parametrize(("lease", "hold", "longest"), [(60.0, 10.0, 10.0), (8.0, 10.0, 2.0), (60.0, 1.0, 1.0)])
def test_a_call_is_never_held_so_long_that_a_lease_runs_out_meanwhile(
    lease: float, hold: float, longest: float
) -> None:
    settings = SiteSettings(data=Path("site"), lease_seconds=lease, hold_seconds=hold)

    assert settings.longest_hold_seconds == longest
