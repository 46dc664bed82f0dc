"""What the chaos tests share: the package ``nemesis`` beside this file, and one installation for rounds to begin with."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from nemesis import rounds


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rounds.make_template(tmp_path_factory.mktemp("chaos") / "template")
