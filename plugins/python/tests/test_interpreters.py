"""Which Python a bot gets: found, or fetched from where the owner of the machine allows."""

import hashlib
import json
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bottool.errors import ToolMissing
from bottool_python import tool
from bottool_python.interpreters import MIRROR, Interpreters


def test_the_python_that_runs_bottool_is_taken_when_it_fits(tmp_path):
    assert Interpreters(store=tmp_path).choose(">=3.8") == sys.executable


def other_python():
    """Another Python that uv finds on this machine; its range and version."""
    found = subprocess.run(
        [tool.find_uv(), "python", "list", "--only-installed", "--output-format", "json"],
        env=tool.variables(),
        capture_output=True,
        check=True,
    )
    for each in json.loads(found.stdout):
        parts = each["version_parts"]
        if each["implementation"] == "cpython" and (parts["major"], parts["minor"]) != sys.version_info[:2]:
            return f"=={parts['major']}.{parts['minor']}.*"
    return ""


def test_another_python_on_this_machine_is_found(tmp_path):
    wanted = other_python()
    if not wanted:
        pytest.skip("no other Python on this machine")

    path = Interpreters(store=tmp_path).choose(wanted)

    assert Path(path).exists()
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.split()[1].startswith(wanted.strip("=*."))


def test_nothing_is_fetched_unless_the_owner_says_from_where(tmp_path):
    with pytest.raises(ToolMissing, match=r"wants Python ==3\.99") as caught:
        Interpreters(store=tmp_path).choose("==3.99.*")

    assert MIRROR in caught.value.hint


def test_a_mirror_without_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(MIRROR, str(tmp_path))

    with pytest.raises(ToolMissing, match=r"fetching Python ==3\.99"):
        Interpreters(store=tmp_path / "store").choose("==3.99.*")


def test_an_environment_is_another_one_when_its_python_went_away(tmp_path):
    places = Interpreters(store=tmp_path)
    wanted = "==3.99.*"
    before = places.identity(wanted)
    python = tmp_path / "python"
    python.write_text("")
    record = places._record(wanted)
    record.parent.mkdir()
    record.write_text(f"{python}\n")

    assert places.identity(wanted) == before

    python.unlink()
    gone = places.identity(wanted)
    assert gone != before

    # The next one that is found does not change it again.
    record.write_text(f"{python}\n{sys.executable}\n")
    assert places.identity(wanted) == gone


@pytest.mark.skipif(sys.platform != "linux", reason="the mirror is made from a Python of Linux")
def test_a_python_is_fetched_from_a_mirror_in_a_folder(tmp_path, monkeypatch):
    """The mirror holds an interpreter that says of itself what was asked for: a script, enough for uv to ask it."""
    version = "3.99.1"
    tree = tmp_path / "made" / "python" / "bin"
    tree.mkdir(parents=True)
    claims = f"""#!{sys.executable}
import os, sys
here = os.path.abspath(sys.argv[0])
lie = (
    "import sys, platform; sys.version_info = (3, 99, 1, 'final', 0); platform.python_version = lambda: '{version}'; "
    f"sys.executable = sys._base_executable = {{here!r}}; sys.prefix = sys.base_prefix = {{os.path.dirname(here)!r}}; "
)
words = [lie + word if before == "-c" else word for before, word in zip(sys.argv, sys.argv[1:])]
os.execv({sys.executable!r}, [{sys.executable!r}, *words])
"""
    library = tmp_path / "made/python/lib/python3.99"
    library.mkdir(parents=True)
    (library / f"_sysconfigdata__linux_{platform.machine()}-linux-gnu.py").write_text(
        "# system configuration generated and used by the sysconfig module\nbuild_time_vars = {}\n"
    )
    (tree / "python3.99").write_text(claims)
    (tree / "python3.99").chmod(0o755)
    (tree / "python").symlink_to("python3.99")
    archive = tmp_path / "python.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "made" / "python", "python")
    machine = platform.machine()
    listing = {
        f"cpython-{version}-linux-{machine}-gnu": {
            "name": "cpython",
            "arch": {"family": machine, "variant": None},
            "os": "linux",
            "libc": "gnu",
            "major": 3,
            "minor": 99,
            "patch": 1,
            "prerelease": "",
            "url": archive.as_uri(),
            "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
            "variant": None,
            "build": "20300101",
        }
    }
    (tmp_path / "listing.json").write_text(json.dumps(listing))
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS_JSON_URL", str(tmp_path / "listing.json"))
    store = tmp_path / "store"
    store.mkdir()

    path = Interpreters(store=store).choose("==3.99.*")

    assert Path(path).is_relative_to(store / "pythons")
    # The next time it is there already.
    archive.unlink()
    assert Interpreters(store=store).choose("==3.99.*") == path
