"""``bottool build`` and ``bottool lock`` as a person types them."""

import json
import os
import sys
from pathlib import Path

import pytest


def test_list_shows_what_would_be_packed_and_builds_nothing(bottool, python_bot):
    folder = python_bot("mine", "print('hello')")
    (folder / ".env").write_text("PASSWORD=secret")
    (folder / "venv").mkdir()
    (folder / "venv" / "pyvenv.cfg").write_text("12345")

    done = bottool("build", str(folder), "--list")

    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["FILE", "bot.toml", "work.py"]
    assert "left out: .env (may hold secrets; set its values on the server)" in done.stderr
    assert "left out 2 files, 20 B: .env (may hold secrets" in done.stderr
    assert "the build adds bottool.json" in done.stderr
    assert not (folder / "dist").exists()


def test_list_speaks_json(bottool, python_bot):
    folder = python_bot("mine", "print('hello')")
    for number in range(12):
        (folder / f"data{number:02}").write_bytes(b"x" * (1000 + number))
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("x")

    said = bottool.json("build", str(folder), "--list")

    assert [each["name"] for each in said["biggest"]] == [f"data{number:02}" for number in range(11, 1, -1)]
    assert said["size_bytes"] == sum(each["size_bytes"] for each in said["files"])
    assert said["left_out"] == [{"why": "version control", "names": [".git/"], "files": 1, "size_bytes": 1}]
    assert (said["needs_lock"], said["compiles"], said["refused"]) == (False, False, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot hold such names at all")
def test_a_name_that_no_package_can_hold_is_said_with_a_hint(bottool, python_bot):
    folder = python_bot("mine", "print('hello')")
    (folder / "aux.txt").touch()

    listed = bottool("build", str(folder), "--list")
    built = bottool("build", str(folder))

    assert (
        "warning: this cannot be packed: 'aux.txt' cannot be a file's name on Windows; rename the file" in listed.stderr
    )
    assert (listed.returncode, built.returncode) == (0, 3)
    assert "'aux.txt' cannot be a file's name on Windows" in built.stderr
    assert "hint: rename the file" in built.stderr
    assert not (folder / "dist").exists()


def test_one_line_says_what_was_left_out(bottool, python_bot):
    folder = python_bot("mine", "print('hello')")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("12345")
    for number in range(4):
        (folder / f"{number}.log").write_text("1")

    done = bottool("build", str(folder))

    # Nobody expects version control in a package.
    assert "left out 4 files, 4 B: a log (0.log, 1.log and 2 more)\n" in done.stderr
    assert "#" not in done.stderr


def test_the_second_build_says_that_nothing_changed(bottool, python_bot):
    folder = python_bot("mine", "print('hello')")

    first = bottool("build", str(folder))
    second = bottool("build", str(folder))
    fresh = bottool("build", str(folder), "--fresh")

    assert "built mine 1.0.0" in first.stderr
    assert "mine 1.0.0 is up to date" in second.stderr
    assert second.stdout == first.stdout
    assert "built mine 1.0.0" in fresh.stderr


def test_all_builds_every_bot_into_its_own_folder(bottool, python_bot, tmp_path):
    repository = tmp_path / "repository"
    folders = [python_bot(name, "print('hello')", within=repository) for name in ("one", "two")]

    done = bottool("build", str(repository), "--all")

    assert done.returncode == 0, done.stderr
    assert [line.split()[:4] for line in done.stdout.splitlines()[1:]] == [
        ["one", "one", "1.0.0", "built"],
        ["two", "two", "1.0.0", "built"],
    ]
    assert all((folder / "dist" / f"{folder.name}-1.0.0.zip").exists() for folder in folders)


def test_one_that_fails_does_not_stop_the_others_and_its_status_counts(bottool, python_bot, tmp_path):
    repository = tmp_path / "repository"
    python_bot("a-broken", "print('hello')", within=repository)
    (repository / "a-broken" / "bot.toml").write_text('language = "command"\nversion = 3\n')
    good = python_bot("good", "print('hello')", within=repository)

    done = bottool("build", str(repository), "--all", "--json")

    assert done.returncode == 3
    rows = json.loads(done.stdout)
    assert [(row["folder"], row["result"][:6]) for row in rows] == [("a-broken", "failed"), ("good", "built")]
    assert (good / "dist" / "good-1.0.0.zip").exists()


def test_two_bots_of_one_name_are_refused_before_anything_is_built(bottool, python_bot, tmp_path):
    repository = tmp_path / "repository"
    for place in ("a", "b"):
        python_bot("twin", "print('hello')", within=repository / place)
    python_bot("other", "print('hello')", within=repository)

    done = bottool("build", str(repository), "--all")

    assert done.returncode == 3
    assert "two bots are called 'twin'" in done.stderr
    assert not list(repository.rglob("*.zip"))


def test_all_goes_into_one_folder_when_that_is_asked_for(bottool, python_bot, tmp_path):
    for name in ("one", "two"):
        python_bot(name, "print('hello')", within=tmp_path / "repository")

    bottool("build", str(tmp_path / "repository"), "--all", "--out", str(tmp_path / "out"))

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one-1.0.0.zip", "two-1.0.0.zip"]


def test_locks_cannot_be_renewed_and_left_away_at_once(bottool, python_bot):
    done = bottool("build", str(python_bot("mine", "1")), "--relock", "--no-lock")

    assert done.returncode == 2


PLUGIN = """
from bottool.hookspecs import hookimpl
from bottool.model import Lock
from bottool.testing import Notes

class Locking(Notes):
    name = "locking"
    def recognises(self, folder):
        return (folder / "bot.locking").is_file()
    def lock_key(self, project):
        return "" if (project.folder / "notes.lock").exists() else "x"
    def lock(self, project):
        return Lock(file="notes.lock", data=(project.folder / "answer").read_bytes())

@hookimpl
def bottool_register_languages():
    return [Locking()]
"""


@pytest.fixture
def locking(bottool, tmp_path: Path) -> Path:
    """A bot of a language that locks, brought by an installed plugin."""
    site = tmp_path / "site"
    (site / "locking_plugin-1.dist-info").mkdir(parents=True)
    (site / "locking_plugin.py").write_text(PLUGIN)
    (site / "locking_plugin-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: locking-plugin\nVersion: 1\n"
    )
    (site / "locking_plugin-1.dist-info" / "entry_points.txt").write_text("[bottool]\nlocking = locking_plugin\n")
    folder = tmp_path / "a-bot"
    folder.mkdir()
    (folder / "bot.locking").touch()
    (folder / "answer").write_text("pandas==1 \\\n    --hash=sha256:" + "0" * 64 + "\nsix==1\n")
    bottool.variables["PYTHONPATH"] = os.pathsep.join([str(site), *filter(None, [bottool.variables.get("PYTHONPATH")])])
    return folder


def test_lock_writes_the_file_and_says_what_changed(bottool, locking):
    first = bottool("lock", str(locking))
    again = bottool("lock", str(locking))
    (locking / "answer").write_text("pandas==2\nsix==1\n")
    upgraded = bottool("lock", str(locking), "--upgrade")

    assert first.stdout.splitlines() == ["+ pandas==1", "+ six==1"], first.stderr
    assert "has its lock, or needs none" in again.stderr
    assert upgraded.stdout.splitlines() == ["- pandas==1", "+ pandas==2"]
    assert (locking / "notes.lock").read_text() == "pandas==2\nsix==1\n"
    assert sorted(path.name for path in locking.iterdir()) == ["answer", "bot.locking", "notes.lock"]


def test_lock_speaks_json(bottool, locking):
    said = bottool.json("lock", str(locking))

    assert (said["changed"], said["changes"]) == (True, ["+ pandas==1", "+ six==1"])


def test_a_run_takes_the_lock_that_a_build_resolved(bottool, locking):
    (locking / "bot.note").write_text("print('hello')\n")
    built = bottool("build", str(locking))
    assert "resolving" in built.stderr

    done = bottool("run", str(locking), "--no-server")

    assert done.stdout == "hello\n", done.stderr
    assert "resolving" not in done.stderr


def test_a_bar_is_drawn_on_a_terminal_after_a_second_only(monkeypatch, capsys):
    from bottool.cli.progress import bar

    times = iter([0.0, 0.5, 1.5, 1.55, 2.0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    with bar("packing x", lambda: next(times)) as tell:
        for done in (100, 500, 600, 1000):
            tell(done, 1000)

    drawn = capsys.readouterr().err
    assert "100 B of" not in drawn
    assert "packing x ############............ 500 B of 1.0 kB" in drawn
    assert "600 B" not in drawn
    assert drawn.endswith("\r\x1b[K")
