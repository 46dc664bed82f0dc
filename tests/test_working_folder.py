"""An attempt's own copy: whatever its bot does to it, neither the cache nor the next attempt sees anything of it."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bottool import working_folder
from bottool.manifests import taken
from bottool.shelf import About, Shelf, Thing
from bottool.working_folder import MANY_FILES, SPARES, WANTED, has_spare, make_spare, provide

TREE = Thing("trees", "key")
FEW = 20


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "cache")


def fill(files):
    def make(folder):
        for number in range(files):
            place = folder / f"part {number % 7}"
            place.mkdir(exist_ok=True)
            (place / f"{number}.txt").write_text(f"content {number}\n", encoding="utf-8")
        (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / "run.sh").chmod(0o755)
        (folder / "empty").mkdir()
        if sys.platform != "win32":
            (folder / "link").symlink_to("run.sh")

    return make


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch):
    """So that the tests need not write thousands of files; programs that they start see the real figure."""
    monkeypatch.setattr(working_folder, "MANY_FILES", FEW)


def a_tree(shelf, files=FEW):
    return shelf.have(TREE, fill(files), About(label="bot-1.0.zip"))


def held(folder):
    """All that a bot can see of its files, times included."""
    return [(each.path, each.mode, each.changed_ns, each.digest) for each in taken(folder).entries]


def append(path):
    with path.open("a", encoding="utf-8") as file:
        file.write("more")


def truncate(path):
    os.truncate(path, 0)


def overwrite_in_place(path):
    with path.open("r+b") as file:
        file.write(b"X")


def chmod(path):
    path.chmod(0o400)


def delete(path):
    path.unlink()


def rename(path):
    path.rename(path.with_name("another name"))


def retime(path):
    os.utime(path, (1, 1))


def through_a_second_link(path):
    second = path.with_name("second")
    os.link(path, second)
    append(second)


def throw_all_away(path):
    for each in path.parent.iterdir():
        each.unlink()
    path.parent.rmdir()


DEEDS = [
    append,
    truncate,
    overwrite_in_place,
    chmod,
    delete,
    rename,
    retime,
    through_a_second_link,
    throw_all_away,
]


@pytest.mark.parametrize("ahead", [True, False], ids=["made ahead", "copied now"])
@pytest.mark.parametrize("deed", DEEDS)
def test_what_a_bot_does_to_its_files_never_reaches_the_cache(shelf, tmp_path, deed, ahead):
    tree = a_tree(shelf)
    before = held(tree)
    if ahead:
        assert make_spare(shelf, TREE)
    provide(shelf, TREE, tmp_path / "work")
    assert held(tmp_path / "work") == before

    deed(tmp_path / "work" / "part 1" / "1.txt")

    assert held(tmp_path / "work") != before
    assert held(tree) == before
    provide(shelf, TREE, tmp_path / "next")
    assert held(tmp_path / "next") == before
    assert shelf.use(TREE) == tree


def test_no_file_of_a_copy_is_shared_with_the_tree(shelf, tmp_path):
    tree = a_tree(shelf)
    make_spare(shelf, TREE)
    provide(shelf, TREE, tmp_path / "ahead")
    provide(shelf, TREE, tmp_path / "now")

    inodes = [
        {path.lstat().st_ino for path in place.rglob("*")} for place in (tree, tmp_path / "ahead", tmp_path / "now")
    ]

    assert not set.intersection(*inodes[:2])
    assert not inodes[0] & inodes[2]
    assert not inodes[1] & inodes[2]


def test_one_spare_serves_one_attempt_and_the_need_is_noted(shelf, tmp_path):
    a_tree(shelf)
    make_spare(shelf, TREE)
    (spare,) = (shelf.root / SPARES / TREE.key).iterdir()
    inode = spare.stat().st_ino

    provide(shelf, TREE, tmp_path / "one")
    provide(shelf, TREE, tmp_path / "two")

    assert (tmp_path / "one").stat().st_ino == inode
    assert (tmp_path / "two").stat().st_ino != inode
    assert not has_spare(shelf, TREE)
    assert (shelf.root / SPARES / WANTED).exists()


def test_a_small_bot_is_copied_and_wants_no_spare(shelf, tmp_path):
    a_tree(shelf, files=5)

    provide(shelf, TREE, tmp_path / "work")

    assert not (shelf.root / SPARES).exists()


def test_a_spare_that_somebody_wrote_into_is_not_used(shelf, tmp_path):
    tree = a_tree(shelf)
    make_spare(shelf, TREE)
    (spare,) = (shelf.root / SPARES / TREE.key).iterdir()
    append(spare / "part 1" / "1.txt")

    provide(shelf, TREE, tmp_path / "work")

    assert held(tmp_path / "work") == held(tree)
    assert not spare.exists()


def test_a_spare_from_before_a_restart_of_the_machine_is_not_used(shelf, tmp_path, monkeypatch):
    """Nobody waited for its bytes to reach the disk."""
    a_tree(shelf)
    monkeypatch.setattr(working_folder, "boot_id", lambda: "an older boot")
    make_spare(shelf, TREE)
    monkeypatch.undo()
    (old,) = (shelf.root / SPARES / TREE.key).iterdir()

    provide(shelf, TREE, tmp_path / "work")
    assert old.exists()
    make_spare(shelf, TREE)

    assert not old.exists()
    assert has_spare(shelf, TREE)


def test_a_spare_on_another_disk_is_no_help_and_no_harm(shelf, tmp_path, monkeypatch):
    tree = a_tree(shelf)
    make_spare(shelf, TREE)

    def other_disk(self, _target):
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(self))

    monkeypatch.setattr(Path, "rename", other_disk)
    provide(shelf, TREE, tmp_path / "work")

    assert held(tmp_path / "work") == held(tree)


MAKER = """
import sys
from pathlib import Path
from bottool.shelf import Shelf, Thing
from bottool.working_folder import make_spare
print("begins", flush=True)
make_spare(Shelf(Path(sys.argv[1])), Thing("trees", "key"))
"""


def test_a_spare_whose_maker_is_killed_is_whole_or_not_there(shelf, tmp_path):
    tree = a_tree(shelf, files=300)
    for round_ in range(4):
        maker = subprocess.Popen([sys.executable, "-c", MAKER, str(shelf.root)], stdout=subprocess.PIPE)
        maker.stdout.readline()
        time.sleep(0.03 * round_)
        maker.kill()
        maker.communicate()

        provide(shelf, TREE, tmp_path / "work")
        assert held(tmp_path / "work") == held(tree)

    make_spare(shelf, TREE)
    assert len(list((shelf.root / SPARES / TREE.key).iterdir())) == 1, "what the killed ones left is gone"


def test_two_attempts_never_get_the_same_spare(shelf, tmp_path):
    code = (
        "import sys; from pathlib import Path; from bottool.shelf import Shelf, Thing;"
        "from bottool.working_folder import provide; shelf = Shelf(Path(sys.argv[1]));"
        "shelf.use(Thing('trees', 'key')); provide(shelf, Thing('trees', 'key'), Path(sys.argv[2]))"
    )
    tree = a_tree(shelf, files=MANY_FILES)
    make_spare(shelf, TREE)
    places = [tmp_path / f"work {number}" for number in range(4)]

    takers = [subprocess.Popen([sys.executable, "-c", code, str(shelf.root), str(place)]) for place in places]

    assert [taker.wait(timeout=60) for taker in takers] == [0] * 4
    assert all(held(place) == held(tree) for place in places)
    assert len({place.stat().st_ino for place in places}) == 4


def test_a_disk_that_is_full_is_an_error_of_the_system(shelf, tmp_path, monkeypatch):
    a_tree(shelf)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range" if hasattr(os, "copy_file_range") else "sendfile", full)

    with pytest.raises(OSError, match="No space left"):
        provide(shelf, TREE, tmp_path / "work")


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="this system copies in another way")
def test_where_the_kernel_cannot_copy_the_bytes_are_copied_here(shelf, tmp_path, monkeypatch):
    tree = a_tree(shelf)

    def cannot(*_):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "copy_file_range", cannot)
    provide(shelf, TREE, tmp_path / "work")

    assert held(tmp_path / "work") == held(tree)
