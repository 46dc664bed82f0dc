"""What ``validate`` says of projects."""

import pytest

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
        ("warning", "missing_import", "bot.py", 2),
        ("warning", "missing_import", "lib/part.py", 1),
        ("warning", "missing_import", "lib/part.py", 4),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import absent\nexcept ImportError:\n    absent = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import absent\n",
        "import winreg, msvcrt, tkinter\n",
        "import cv2, PIL, yaml, bs4, dotenv, win32com.client, sklearn\n",
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
    assert found(project_of({"bot.py": "import x\n", "requirements.txt": "git+https://code.example/x\n"})) == []


def test_a_relative_import_that_is_not_there_is_named(project_of):
    files = {"setup.py": "", "Pkg/__init__.py": "", "Pkg/__main__.py": "from .gone import x\n"}

    assert found(project_of(files)) == [("warning", "missing_module", "Pkg/__main__.py", 1)]


def test_paths_of_one_machine_are_named_with_their_line(project_of):
    source = 'A = "relative"\nB = r"C:\\Users\\me\\x.xlsx"\nC = f"D:/data/{A}"\n'

    assert found(project_of({"bot.py": source})) == [
        ("warning", "absolute_path", "bot.py", 2),
        ("warning", "absolute_path", "bot.py", 3),
    ]


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


def test_dependencies_in_poetrys_own_way_are_told_to_be_missing(project_of):
    files = {"bot.py": "", "pyproject.toml": "[tool.poetry.dependencies]\nsix = '^1'\n"}

    assert found(project_of(files)) == [("warning", "poetry_only", "pyproject.toml", None)]


def test_a_non_utf8_source_with_its_cookie_compiles(project_of):
    assert found(project_of({"bot.py": "# -*- coding: latin-1 -*-\nx = 'ação'\n".encode("latin-1")})) == []
