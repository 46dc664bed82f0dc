"""``bottool plugin new``: what it writes is a distribution that passes its own tests at once."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.example


def test_a_new_plugin_passes_its_own_tests_once_installed(fresh, tmp_path) -> None:
    fresh.run("bottool", "plugin", "new", "small-talk", cwd=tmp_path)
    folder = tmp_path / "bottool-small-talk"
    fresh.install("--no-build-isolation", "--editable", str(folder))

    printed = fresh.run("pytest", "-q", "-m", "not long", "-p", "no:cacheprovider", cwd=folder)
    known = json.loads(fresh.run("bottool", "plugins", "--json"))

    assert " passed" in printed
    assert " skipped" not in printed
    ours = next(each for each in known if each["name"] == "small-talk")
    assert (ours["languages"], ours["problem"]) == (["small-talk"], "")


def test_a_new_plugin_is_complete(bottool, tmp_path) -> None:
    done = bottool("plugin", "new", "elixir", "--folder", str(tmp_path / "here"), "--json")

    assert json.loads(done.stdout) == {"language": "elixir", "folder": str(tmp_path / "here")}
    said = tomllib.loads((tmp_path / "here" / "pyproject.toml").read_text(encoding="utf-8"))
    assert said["project"]["name"] == "bottool-elixir"
    assert said["project"]["dependencies"] == ["bottool>=0.1,<0.2"]
    assert said["project"]["entry-points"]["bottool"] == {"elixir": "bottool_elixir.plugin"}
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "here").rglob("*") if path.is_file()]
    assert not [text for text in texts if "PLUGIN_" in text]
    assert not (tmp_path / "here" / "LICENSE").exists()


@pytest.mark.parametrize("name", ["Ruby", "1st", "a b", "../x", "a--b", ""])
def test_a_name_that_no_language_can_have_is_refused(bottool, name) -> None:
    done = bottool("plugin", "new", name)

    assert done.returncode == 3
    assert "cannot be a language's name" in done.stderr
    assert list(bottool.folder.iterdir()) == []


def test_what_is_there_is_not_overwritten(bottool) -> None:
    (bottool.folder / "bottool-ruby").mkdir()
    (bottool.folder / "bottool-ruby" / "mine").write_text("keep me", encoding="utf-8")

    done = bottool("plugin", "new", "ruby")

    assert done.returncode == 6
    assert [path.name for path in (bottool.folder / "bottool-ruby").iterdir()] == ["mine"]


def test_the_example_and_the_scaffold_have_one_shape(bottool) -> None:
    example = Path(__file__).resolve().parent.parent.parent / "examples" / "bottool-ruby"
    bottool("plugin", "new", "ruby")
    written = bottool.folder / "bottool-ruby"

    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    renamed = {"bottool_ruby/scaffold/bot.ruby"}
    there = {path.relative_to(example).as_posix() for path in example.rglob("*") if path.is_file()}

    assert names - renamed <= there
    shutil.rmtree(written)
