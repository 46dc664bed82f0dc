"""What we pack: the same bytes on every machine, read by everybody, and never from a file that changes meanwhile."""

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import pytest

from bottool import archive, deflating, packing
from bottool.errors import ArchiveError, ProjectError
from bottool.members import Limits
from bottool.model import Project
from bottool.steady_files import Steady
from bottool.zip_writer import ZipWriter, piece_of

SAID = {"format": 1, "bot_id": "a", "version": "1"}
PACK = """
import sys
from pathlib import Path
from bottool import archive
folder, target = Path(sys.argv[1]), Path(sys.argv[2])
entries = dict(archive.source_files(folder).files)
pack = archive.pack_tar_gz if target.name.endswith(".gz") else archive.pack_zip
pack(target, entries, manifest={"format": 1, "bot_id": "a", "version": "1"})
"""


def a_tree(folder: Path, order: int = 0) -> Path:
    """Files of all kinds under awkward names, made in an order that ``order`` chooses."""
    dice = random.Random(1)
    words = " ".join(dice.choice(["invoice", "customer", "total", "order"]) for _ in range(30_000)).encode()
    files = {
        "bot.py": b"print('oi')\r\n",
        "run.sh": b"#!/bin/sh\nexit 0\n",
        "data/tabela de preços.csv": words,
        "data/🤖 (1) & [x] $HOME; 'a'+b,.txt": b"\xef\xbb\xbfBOM\n",
        "requirements.txt": "pandas==2.2.0\r\n".encode("utf-16"),
        "empty": b"",
        "picture.png": dice.randbytes(200_000),
        f"{'d' * 60}/{'e' * 60}/{'f' * 60}/{'ç' * 8}.txt": b"200 bytes",
        "large.bin": words * 60,
    }
    names = list(files)
    random.Random(order).shuffle(names)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(files[name])
        os.utime(folder / name, (order + 1, order + 1))
    return folder


GOLDEN = {
    "x.zip": "c825024e69199cae43c548b47336a7ed27af9a625a9ff770b200438e0b59592a",
    "x.tar.gz": "b5ada1aff24274a8d329a7332db016bce8d3f370cc54dd2f09b02787d81eb4bb",
}
"""A change here changes the bytes of every package: do it knowingly, and say so in changes/."""


@pytest.mark.parametrize("name", GOLDEN)
def test_the_bytes_are_those_of_yesterday(tmp_path, name):
    pack = archive.pack_zip if name == "x.zip" else archive.pack_tar_gz

    pack(tmp_path / name, dict(archive.source_files(a_tree(tmp_path / "bot")).files), manifest=SAID)

    assert archive.sha256_of(tmp_path / name) == GOLDEN[name]


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize(
    "variables",
    [
        {"TZ": "America/Sao_Paulo", "LC_ALL": "C", "PYTHONHASHSEED": "1", "umask": "077"},
        {"TZ": "Asia/Tokyo", "LC_ALL": "pt_BR.UTF-8", "PYTHONHASHSEED": "2", "umask": "022", "PYTHONUTF8": "1"},
    ],
    ids=["C", "pt_BR"],
)
def test_clock_zone_locale_umask_and_order_change_no_byte(tmp_path, name, variables):
    folder = a_tree(tmp_path / "outro lugar", order=len(variables))
    for path in folder.rglob("*"):
        path.chmod(0o777 if variables["umask"] == "077" else 0o755 if path.is_dir() else 0o600)
    umask = int(variables["umask"], 8)

    subprocess.run(
        [sys.executable, "-P", "-c", f"import os; os.umask({umask})\n{PACK}", str(folder), str(tmp_path / name)],
        env={**os.environ, **variables},
        check=True,
    )

    assert archive.sha256_of(tmp_path / name) == GOLDEN[name]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_and_the_sizes_of_batches_change_no_byte(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(packing, "_THREADS", threads)
    monkeypatch.setattr(packing, "_BATCH_FILES", threads)

    archive.pack_zip(tmp_path / "x.zip", dict(archive.source_files(a_tree(tmp_path / "bot")).files), manifest=SAID)

    assert archive.sha256_of(tmp_path / "x.zip") == GOLDEN["x.zip"]


def test_everybody_reads_our_zip(tmp_path):
    folder = a_tree(tmp_path / "bot")
    archive.pack_zip(tmp_path / "x.zip", dict(archive.source_files(folder).files), manifest=SAID)

    archive.check(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        assert packed.testzip() is None
        for path in (each for each in folder.rglob("*") if each.is_file()):
            assert packed.read(path.relative_to(folder).as_posix()) == path.read_bytes()
        said = packed.read("bottool.json")
        assert {info.create_system for info in packed.infolist()} == {3}
        assert packed.namelist()[-1] == "bottool.json"
    for name, source in archive.source_files(folder).files:
        assert hashlib.sha256(source.read_bytes()).hexdigest().encode() in said, name
    for program in (["unzip", "-tq"], ["jar", "tf"]):
        if shutil.which(program[0]):
            subprocess.run([*program, "x.zip"], cwd=tmp_path, check=True, capture_output=True)


def test_the_manifest_of_a_tar_stands_first_and_says_every_hash(tmp_path):
    folder = a_tree(tmp_path / "bot")
    archive.pack_tar_gz(tmp_path / "x.tar.gz", dict(archive.source_files(folder).files), root="a-1", manifest=SAID)

    archive.check(tmp_path / "x.tar.gz")
    said = archive.read_manifest(tmp_path / "x.tar.gz")["files"]
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert tar.getnames()[0] == "a-1/bottool.json"
        for name, path in archive.source_files(folder).files:
            packed = tar.extractfile(f"a-1/{name}")
            assert packed is not None
            assert packed.read() == path.read_bytes()
            assert said[name] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("head", "mode"),
    [
        (b"#!/usr/bin/env python3\n", 0o755),
        (b"\x7fELF\x02\x01", 0o755),
        (b"\xcf\xfa\xed\xfe\x07", 0o755),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x02", 0o755),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x37", 0o644),
        (b"MZ\x90", 0o644),
        (b"", 0o644),
        (b"# text", 0o644),
    ],
)
def test_what_may_be_executed_is_decided_by_content(tmp_path, head, mode):
    (tmp_path / "x").write_bytes(head)
    (tmp_path / "x").chmod(0o777 if mode == 0o644 else 0o600)

    archive.pack_zip(tmp_path / "x.zip", {"x": tmp_path / "x"})

    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        assert packed.getinfo("x").external_attr >> 16 & 0o777 == mode


def test_what_does_not_shrink_is_stored(tmp_path):
    noise = random.Random(1).randbytes(300_000)
    late = noise + b"text " * 400_000

    archive.pack_zip(tmp_path / "x.zip", {"noise": noise, "late": late, "short": b"ab"})

    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        kinds = {info.filename: info.compress_type for info in packed.infolist()}
    assert kinds == {"noise": zipfile.ZIP_STORED, "late": zipfile.ZIP_DEFLATED, "short": zipfile.ZIP_STORED}


def test_the_large_and_the_small_way_give_the_same_data(tmp_path, monkeypatch):
    (tmp_path / "large").write_bytes(b"some text, some text " * 500_000)

    archive.pack_zip(tmp_path / "large.zip", {"large": tmp_path / "large", "z": b"after"})
    monkeypatch.setattr(packing, "LARGE_BYTES", 2**40)
    archive.pack_zip(tmp_path / "small.zip", {"large": tmp_path / "large", "z": b"after"})

    assert (tmp_path / "large.zip").read_bytes() == (tmp_path / "small.zip").read_bytes()


# Files that change meanwhile.


def test_a_file_that_changes_while_it_is_read_is_named(tmp_path):
    path = tmp_path / "growing.log"
    path.write_bytes(b"one line\n")
    seen = Steady.look("growing.log", path)
    with path.open("ab") as file:
        file.write(b"another\n")

    with pytest.raises(ProjectError, match=r"'growing\.log' changed while it was packed") as refusal:
        seen.read()
    with pytest.raises(ProjectError, match=r"'growing\.log' changed while it was packed"):
        list(seen.chunks())

    assert "exclude" in refusal.value.hint


def test_the_same_size_at_another_time_is_a_change_too(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    seen = Steady.look("x", path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))

    with pytest.raises(ProjectError, match="'x' changed while it was packed"):
        seen.read()


def test_a_writer_at_work_never_gets_torn_data_into_a_package(tmp_path):
    path = tmp_path / "busy"
    path.write_bytes(b"0" * 400_000)
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with path.open("r+b") as file:
                file.write(b"%d" % (number % 10) * 400_000)

    writer = threading.Thread(target=write)
    writer.start()
    refusals = 0
    try:
        deadline = time.monotonic() + 20
        while refusals < 3 and time.monotonic() < deadline:
            try:
                archive.pack_zip(tmp_path / "x.zip", {"busy": path})
            except ProjectError:
                refusals += 1
    finally:
        ended.set()
        writer.join()

    assert refusals == 3
    assert not list(tmp_path.glob("*.part"))


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "folder").mkdir()

    with pytest.raises(ProjectError, match="'x' cannot be read"):
        archive.pack_zip(tmp_path / "x.zip", {"x": tmp_path / "folder"})


# What no package can hold is said before anything is read.


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("aux.txt",), "'aux.txt' cannot be a file's name on Windows"),
        (("Bot.py", "bot.py"), "are one name on some machines"),
        (("Dados/a", "dados/b"), "are one name on some machines"),
        (("ç" * 101,), "is too long"),
        (("ab:c",), "cannot be a file's name on Windows"),
        (("trailing ",), "cannot be a file's name on Windows"),
        (("new\nline",), "holds control characters"),
        (("back\\slash",), "holds a backslash"),
        (("/".join("d" * 45),), "folders deep"),
    ],
)
@pytest.mark.parametrize("pack", [archive.pack_zip, archive.pack_tar_gz])
def test_a_name_that_no_package_can_hold_is_said_before_anything_is_read(tmp_path, pack, names, message):
    with pytest.raises(ArchiveError, match=message):
        pack(tmp_path / "x", dict.fromkeys(names, tmp_path / "not there"), manifest=SAID)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_no_package_can_hold_for_its_size_is_said_at_once(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(Limits().file_bytes + 1)

    with pytest.raises(ArchiveError, match="'huge' is larger than"):
        archive.pack_zip(tmp_path / "x.zip", {"huge": tmp_path / "huge"}, manifest=SAID)

    assert not (tmp_path / "x.zip").exists()


# Large things.


def test_more_members_than_a_zip_first_could_hold(tmp_path):
    with (tmp_path / "x.zip").open("w+b") as file:
        writer = ZipWriter(file)
        for number in range(70_000):
            writer.add(piece_of(f"{number}", b""))
        writer.close()

    with zipfile.ZipFile(tmp_path / "x.zip") as packed:
        assert len(packed.namelist()) == 70_000


def test_progress_is_told_to_who_asked(tmp_path):
    told: list[tuple[int, int]] = []

    with packing.told_to(lambda done, everything: told.append((done, everything))):
        archive.pack_zip(tmp_path / "x.zip", {"a": b"1234", "b": b"56"})
    archive.pack_zip(tmp_path / "x.zip", {"a": b"1"})

    assert told == [(4, 6), (6, 6)]


def test_files_too_large_for_memory_are_packed_in_little_of_it(tmp_path):
    dice = random.Random(1)
    text = " ".join(dice.choice(["invoice", "customer", "total", "order", "a"]) for _ in range(200_000)).encode()
    folder = tmp_path / "bot"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        with (folder / name).open("wb") as file:
            for _ in range(80):
                file.write(text)
    size = (folder / "a.csv").stat().st_size
    assert size > 70_000_000

    grown = memory_used_by(folder, "x.zip")

    assert grown < 60_000_000, f"{grown} bytes more"
    assert archive.check(folder / "x.zip").unpacked_bytes > 2 * size


@pytest.mark.long
def test_a_gigabyte_is_packed_in_little_memory(tmp_path):
    dice = random.Random(1)
    text = " ".join(dice.choice(["invoice", "customer", "total", "order"]) for _ in range(600_000)).encode()
    folder = tmp_path / "bot"
    folder.mkdir()
    for number in range(4):
        with (folder / f"{number}.csv").open("wb") as file:
            for _ in range(250_000_000 // len(text)):
                file.write(text)

    grown = memory_used_by(folder, "x.zip")

    assert grown < 200_000_000, f"{grown} bytes more"
    assert archive.check(folder / "x.zip").unpacked_bytes > 950_000_000


def memory_used_by(folder: Path, name: str) -> int:
    """The most memory of its own that a process takes for packing ``folder``; pages of mapped files are not its own."""
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process's own memory apart")
    idle = subprocess.run(
        [sys.executable, "-P", "-c", "import bottool.archive; print(open('/proc/self/status').read())"],
        check=True,
        capture_output=True,
        text=True,
    )
    packer = subprocess.Popen([sys.executable, "-P", "-c", PACK, str(folder), str(folder.parent / name)])
    most = 0
    while packer.poll() is None:
        most = max(most, own_memory(Path(f"/proc/{packer.pid}/status").read_text()))
        time.sleep(0.005)
    assert packer.wait() == 0
    shutil.move(folder.parent / name, folder / name)
    return most - own_memory(idle.stdout)


def own_memory(status: str) -> int:
    return sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon"))


# Two at once.


def test_two_processes_pack_into_one_file_and_it_is_whole(tmp_path):
    folder = a_tree(tmp_path / "bot")
    command = [sys.executable, "-P", "-c", PACK, str(folder), str(tmp_path / "x.zip")]

    both = [subprocess.Popen(command) for _ in range(2)]

    assert [each.wait() for each in both] == [0, 0]
    assert archive.sha256_of(tmp_path / "x.zip") == GOLDEN["x.zip"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bot", "x.zip"]


# What was packed here is not unpacked again.


def test_what_another_packed_is_read_whole(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as packed:
        packed.writestr("a", b"content")
    broken = (tmp_path / "x.zip").read_bytes().replace(b"content", b"c0ntent")
    (tmp_path / "x.zip").write_bytes(broken)

    with pytest.raises(ArchiveError, match="damaged"):
        archive.check_packed(tmp_path / "x.zip")


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz"])
def test_what_we_packed_is_checked_by_names_and_sizes(tmp_path, name):
    project = Project(folder=tmp_path, language="notes", bot_id="a", version="1")
    pack = archive.pack_zip if name == "x.zip" else archive.pack_tar_gz
    pack(tmp_path / name, {"a": b"1"}, manifest=archive.manifest(project, entry="a"))

    said = archive.check_packed(tmp_path / name)

    assert said["files"] == {"a": hashlib.sha256(b"1").hexdigest()}


def test_what_unpacks_to_too_much_is_refused_without_unpacking(tmp_path):
    project = Project(folder=tmp_path, language="notes", bot_id="a", version="1")
    pack, zeros = archive.pack_tar_gz, b"\0" * 40_000_000
    pack(tmp_path / "x.tar.gz", {"a": zeros}, manifest=archive.manifest(project, entry="a"))

    with pytest.raises(ArchiveError, match="times its size"):
        archive.check_packed(tmp_path / "x.tar.gz")


def test_samples_at_both_ends_and_in_the_middle_decide():
    noise = random.Random(2).randbytes(1_000_000)

    assert deflating.compressed(noise) is None
    assert deflating.compressed(b"\0" * 20_000 + noise) is not None
    assert deflating.compressed(b"") is None
