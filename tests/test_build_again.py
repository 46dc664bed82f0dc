"""Building a second time: what is unchanged is taken as it is, what was resolved stays, and nobody trips over others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bottool import archive, stamps
from bottool.build import How, build
from bottool.errors import BuildError, PluginError, ProjectError, ToolMissing, Unreachable
from bottool.model import Lock, Project
from bottool.project import find
from bottool.testing import Notes, plugins_with


class Steady(Notes):
    """Says what its packages depend on, so that an untouched folder need not be built again."""

    def build_key(self, project):
        return "1"


class Locking(Steady):
    """Resolves what ``wanted`` in the folder names, and counts how often."""

    answers: list[object]

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def lock_key(self, project):
        wanted = project.folder / "wanted"
        return wanted.read_text() if wanted.exists() and not (project.folder / "notes.lock").exists() else ""

    def lock(self, project):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Lock(file="notes.lock", data=bytes(answer))

    def build(self, project, output):
        entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
        if project.lock:
            entries[project.lock.file] = project.lock.data
        package = output / f"{project.bot_id}-{project.version}.zip"
        archive.pack_zip(package, entries, manifest=archive.manifest(project, entry="bot.note"))
        return package


PLUGINS = plugins_with(Steady())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-bot"
    (folder / "data").mkdir(parents=True)
    (folder / "bot.note").write_text("print('hello')\n", encoding="utf-8")
    (folder / "data" / "a.csv").write_text("1", encoding="utf-8")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def built(folder: Path, cache: Path, plugins=PLUGINS, project: Project | None = None, **how: bool):
    return build(plugins, project or find(folder, plugins), folder / "dist", cache=cache, how=How(**how))


# Untouched.


def test_an_untouched_folder_is_not_built_again(folder, cache):
    first = built(folder, cache)
    second = built(folder, cache)

    assert (first.up_to_date, second.up_to_date) == (False, True)
    assert second.package == first.package
    assert (second.problems, second.left_out) == (first.problems, first.left_out)


def grow(folder: Path) -> None:
    (folder / "data" / "b.csv").write_text("2")


def same_size_same_time(folder: Path) -> None:
    path = folder / "data" / "a.csv"
    times = path.stat()
    path.write_text("9")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        grow,
        same_size_same_time,
        lambda folder: (folder / "data" / "a.csv").unlink(),
        lambda folder: (folder / "data" / "a.csv").rename(folder / "data" / "c.csv"),
        lambda folder: (folder / ".gitignore").write_text("data/"),
        lambda folder: (folder / ".bottoolignore").write_text("*.csv"),
        lambda folder: (folder / "bot.toml").write_text('language = "notes"\nexclude = ["data"]\n'),
        lambda folder: (folder / "new").mkdir(),
        lambda folder: (folder / "data" / "pyvenv.cfg").touch(),
        lambda folder: next((folder / "dist").glob("*.zip")).unlink(),
        lambda folder: next((folder / "dist").glob("*.zip")).write_bytes(b"PK\x03\x04"),
        lambda folder: os.utime(next((folder / "dist").glob("*.zip")), (1, 1)),
    ],
)
def test_whatever_changes_is_noticed(folder, cache, change):
    built(folder, cache)
    assert built(folder, cache).up_to_date

    change(folder)
    if any(path.stat().st_size == 4 for path in (folder / "dist").glob("*.zip")):
        with pytest.raises(ProjectError, match="is not overwritten"):
            built(folder, cache)
        return

    again = built(folder, cache)
    assert not again.up_to_date
    assert again.package.sha256 == build(PLUGINS, find(folder, PLUGINS), folder.parent / "elsewhere").package.sha256


def test_a_package_that_goes_away_again_is_not_remembered(folder, cache):
    first = build(PLUGINS, find(folder, PLUGINS), folder / "dist", cache=cache, how=How(once=True))
    again = build(PLUGINS, find(folder, PLUGINS), folder / "dist", cache=cache, how=How(once=True))

    assert (first.up_to_date, again.up_to_date) == (False, False)
    assert list(cache.rglob("*.json")) == []


def test_a_change_within_the_same_tick_of_the_clock_is_noticed(folder, monkeypatch):
    path = folder / "data" / "a.csv"
    state = stamps.look(folder, archive.source_files(folder), (), time.time_ns())
    # As if the file system could not tell the two writes apart: everything that stat says is the same.
    seen = os.stat
    before = seen(path)
    path.write_text("9")
    monkeypatch.setattr(os, "stat", lambda each, **more: before if str(each) == str(path) else seen(each, **more))

    assert not stamps.holds(state)


def test_what_is_doubtful_becomes_certain_with_time(folder):
    now = time.time_ns()
    state = stamps.look(folder, archive.source_files(folder), (), now)

    assert len(state.doubtful) == 4
    assert stamps.renewed(state, now + 10_000_000_000).doubtful == {}


def test_an_ignore_file_of_a_folder_above_counts(folder, cache):
    (folder.parent / ".git").mkdir()
    built(folder, cache)
    assert built(folder, cache).up_to_date

    (folder.parent / ".gitignore").write_text("*.csv")

    assert "data/a.csv" not in archive.check(built(folder, cache).package.path).names


def test_other_options_versions_and_languages_keys_build_anew(folder, cache):
    built(folder, cache)
    newer = plugins_with(type("Newer", (Steady,), {"build_key": lambda *_: "2"})())
    never = plugins_with(type("Never", (Steady,), {"build_key": lambda *_: None})())
    (folder / "bot.toml").write_text('language = "notes"\nentry = "bot.note"\n')

    assert not built(folder, cache).up_to_date
    assert not built(folder, cache, newer).up_to_date
    assert [built(folder, cache, never).up_to_date for _ in range(2)] == [False, False]
    assert not built(folder, cache, project=find(folder, PLUGINS, version="2")).up_to_date


def test_a_key_that_breaks_is_blamed_on_its_plugin(folder, cache):
    broken = plugins_with(type("Broken", (Steady,), {"build_key": lambda *_: 1 / 0})())

    with pytest.raises(PluginError, match=r"failed in notes\.build_key: ZeroDivisionError"):
        built(folder, cache, broken)


def test_fresh_builds_all_the_same(folder, cache):
    first = built(folder, cache)

    again = built(folder, cache, fresh=True)

    assert not again.up_to_date
    assert again.package.sha256 == first.package.sha256


def test_a_damaged_stamp_costs_a_build_and_nothing_else(folder, cache):
    built(folder, cache)
    for path in (cache / "builds").iterdir():
        path.write_text("{")

    assert [built(folder, cache).up_to_date for _ in range(2)] == [False, True]


def test_what_a_language_keeps_of_what_is_left_out_counts_too(folder, cache):
    class Keeping(Steady):
        def build(self, project, output):
            entries = dict(archive.source_files(project.folder, project.exclude, keep=("target",)).files)
            archive.pack_zip(output / "x.zip", entries, manifest=archive.manifest(project, entry="bot.note"))
            return output / "x.zip"

    plugins = plugins_with(Keeping())
    (folder / "target" / "classes").mkdir(parents=True)
    (folder / "target" / "made.js").write_text("1")
    built(folder, cache, plugins)
    assert built(folder, cache, plugins).up_to_date

    (folder / "target" / "made.js").write_text("2")

    assert not built(folder, cache, plugins).up_to_date


# Locks.


def test_what_was_resolved_is_packed_and_stays(folder, cache):
    (folder / "wanted").write_text("pandas")
    plugins = plugins_with(Locking(b"pandas 1"))

    first = built(folder, cache, plugins)
    second = built(folder, cache, plugins, fresh=True)
    third = built(folder, cache, plugins)

    assert archive.read_member(first.package.path, "notes.lock", 100) == b"pandas 1"
    assert first.package.manifest["lock"] == "notes.lock"
    assert first.problems == ()
    assert (second.package.sha256, third.up_to_date) == (first.package.sha256, True)


def test_another_wish_is_resolved_anew_and_so_is_what_a_person_asks_for(folder, cache):
    (folder / "wanted").write_text("pandas")
    plugins = plugins_with(Locking(b"1", b"2", b"3"))
    packages = [built(folder, cache, plugins).package.path.read_bytes()]

    packages.append(built(folder, cache, plugins, relock=True).package.path.read_bytes())
    (folder / "wanted").write_text("polars")
    last = built(folder, cache, plugins)

    assert packages[0] != packages[1]
    assert archive.read_member(last.package.path, "notes.lock", 10) == b"3"


@pytest.mark.parametrize("error", [Unreachable("no index answers"), ToolMissing("there is no uv")])
def test_without_an_index_it_is_packed_without_a_lock_and_says_why(folder, cache, error):
    (folder / "wanted").write_text("pandas")
    plugins = plugins_with(Locking(error, b"1"))

    first = built(folder, cache, plugins)
    assert "notes.lock" not in archive.check(first.package.path).names
    second = built(folder, cache, plugins)

    assert [(each.code, each.message) for each in first.problems] == [
        ("not_locked", f"packed without a lock: {error.message}")
    ]
    assert second.package.manifest["lock"] == "notes.lock"


def test_a_lock_can_be_done_without(folder, cache):
    (folder / "wanted").write_text("pandas")
    plugins = plugins_with(Locking())

    first = built(folder, cache, plugins, locked=False)
    second = built(folder, cache, plugins, locked=False)

    assert [each.code for each in first.problems] == ["not_locked"]
    assert (second.up_to_date, second.problems) == (True, first.problems)


def test_what_can_never_be_satisfied_stops_the_build(folder, cache):
    (folder / "wanted").write_text("pandas==99")
    plugins = plugins_with(Locking(BuildError("nothing satisfies pandas==99")))

    with pytest.raises(BuildError, match="nothing satisfies"):
        built(folder, cache, plugins)

    assert not (folder / "dist").exists()


def test_a_resolver_that_breaks_is_named(folder, cache):
    (folder / "wanted").write_text("x")

    with pytest.raises(PluginError, match=r"failed in notes\.lock: ValueError: odd"):
        built(folder, cache, plugins_with(Locking(ValueError("odd"))))


# Several at once, and dead ones.

SLOW = """
import sys, time
from pathlib import Path
from bottool import archive
from bottool.build import build
from bottool.project import find
from bottool.testing import Notes, plugins_with
class Slow(Notes):
    def build(self, project, output):
        (output / "half").write_text("x")
        print("building", flush=True)
        time.sleep(float(sys.argv[3]))
        (output / "half").unlink()
        return super().build(project, output)
plugins = plugins_with(Slow())
print(build(plugins, find(Path(sys.argv[1]), plugins, bot_id=sys.argv[4]), Path(sys.argv[2])).package.sha256)
"""


def slow(folder: Path, out: Path, seconds: float, bot_id: str = "my-bot") -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-c", SLOW, str(folder), str(out), str(seconds), bot_id]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "building\n"
    return started


def test_two_builds_into_one_folder_do_not_mix(folder, tmp_path):
    out = tmp_path / "out"
    started = [slow(folder, out, 0.5), slow(folder, out, 0.3, "other")]

    said = [each.communicate(timeout=60)[0].strip() for each in started]

    assert sorted(path.name for path in out.iterdir()) == ["my-bot-1.0.0.zip", "other-1.0.0.zip"]
    assert said == [archive.sha256_of(out / f"{name}-1.0.0.zip") for name in ("my-bot", "other")]


def test_a_build_that_lives_keeps_its_folder_when_another_begins(folder, tmp_path):
    out = tmp_path / "out"
    living = slow(folder, out, 1.5)

    build(PLUGINS, find(folder, PLUGINS), out)

    living.communicate(timeout=60)
    assert living.returncode == 0
    assert [path.name for path in out.iterdir()] == ["my-bot-1.0.0.zip"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_what_a_killed_build_left_goes_with_the_next(folder, tmp_path):
    out = tmp_path / "out"
    killed = slow(folder, out, 60)
    killed.kill()
    killed.communicate(timeout=60)
    assert [path.name[:10] for path in out.iterdir()] == [".building-"]
    (out / ".building-of-someone-older").mkdir()
    os.utime(out / ".building-of-someone-older", (time.time() - 3600,) * 2)

    build(PLUGINS, find(folder, PLUGINS), out)

    assert [path.name for path in out.iterdir()] == ["my-bot-1.0.0.zip"]
