"""The JavaScript SDK's calls, from a Node.js program, against a real server: every scenario of the program is a test."""

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end

PROGRAM = Path(__file__).resolve().parent.parent / "maestro_clients" / "javascript_sdk.mjs"
SCENARIOS = re.findall(r'^scenario\("([^"]+)"', PROGRAM.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def played(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "javascript")
    return play(["node", str(PROGRAM)], "javascript")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_javascript_sdk(played: dict[str, str | None], scenario: str) -> None:
    if error := played.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)
