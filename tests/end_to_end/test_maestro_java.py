"""Both generations of the Java SDK, from a program over plain HTTP, against a real server."""

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end

PROGRAM = Path(__file__).resolve().parent.parent / "maestro_clients" / "MaestroClient.java"
SCENARIOS = re.findall(r'\bscenario\("([^"]+)"', PROGRAM.read_text("utf-8"))


@pytest.fixture(scope="module")
def played(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "java")
    return play(["java", str(PROGRAM)], "java")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_java_sdks(played: dict[str, str | None], scenario: str) -> None:
    if error := played.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)
