"""What ``validate`` says of projects."""

from dataclasses import replace

import pytest

from bottool.model import Lock
from bottool_python import resolving
from bottool_python.language import Python


def found(project):
    return [(each.severity.value, each.code, each.path, each.line) for each in Python().validate(project)]


def test_a_sound_project_has_no_problems(project_of):
    bot = "import json, requests\nfrom botcity.maestro import BotMaestroSDK\nimport lib.part\n"
    files = {"bot.py": bot, "lib/part.py": "from . import other", "lib/other.py": ""}

    assert found(project_of({**files, "requirements.txt": "botcity-maestro-sdk\nrequests\n"})) == []


@pytest.mark.parametrize("source", ["def broken(:\n", "x = '\0'\n", "(" * 5000])
def test_an_entry_that_does_not_compile_is_an_error(project_of, source):
    (problem,) = Python().validate(project_of({"bot.py": source}))

    assert (problem.severity, problem.code, problem.path) == ("error", "syntax_error", "bot.py")


def test_without_an_entry_it_says_what_was_looked_for(project_of):
    (problem,) = Python().validate(project_of({"requirements.txt": ""}))

    assert problem.severity == "error"
    assert "bot.py and main.py" in problem.message
    assert "entry =" in problem.hint


def test_an_entry_of_bot_toml_that_is_not_there_is_named(project_of):
    (problem,) = Python().validate(project_of({"bot.py": ""}, entry="start.py"))

    assert "'start.py'" in problem.message


def test_only_what_the_entry_reaches_is_judged(project_of):
    files = {
        "bot.py": "import lib.part\nimport absent\n",
        "lib/part.py": "import pandas\n\ndef f():\n    from botcity.web import WebBot\n",
        "side_script.py": "import nowhere\n",
    }

    assert found(project_of({**files, "requirements.txt": "six\n"})) == [
        ("warning", "missing_module", "bot.py", 2),
        ("warning", "missing_module", "lib/part.py", 1),
        ("warning", "missing_module", "lib/part.py", 4),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import absent\nexcept ImportError:\n    absent = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import absent\n",
        "def later():\n    import winreg, msvcrt, tkinter\n",
        "import cv2, PIL, yaml, bs4, dotenv, sklearn\ndef later():\n    import win32com.client\n",
        "import pkg_resources, setuptools\n",
        "import sys, os\nsys.path.append(os.path.join(os.path.dirname(__file__), 'src'))\nimport in_src\n",
        "import sys, os\nhere = os.path.abspath('./src')\nsys.path.insert(0, here)\nimport in_src\n",
    ],
)
def test_imports_that_are_all_right_raise_no_alarm(project_of, source):
    requirements = "opencv-python\npillow\nPyYAML\nbeautifulsoup4\npython-dotenv\nscikit-learn\n"
    requirements += "pywin32; sys_platform == 'win32'\n"

    assert found(project_of({"bot.py": source, "src/in_src.py": "", "requirements.txt": requirements})) == []


def test_a_requirement_without_a_name_may_bring_anything(project_of):
    assert (
        found(project_of({"bot.py": "import x\n", "requirements.txt": f"git+https://code.example/x@{'a' * 40}\n"}))
        == []
    )


def test_a_relative_import_that_is_not_there_is_named(project_of):
    files = {"setup.py": "", "Mine/__init__.py": "", "Mine/__main__.py": "from .gone import x\n"}

    assert found(project_of(files)) == [("error", "missing_module", "Mine/__main__.py", 1)]


def test_another_id_than_the_package_of_the_older_layout_is_told(project_of):
    files = {"setup.py": "", "BotTable/__init__.py": "", "BotTable/__main__.py": "", "Old.botproj": '{"name": "Old"}'}
    project = project_of(files)

    (problem,) = Python().validate(project)

    assert problem.code == "name_disagrees"
    assert "'Mine'" in problem.message
    assert '"BotTable"' in problem.hint
    assert Python().identify(project.folder)[0] == "BotTable"


def test_a_syntax_error_behind_the_entry_is_a_warning(project_of):
    assert found(project_of({"bot.py": "import part\n", "part.py": "def (\n"})) == [
        ("warning", "syntax_error", "part.py", 1)
    ]


def test_a_template_gets_one_clear_error(project_of):
    (problem,) = Python().validate(project_of({"setup.py": "", "{{ bot }}/__main__.py": "import x"}))

    assert (problem.severity, problem.code) == ("error", "template")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"requirement": "x.txt"}, "no option 'requirement'"),
        ({"requires-python": 3.11}, "requires-python is no text"),
        ({"requires-python": "newest"}, "'newest' is no range"),
    ],
)
def test_a_wrong_option_is_an_error(project_of, options, message):
    (problem,) = Python().validate(project_of({"bot.py": ""}, **options))

    assert problem.severity == "error"
    assert message in problem.message
    assert problem.hint


def test_dependencies_in_poetrys_own_way_count(project_of):
    files = {"bot.py": "import six, absent", "pyproject.toml": "[tool.poetry.dependencies]\nsix = '^1'\n"}

    assert found(project_of(files)) == [("warning", "missing_module", "bot.py", 1)]


def test_a_non_utf8_source_with_its_cookie_compiles(project_of):
    assert found(project_of({"bot.py": "# -*- coding: latin-1 -*-\nx = 'ação'\n".encode("latin-1")})) == []


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("x = 1\nname = input('Who? ')\n", "prompts", 2),
        ("import tkinter\n", "needs_display", 1),
        ("from botcity.core import *\n", "needs_display", 1),
        ("from botcity import core\n", "needs_display", 1),
        ("import os\nos.startfile('a.txt')\n", "windows_only", 2),
        ("import winreg\n", "windows_only", 1),
        ("import json\njson.load(open('config.json'))\n", "file_missing", 2),
        ("from dotenv import load_dotenv\nload_dotenv()\n", "file_missing", 2),
        ("from botcity.maestro import *\nm = BotMaestroSDK.from_sys_args()\n", "never_finishes", 2),
    ],
)
def test_what_goes_wrong_where_nobody_watches_is_a_warning(project_of, source, code, line):
    required = "botcity-maestro-sdk\nbotcity-framework-core\npython-dotenv\n"

    assert found(project_of({"bot.py": source, "requirements.txt": required})) == [("warning", code, "bot.py", line)]


@pytest.mark.parametrize(
    "source",
    [
        "open('out.txt', 'w').write('x')\n",
        "open('data/in.txt').read()\n",
        "open(f'{1}.txt').read()\n",
        "while True:\n    pass\n",
        "import lib.end\nfrom botcity.maestro import *\nm = BotMaestroSDK.from_sys_args()\n",
        "try:\n    import pyautogui\nexcept Exception:\n    pyautogui = None\n",
    ],
)
def test_what_is_all_right_raises_no_alarm(project_of, source):
    files = {"lib/end.py": "def end(m):\n    m.finish_task(1)\n", "data/in.txt": "x"}

    assert found(project_of({**files, "bot.py": source, "requirements.txt": "botcity-maestro-sdk\n"})) == []


def test_a_local_folder_named_like_the_sdk_stands_beside_it(project_of):
    files = {
        "bot.py": "from botcity.maestro import *\nfrom botcity.own import work\n",
        "botcity/own.py": "import absent\n",
        "requirements.txt": "botcity-maestro-sdk\n",
    }

    assert found(project_of(files)) == [("warning", "missing_module", "botcity/own.py", 1)]


def test_two_dependency_files_that_disagree_are_said(project_of):
    pyproject = "[project]\nname = 'a'\ndependencies = ['six>=2', 'requests']\n"

    (problem,) = Python().validate(
        project_of({"bot.py": "", "requirements.txt": "six==1.17.0\n", "pyproject.toml": pyproject})
    )

    assert problem.code == "dependencies_disagree"
    assert "'requests' is missing" in problem.message
    assert "'six' is pinned to 1.17.0, not >=2" in problem.message


def test_a_lock_that_does_not_hold_what_is_required_is_said(project_of):
    files = {"bot.py": "", "requirements.txt": "six\nrequests\n", "requirements.lock": "six==1.17.0\n"}

    (problem,) = Python().validate(project_of(files))

    assert problem.code == "lock_outdated"
    assert "'requests'" in problem.message


def test_a_link_without_a_commit_may_bring_another_thing_tomorrow(project_of):
    files = {"bot.py": "", "requirements.txt": "six\ngit+https://code.example/x@main\n"}

    assert found(project_of(files)) == [("warning", "unpinned", "requirements.txt", 2)]


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"{{x}}/__main__.py": "", "setup.py": ""}, "a template"),
        ({"tests/test_a.py": "", "conftest.py": ""}, "a pytest suite"),
        ({"setup.py": "", "thing/__init__.py": ""}, "a library"),
        ({"manage.py": "os.environ['DJANGO_SETTINGS_MODULE'] = 'x'"}, "a Django application"),
        ({"main.py": "from flask import Flask\n", "requirements.txt": ""}, "a Flask application"),
        ({"app.py": "import streamlit as st\n"}, "a Streamlit application"),
        ({"ex1.py": "", "ex2.py": "", "ex3.py": ""}, "a folder of exercises"),
        ({"test_a.py": "", "conftest.py": "", "x.botproj": "{}"}, "a pytest suite"),
        (
            {
                "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\ngo = "x.cli:main"\n',
                "src/x/__init__.py": "",
            },
            "a package that is installed and started by its command 'go'",
        ),
        (
            {"robot.yaml": "tasks:\n  Run it:\n    shell: python -m robot tasks.robot\n"},
            "a Robot Framework robot with one task in robot.yaml (Run it)\nput a bot.py beside it",
        ),
        (
            {"robot.yaml": 'tasks:\n  A:\n    shell: python a.py\n  "B b":\n    shell: python b.py\n', "a.py": ""},
            "a Robocorp robot with 2 tasks in robot.yaml (A, B b)\nsay in a bot.toml which",
        ),
    ],
)
def test_what_is_no_bot_is_called_what_it_is(folder_of, files, what):
    assert Python().not_a_bot(folder_of(files)).startswith(what)


@pytest.mark.parametrize(
    "files",
    [
        {"bot.py": "print()", "tests/test_bot.py": ""},
        {"main.py": "import flask\nfrom botcity.maestro import *\n", "requirements.txt": ""},
        {"main.py": "import flask\n", "x.botproj": "{}"},
        {"setup.py": "", "Pkg/__init__.py": "", "Pkg/__main__.py": ""},
        {"pyproject.toml": '[project]\nname = "x"\n', "src/__init__.py": "", "src/main.py": ""},
    ],
)
def test_a_bot_is_not_called_something_else(folder_of, files):
    assert Python().not_a_bot(folder_of(files)) == ""


def test_scripts_come_in_the_order_in_which_they_are_likely_the_bot(folder_of):
    guard = "if __name__ == '__main__':\n    pass\n"
    files = {
        "config.py": guard,
        "setup_env.py": guard,
        "alone.py": guard,
        "conductor.py": "import worker\n",
        "worker.py": guard,
        "src/main.py": "",
    }

    assert Python().scripts(folder_of(files)) == ("src/main.py", "conductor.py", "alone.py", "worker.py")


def test_a_described_package_that_can_be_started_is_a_bot(folder_of):
    folder = folder_of({"pyproject.toml": "[tool.poetry]\n", "pkg/__init__.py": "", "pkg/__main__.py": ""})

    assert Python().recognises(folder)


def test_a_module_in_another_folder_is_named_with_that_folder(project_of):
    files = {"bot.py": "import src.main\n", "src/main.py": "import pages.one\n", "src/pages/one.py": ""}

    (problem,) = Python().validate(project_of(files))

    assert problem.message.startswith("imports 'pages', which lies in 'src'")
    assert 'entry = "src/main.py"' in problem.hint
    assert "src.pages.one" in problem.hint


def test_what_only_the_lock_brings_is_not_missing(project_of):
    files = {"bot.py": "import dotenv\nimport gone\n", "requirements.txt": "six\n"}
    lock = Lock(file="requirements.lock", data=b"python-dotenv==1.0.0 \\\n    --hash=sha256:1\nsix==1\n")

    plain = [each.message for each in Python().validate(project_of(files))]
    locked = [each.message for each in Python().validate(replace(project_of(files), lock=lock))]

    assert ["dotenv" in each for each in plain] == [True, False]
    assert len(locked) == 1
    assert "'gone'" in locked[0]


@pytest.mark.parametrize(
    ("output", "who"),
    [
        ("error: Failed to fetch: `https://index.example/simple/six/`\n  cause: dns error", "no package index answers"),
        ("error: Failed to download `x @ https://files.example/x.whl`\n cause: dns error", "'files.example', to which"),
        (
            "fatal: unable to access 'https://me:pw@git.example/x.git/': Could not resolve host",
            "'git.example', to which",
        ),
    ],
)
def test_who_did_not_answer_is_named(output, who):
    assert resolving._unanswered(output).startswith(who)


@pytest.mark.parametrize(("wanted", "severity"), [("", "error"), (">=3.8", "error"), (">=99", "warning")])
def test_syntax_that_another_python_may_know_is_no_error(project_of, wanted, severity):
    files = {"bot.py": "def broken(:\n", "pyproject.toml": f'[project]\nname = "x"\nrequires-python = "{wanted}"\n'}

    (problem,) = Python().validate(project_of(files))

    assert (problem.code, problem.severity.value) == ("syntax_error", severity)
    assert ("asks for >=99" in problem.message) == (severity == "warning")


def test_a_package_with_a_module_called_bot_is_no_project(folder_of):
    assert not Python().recognises(folder_of({"bot.py": "", "__init__.py": ""}))
    assert Python().recognises(folder_of({"bot.py": "", "__init__.py": "", "requirements.txt": ""}))
