"""Locks: resolved when a project is built, or once on a machine; and what an environment made from one shares."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bottool import archive
from bottool.environments import Cache
from bottool.errors import BuildError, ToolMissing, Unreachable
from bottool.model import Installation
from bottool_python import environment, files, locks
from bottool_python.commands import python
from bottool_python.language import Python

PYTHON = Python()
MANY = 20


def add_wheel(folder, name, version="1.0", module="TEXT = 1\n", needs="", requires_python=""):
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    said = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    said += f"Requires-Dist: {needs}\n" if needs else ""
    said += f"Requires-Python: {requires_python}\n" if requires_python else ""
    archive.pack_zip(
        folder / f"{name}-{version}-py3-none-any.whl",
        {
            f"{name}.py": module.encode(),
            f"{info}/METADATA": said.encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n".encode(),
        },
    )


@pytest.fixture
def index(tmp_path):
    """A folder of wheels; the bots of these tests look nowhere else."""
    folder = tmp_path / "índice"
    add_wheel(folder, "greeting", module="import words\nTEXT = words.TEXT\n", needs="words>=1")
    add_wheel(folder, "words", module="TEXT = 'one'\n")
    return folder


@pytest.fixture
def bot_of(project_of, index):
    def make(required, **files):
        text = f"--no-index\n--find-links {index.as_uri()}\n{required}"
        source = "import greeting\nprint(greeting.TEXT, greeting.__cached__)\n"
        return project_of({"bot.py": source, "requirements.txt": text, **files})

    return make


@pytest.fixture
def ready(tmp_path, package_of):
    """Unpack and prepare like a runner, with the store that all of them share."""

    def make(path, name, store=None):
        folder = archive.unpack(path, tmp_path / name)
        store = store or tmp_path / "store"
        store.mkdir(exist_ok=True)
        installation = Installation(package=package_of(path), folder=folder, store=store)
        made = tmp_path / f"environment of {name}"
        made.mkdir()
        PYTHON.prepare(installation, made)
        return replace(installation, environment=made)

    return make


def test_a_lock_names_every_version_with_hashes_and_no_index(bot_of, index):
    project = bot_of("greeting\n")

    assert PYTHON.lock_key(project)
    lock = PYTHON.lock(project)

    text = lock.data.decode()
    assert lock.file == "requirements.lock"
    assert locks.header(text).requires_python == ""
    assert [line.split(" ")[0] for line in text.splitlines() if "==" in line] == ["greeting==1.0", "words==1.0"]
    assert text.count("--hash=sha256:") == 2
    assert index.name not in text
    assert PYTHON.lock(project) == lock
    assert sorted(path.name for path in project.folder.iterdir()) == ["bot.py", "requirements.txt"]


def test_a_folder_with_a_lock_or_without_requirements_needs_none(bot_of, project_of):
    assert PYTHON.lock_key(bot_of("greeting\n", **{"requirements.lock": "greeting==1.0\n"})) == ""
    assert PYTHON.lock_key(project_of({"bot.py": "", "requirements.txt": "# nothing\n"})) == ""


def test_what_nothing_satisfies_is_told_with_its_line(bot_of):
    with pytest.raises(BuildError, match=r"requirements\.txt:3: 'greeting>=7' cannot be installed"):
        PYTHON.lock(bot_of("greeting>=7\n"))


def test_a_silent_index_is_no_error_of_the_bot(project_of, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    project = project_of({"bot.py": "", "requirements.txt": "--index-url http://127.0.0.1:9/simple\nsix\n"})

    with pytest.raises(Unreachable):
        PYTHON.lock(project)


def test_a_newer_python_than_asked_for_is_noted_in_the_lock(bot_of, index):
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    add_wheel(index, "recent", requires_python=f">={here}")

    text = PYTHON.lock(bot_of("recent\n", **{".python-version": ""})).data.decode()
    narrow = PYTHON.lock(replace(bot_of("recent\n"), options={"requires-python": ">=3.8"})).data.decode()

    assert "recent==1.0" in text
    assert f">={here}" in locks.header(narrow).requires_python


def test_a_package_with_a_lock_gets_what_is_locked_though_the_index_moved_on(bot_of, index, ready, start, tmp_path):
    project = bot_of("greeting\n")
    package = PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)
    add_wheel(index, "words", "2.0", module="TEXT = 'two'\n")

    ended = start(ready(package, "a"))

    assert ended.stdout.startswith("one "), ended.stderr
    assert archive.read_manifest(package)["lock"] == "requirements.lock"


def test_the_lock_tells_all_dependencies_and_which_were_asked_for(bot_of, package_of, tmp_path):
    project = bot_of("greeting\n")

    seen = PYTHON.inspect(package_of(PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)))

    assert seen.locked
    assert [(each.name, each.version, each.ecosystem, each.direct) for each in seen.dependencies] == [
        ("greeting", "1.0", "pypi", True),
        ("words", "1.0", "pypi", False),
    ]


def test_a_file_that_is_not_the_locked_one_is_refused(bot_of, index, ready, tmp_path):
    project = bot_of("greeting\n")
    package = PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)
    add_wheel(index, "words", module="TEXT = 'evil'\n")

    with pytest.raises(BuildError, match=r"[Hh]ash"):
        ready(package, "a")


def test_a_package_without_a_lock_is_resolved_once_until_somebody_asks_again(bot_of, index, ready, start, tmp_path):
    package = PYTHON.build(bot_of("greeting\n"), tmp_path)
    first = ready(package, "first")
    add_wheel(index, "words", "2.0", module="TEXT = 'two'\n")
    key = PYTHON.environment_key(first)

    second = ready(package, "second")

    assert PYTHON.environment_key(second) == key
    assert start(second).stdout.startswith("one ")
    assert "words==1.0" in (second.environment / "requirements.lock").read_text()

    environment.resolve_anew(second)

    assert PYTHON.environment_key(second) != key
    assert start(ready(package, "third")).stdout.startswith("two ")


def test_the_next_environment_is_linked_and_its_bytecode_is_used(bot_of, ready, start, tmp_path):
    project = bot_of("greeting\n")
    package = PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)
    one, two = ready(package, "one"), ready(package, "two")

    compiled = [next(each.environment.rglob("greeting.*.pyc")) for each in (one, two)]

    assert os.path.samestat(*(path.stat() for path in compiled))
    command = PYTHON.command(two)
    source = "import sys, greeting; print(greeting.__cached__)"
    # The interpreter says which file it takes; a copy with another time is taken too.
    module = compiled[1].parent.parent / "greeting.py"
    os.utime(module, (1, 1))
    said = subprocess.run(
        [command.arguments[0], "-v", "-c", source], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout.strip() == str(compiled[1])
    assert f"code object from '{compiled[1]}'" in said.stderr
    assert "wrote" not in said.stderr


def test_source_that_lies_about_itself_gives_nobody_else_its_bytecode(bot_of, index, ready, start, tmp_path):
    project = bot_of("greeting\n")
    first = PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)
    ready(first, "one")
    add_wheel(index, "words", module="TEXT = 'changed'\n")
    second = PYTHON.build(replace(project, version="2.0.0", lock=PYTHON.lock(project)), tmp_path)

    assert start(ready(second, "two")).stdout.startswith("changed ")


def test_half_a_store_entry_is_never_used(bot_of, ready, start, tmp_path):
    project = bot_of("greeting\n")
    package = PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path)
    store = tmp_path / "store"
    ready(package, "one")
    kept = list((store / "bytecode").rglob("*.pyc"))
    assert kept
    for path in kept:
        # As a process leaves it that is killed while it writes.
        path.rename(path.with_name(f"{path.name}.123.part"))

    ended = start(ready(package, "two"))

    assert ended.stdout.startswith("one "), ended.stderr
    assert ended.stdout.strip().endswith(".pyc")
    assert list((store / "bytecode").rglob("*.pyc"))


def test_a_key_costs_next_to_nothing(bot_of, ready, tmp_path):
    project = bot_of("greeting\n", **{f"data/{number}.txt": "x" for number in range(MANY)})
    installation = ready(PYTHON.build(replace(project, lock=PYTHON.lock(project)), tmp_path), "one")
    for path in installation.folder.iterdir():
        # Whatever else lies there is not read.
        if path.name != "requirements.lock" and path.is_file():
            path.write_bytes(b"\xff\0")

    began = time.perf_counter()
    keys = {PYTHON.environment_key(installation) for _ in range(MANY)}

    assert len(keys) == 1
    # A hundred times what it takes: an interpreter or uv that is started would be seen.
    assert (time.perf_counter() - began) / MANY < 0.05


def test_a_windows_only_requirement_names_its_line_and_the_marker(tmp_path):
    from bottool_python import requirements, resolving, tree

    lines = b"six\npywin32==310\n"
    required = requirements.read(
        tree.Tree(names=("requirements.txt",), read=lambda _name: lines), requirements.Options()
    )
    said = "error: No solution found\n  cause: Because pywin32==310 has no wheels with a matching platform tag (e.g., `x`)\n"

    error = resolving.explained(BuildError("failed", output=said), required)

    assert error.message == "requirements.txt:2: 'pywin32==310' is for Windows only"
    assert error.hint == 'write: pywin32==310; sys_platform == "win32"'


def test_a_robocorp_robot_starts_by_its_own_runner(folder_of, installed, tmp_path):
    files = {
        "robot.yaml": "tasks:\n  Do it:\n    shell: python -m robocorp.tasks run tasks.py\n",
        "tasks.py": "from robocorp.tasks import task\n",
        "conda.yaml": "channels:\n  - conda-forge\ndependencies:\n  - python=3.11.2\n  - pip:\n    - robocorp==1\n",
    }
    folder = folder_of(files)
    assert PYTHON.recognises(folder)
    archive.pack_zip(tmp_path / "a.zip", {name: folder / name for name in files})

    command = PYTHON.command(replace(installed(tmp_path / "a.zip"), environment=tmp_path))

    assert command.arguments[1:] == ("-m", "robocorp.tasks", "run", "tasks.py")
    assert command.placeholders
    assert json.dumps(PYTHON.inspect(installed(tmp_path / "a.zip", "b").package).requires) == '"==3.11.*"'


def test_a_wheel_of_the_bot_itself_is_locked_and_installed(project_of, ready, start, tmp_path):
    add_wheel(tmp_path / "w", "greeting", module="TEXT = 'mine'\n")
    project = project_of(
        {
            "bot.py": "import greeting\nprint(greeting.TEXT)\n",
            "requirements.txt": "--no-index\n./vendor/greeting-1.0-py3-none-any.whl\n",
            "vendor/greeting-1.0-py3-none-any.whl": (tmp_path / "w/greeting-1.0-py3-none-any.whl").read_bytes(),
        }
    )
    lock = PYTHON.lock(project)

    ended = start(ready(PYTHON.build(replace(project, lock=lock), tmp_path), "a"))

    assert locks.header(lock.data.decode()).local
    assert str(project.folder) not in lock.data.decode()
    assert ended.stdout == "mine\n", ended.stderr


def test_a_requirement_in_a_repository_is_locked_to_its_commit(project_of, ready, start, tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n'
        '[project]\nname = "greeting"\nversion = "1.0"\n'
    )
    add_wheel(tmp_path / "w", "greeting", module="TEXT = 'from git'\n")
    wheel = tmp_path / "w" / "greeting-1.0-py3-none-any.whl"
    (repository / wheel.name).write_bytes(wheel.read_bytes())
    (repository / "back.py").write_text(
        "import shutil\n"
        "def build_wheel(folder, *a, **k):\n"
        f"    shutil.copy({wheel.name!r}, folder)\n"
        f"    return {wheel.name!r}\n"
    )
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.com", "-C", str(repository)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    project = project_of(
        {
            "bot.py": "import greeting\nprint(greeting.TEXT)\n",
            "requirements.txt": f"--no-index\ngreeting @ git+{repository.as_uri()}\n",
        }
    )
    lock = PYTHON.lock(project)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()

    ended = start(ready(PYTHON.build(replace(project, lock=lock), tmp_path), "a"))

    assert f"@{commit}" in lock.data.decode()
    assert ended.stdout == "from git\n", ended.stderr


def test_a_lock_of_another_tool_is_what_is_installed(project_of, index, ready, start, tmp_path):
    wheels = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in index.iterdir()}
    add_wheel(index, "words", "2.0", module="TEXT = 'two'\n")
    lock = "".join(
        f'[[packages]]\nname = "{name.split("-")[0]}"\nversion = "1.0"\n'
        f'wheels = [{{name = "{name}", hashes = {{sha256 = "{digest}"}}}}]\n'
        for name, digest in wheels.items()
    )
    setuptools = '[[packages]]\nname = "setuptools"\nversion = "80.0"\nmarker = "os_name == \'none\'"\n'
    project = project_of(
        {
            "bot.py": "import greeting\nprint(greeting.TEXT)\n",
            "pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["greeting"]\n'
            f'[tool.uv]\nno-index = true\nfind-links = ["{index.as_uri()}"]\n',
            "pylock.toml": f'lock-version = "1.0"\n{lock}{setuptools}',
        }
    )
    assert PYTHON.lock_key(project) == ""

    ended = start(ready(PYTHON.build(project, tmp_path), "a"))

    assert ended.stdout == "one\n", ended.stderr


def test_on_another_disk_a_file_is_copied(tmp_path):
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("one disk only")
    source = tmp_path / "a"
    source.write_bytes(b"x")
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        target = Path(folder, "b")

        files.link_or_copy(source, target)

        assert target.read_bytes() == b"x"
        assert not os.path.samestat(source.stat(), target.stat())


def test_what_cannot_be_built_here_is_packed_without_a_lock(project_of):
    project = project_of(
        {
            "bot.py": "",
            "requirements.txt": "--no-index\n./thing\n",
            "thing/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n',
            "thing/back.py": "def build_wheel(*a, **k):\n    raise SystemExit('no compiler')\n",
        }
    )

    with pytest.raises(ToolMissing, match="cannot be resolved here"):
        PYTHON.lock(project)


def test_a_person_asks_for_new_versions_by_a_command(bot_of, ready, tmp_path, monkeypatch):
    monkeypatch.setenv("BOTTOOL_CACHE", str(tmp_path / "cache"))
    package = PYTHON.build(bot_of("greeting\n"), tmp_path)
    installation = ready(package, "a", store=Cache(tmp_path / "cache").store(PYTHON))
    key = PYTHON.environment_key(installation)

    done = CliRunner().invoke(python, ["relock", str(package)])

    assert done.exit_code == 0, done.output
    assert PYTHON.environment_key(installation) != key
