import json
import subprocess
import sys
from pathlib import Path

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.errors import LaunchError, ProjectError
from bottool.model import Command, TaskContext
from bottool_command.language import AnyCommand, _run
from bottool_command.starting import command_line

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


HOSTILE = [f"a{each}b" for each in "&|<>^\"%!;$`'()*?#~{}[]\\\n\r\t "] + [
    *("$(touch x)", "`touch x`", "; touch x", "& calc", "| more", "&& rm -rf /", "%PATH%", "!x!", '" & calc & "'),
    *("'; touch x; '", "$HOME", "${IFS}", "\n touch x", "ação & b"),
]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_task_brings_never_reaches_a_shell(installed, project_of, tmp_path, value):
    python = Path(sys.executable).as_posix()
    show = {"show.py": "import json, sys; print(json.dumps(sys.argv[1:]))"}
    run = [python, "show.py", "{workspace}"]
    built = AnyCommand().build(project_of({**show, "bot.toml": f"[command]\nrun = {json.dumps(run)}\n"}), tmp_path)
    task = TaskContext(server="http://s", task_id=7, workspace=value, token="t")

    ended = start(installed(built), task)

    assert json.loads(ended.stdout) == [value]
    assert not (tmp_path / "installed here" / "x").exists()


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("arguments", [("sh", "-c", "echo {workspace}"), ("bash", "-ec", "echo {workspace}")])
def test_a_placeholder_in_a_shells_text_takes_plain_values_only(tmp_path, arguments, value):
    command = Command(arguments=arguments, placeholders=True)
    task = TaskContext(server="http://s", task_id=7, workspace=value, token="t")

    with pytest.raises(LaunchError, match="a shell acts upon"):
        full_command(command, task, tmp_path)

    plain = TaskContext(server="http://s:80/x", task_id=7, workspace="acme-1", token="t")
    assert full_command(command, plain, tmp_path)[0][2] == "echo acme-1"


@pytest.mark.parametrize("value", ["a&b", "a|b", "a<b", "a>b", "a^b", 'a"b', "%PATH%", "!x!", "a\nb", '" & calc & "'])
@pytest.mark.parametrize("arguments", [("cmd", "/d", "/c", "bot.bat"), ("C:\\x\\bot.CMD",), ("cmd.exe", "/c", "x.bat")])
def test_a_batch_file_gets_no_metacharacters(tmp_path, arguments, value):
    task = TaskContext(server="http://s", task_id=7, workspace=value, token="t")

    with pytest.raises(LaunchError, match="a shell acts upon"):
        full_command(Command(arguments=arguments), task, tmp_path)


@needs_sh
@pytest.mark.parametrize(
    "text",
    ["#!/bin/sh\necho hello\n", "#!/usr/bin/env sh\necho hello\n", "#!/bin/sh\r\necho hello #\r\n", "echo hello\n"],
)
def test_a_script_that_is_not_executable_is_started_by_its_first_line(project_of, installed, tmp_path, text):
    project = project_of({"bot.sh": text, "bot.toml": '[command]\nrun = ["./bot.sh"]\n'}, run=["./bot.sh"])

    ended = start(installed(AnyCommand().build(project, tmp_path)))

    assert ended.stdout.strip() == "hello", ended.stderr


def test_scripts_of_windows_get_their_program(tmp_path):
    for name in ("a.ps1", "a.bat", "a.sh"):
        (tmp_path / name).write_text("")

    lines = [command_line((name, "x"), tmp_path, windows=True)[:-2] for name in ("a.ps1", "a.bat", "a.sh")]

    assert lines == [
        ("powershell", "-NoProfile", "-ExecutionPolicy", "Bypass", "-File"),
        ("cmd", "/d", "/c"),
        ("sh",),
    ]


@pytest.mark.parametrize(
    ("files", "run", "code"),
    [
        ({"bot.sh": ""}, ["sh", "bto.sh"], "no_entry"),
        ({"bot.sh": ""}, ["./other.sh"], "no_entry"),
        ({"bot.sh": ""}, [sys.executable, "{path}/other.py"], "no_entry"),
        ({"bot.sh": "#!/bin/sh\r\nexit 0\r\n"}, [sys.executable, "bot.sh"], "crlf_script"),
        ({"bot.sh": ""}, ["no-such-program-x", "bot.sh"], "program_missing"),
    ],
)
def test_what_a_command_line_names_is_looked_for(project_of, files, run, code):
    assert [each.code for each in AnyCommand().validate(project_of(files, run=run))] == [code]


def test_each_system_may_have_its_own_line(project_of):
    own = {"win32": "run-windows", "darwin": "run-macos", "linux": "run-linux"}[sys.platform]
    run = [sys.executable, "own.py"]
    project = project_of({"own.py": "", "all.py": ""}, **{"run": [sys.executable, "all.py"], own: run})

    assert list(AnyCommand().validate(project)) == []
    assert _run(project.options) == run
