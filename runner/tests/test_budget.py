"""The disk: what the cache may take of it, when too little is left, and what a full one does to a task."""

import json
import os
import subprocess
import sys
import time

import pytest

from bottool import cache_use, working_folder
from bottool.archive import pack_zip
from bottool.shelf import About, Shelf, Thing
from bottool_runner import budget, upkeep
from bottool_runner.budget import Budget

TELL = "import sys; open(WITNESS, 'a').write('start %s\\n' % sys.argv[2]); "
PLENTY = 10**18


@pytest.fixture
def shelf(bench):
    return bench.cache.shelf


def a_tree(shelf, key, files=3, age_seconds=0.0):
    def fill(folder):
        for number in range(files):
            (folder / f"{number}.bin").write_bytes(os.urandom(4096))

    thing = Thing("trees", key)
    shelf.have(thing, fill, About(label=f"{key}.zip"))
    shelf.release()
    at = time.time() - age_seconds
    os.utime(shelf.place(thing) / ".ready", (at, at))
    return thing


def test_a_round_removes_the_longest_unused_and_makes_a_copy_ahead_of_the_latest(shelf):
    old, late = a_tree(shelf, "old", age_seconds=5000), a_tree(shelf, "late", working_folder.MANY_FILES)
    (shelf.root / "spares").mkdir()
    (shelf.root / "spares" / ".wanted").touch()
    total = cache_use.Total.of(cache_use.measured(shelf)).size_bytes
    (shelf.root / "usage.json").unlink()

    done = upkeep.go_round(shelf, limit_bytes=total - 1, free_bytes=0)
    assert done.removed == ["trees old.zip"]
    assert done.spares == [], "it would not fit into the budget"

    done = upkeep.go_round(shelf, limit_bytes=3 * total, free_bytes=0)
    assert done.spares == ["late.zip"]
    assert shelf.made(old) is None
    assert working_folder.has_spare(shelf, late)
    assert not (shelf.root / "spares" / ".wanted").exists()
    assert upkeep.go_round(shelf, limit_bytes=3 * total, free_bytes=0).spares == []


def test_a_spare_counts_and_goes_like_everything_else(shelf):
    thing = a_tree(shelf, "late", working_folder.MANY_FILES)
    before = cache_use.Total.of(cache_use.measured(shelf)).size_bytes
    upkeep.go_round(shelf, limit_bytes=PLENTY, free_bytes=0)

    assert cache_use.Total.of(cache_use.measured(shelf)).size_bytes > 1.9 * before
    cache_use.shrunk(shelf, cache_use.measured(shelf), limit_bytes=0, free_bytes=0)

    assert not working_folder.has_spare(shelf, thing)
    assert shelf.made(thing) is None


def test_no_copy_is_made_where_the_disk_would_be_too_full(shelf):
    a_tree(shelf, "late", working_folder.MANY_FILES)

    assert upkeep.go_round(shelf, limit_bytes=PLENTY, free_bytes=PLENTY).spares == []


def test_a_round_finds_what_a_bot_damaged(shelf):
    thing = a_tree(shelf, "bot")
    assert upkeep.go_round(shelf, limit_bytes=PLENTY, free_bytes=0).damaged == []
    shelf.use(thing)
    (shelf.made(thing) / "0.bin").write_bytes(b"damaged")

    assert upkeep.go_round(shelf, limit_bytes=PLENTY, free_bytes=0).damaged == ["trees bot.zip"]
    assert shelf.made(thing) is None


def test_one_round_at_a_time(shelf):
    a_tree(shelf, "bot")
    command = [sys.executable, "-m", "bottool_runner.upkeep", str(shelf.root), "--limit", "1", "--free", "0"]
    with shelf.locked(Thing("upkeep", "")):
        pass
    from bottool.locks import locked

    with locked(shelf.root / "locks" / "upkeep.lock"):
        held = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert held.stdout == ""

    free = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(free.stdout)["removed"] == ["trees bot.zip"]


def test_a_round_that_is_killed_is_done_by_the_next(shelf):
    for number in range(40):
        a_tree(shelf, f"bot-{number}")
    command = [sys.executable, "-m", "bottool_runner.upkeep", str(shelf.root), "--limit", "1", "--free", "0"]
    for _ in range(4):
        killed = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        before = len(shelf.things("trees"))
        deadline = time.monotonic() + 30
        while len(shelf.things("trees")) == before and killed.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        killed.kill()
        killed.wait()
        assert all(len(list(shelf.made(thing).iterdir())) == 3 for thing in shelf.things("trees") if shelf.made(thing))

    subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60, check=True)

    assert shelf.things("trees") == []
    assert list((shelf.root / "doomed").iterdir()) == []


def test_below_the_floor_there_is_a_reason_and_above_it_none(bench, tmp_path, monkeypatch, caplog):
    made = Budget(bench.cache.root, tmp_path, limit_bytes=None, floor_bytes=500_000_000)
    free_bytes = 600_000_000
    monkeypatch.setattr(cache_use, "free", lambda _place: free_bytes)
    monkeypatch.setattr(budget, "_LOOK_SECONDS", 0.0)
    made.tick()
    assert made.lacking == ""

    free_bytes = 400_000_000
    made.tick()
    reason = made.lacking
    free_bytes = 300_000_000
    made.tick()

    assert reason.startswith("takes no task: less than 500.0 MB of the disk at")
    assert made.lacking == reason, "the words do not change with each file"
    free_bytes = 600_000_000
    made.tick()
    assert made.lacking == ""
    made.close()


def small_disk(place):
    """A command that runs another one where ``place`` is a disk of 8 MB of its own; needs no rights."""
    script = f'mount -t tmpfs -o size=8m none "{place}" && exec "$@"'
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]


def can_have_small_disks():
    try:
        return (
            subprocess.run([*small_disk("/mnt"), "true"], capture_output=True, check=False, timeout=20).returncode == 0
        )
    except OSError:
        return False


@pytest.mark.skipif(not can_have_small_disks(), reason="this system lets nobody mount a disk of their own")
def test_a_disk_that_fills_while_a_bot_is_prepared_is_not_its_tasks_fault(machine, bench, server, until):
    large = bench.package(TELL).with_name("large.zip")
    toml = f'id = "bot"\nlanguage = "command"\n[command]\nrun = ["{sys.executable}", "bot.py"]\n'
    code = f"WITNESS = {str(bench.witness)!r}\n{TELL}"
    pack_zip(large, {"bot.toml": toml.encode(), "bot.py": code.encode(), "zeros.bin": bytes(12_000_000)})
    bench.cache.root.mkdir()
    server.most_claims = 2
    task = server.add(large)

    runner = machine.start("--disk-floor", "0", before=small_disk(bench.cache.root))

    until(lambda: server.ended(task), 60)
    assert "No space left on device" in server.hand_backs[0]["reason"]
    assert not server.hand_backs[0]["permanent"]
    assert server.kinds(task) == ["leased", "handed back"] * 2
    small = server.add(bench.package(TELL))
    until(lambda: server.ended(small), 60)
    assert runner.poll() is None
    assert bench.starts() == [f"start {small.id}"]


@pytest.mark.parametrize(("total", "limit"), [(40_000_000_000, 10_000_000_000), (10**13, 50_000_000_000)])
def test_the_usual_limit_is_a_quarter_of_the_disk_and_has_an_end(tmp_path, monkeypatch, total, limit):
    usage = type("Usage", (), {"total": total, "free": 0})
    monkeypatch.setattr(budget.shutil, "disk_usage", lambda _place: usage)

    assert budget.usual_limit(tmp_path / "not" / "there") == limit


def test_a_runner_below_its_floor_takes_nothing_says_so_and_goes_on_when_there_is_room(machine, bench, server, until):
    task = server.add(bench.package(TELL))
    runner = machine.start("--disk-floor", "100000000")

    until(lambda: len(server.syncs) > 1)
    until(lambda: server.syncs[-1]["capabilities"]["languages"])
    assert all(said["claim_key"] == "" and said["free_slots"] == 0 for said in server.syncs)
    (reason,) = server.syncs[-1]["capabilities"]["unready"]
    assert reason.startswith("takes no task: less than 100000.0 GB of the disk")
    assert reason in machine.said
    assert server.kinds(task) == []
    runner.terminate()
    runner.wait(timeout=30)

    machine.start("--once")
    until(lambda: server.ended(task))
    assert server.syncs[-1]["capabilities"]["unready"] == []


def test_a_bot_of_many_files_gets_a_copy_made_ahead_the_next_time(machine, bench, server, until):
    code = (
        TELL
        + "import pathlib; pathlib.Path('files/1.txt').write_text('changed'); print(len(list(pathlib.Path('files').iterdir())))"
    )
    package = bench.package(code)
    again = package.with_name("many.zip")
    text = f"WITNESS = {str(bench.witness)!r}\n{code}"
    toml = f'id = "bot"\nlanguage = "command"\n[command]\nrun = ["{sys.executable}", "bot.py"]\n'
    files = {f"files/{number}.txt": b"as packed" for number in range(400)}
    pack_zip(again, {"bot.toml": toml.encode(), "bot.py": text.encode(), **files})
    first = server.add(again)
    machine.start()
    until(lambda: server.ended(first))

    (tree,) = Shelf(bench.cache.root).things("trees")
    until(lambda: working_folder.has_spare(bench.cache.shelf, tree))
    second = server.add(again)
    until(lambda: server.ended(second))

    assert [task.report["exit_code"] for task in (first, second)] == [0, 0]
    tree_folder = bench.cache.shelf.made(tree)
    assert {path.read_bytes() for path in (tree_folder / "files").iterdir()} == {b"as packed"}
    until(lambda: working_folder.has_spare(bench.cache.shelf, tree))


def test_a_damaged_package_is_fetched_again(machine, bench, server, until):
    package = bench.package(TELL)
    first = server.add(package)
    machine.start()
    until(lambda: server.ended(first))
    (kept,) = (bench.cache.root / "packages").rglob("*.zip")
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + b"X")

    second = server.add(package)
    until(lambda: server.ended(second))

    assert second.report["exit_code"] == 0
    (kept,) = (bench.cache.root / "packages").rglob("*.zip")
    assert kept.read_bytes() == content


def test_the_command_lists_checks_and_cleans(bench, shelf, tmp_path):
    a_tree(shelf, "bot")
    used = Shelf(shelf.root)
    thing = a_tree(shelf, "used")
    used.use(thing)

    def cache(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "bottool", "runner", "cache", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "BOTTOOL_CACHE": str(shelf.root), "BOTTOOL_CONFIG": str(tmp_path / "config")},
        )

    rows = json.loads(cache("--json").stdout)
    assert {(row["kind"], row["label"], row["in_use"]) for row in rows} == {
        ("trees", "bot.zip", False),
        ("trees", "used.zip", True),
    }
    path = next(shelf.made(Thing("trees", "bot")).iterdir())
    found = path.stat()
    path.write_bytes(bytes(found.st_size))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert "trees bot.zip: damaged" in cache("--check").stderr

    done = cache("--clean")
    assert "things removed" in done.stderr
    assert shelf.things("trees") == [thing]
    assert "used.zip" in done.stdout
    assert cache("--clean", "--limit", "1").returncode == 2
