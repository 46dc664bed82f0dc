"""Rotations that are killed anywhere lose nothing, and the next one ends well."""

import subprocess
import sys
from pathlib import Path

import pytest

from bottool import wire
from bottool_web.actions import credentials, setup
from bottool_web.settings import SiteSettings
from bottool_web.store.scope import Principal

PROGRAM = """
import os, random, signal, sys, time
from pathlib import Path
from bottool_web.actions import credentials
from bottool_web.actions.rotation import rotate
from bottool_web.actions.setup import open_site
from bottool_web.settings import SiteSettings
from bottool_web.store.scope import Principal
settings, workspace_id, kills = SiteSettings(data=Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
somebody = Principal(kind="account", id=1, name="ana", role="administrator", workspace_id=workspace_id)
for turn in range(kills):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        site = open_site(settings)
        os.write(writing, b"!")
        while True:
            rotate(site)
    os.read(reading, 1)
    time.sleep(random.Random(turn).uniform(0, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    site = open_site(settings)
    print(sorted(credentials.read_set(site, somebody, "bank").items()))
    site.close()
"""
SECRETS = {f"key-{number}": f"value of {number} 🔑" for number in range(20)}
KILLS = 12


@pytest.mark.skipif(sys.platform == "win32", reason="it ends rotations by signals")
def test_whatever_moment_a_rotation_is_killed_at_nothing_is_lost(tmp_path: Path) -> None:
    data = tmp_path / "data"
    site = setup.open_site(SiteSettings(data=data))
    workspace_id = setup.create_workspace(site, "acme", "acme", "a key of the workspace")
    somebody = Principal(kind="account", id=1, name="ana", role="administrator", workspace_id=workspace_id)
    secrets = [wire.Secret(key=key, value=value) for key, value in SECRETS.items()]
    credentials.create(site, somebody, wire.NewCredential(label="bank", secrets=secrets))
    site.close()

    killing = [sys.executable, "-c", PROGRAM, str(data), str(workspace_id), str(KILLS)]
    found = subprocess.run(killing, capture_output=True, text=True, encoding="utf-8", check=False)
    assert found.stdout == f"{sorted(SECRETS.items())}\n" * KILLS, found.stderr

    command = [sys.executable, "-m", "bottool", "server", "rotate-key", "--data", str(data)]
    said = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    assert said.startswith(f"{len(SECRETS)} secrets are sealed anew")
    assert sorted(path.name for path in data.glob("vault*")) == ["vault.key", "vault.lock"]
    site = setup.open_site(SiteSettings(data=data))
    assert credentials.read_set(site, somebody, "bank") == SECRETS
    assert len(site.vault.key_ids()) <= 3
    refused = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    site.close()
    assert refused.returncode != 0
    assert "another server works in" in refused.stderr
