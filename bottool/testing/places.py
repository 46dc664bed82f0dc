"""Fixtures for places on the disk that a test may fill."""

from pathlib import Path

import pytest


@pytest.fixture
def cache_root(tmp_path: Path) -> Path:
    """An empty folder for a cache, with a blank and accents in its name, that no other test sees."""
    folder = tmp_path / "cache ação"
    folder.mkdir()
    return folder
