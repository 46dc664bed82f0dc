"""What a site keeps is its own: other users of the machine cannot read it, in whatever folder it lies."""

import os
from pathlib import Path

import pytest

from bottool_web.actions.setup import open_site
from bottool_web.settings import SiteSettings

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows keeps a user's folders private by itself")


def test_nobody_else_can_read_the_database_and_the_files_in_an_open_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)

    site = open_site(SiteSettings(data=data))
    kept = [path for path in data.iterdir() if path.name != "site.lock"]
    site.close()

    assert {"site.db", "site.key", "files"} <= {path.name for path in kept}
    assert [path.name for path in kept if path.exists() and path.stat().st_mode & 0o077] == []
