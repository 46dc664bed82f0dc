"""Where bots start: projects of every layout, and packages that others made."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import pytest

from bottool import archive
from bottool.errors import LaunchError, ProjectError
from bottool_python import layout, tree
from bottool_python.language import Python

SHOW = "import os, sys; print(sys.argv[1:], sorted(os.listdir('.')))\n"
OLD = {
    "setup.py": "raise SystemExit('setup.py must never run')\n",
    "VERSION": "2.1",
    "MANIFEST.in": "include VERSION\n",
    "BotTable.botproj": '{"name": "BotTable"}',
    "requirements.txt": "",
    "BotTable/__init__.py": "",
    "BotTable/__main__.py": "from . import bot\nbot.main()\n",
    "BotTable/bot.py": "import os\ndef main():\n    print(open(os.path.dirname(__file__) + '/resources/é.txt').read())\n",
    "BotTable/resources/é.txt": "resource",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["bot.py"], True),
        (["bot.py", "requirements.txt"], True),
        (["main.py", "requirements.txt"], True),
        (["main.py", "pyproject.toml"], True),
        (["main.py", "x.botproj"], True),
        (["main.py"], False),
        (["setup.py", "BotTable/__main__.py"], True),
        (["setup.py", "BotTable/__init__.py"], False),
        (["setup.py", "tests/__main__.py"], False),
        (["setup.py", "{{ bot }}/__main__.py"], True),
        (["folder/bot.py"], False),
        (["package.json", "index.js"], False),
        (["so.py/bot.txt", "requirements.txt"], False),
    ],
)
def test_a_folder_is_recognised_by_its_files(folder_of, files, expected):
    assert Python().recognises(folder_of(dict.fromkeys(files, ""))) is expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"bot.py": ""}, ("", "")),
        ({"bot.py": "", "x.botproj": '{"name": "from_file"}'}, ("from_file", "")),
        ({"bot.py": "", "x.botproj": "broken"}, ("x", "")),
        ({"bot.py": "", "x.botproj": "{}", "y.botproj": "{}"}, ("", "")),
        ({"bot.py": "", "pyproject.toml": '[project]\nname = "p"\nversion = "3"'}, ("p", "3")),
        ({"bot.py": "", "pyproject.toml": "[broken"}, ("", "")),
        (OLD, ("BotTable", "2.1")),
        ({"setup.py": "from setuptools import setup\nsetup(version='0.3')", "Pkg/__main__.py": ""}, ("Pkg", "0.3")),
        ({"setup.py": "setup(version=open('VERSION').read())", "Pkg/__main__.py": ""}, ("Pkg", "")),
    ],
)
def test_id_and_version_come_from_the_projects_own_files(folder_of, files, expected):
    assert Python().identify(folder_of(files)) == expected


def test_a_template_is_refused_by_its_name(folder_of):
    folder = folder_of({"setup.py": "", "{{ id }}.botproj": "", "{{ id }}/__main__.py": ""})

    with pytest.raises(ProjectError, match="is a template, not a bot"):
        Python().identify(folder)


@pytest.mark.parametrize("entry", ["bot.py", "main.py"])
def test_the_newer_layout_becomes_a_zip_that_runs(project_of, prepared, start, tmp_path, entry):
    project = project_of({entry: SHOW, "requirements.txt": "", "data/ação.csv": "1"})

    package = Python().build(project, tmp_path)
    ended = start(prepared(package))

    assert package.name == "Mine-1.0.0.zip"
    assert ended.stdout.strip() == f"[] {sorted([entry, 'bottool.json', 'data', 'requirements.txt'])}", ended.stderr


def test_the_older_layout_becomes_a_source_distribution_without_running_setup_py(project_of, prepared, start, tmp_path):
    project = project_of(OLD)

    package = Python().build(project, tmp_path)
    names = set(archive.check(package).names)
    ended = start(prepared(package))

    assert package.name == "Mine-1.0.0.tar.gz"
    assert {
        "Mine-1.0.0/PKG-INFO",
        "Mine-1.0.0/setup.py",
        "Mine-1.0.0/bottool.json",
        "Mine-1.0.0/BotTable/resources/é.txt",
    } <= names
    assert archive.read_manifest(package)["entry"] == "BotTable"
    assert ended.stdout.strip() == "resource", ended.stderr


def test_an_entry_of_bot_toml_counts_before_the_usual_files(project_of, prepared, start, tmp_path):
    files = {
        "bot.py": "raise SystemExit('the wrong one')",
        "app/run me.py": SHOW,
        "bot.toml": 'entry = "app/run me.py"',
    }
    project = project_of(files, entry="app/run me.py")

    ended = start(prepared(Python().build(project, tmp_path)))

    assert ended.returncode == 0, ended.stderr


def test_a_project_without_an_entry_is_not_built(project_of, tmp_path):
    with pytest.raises(ProjectError, match="nothing to start"):
        Python().build(project_of({"other.py": ""}), tmp_path)


def test_a_script_in_a_folder_finds_what_lies_beside_it_and_beside_the_folder(project_of, prepared, start, tmp_path):
    files = {
        "src/run.py": "import near\nimport src.far\nimport root\nprint(near.x, src.far.x, root.x)\n",
        "src/near.py": "x = 1\n",
        "src/far.py": "x = 2\n",
        "root.py": "x = 3\n",
        "bot.toml": 'entry = "src/run.py"\n',
    }
    project = replace(project_of(files), entry="src/run.py")

    assert list(Python().validate(project)) == []
    assert start(prepared(Python().build(project, tmp_path))).stdout == "1 2 3\n"


@pytest.mark.parametrize(("option", "is_given"), [("", True), ('[python]\narguments = "none"\n', False)])
def test_a_bot_that_reads_its_command_line_itself_may_be_left_alone(project_of, prepared, tmp_path, option, is_given):
    files = {"bot.py": "import argparse\nargparse.ArgumentParser().parse_args()\n", "bot.toml": option or "\n"}
    project = replace(project_of(files), options={} if is_given else {"arguments": "none"})

    command = Python().command(prepared(Python().build(project, tmp_path)))

    assert command.placeholders is not is_given
    assert [each.code for each in Python().validate(project)] == (["start_arguments"] if is_given else [])


def test_a_zip_written_on_windows_with_backslashes_runs(prepared, start, tmp_path):
    with zipfile.ZipFile(tmp_path / "win.zip", "w") as packed:
        for name in ("bot.py", "lib\\part.py"):
            info = zipfile.ZipInfo("x")
            info.filename, info.create_system = name, 0
            packed.writestr(info, "import lib.part\n" if name == "bot.py" else "print('part')\n")

    assert start(prepared(tmp_path / "win.zip")).stdout.strip() == "part"


def test_a_zip_with_one_folder_around_everything_runs_inside_that_folder(prepared, package_of, start, tmp_path):
    with zipfile.ZipFile(tmp_path / "wrapped.zip", "w") as packed:
        packed.writestr("my bot/bot.py", "print(open('resources/x.txt').read())")
        packed.writestr("my bot/resources/x.txt", "found")
        packed.writestr("my bot/requirements.txt", "")

    ended = start(prepared(tmp_path / "wrapped.zip"))

    assert ended.stdout.strip() == "found", ended.stderr
    assert Python().inspect(package_of(tmp_path / "wrapped.zip")).entry == "bot.py"


def test_a_source_distribution_made_by_setuptools_runs(folder_of, prepared, package_of, start, tmp_path):
    # setuptools calls it bottable-2.1.tar.gz with a folder of that name, and brings requires.txt.
    setup = (
        "from setuptools import setup\nsetup(name='BotTable', version='2.1', packages=['BotTable'],"
        " package_data={'BotTable': ['resources/*']}, install_requires=['six==1.17.0'], python_requires='>=3.8')\n"
    )
    main = "import six\nprint('six', six.__version__)\n"
    folder = folder_of({**OLD, "setup.py": setup, "BotTable/__main__.py": main})
    (folder / "requirements.txt").unlink()
    subprocess.run(
        [sys.executable, "setup.py", "-q", "sdist", "--dist-dir", str(tmp_path / "dist")],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (package,) = (tmp_path / "dist").iterdir()

    inspection = Python().inspect(package_of(package))
    ended = start(prepared(package))

    assert package.name.startswith("bottable-")
    assert (inspection.entry, inspection.requires) == ("BotTable", ">=3.8")
    assert [(each.name, each.version) for each in inspection.dependencies] == [("six", "1.17.0")]
    assert ended.stdout.strip() == "six 1.17.0", ended.stderr


def test_a_package_with_nothing_to_start_says_what_was_looked_for(installed, package_of, tmp_path):
    archive.pack_zip(tmp_path / "none.zip", {"readme.txt": b"hello"})

    inspection = Python().inspect(package_of(tmp_path / "none.zip"))

    assert inspection.entry == ""
    assert "bot.py" in inspection.problems[0].message
    with pytest.raises(LaunchError, match="nothing to start"):
        Python().command(installed(tmp_path / "none.zip"))


def test_a_package_whose_entry_does_not_compile_says_where(package_of, tmp_path):
    archive.pack_zip(tmp_path / "broken.zip", {"bot/bot.py": b"x = 1\ndef main(:\n", "bot/requirements.txt": b""})

    inspection = Python().inspect(package_of(tmp_path / "broken.zip"))

    assert inspection.entry == "bot.py"
    assert [(each.code, each.path, each.line) for each in inspection.problems] == [("syntax_error", "bot.py", 2)]


@pytest.mark.parametrize(
    "files",
    [
        {"bot.toml": b"\xff\xfe", "bot.py": b""},
        {"bot.toml": b"entry = 7\npython = 8\n", "bot.py": b""},
        {"bot.toml": b'[python]\nrequirements = "../../etc/passwd"\n', "bot.py": b""},
        {"bot.toml": b'[python]\nrequirements = "/etc/passwd"\n', "bot.py": b""},
        {"bot.py": b"", "x.botproj": b"[" * 100_000, "pyproject.toml": b"a = " + b"[" * 100_000},
        {"setup.py": b"(" * 100_000, "a/__main__.py": b"", "PKG-INFO": b"\xff\x00"},
        {"bot.py": b"", "requirements.txt": b"x" * 5_000_000},
        {"bot.py": b"", "requirements.txt": b"-r requirements.txt\n-r ./requirements.txt\n" * 1000},
        {"bot.py": b"", "pyproject.toml": b'[project]\nname = 3\ndependencies = "x"\nrequires-python = []\n'},
    ],
)
def test_hostile_files_in_a_package_are_read_without_a_crash(installed, package_of, tmp_path, files):
    archive.pack_zip(tmp_path / "bad.zip", files)

    Python().inspect(package_of(tmp_path / "bad.zip"))
    assert Python().environment_key(installed(tmp_path / "bad.zip"))


def test_among_several_packages_the_one_with_the_projects_name_starts(folder_of):
    folder = folder_of(
        {"setup.py": "", "Two.botproj": json.dumps({"name": "Two"}), "One/__main__.py": "", "Two/__main__.py": ""}
    )

    found = layout.find(tree.of_folder(folder))

    assert found is not None
    assert (found.entry, found.package) == ("Two", True)
