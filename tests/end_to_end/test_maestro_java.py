"""Both generations of the Java SDK, from a program over plain HTTP, against a real server."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.end_to_end

SOURCES = sorted((Path(__file__).resolve().parent.parent / "maestro_clients" / "java").glob("*.java"))
SCENARIOS = [name for path in SOURCES for name in re.findall(r'\bscenario\("([^"]+)"', path.read_text("utf-8"))]


@pytest.fixture(scope="module")
def played(town: Any, play: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    classes = str(tmp_path_factory.mktemp("java"))
    subprocess.run(["javac", "-d", classes, *map(str, SOURCES)], check=True)
    town.bottool("automation", "create", "java")
    return play(["java", "-cp", classes, "MaestroClient"], "java")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_java_sdks(played: dict[str, str | None], scenario: str) -> None:
    if error := played.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)
