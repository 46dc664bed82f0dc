"""Rotations that are killed anywhere lose nothing, and the next one ends well."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bottool import wire
from bottool_web.actions import credentials, setup
from bottool_web.settings import SiteSettings
from bottool_web.store.scope import Principal

PROGRAM = """
import sys
from pathlib import Path
from bottool_web.actions.rotation import rotate
from bottool_web.actions.setup import open_site
from bottool_web.settings import SiteSettings
site = open_site(SiteSettings(data=Path(sys.argv[1])))
print("begins", flush=True)
while True:
    rotate(site)
    print("turned", flush=True)
"""
SECRETS = {f"key-{number}": f"value of {number} 🔑" for number in range(40)}
KILLS = 8


@pytest.mark.skipif(sys.platform == "win32", reason="it ends rotations by signals")
def test_whatever_moment_a_rotation_is_killed_at_nothing_is_lost(tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(17)
    site = setup.open_site(SiteSettings(data=data))
    workspace_id = setup.create_workspace(site, "acme", "acme", "a key of the workspace")
    somebody = Principal(kind="account", id=1, name="ana", role="administrator", workspace_id=workspace_id)
    secrets = [wire.Secret(key=key, value=value) for key, value in SECRETS.items()]
    credentials.create(site, somebody, wire.NewCredential(label="bank", secrets=secrets))
    site.close()

    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", PROGRAM, str(data)], stdout=subprocess.PIPE) as rotating:
            assert rotating.stdout is not None
            assert rotating.stdout.readline() == b"begins\n"
            time.sleep(chance.uniform(0, 0.4))  # the moment is the point: whichever it is
            rotating.send_signal(signal.SIGKILL)
        site = setup.open_site(SiteSettings(data=data))
        assert credentials.read_set(site, somebody, "bank") == SECRETS
        site.close()

    command = [sys.executable, "-m", "bottool", "server", "rotate-key", "--data", str(data)]
    for _ in range(2):
        said = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout
        assert said.startswith(f"{len(SECRETS)} secrets are sealed anew")
    assert "(2 keys)" in said
    assert sorted(path.name for path in data.glob("vault*")) == ["vault.key", "vault.lock"]
    site = setup.open_site(SiteSettings(data=data))
    assert credentials.read_set(site, somebody, "bank") == SECRETS
    refused = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    site.close()
    assert refused.returncode != 0
    assert "another server works in" in refused.stderr
