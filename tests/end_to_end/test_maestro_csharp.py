"""The C# SDK's calls, byte for byte, against a real server: every scenario of the program is a test."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end

PROGRAM = Path(__file__).resolve().parent.parent / "maestro_clients" / "csharp_sdk.py"
SCENARIOS = re.findall(r'^@scenario\("([^"]+)"', PROGRAM.read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def played(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "csharp")
    return play([sys.executable, str(PROGRAM)], "csharp")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_csharp_sdk(played: dict[str, str | None], scenario: str) -> None:
    if error := played.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)
