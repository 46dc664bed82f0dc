"""Packages, trees and environments: made once, by one at a time, and whole after every kill."""

import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from bottool.archive import sha256_of
from bottool.environments import Cache, make_ready
from bottool.errors import ArchiveError, BuildError, ProjectError, SettingsError
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.locks import locked
from bottool.model import Command, Inspection, Installation, Package
from bottool.plugins import Plugins

MAKER = Path(__file__).parent / "bots" / "prepares.py"


class Counting(Language):
    """Prepares an environment by writing a file, and counts how often."""

    name = "counting"
    title = "Counting"
    technologies = ("COUNTING",)

    def __init__(self, key="libraries 1.0", prepare=None):
        self.key, self.prepared, self._prepare = key, [], prepare

    def environment_key(self, installation):
        return self.key

    def prepare(self, installation, environment):
        assert list(environment.iterdir()) == []
        self.prepared.append(environment)
        (environment / "library.txt").write_text("library", encoding="utf-8")
        if self._prepare:
            self._prepare(environment)

    def command(self, installation):
        return Command(arguments=("true",))

    def recognises(self, folder):
        return False

    def scaffold(self, folder, name, template):
        (folder / "bot.txt").touch()

    def identify(self, folder):
        return "", ""

    def validate(self, project):
        return []

    def build(self, project, output):
        return output

    def inspect(self, package):
        return Inspection()

    def toolchain(self):
        return []


class Plugin:
    def __init__(self, language):
        self.language = language

    @hookimpl
    def bottool_register_languages(self):
        return [self.language]


def plugins_with(language):
    plugins = Plugins()
    plugins.add("counting", Plugin(language))
    return plugins


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def package(tmp_path):
    return a_package(tmp_path / "bot-1.0.zip", {"bot.txt": "hello", "data/preços.csv": "1;2"})


def a_package(path, files, language="counting"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    size_bytes = path.stat().st_size
    return Package(
        path=path, bot_id="bot", version="1.0", language=language, sha256=sha256_of(path), size_bytes=size_bytes
    )


def an_installation(package, tmp_path):
    return Installation(package=package, folder=tmp_path)


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_package_becomes_a_fresh_working_folder_and_an_environment(cache, package, tmp_path):
    language, notes = Counting(), []

    installation = make_ready(plugins_with(language), package, cache, tmp_path / "work" / "bot", notes.append)

    assert installation.folder == tmp_path / "work" / "bot"
    assert files_in(installation.folder) == {"bot.txt", "data/preços.csv"}
    assert (installation.environment / "library.txt").read_text(encoding="utf-8") == "library"
    assert notes == ["unpacking bot-1.0.zip", "preparing the Counting environment"]


def test_the_second_time_nothing_is_made_and_the_working_folder_is_fresh_again(cache, package, tmp_path):
    language, notes = Counting(), []
    first = make_ready(plugins_with(language), package, cache, tmp_path / "work", lambda _: None)
    (first.folder / "bot.txt").write_text("changed by the bot", encoding="utf-8")
    (first.folder / "result.csv").touch()

    second = make_ready(plugins_with(language), package, cache, tmp_path / "work", notes.append)

    assert notes == []
    assert len(language.prepared) == 1
    assert second.environment == first.environment
    assert files_in(second.folder) == {"bot.txt", "data/preços.csv"}
    assert (second.folder / "bot.txt").read_text(encoding="utf-8") == "hello"


def test_what_a_bot_writes_never_reaches_the_kept_tree(cache, package, tmp_path):
    work = make_ready(plugins_with(Counting("")), package, cache, tmp_path / "work", lambda _: None).folder

    (work / "bot.txt").write_text("changed by the bot", encoding="utf-8")

    assert (cache.unpacked(package) / "bot.txt").read_text(encoding="utf-8") == "hello"


def test_a_language_that_needs_no_environment_gets_none(cache, package, tmp_path):
    language = Counting("")

    assert make_ready(plugins_with(language), package, cache, tmp_path / "work", lambda _: None).environment is None
    assert language.prepared == []


def test_equal_keys_share_an_environment_and_other_keys_or_languages_do_not(cache, package, tmp_path):
    class Other(Counting):
        name = "other"

    installation = an_installation(package, tmp_path)
    first = cache.environment(Counting("a"), installation)

    assert cache.environment(Counting("a"), installation) == first
    assert cache.environment(Counting("b"), installation) != first
    assert cache.environment(Other("a"), installation) != first


def test_a_tool_that_fails_leaves_nothing_and_the_next_try_starts_anew(cache, package, tmp_path):
    def fails(environment):
        raise BuildError("uv failed", output="no such package")

    installation = an_installation(package, tmp_path)
    with pytest.raises(BuildError, match="uv failed"):
        cache.environment(Counting(prepare=fails), installation)
    assert list((cache.root / "environments").iterdir()) == []

    again = Counting()
    assert (cache.environment(again, installation) / "library.txt").exists()
    assert len(again.prepared) == 1


def test_an_environment_that_was_deleted_is_made_again(cache, package, tmp_path):
    language, installation = Counting(), an_installation(package, tmp_path)
    environment = cache.environment(language, installation)
    (environment / "library.txt").unlink()
    environment.rmdir()

    assert (cache.environment(language, installation) / "library.txt").exists()
    assert len(language.prepared) == 2


@pytest.mark.parametrize("content", ["", "..", ".", "no-such-folder", "\xe9"])
def test_a_damaged_ready_file_means_not_ready(cache, package, tmp_path, content):
    language, installation = Counting(), an_installation(package, tmp_path)
    environment = cache.environment(language, installation)
    (environment.parent / ".ready").write_text(content, encoding="utf-8")

    assert cache.environment(language, installation).parent == environment.parent
    assert len(language.prepared) == 2


def test_a_package_that_is_not_what_its_checksum_says_is_refused(cache, package, tmp_path):
    with package.path.open("ab") as file:
        file.write(b"x")

    with pytest.raises(ArchiveError, match="checksum") as raised:
        make_ready(plugins_with(Counting()), package, cache, tmp_path / "work", lambda _: None)

    assert raised.value.reason == "wrong_checksum"
    assert not (tmp_path / "work").exists()


def test_an_archive_that_is_refused_leaves_nothing_behind(cache, tmp_path):
    package = a_package(tmp_path / "evil.zip", {"../outside.txt": "x"})

    with pytest.raises(ArchiveError):
        cache.unpacked(package)

    assert files_in(cache.root / "trees") == set()
    assert not (tmp_path / "outside.txt").exists()


def test_an_unknown_language_is_named_before_anything_is_made(cache, tmp_path):
    package = a_package(tmp_path / "bot.zip", {"bot.rb": "x"}, language="ruby")

    with pytest.raises(ProjectError, match="ruby"):
        make_ready(plugins_with(Counting()), package, cache, tmp_path / "work", lambda _: None)

    assert not cache.root.exists()


def test_packages_are_kept_by_checksum(cache, package):
    assert not cache.has_package(package.sha256)

    kept = cache.add_package(package.path, package.sha256)

    assert cache.has_package(package.sha256)
    assert cache.package_path(package.sha256) == kept
    assert kept.name == "bot-1.0.zip"
    assert kept.read_bytes() == package.path.read_bytes()
    assert cache.add_package(package.path, package.sha256) == kept


def test_a_package_with_another_checksum_is_not_kept(cache, package):
    with pytest.raises(ArchiveError, match="checksum"):
        cache.add_package(package.path, "0" * 64)

    assert not cache.has_package("0" * 64)


def test_a_cache_that_cannot_be_written_is_named(tmp_path, package):
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="file") as raised:
        Cache(tmp_path / "file" / "cache").unpacked(package)

    assert "BOTTOOL_CACHE" in raised.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="modes of folders")
def test_an_environment_with_read_only_folders_can_be_thrown_away(cache, package, tmp_path):
    def fails(environment):
        (environment / "locked").mkdir()
        (environment / "locked" / "file").touch()
        (environment / "locked").chmod(0o500)
        raise BuildError("failed")

    with pytest.raises(BuildError):
        cache.environment(Counting(prepare=fails), an_installation(package, tmp_path))

    assert list((cache.root / "environments").iterdir()) == []


def test_one_makes_an_environment_while_the_others_wait_and_are_told(cache, package, tmp_path):
    go_on = threading.Event()
    slow = Counting(prepare=lambda _: go_on.wait(20))
    installation = an_installation(package, tmp_path)
    made, notes = [], []
    threads = [
        threading.Thread(target=lambda: made.append(cache.environment(slow, installation, note=notes.append)))
        for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    wait_until(lambda: len(notes) == 4)
    go_on.set()
    for thread in threads:
        thread.join()

    assert len(slow.prepared) == 1
    assert set(made) == {slow.prepared[0]}
    assert min(notes).startswith("another bot prepares the same Counting environment")
    assert notes.count("preparing the Counting environment") == 1


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.005)


def start_maker(root, how):
    """A process that makes an environment: quickly, or until it is killed."""
    return subprocess.Popen(
        [sys.executable, str(MAKER), str(root), how], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )


def test_a_maker_that_is_killed_half_way_costs_nothing_but_its_time(cache):
    killed = start_maker(cache.root, "hang")
    half_made = Path(json.loads(killed.stdout.readline()))
    waiting = start_maker(cache.root, "quick")

    killed.kill()
    killed.wait()
    killed.stdout.close()
    *_, said = waiting.communicate(timeout=30)[0].splitlines()

    environment = Path(json.loads(said))
    assert (environment / "whole.txt").exists()
    assert environment != half_made
    assert not half_made.exists()


def test_killed_at_any_moment_the_cache_is_whole_afterwards(cache):
    for milliseconds in range(0, 120, 12):
        maker = start_maker(cache.root / str(milliseconds), "quick")
        time.sleep(0.04 + milliseconds / 1000)
        maker.kill()
        maker.communicate()

        again = start_maker(cache.root / str(milliseconds), "quick")
        said = again.communicate(timeout=30)[0].splitlines()[-1]

        assert files_in(Path(json.loads(said))) == {"half.txt", "whole.txt"}


def test_many_processes_make_one_environment(cache):
    makers = [start_maker(cache.root, "quick") for _ in range(4)]

    said = [maker.communicate(timeout=60)[0].splitlines() for maker in makers]

    assert len({lines[-1] for lines in said}) == 1
    assert sorted(len(lines) for lines in said) == [1, 1, 1, 2]


def test_a_lock_is_let_go_when_its_holder_is_killed(tmp_path):
    code = "import sys, time; from pathlib import Path; from bottool.locks import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(120)"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    waited = []
    threading.Timer(0.2, holder.kill).start()

    with locked(tmp_path / "lock", waiting=lambda: waited.append(True)):
        assert waited == [True]

    holder.wait()
    holder.stdout.close()
