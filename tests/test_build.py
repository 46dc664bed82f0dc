"""A project becomes a package, or nothing at all."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bottool import archive
from bottool.build import build, described
from bottool.errors import ArchiveError, BuildError, PluginError, ProjectError
from bottool.hookspecs import hookimpl
from bottool.model import Problem, Project, Severity
from bottool.opening import open_package
from bottool.project import find
from bottool.testing import Notes, plugins_with

PLUGINS = plugins_with(Notes())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-bot"
    folder.mkdir()
    (folder / "bot.note").write_text("print('hello')\n", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def building(write: Callable[[Project, Path], Path]):
    """Plugins with a language that builds as ``write`` does."""
    return plugins_with(type("Odd", (Notes,), {"build": lambda _self, project, output: write(project, output)})())


def packed(output: Path, name: str = "my-bot-1.0.0.zip") -> Path:
    archive.pack_zip(output / name, {"bot.note": b""})
    return output / name


# What is built.


def test_a_project_becomes_one_package(folder, out):
    built = build(PLUGINS, find(folder, PLUGINS, version="1.2"), out)

    package = built.package
    assert (package.bot_id, package.version, package.language) == ("my-bot", "1.2", "notes")
    assert package.path == out.resolve() / "my-bot-1.2.zip"
    assert package.sha256 == archive.sha256_of(package.path)
    assert package.size_bytes == package.path.stat().st_size
    assert package.manifest["bot_id"] == "my-bot"
    assert [path.name for path in out.iterdir()] == ["my-bot-1.2.zip"]


def test_warnings_are_handed_on_and_stop_nothing(folder, out):
    warning = Problem(severity=Severity.WARNING, code="old", message="the compiler is old")
    plugins = plugins_with(type("Odd", (Notes,), {"validate": lambda *_: [warning]})())

    built = build(plugins, find(folder, plugins), out)

    assert built.problems == (warning,)
    assert built.package.path.exists()


def test_what_was_left_out_is_said(folder, out):
    (folder / ".env").write_text("SECRET=1", encoding="utf-8")

    built = build(PLUGINS, find(folder, PLUGINS), out)

    assert built.left_out == (".env (may hold secrets; set its values on the server)",)


def test_a_package_of_the_same_bot_is_replaced(folder, out):
    first = build(PLUGINS, find(folder, PLUGINS), out).package
    (folder / "bot.note").write_text("print('changed')\n", encoding="utf-8")

    second = build(PLUGINS, find(folder, PLUGINS), out).package

    assert second.path == first.path
    assert second.sha256 != first.sha256
    assert [path.name for path in out.iterdir()] == [second.path.name]


@pytest.mark.parametrize("inside", ["dist", "packages", "deep/er [1]"])
def test_a_package_never_holds_the_packages_before_it(folder, inside):
    project = find(folder, PLUGINS)

    first = build(PLUGINS, project, folder / inside)
    second = build(PLUGINS, project, folder / inside)

    assert archive.check(second.package.path).names == ("bot.note", "bottool.json")
    assert second.package.sha256 == first.package.sha256


# What is not built: nothing is written then.


def test_an_error_stops_the_build_before_anything_is_written(folder, out):
    (folder / "bot.note").unlink()
    (folder / "bot.toml").write_text('language = "notes"\n', encoding="utf-8")

    with pytest.raises(ProjectError) as refusal:
        build(PLUGINS, find(folder, PLUGINS), out)

    assert refusal.value.message == "'my-bot' cannot be built: bot.note: 'bot.note' is missing"
    assert refusal.value.hint == "write it"
    assert not out.exists()


def test_all_errors_are_listed_and_kept_for_programs(folder, out):
    class HouseRules:
        @hookimpl
        def bottool_validate(self):
            for line in (3, 5):
                yield Problem(severity=Severity.ERROR, code="tabs", message="a tab", path="bot.note", line=line)
            yield Problem(severity=Severity.WARNING, code="long", message="long lines")

    plugins = plugins_with(Notes())
    plugins.add("house-rules", HouseRules())

    with pytest.raises(ProjectError, match=r"bot\.note:3: a tab; bot\.note:5: a tab") as refusal:
        build(plugins, find(folder, plugins), out)

    assert [problem["code"] for problem in refusal.value.details["problems"]] == ["tabs", "tabs", "long"]


def test_a_tool_that_fails_leaves_nothing(folder, out):
    def half(project, output):
        (output / "half.zip").write_bytes(b"PK\x03\x04 half of it")
        raise BuildError("the compiler failed", "read what it said", output="line 1: no")

    plugins = building(half)

    with pytest.raises(BuildError, match="the compiler failed"):
        build(plugins, find(folder, plugins), out / "deep" / "er")

    assert not out.exists()


def test_a_build_that_fails_keeps_the_package_that_was_there(folder, out):
    before = build(PLUGINS, find(folder, PLUGINS), out).package
    plugins = building(lambda _project, _output: 1 / 0)

    with pytest.raises(PluginError, match="plugin 'under-test' failed in build: ZeroDivisionError"):
        build(plugins, find(folder, plugins), out)

    assert [path.name for path in out.iterdir()] == [before.path.name]
    assert archive.sha256_of(before.path) == before.sha256


@pytest.mark.parametrize(
    "write",
    [
        lambda _project, output: output / "nothing.zip",
        lambda _project, output: packed(output).with_name("another.zip"),
        lambda _project, output: (packed(output), packed(output, "second.zip"))[0],
        lambda project, _output: packed(project.folder),
        lambda _project, output: (output / "folder.zip").mkdir() or output / "folder.zip",
    ],
    ids=["nothing", "another", "two", "elsewhere", "a folder"],
)
def test_a_language_that_does_not_build_exactly_one_file_is_named(folder, out, write):
    plugins = building(write)

    with pytest.raises(PluginError, match=r"plugin 'under-test' built '.*', but its output holds: "):
        build(plugins, find(folder, plugins), out)

    assert not out.exists()


def test_a_package_that_would_be_refused_later_is_refused_at_once(folder, out):
    def twins(project, output):
        archive.pack_zip(output / "x.zip", {"Bot.py": b"1", "bot.py": b"2"})
        return output / "x.zip"

    plugins = building(twins)

    with pytest.raises(ArchiveError, match=r"'[Bb]ot\.py' and '[Bb]ot\.py'") as refusal:
        build(plugins, find(folder, plugins), out)

    assert refusal.value.reason == "name_clash"
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a package", "is no package of 'my-bot' and is not overwritten"),
        (b"PK\x03\x04 broken", "is no package of 'my-bot' and is not overwritten"),
    ],
)
def test_a_file_that_is_no_package_is_not_overwritten(folder, out, content, message):
    out.mkdir()
    (out / "my-bot-1.0.0.zip").write_bytes(content)

    with pytest.raises(ProjectError, match=message):
        build(PLUGINS, find(folder, PLUGINS), out)

    assert (out / "my-bot-1.0.0.zip").read_bytes() == content
    assert len(list(out.iterdir())) == 1


def test_the_package_of_another_bot_is_not_overwritten(folder, out):
    other = build(PLUGINS, find(folder, PLUGINS, bot_id="other"), out).package
    shutil.move(other.path, out / "my-bot-1.0.0.zip")

    with pytest.raises(ProjectError, match="is a package of the bot 'other' and is not overwritten") as refusal:
        build(PLUGINS, find(folder, PLUGINS), out)

    assert refusal.value.hint
    assert archive.sha256_of(out / "my-bot-1.0.0.zip") == other.sha256


def test_a_package_is_not_written_into_the_bots_own_folder(folder):
    with pytest.raises(ProjectError, match="is the bot's own folder"):
        build(PLUGINS, find(folder, PLUGINS), folder)

    assert [path.name for path in folder.iterdir()] == ["bot.note"]


def test_an_output_that_is_a_file_is_refused(folder, out):
    out.write_text("mine", encoding="utf-8")

    with pytest.raises(ProjectError, match="out' cannot be made"):
        build(PLUGINS, find(folder, PLUGINS), out)

    assert out.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        ({"path": "bot.py", "line": 3}, "bot.py:3: wrong"),
        ({"path": "bot.py"}, "bot.py: wrong"),
        ({}, "wrong"),
    ],
)
def test_a_problem_is_described_on_one_line(problem, text):
    assert described(Problem(severity=Severity.ERROR, code="x", message="wrong", **problem)) == text


# Packages that are there already.


def foreign(path: Path, **files: bytes) -> Path:
    archive.pack_zip(path, {"bot.note": b"", **files})
    return path


def test_a_package_of_ours_says_everything_itself(folder, out):
    package = build(PLUGINS, find(folder, PLUGINS), out).package

    assert open_package(package.path, PLUGINS) == package


def test_a_foreign_archive_is_known_by_its_name_and_files(tmp_path):
    package = open_package(foreign(tmp_path / "BotTable-1.0.zip"), PLUGINS)

    assert (package.bot_id, package.version, package.language) == ("BotTable", "1.0", "notes")
    assert dict(package.manifest) == {}


@pytest.mark.parametrize(
    ("file_name", "bot_id", "version"),
    [
        ("mybot.zip", "mybot", "1.0.0"),
        ("my-bot.zip", "my-bot", "1.0.0"),
        ("my-bot-2.zip", "my-bot", "2"),
        ("my-bot-2.0.1b3.ZIP", "my-bot", "2.0.1b3"),
        ("a-1-2.zip", "a-1", "2"),
    ],
)
def test_a_file_name_says_id_and_version(tmp_path, file_name, bot_id, version):
    package = open_package(foreign(tmp_path / file_name), PLUGINS)

    assert (package.bot_id, package.version) == (bot_id, version)


def test_what_is_said_on_the_command_line_counts_first(folder, out):
    path = build(PLUGINS, find(folder, PLUGINS), out).package.path

    package = open_package(path, PLUGINS, bot_id="x", version="9", language="notes")

    assert (package.bot_id, package.version, package.language) == ("x", "9", "notes")


def test_an_archive_that_escapes_is_not_opened(tmp_path):
    archive.pack_zip(tmp_path / "x.zip", {"../evil": b""})

    with pytest.raises(ArchiveError, match=r"'x\.zip' is refused: '\.\./evil' leads out of its folder"):
        open_package(tmp_path / "x.zip", PLUGINS, language="notes")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "none.zip", "none.zip' does not exist"),
        (lambda folder: folder, "is no file"),
        (lambda folder: foreign(folder / "two words.zip"), "'two words', from 'two words.zip', cannot be the bot id"),
    ],
)
def test_what_is_no_package_is_refused_with_a_hint(tmp_path, make, message):
    with pytest.raises(ProjectError, match=message) as refusal:
        open_package(make(tmp_path), PLUGINS)

    assert refusal.value.hint


def test_an_archive_of_no_known_language_asks_for_one(tmp_path):
    archive.pack_zip(tmp_path / "x.zip", {"README": b""})

    with pytest.raises(ProjectError, match=r"x\.zip' does not say its language") as refusal:
        open_package(tmp_path / "x.zip", PLUGINS)

    assert refusal.value.hint == "say it: --language, one of notes"


def test_a_package_of_a_language_that_is_not_installed_is_refused(tmp_path):
    archive.pack_zip(tmp_path / "x.zip", {"bottool.json": b'{"language": "ruby"}'})

    with pytest.raises(ProjectError, match="there is no language 'ruby'; installed: notes"):
        open_package(tmp_path / "x.zip", PLUGINS)
