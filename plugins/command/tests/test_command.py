import json
import subprocess
import sys
from pathlib import Path

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.errors import LaunchError, ProjectError
from bottool.model import TaskContext
from bottool_command.language import AnyCommand

SH = sys.platform != "win32"
needs_sh = pytest.mark.skipif(not SH, reason="the sample for Windows is bot.bat")


def start(installation, task=None):
    command = AnyCommand().command(installation)
    arguments, variables = full_command(command, task, installation.folder)
    return subprocess.run(
        arguments, cwd=installation.folder, env=variables, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


def test_a_built_bot_runs_its_command_with_the_arguments_of_the_task_behind(project_of, installed, tmp_path):
    run = [Path(sys.executable).as_posix(), "show.py", "a b"]
    files = {"bot.toml": f"[command]\nrun = {json.dumps(run)}\n", "show.py": "import sys; print(sys.argv[1:])"}
    project = project_of(files, run=run)

    installation = installed(AnyCommand().build(project, tmp_path))
    ended = start(installation, TaskContext(server="http://s", task_id=7, workspace="w", token="t"))

    assert ended.stdout.strip() == "['a b', 'http://s', '7', 't', 'w']"


def test_a_placeholder_in_bot_toml_stands_instead_of_the_appended_arguments(project_of, installed, tmp_path):
    python = Path(sys.executable).as_posix()
    project = project_of(
        {
            "bot.toml": f'[command]\nrun = ["{python}", "show.py", "--task={{task}}"]\n',
            "show.py": "import sys; print(sys.argv[1:])",
        },
        run=[python, "show.py", "--task={task}"],
    )

    installation = installed(AnyCommand().build(project, tmp_path))
    ended = start(installation, TaskContext(server="http://s", task_id=7, workspace="w", token="t"))

    assert ended.stdout.strip() == "['--task=7']"


def test_the_same_project_gives_the_same_bytes(project_of, tmp_path):
    project = project_of({"bot.toml": "", "bot.sh": "exit 0", "data/é.txt": "ü"}, run=["sh", "bot.sh"])
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()

    packages = [AnyCommand().build(project, tmp_path / each) for each in "12"]

    assert packages[0].read_bytes() == packages[1].read_bytes()
    assert packages[0].name == "mine-1.0.0.zip"


def test_a_single_file_runs_with_the_line_that_a_person_typed(installed, tmp_path):
    script = tmp_path / "robô um.py"
    script.write_text("import sys; print(sys.argv[1:])", encoding="utf-8")
    typed = f"\"{Path(sys.executable).as_posix()}\" {{path}} 'two words' {{maestro_taskid}} {{maestro_server}}"

    installation = installed(script, command=typed)
    ended = start(installation, TaskContext(server="http://s", task_id=7, workspace="w", token="t"))

    assert ended.stdout.strip() == "['two words', '7', 'http://s']", ended.stderr


def test_a_typed_line_is_never_given_to_a_shell(installed, tmp_path):
    script = tmp_path / "show.py"
    script.write_text("import sys; print(sys.argv[1:])")
    typed = f"\"{Path(sys.executable).as_posix()}\" {{path}} ; echo $HOME '#' && touch {tmp_path.as_posix()}/touched"

    ended = start(installed(script, command=typed))

    assert ended.stdout.strip().startswith("[';', 'echo', '$HOME', '#', '&&', 'touch'")
    assert not (tmp_path / "touched").exists()


def test_the_path_of_an_archive_is_its_folder(project_of, installed, tmp_path):
    project = project_of({"show.py": "print('from the archive')"}, run=["unused"])

    installation = installed(
        AnyCommand().build(project, tmp_path), command=f'"{Path(sys.executable).as_posix()}" {{path}}/show.py'
    )

    assert start(installation).stdout.strip() == "from the archive"


def test_an_open_quote_in_a_typed_line_is_named(installed, tmp_path):
    script = tmp_path / "a.sh"
    script.write_text("exit 0")

    with pytest.raises(LaunchError, match="cannot be split"):
        AnyCommand().command(installed(script, command='sh "{path}'))


def test_a_package_without_any_command_line_does_not_start_and_says_so(installed, tmp_path):
    lonely = tmp_path / "lonely.sh"
    lonely.write_text("exit 0")
    installation = installed(lonely)

    assert [each.message for each in AnyCommand().inspect(installation.package).problems] == [
        "nothing says what to run"
    ]
    with pytest.raises(LaunchError, match="nothing says what to run"):
        AnyCommand().command(installation)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nothing says what to run"),
        ({"run": "sh bot.sh"}, "run is not a list of texts"),
        ({"run": []}, "run is not a list of texts"),
        ({"run": ["sh", 7]}, "run is not a list of texts"),
        ({"run": ["sh"], "rum": ["x"]}, "has no option 'rum'"),
    ],
)
def test_a_wrong_table_is_a_problem_with_a_hint(project_of, options, message):
    (problem,) = AnyCommand().validate(project_of({"bot.sh": ""}, **options))

    assert message in problem.message
    assert problem.hint


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"[command", b"command = 7", b"a = " + b"[" * 5000])
def test_a_hostile_bot_toml_in_a_package_is_a_problem_and_no_crash(tmp_path, installed, text):
    archive.pack_zip(tmp_path / "bad.zip", {"bot.toml": text})
    installation = installed(tmp_path / "bad.zip")

    assert AnyCommand().inspect(installation.package).problems
    with pytest.raises(LaunchError):
        AnyCommand().command(installation)


def test_a_template_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ProjectError, match="no template 'fancy'"):
        AnyCommand().scaffold(tmp_path, "hello", "fancy")
    assert not list(tmp_path.iterdir())


@needs_sh
def test_the_sample_finishes_its_task_with_curl(tmp_path, project_of, installed, maestro):
    project = project_of({"bot.toml": ""}, run=["sh", "bot.sh"])
    AnyCommand().scaffold(project.folder, "hello", "")
    installation = installed(AnyCommand().build(project, tmp_path))

    ended = start(installation, TaskContext(server=maestro.address + "/", task_id=7, workspace="acme", token="s3cret"))

    assert ended.returncode == 0, ended.stderr
    assert "Hello, Zoë!" in ended.stdout
    assert "item 5 of 5 done" in ended.stdout
    method, path, headers, body = maestro.calls[-1]
    assert (method, path) == ("POST", "/api/v2/task/7")
    assert (headers["token"], headers["organization"]) == ("s3cret", "acme")
    assert body == {
        "state": "FINISHED",
        "finishStatus": "SUCCESS",
        "finishMessage": "all items done",
        "totalItems": 5,
        "processedItems": 5,
        "failedItems": 0,
    }


@needs_sh
def test_the_sample_runs_without_a_task_and_without_curl(tmp_path, project_of, installed):
    project = project_of({"bot.toml": ""}, run=["sh", "bot.sh"])
    AnyCommand().scaffold(project.folder, "hello", "")
    installation = installed(AnyCommand().build(project, tmp_path))

    offline = start(installation)
    without_curl = subprocess.run(
        ["/bin/sh", "bot.sh", "http://127.0.0.1:9", "7", "t"],
        cwd=installation.folder,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        timeout=60,
    )

    assert (offline.returncode, without_curl.returncode) == (0, 0)
    assert "Hello, world!" in offline.stdout
