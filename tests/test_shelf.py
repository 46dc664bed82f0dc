"""Things of the cache: damage is found and mended once, what is used is never removed, and kills leave no half."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bottool import cache_use, manifests
from bottool.shelf import About, Shelf, Thing

HOLDER = Path(__file__).parent / "bots" / "holds.py"
THING = Thing("environments", "key")
ABOUT = About(label="an environment", strict=False, store="any")


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "cache")


class Maker:
    """Writes two files and a link, and counts how often it was asked."""

    def __init__(self, also=lambda _folder: None):
        self.times, self._also = 0, also

    def __call__(self, folder):
        self.times += 1
        (folder / "bin").mkdir()
        (folder / "bin" / "library.py").write_text("sound = True\n", encoding="utf-8")
        (folder / "notes.txt").write_text("notes", encoding="utf-8")
        self._also(folder)


def have(shelf, make, about=ABOUT):
    return shelf.have(THING, make, about)


def flip(path):
    """Change one bit, as a bad disk or a careless bot does."""
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))


def truncate(path):
    os.truncate(path, 3)


def later(path):
    """The same bytes, written again."""
    path.write_bytes(path.read_bytes())
    os.utime(path, (1, 1))


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink, replaced_by_a_folder])
def test_damage_is_found_before_the_next_use_and_mended_once(shelf, damage):
    make = Maker()
    first = have(shelf, make)
    shelf.release()

    damage(first / "bin" / "library.py")

    again = have(shelf, make)
    assert (again / "bin" / "library.py").read_text(encoding="utf-8") == "sound = True\n"
    assert have(shelf, make) == again != first
    assert make.times == 2
    assert not first.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links")
def test_another_mode_and_a_link_that_leads_nowhere_are_damage_too(shelf, tmp_path):
    interpreter = tmp_path / "python"
    interpreter.touch()
    make = Maker(lambda folder: (folder / "python").symlink_to(interpreter))
    first = have(shelf, make)
    (first / "bin" / "library.py").chmod(0o600)
    assert have(shelf, make) != first

    interpreter.unlink()

    have(shelf, make)
    assert make.times == 3


def test_the_same_bytes_with_another_time_are_no_damage_and_are_read_once(shelf):
    make = Maker()
    folder = have(shelf, make)
    later(folder / "bin" / "library.py")
    manifest = folder.parent / f".{folder.name}.manifest"
    before = manifest.read_bytes()

    assert have(shelf, make) == folder
    after = manifest.read_bytes()
    assert have(shelf, make) == folder
    assert make.times == 1
    assert before != after == manifest.read_bytes()


def test_what_keeps_size_and_time_is_found_by_reading_all(shelf):
    folder = have(shelf, Maker())
    path = folder / "bin" / "library.py"
    found = path.stat()
    flip(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    assert shelf.check(THING, folder)
    assert not shelf.check(THING, folder, read_all=True)
    assert shelf.made(THING) is None


def test_what_a_power_cut_took_is_found_after_it(shelf, monkeypatch):
    """The names, sizes and times of files may reach the disk before what is in them."""
    make = Maker()
    folder = have(shelf, make)
    path = folder / "bin" / "library.py"
    found = path.stat()
    path.write_bytes(bytes(found.st_size))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert have(shelf, make) == folder, "as long as the machine runs, nobody reads all of it"

    monkeypatch.setattr("bottool.shelf.boot_id", lambda: "another boot")
    again = have(shelf, make)

    assert again != folder
    assert (again / "bin" / "library.py").read_text(encoding="utf-8") == "sound = True\n"


def test_after_a_restart_of_the_machine_all_is_read_once(shelf, monkeypatch):
    make, read = Maker(), []
    folder = have(shelf, make)
    look = manifests.look
    monkeypatch.setattr(manifests, "look", lambda *at, read_all: read.append(read_all) or look(*at, read_all=read_all))
    for boot in ("second boot", "second boot", "third boot"):
        monkeypatch.setattr("bottool.shelf.boot_id", lambda boot=boot: boot)
        assert have(shelf, make) == folder

    assert read == [True, False, False]


def test_a_bot_may_add_to_an_environment_and_not_to_a_tree(shelf):
    make = Maker()
    environment = have(shelf, make)
    (environment / "bin" / "__pycache__").mkdir()
    (environment / "downloaded.bin").touch()
    assert have(shelf, make) == environment

    tree, again = Thing("trees", "key"), Maker()
    first = shelf.have(tree, again, About(label="a tree"))
    (first / "added.txt").touch()

    assert shelf.have(tree, again, About(label="a tree")) != first
    assert (make.times, again.times) == (1, 2)


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"format":99,"entries":[]}'])
def test_a_lost_or_torn_manifest_means_made_anew(shelf, content):
    make = Maker()
    folder = have(shelf, make)
    manifest = folder.parent / f".{folder.name}.manifest"
    manifest.unlink() if content is None else manifest.write_bytes(content)

    have(shelf, make)

    assert make.times == 2


def from_store(store):
    """Makes an environment of hard links, as languages do."""

    def make(folder):
        with store() as place:
            wheel = place / "wheels" / "library.py"
            if not wheel.exists():
                wheel.parent.mkdir(parents=True, exist_ok=True)
                wheel.write_text("sound = True\n", encoding="utf-8")
                (place / "keep").mkdir(exist_ok=True)
                (place / "keep" / "lock").touch()
            os.link(wheel, folder / "library.py")

    return make


def test_a_store_that_shares_the_damage_is_not_made_from_again(shelf):
    make = from_store(lambda: shelf.store("any"))
    first = have(shelf, make)

    flip(first / "library.py")

    assert (have(shelf, make) / "library.py").read_text(encoding="utf-8") == "sound = True\n"
    assert (shelf.root / "stores" / "any" / "keep" / "lock").exists()


def test_a_store_that_is_sound_stays_when_an_environment_lost_a_file(shelf):
    make = from_store(lambda: shelf.store("any"))
    first = have(shelf, make)
    wheel = (shelf.root / "stores" / "any" / "wheels" / "library.py").stat().st_ino

    (first / "library.py").unlink()
    again = have(shelf, make)

    assert (again / "library.py").stat().st_ino == wheel


def test_a_damaged_thing_that_somebody_uses_stays_until_nobody_does(shelf):
    make, other = Maker(), Shelf(shelf.root)
    first = other.have(THING, make, ABOUT)
    flip(first / "notes.txt")

    again = have(shelf, make)
    shelf.remove_stale(THING)
    assert first.exists()
    assert again != first

    other.release()
    shelf.remove_stale(THING)
    assert not first.exists()
    assert again.exists()


def holder(shelf, how="hold"):
    """A process that uses the thing of the key ``any`` until it is killed."""
    process = subprocess.Popen(
        [sys.executable, str(HOLDER), str(shelf.root), how], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    return process, Path(json.loads(process.stdout.readline()))


def test_what_a_process_uses_is_not_removed_and_its_death_frees_it(shelf):
    process, folder = holder(shelf)
    try:
        assert not shelf.remove(Thing("environments", "any"))
        assert cache_use.shrunk(shelf, cache_use.measured(shelf), limit_bytes=0, free_bytes=0) == []
        assert folder.exists()
    finally:
        process.kill()
        process.communicate()

    assert shelf.remove(Thing("environments", "any"))
    assert not folder.exists()
    assert not (shelf.root / "uses" / "environments-any").exists()
    assert list((shelf.root / "doomed").iterdir()) == []


def test_what_is_being_made_is_not_removed_and_not_waited_for(shelf):
    process, half_made = holder(shelf, "make")
    try:
        thing = Thing("environments", "any")
        assert not shelf.remove(thing)
        shelf.remove_stale(thing)
        assert half_made.exists()
        assert not shelf.empty_store("any")
    finally:
        process.kill()
        process.communicate()

    shelf.remove_stale(thing)
    assert not half_made.exists()
    assert shelf.empty_store("any")


def test_four_that_want_one_thing_and_the_maker_is_killed(shelf):
    """One builds again, the others wait for it, and nobody sees the half."""
    killed, half_made = holder(shelf, "make")
    waiting = [
        subprocess.Popen([sys.executable, str(HOLDER), str(shelf.root), "once"], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]

    killed.kill()
    killed.communicate()
    said = [[json.loads(line) for line in each.communicate(timeout=60)[0].splitlines()] for each in waiting]

    assert sorted(len(lines) for lines in said) == [1, 1, 2], "one of them was asked to make it"
    assert len({lines[-1] for lines in said}) == 1
    environment = Path(said[0][-1])
    assert environment != half_made
    assert {path.name for path in environment.iterdir()} == {"half.txt", "whole.txt"}
    assert not half_made.exists()


def test_the_longest_unused_goes_first_and_only_as_much_as_needed(shelf):
    things = [Thing("trees", str(number)) for number in range(4)]
    for age, thing in enumerate(things):
        shelf.have(thing, lambda folder: (folder / "big.bin").write_bytes(b"x" * 100_000), About(label=thing.key))
        os.utime(shelf.place(thing) / ".ready", (10_000 - age, 10_000 - age))
    shelf.release()
    measured = cache_use.measured(shelf)
    size_bytes = cache_use.Total.of(measured).size_bytes

    removed = cache_use.shrunk(shelf, measured, limit_bytes=size_bytes - 150_000, free_bytes=0)

    assert [kept.label for kept in removed] == ["3", "2"]
    assert shelf.things("trees") == things[:2]
    assert cache_use.summary(shelf.root).size_bytes <= size_bytes - 150_000


def test_a_file_with_two_names_counts_once_and_is_freed_with_the_last(shelf):
    make = from_store(lambda: shelf.store("any"))
    have(shelf, lambda folder: (make(folder), (folder / "own").write_bytes(b"x" * 10_000)))
    shelf.release()
    environment, store = sorted(cache_use.measured(shelf), key=lambda kept: kept.thing)

    total = cache_use.Total.of([environment, store])
    before = total.size_bytes
    total.without(environment)

    assert before < environment.size_bytes + store.size_bytes
    assert total.size_bytes == store.size_bytes


@pytest.mark.parametrize("kind", ["environments", "trees"])
def test_removal_that_is_cut_short_is_finished_later(shelf, kind, monkeypatch):
    thing = Thing(kind, "key")
    shelf.have(thing, Maker(), ABOUT)
    shelf.release()
    monkeypatch.setattr(Shelf, "sweep", lambda _self: None)
    assert shelf.remove(thing)
    monkeypatch.undo()
    assert len(list((shelf.root / "doomed").iterdir())) == 1
    assert shelf.made(thing) is None

    shelf.sweep()

    assert list((shelf.root / "doomed").iterdir()) == []


def test_many_threads_use_remove_and_damage_one_thing(shelf):
    """Whatever comes in between, what a user got is whole while it is in use."""
    problems = []

    def user():
        own = Shelf(shelf.root)
        for _ in range(25):
            folder = own.have(THING, Maker(), ABOUT)
            if not (folder / "bin" / "library.py").exists():
                problems.append(folder)
            own.release()

    def remover():
        for _ in range(60):
            Shelf(shelf.root).remove(THING)

    threads = [threading.Thread(target=each) for each in (user, user, user, remover)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []


def test_a_cache_that_is_deleted_under_its_users_is_made_again(shelf):
    make = Maker()
    have(shelf, make)
    shutil.rmtree(shelf.root)

    assert have(shelf, make).exists()
    assert make.times == 2
