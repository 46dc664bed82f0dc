"""Bad input: every kind of ``bad_archives`` through each door of bottool, with little memory and time.

The doors are ``archive.check``, ``archive.unpack`` and ``bottool inspect``, tried in one child process that has 512 MB
of address space, and ``check_package``, by which a server takes an upload.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bottool.errors import ArchiveError
from bottool_web.package_check import check_package

BAD_ARCHIVES = Path(__file__).with_name("bad_archives.py")
MEMORY_BYTES = 512 * 1024**2
GROWTH_BYTES = 96 * 1024**2
"""How much the child may grow while it reads everything, bombs included."""
SECONDS = 5.0
TABLE = {
    "traversal": 10,
    "links": 8,
    "special files": 3,
    "modes": 5,
    "names": 20,
    "structure": 5,
    "bombs": 10,
    "lies": 7,
    "containers": 17,
    "jar": 1,
    "more": 20,
}
AT_LEAST = 106

# Reads one line per archive and answers in one line what became of it at the three doors.
CHILD = """
import contextlib, io, json, resource, shutil, sys, time
from pathlib import Path
from bottool import archive
from bottool.cli.main import main
from bottool.errors import ArchiveError

memory = int(sys.argv[1])
archive.check(Path(sys.argv[2]))
main(["inspect", sys.argv[2], "--language", "command", "--json"])
sys.stdout.flush()
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
grown_from = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

def tried(door):
    began = time.monotonic()
    try:
        said = door()
    except ArchiveError as error:
        said = {"reason": error.reason, "message": error.message}
    return {**said, "seconds": time.monotonic() - began}

def checked(path):
    listing = archive.check(path)
    return {"reason": "", "message": "", "notes": listing.notes}

def unpacked(path, target):
    archive.unpack(path, target)
    files = [each.relative_to(target).as_posix() for each in target.rglob("*") if not each.is_dir()]
    modes = [each.stat().st_mode & 0o7777 for each in target.rglob("*") if not each.is_dir()]
    return {"reason": "", "message": "", "files": files, "modes": modes}

def inspected(path):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        status = main(["inspect", str(path), "--language", "command"])
    return {"status": status, "stderr": said.getvalue()}

for line in sys.stdin:
    path = Path(line.rstrip("\\n"))
    target = path.parent / "out" / "folder"
    answer = {
        "check": tried(lambda: checked(path)),
        "unpack": tried(lambda: unpacked(path, target)),
        "inspect": tried(lambda: inspected(path)),
        "left": target.exists(),
        "around": sorted(each.name for each in path.parent.iterdir()),
        "grown": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown_from) * 1024,
    }
    shutil.rmtree(path.parent / "out", ignore_errors=True)
    print("ANSWER", json.dumps(answer), flush=True)
"""


def _kinds() -> Any:
    spec = importlib.util.spec_from_file_location("bad_archives", BAD_ARCHIVES)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


bad = _kinds()
NAMES = sorted(bad.BY_NAME)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every archive in a folder of its own, with files around it that nobody may touch."""
    root = tmp_path_factory.mktemp("shelf")
    paths = {}
    for number, (name, kind) in enumerate(bad.BY_NAME.items()):
        folder = root / f"{number:03}" / "inner"
        folder.mkdir(parents=True)
        for canary in (folder.parent / "outside.txt", folder.parent / "evil", folder / "evil"):
            canary.write_text("sings", encoding="utf-8")
        paths[name] = folder / kind.file
        paths[name].write_bytes(kind.make())
        if kind.padded_to:
            os.truncate(paths[name], kind.padded_to)
    return paths


@pytest.fixture(scope="module")
def answers(shelf: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What became of each at the doors of a child process with little memory."""
    if sys.platform != "linux":
        pytest.skip("only Linux keeps a process to its address space")
    warm = tmp_path_factory.mktemp("warm") / "bot-1.zip"
    warm.write_bytes(bad.zip_of("bot.py"))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(MEMORY_BYTES), str(warm)],
        input="".join(f"{shelf[name]}\n" for name in NAMES),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    lines = [line.removeprefix("ANSWER ") for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(NAMES, map(json.loads, lines), strict=True))


@pytest.fixture(scope="module")
def uploads(shelf: dict[str, Path]) -> dict[str, Any]:
    """What the server says of each: its findings or its refusal."""

    def upload(name: str) -> Any:
        try:
            return check_package(shelf[name], shelf[name].name)
        except ArchiveError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(NAMES, pool.map(upload, NAMES), strict=True))


def test_all_kinds_are_there() -> None:
    found = Counter(kind.group for kind in bad.KINDS)

    assert {group: found[group] for group, least in TABLE.items() if found[group] < least} == {}
    assert len(bad.BY_NAME) == len(bad.KINDS) >= AT_LEAST


@pytest.mark.parametrize("name", NAMES)
def test_it_is_refused_for_its_reason_or_taken(answers: dict[str, Any], name: str) -> None:
    kind, answer = bad.BY_NAME[name], answers[name]

    for door in ("check", "unpack"):
        assert answer[door]["reason"] == kind.reason, answer[door]
        assert kind.says in answer[door]["message"]
        assert answer[door]["message"].isprintable()
    assert bool(answer["check"]["message"]) == bool(kind.reason)
    if kind.reason:
        assert kind.file in answer["check"]["message"]
        assert not answer["left"]
    if kind.files:
        assert sorted(answer["unpack"]["files"]) == sorted(kind.files)
        assert os.name == "nt" or set(answer["unpack"]["modes"]) <= {0o644, 0o755}
    assert any(kind.note in note for note in answer["check"].get("notes", [])) or not kind.note


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_in_one_line_on_the_command_line(answers: dict[str, Any], name: str) -> None:
    kind, answer = bad.BY_NAME[name], answers[name]["inspect"]

    lines = answer["stderr"].splitlines()
    assert all(line.isprintable() for line in lines)
    if kind.reason:
        assert answer["status"] not in {0, 1}
        assert lines[0].startswith("error: ")
        assert kind.says in lines[0]
        assert len(lines) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_outside_and_it_takes_little_time_and_memory(
    answers: dict[str, Any], shelf: dict[str, Path], name: str
) -> None:
    answer, folder = answers[name], shelf[name].parent

    assert set(answer["around"]) <= {"evil", "out", shelf[name].name}
    assert sorted(each.name for each in folder.parent.iterdir()) == ["evil", "inner", "outside.txt"]
    for canary in (folder.parent / "outside.txt", folder.parent / "evil", folder / "evil"):
        assert canary.read_text(encoding="utf-8") == "sings"
    assert max(answer[door]["seconds"] for door in ("check", "unpack", "inspect")) < SECONDS
    assert answer["grown"] < GROWTH_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_a_server_says_the_same_of_an_upload(uploads: dict[str, Any], name: str) -> None:
    kind, said = bad.BY_NAME[name], uploads[name]

    if kind.reason:
        assert isinstance(said, ArchiveError), said
        assert (said.reason, said.message.isprintable()) == (kind.reason, True)
        assert kind.says in said.message
    else:
        assert not isinstance(said, ArchiveError), said
        assert any(kind.note in note for note in said.notes) or not kind.note
