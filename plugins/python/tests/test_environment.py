"""Environments, made for real with uv."""

import sys
from dataclasses import replace

import pytest

from bottool import archive
from bottool.errors import BuildError, ToolMissing
from bottool.model import TaskContext
from bottool_python import tool
from bottool_python.language import Python

PYTHON = Python()


def wheel(folder, name, module):
    """A wheel of one module: enough for an installer, made without network."""
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    archive.pack_zip(
        path,
        {
            f"{name}.py": module.encode(),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n".encode(),
        },
    )
    return path


def packed(tmp_path, files, name="a.zip"):
    archive.pack_zip(tmp_path / name, {each: text.encode() for each, text in files.items()})
    return tmp_path / name


def test_a_bot_without_requirements_gets_an_environment_of_its_own_without_network(prepared, start, tmp_path):
    source = "import sys\nprint(sys.prefix)\ntry:\n    import bottool\nexcept ImportError:\n    print('alone')\n"

    installation = prepared(packed(tmp_path, {"bot.py": source}))
    ended = start(installation)

    assert ended.stdout.splitlines() == [str(installation.environment), "alone"], ended.stderr


def test_a_python_that_the_bot_starts_by_name_is_the_one_of_its_environment(prepared, start, tmp_path):
    source = "import subprocess\nsubprocess.run(['python', '-c', 'import sys; print(sys.prefix)'], check=True)\n"

    installation = prepared(packed(tmp_path, {"bot.py": source}))

    assert start(installation).stdout.strip() == str(installation.environment)


def test_a_wheel_inside_the_bot_is_installed_without_asking_an_index(prepared, start, tmp_path):
    greeting = wheel(tmp_path, "greeting", "TEXT = 'olá'\n").read_bytes()
    archive.pack_zip(
        tmp_path / "a.zip",
        {
            "bot.py": b"import greeting\nprint(greeting.TEXT)\n",
            "requirements.txt": b"\xff\xfe" + "--no-index\r\n--find-links vendor\r\ngreeting".encode("utf-16-le"),
            "vendor/greeting-1.0-py3-none-any.whl": greeting,
        },
    )

    assert start(prepared(tmp_path / "a.zip")).stdout.strip() == "olá"


def test_a_failing_install_carries_the_last_lines(prepared, tmp_path):
    package = packed(tmp_path, {"bot.py": "", "requirements.txt": "--no-index\nno-such-thing==1\n"})

    with pytest.raises(BuildError, match=r"^requirements.txt:2: 'no-such-thing==1' cannot be installed") as caught:
        prepared(package)

    assert "no-such-thing" in caught.value.output
    assert len(caught.value.output.splitlines()) <= 50


def test_a_python_that_is_not_there_is_a_missing_tool(prepared, tmp_path):
    package = packed(tmp_path, {"bot.py": "", "bot.toml": '[python]\nrequires-python = ">=3.99"\n'})

    with pytest.raises(ToolMissing, match=r"wants Python >=3\.99"):
        prepared(package)


def test_the_key_changes_with_what_counts_and_with_nothing_else(installed, tmp_path):
    def key(name, files):
        return PYTHON.environment_key(installed(packed(tmp_path, files, f"{name}.zip"), name))

    lock = "# Locked by bottool for Python >=3.11\nsix==1.17.0 --hash=sha256:00\n"
    plain = key("1", {"bot.py": "", "requirements.txt": "six\n", "requirements.lock": lock})

    assert key("2", {"bot.py": "print()", "requirements.txt": "six>1\n", "requirements.lock": lock}) == plain
    assert key("3", {"bot.py": "", "requirements.lock": lock.replace("1.17", "1.16")}) != plain
    assert key("4", {"bot.py": "", "requirements.lock": lock.replace("3.11", "3.99")}) != plain
    local = lock.replace("3.11", "3.11; with files of the bot")
    assert key("5", {"bot.py": "", "requirements.lock": local}) != key("6", {"bot.py": " ", "requirements.lock": local})
    assert key("7", {"bot.py": ""}) == key("8", {"main.py": "", "requirements.txt": ""})
    pyproject = '[project]\nrequires-python = ">=3.99"\n'
    assert key("9", {"bot.py": "", "pyproject.toml": pyproject}) != key("10", {"bot.py": ""})
    # What is not locked is resolved for each package.
    unlocked = {"requirements.txt": "six==1.17.0\n"}
    assert key("11", {"bot.py": "1", **unlocked}) != key("12", {"bot.py": "2", **unlocked})


def test_no_secret_of_the_variables_gets_into_the_output():
    text = "failed to fetch https://me:hunter2@registry.example/simple with tok-123 and UPPER\n"

    shown = tool.redacted(text, {"MY_TOKEN": "tok-123", "HOME": "UPPER", "A_PASSWORD": "x"})

    assert shown == "failed to fetch https://***@registry.example/simple with *** and UPPER\n"


def test_bottools_own_keys_do_not_reach_the_build_scripts_of_a_package(prepared, monkeypatch, tmp_path):
    monkeypatch.setenv("BOTTOOL_KEY", "very-secret")
    setup = "import os, sys\nsys.exit('seen: ' + os.environ.get('BOTTOOL_KEY', 'nothing'))\n"
    package = packed(
        tmp_path,
        {
            "bot.py": "",
            "requirements.txt": "./thing\n",
            "thing/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "back"\nbackend-path = ["."]\n',
            "thing/back.py": f"def build_wheel(*a, **k):\n    exec({setup!r})\n",
        },
    )

    with pytest.raises(BuildError) as caught:
        prepared(package)

    assert "seen: nothing" in caught.value.output


def test_the_programs_it_needs_are_here():
    tools = {each.name: each for each in PYTHON.toolchain()}

    assert tools["python"].path == sys.executable
    assert tools["uv"].found
    assert tools["uv"].version


@pytest.fixture
def sample(prepared, project_of, tmp_path):
    """The sample bot, installed with the real SDK."""
    project = project_of({"bot.toml": ""})
    PYTHON.scaffold(project.folder, "hello", "")
    assert not list(PYTHON.validate(project))
    return prepared(PYTHON.build(project, tmp_path))


def test_the_sample_works_offline_and_for_a_task_and_has_setuptools_beside_it(sample, start, maestro):
    offline = start(sample)
    task = TaskContext(server=maestro.address + "/", task_id=7, workspace="acme", token="s3cret")
    ended = start(sample, task)

    assert offline.returncode == 0, offline.stderr
    assert "Hello, world!" in offline.stdout
    assert ended.returncode == 0, ended.stderr
    assert "Hello, Zoë!" in ended.stdout
    posts = {path: body for method, path, _, body in maestro.calls if method == "POST"}
    assert posts["/api/v2/alerts"]["taskId"] == "7"
    assert posts["/api/v2/task/7"] == {
        "state": "FINISHED",
        "finishStatus": "SUCCESS",
        "finishMessage": "All items done",
        "totalItems": 5,
        "processedItems": 5,
        "failedItems": 0,
    }
    assert {headers.get("token") for _, path, headers, _ in maestro.calls if "version" not in path} == {"s3cret"}

    # What older bots rely on without requiring it.
    (sample.folder / "bot.py").write_text("import warnings\nwarnings.simplefilter('ignore')\nimport pkg_resources\n")
    assert start(replace(sample)).returncode == 0
