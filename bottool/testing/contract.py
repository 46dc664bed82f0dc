"""``LanguageContract``: the tests that every language passes, written once.

A language's own tests subclass it and name the language; pytest then collects everything here for it::

    class TestRuby(LanguageContract):
        language = Ruby()
        speaks = ("bot.rb", 'puts "@TEXT@"; exit @STATUS@')

Builds and environments are made once per class and shared, since they are slow. The tools of the language must be on
the machine: without them the tests that need them are skipped on a laptop and fail where ``CI`` is set.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from bottool import archive
from bottool.build import Built, build, described, open_package
from bottool.errors import BottoolError, ProjectError
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Installation, Limits, Outcome, Package, Project, Reason, Severity, Tool
from bottool.plugins import Plugins
from bottool.project import find
from bottool.settings import base_variables
from bottool.testing.half_way import prepare_until_killed

BOT_ID = "contract-bot"
VERSION = "2.5.0"
TEXT = "ação, 日本, ✓"
STATUS = 3
_TIMEOUT_SECONDS = 120.0
_SECRET = "hunter2-in-dot-env"  # noqa: S105 - a value that must not be found in a package
_NOT_FOR_A_PACKAGE = (".env", ".git/HEAD", "__pycache__/bot.cpython-311.pyc", "yesterday.log", "private/notes.txt")


class Offer:
    """A plugin that brings languages and nothing else."""

    def __init__(self, *languages: Language) -> None:
        self.languages = languages

    @hookimpl
    def bottool_register_languages(self) -> list[Language]:
        return list(self.languages)


def plugins_with(*languages: Language) -> Plugins:
    """Plugins with these languages only, whatever is installed."""
    plugins = Plugins()
    plugins.add("under-test", Offer(*languages))
    return plugins


class LanguageContract:
    """Subclass it as ``Test<Language>`` and set ``language``.

    ``speaks`` is a file of the scaffolded bot and its new text, with which the bot prints ``@TEXT@`` (UTF-8) and ends
    with the exit status ``@STATUS@``; left empty, the three tests that need such a bot are not collected.
    """

    language: ClassVar[Language]
    speaks: ClassVar[tuple[str, str]] = ("", "")

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not cls.speaks[0]:
            for name in [each for each in dir(cls) if each.startswith("test_a_speaking_bot")]:
                setattr(cls, name, None)

    # What the tests share.

    @pytest.fixture(scope="class")
    @classmethod
    def plugins(cls) -> Plugins:
        return plugins_with(cls.language)

    @pytest.fixture
    def project(self, plugins: Plugins, tmp_path: Path) -> Project:
        """A scaffolded bot of the test's own."""
        return self.scaffolded(plugins, tmp_path / "bot")

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> Project:
        """A scaffolded bot with files around it that belong into no package; nobody writes into its folder."""
        project = cls.scaffolded(plugins, tmp_path_factory.mktemp("source") / "bot")
        for name in _NOT_FOR_A_PACKAGE:
            path = project.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_SECRET, encoding="utf-8")
        return replace(project, exclude=("private",))

    @pytest.fixture(scope="class")
    @classmethod
    def built(cls, plugins: Plugins, source: Project, tmp_path_factory: pytest.TempPathFactory) -> Built:
        cls.need("build")
        return build(plugins, source, tmp_path_factory.mktemp("built"))

    @pytest.fixture(scope="class")
    @classmethod
    def kitchen(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A cache folder for the whole class, with a blank and accents in its name."""
        folder = tmp_path_factory.mktemp("kitchen") / "caché de bots"
        folder.mkdir()
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def installed(
        cls, plugins: Plugins, built: Built, kitchen: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Installation:
        return cls.install(plugins, built.package, kitchen, tmp_path_factory.mktemp("installed") / "work")

    @pytest.fixture(scope="class")
    @classmethod
    def spoken(
        cls, plugins: Plugins, kitchen: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Outcome, dict[int, bytes]]:
        """How the speaking bot ended and what it printed, from source to end below names with blanks and accents."""
        cls.need("build")
        folder = tmp_path_factory.mktemp("spoken") / "meu robô nº 1"
        project = cls.scaffolded(plugins, folder / "fonte é aqui")
        name, text = cls.speaks
        text = text.replace("@TEXT@", TEXT).replace("@STATUS@", str(STATUS))
        (project.folder / name).write_text(text, encoding="utf-8")
        package = build(plugins, project, folder / "saída").package
        return cls.run(plugins, cls.install(plugins, package, kitchen, folder / "área de trabalho"))

    @classmethod
    def scaffolded(cls, plugins: Plugins, folder: Path) -> Project:
        folder.mkdir(parents=True)
        cls.language.scaffold(folder, BOT_ID, "")
        return find(folder, plugins, version=VERSION)

    @classmethod
    def install(cls, plugins: Plugins, package: Package, cache: Path, work: Path) -> Installation:
        from bottool.environments import Cache, make_ready

        cls.need("run")
        return make_ready(plugins, package, Cache(cache), work, lambda _note: None)

    @classmethod
    def run(cls, plugins: Plugins, installation: Installation) -> tuple[Outcome, dict[int, bytes]]:
        """The outcome, and what was printed by stream (1, 2)."""
        from bottool.run import run

        printed = {1: b"", 2: b""}

        def keep(stream: int, data: bytes) -> None:
            printed[stream] += data

        outcome = run(plugins, installation, task=None, limits=Limits(timeout_seconds=_TIMEOUT_SECONDS), output=keep)
        return outcome, printed

    @classmethod
    def need(cls, purpose: str) -> None:
        """Skip on a laptop, fail in CI, when a tool is missing that the language needs to ``build`` or ``run``."""
        missing = [tool for tool in cls.language.toolchain() if not tool.found and purpose in tool.needed_for]
        if not missing:
            return
        message = f"{cls.language.title} needs {', '.join(tool.name for tool in missing)} to {purpose}"
        if base_variables().get("CI"):
            pytest.fail(message)
        pytest.skip(message)

    # What it says of itself.

    def test_it_loads_as_a_plugin(self, plugins: Plugins) -> None:
        assert list(plugins.languages) == [self.language.name]

    def test_it_has_a_title_and_says_which_technologies_it_serves(self) -> None:
        assert self.language.title
        assert all(literal == literal.upper() for literal in self.language.technologies)

    def test_each_technology_leads_to_it(self, plugins: Plugins) -> None:
        for literal in self.language.technologies:
            assert plugins.for_technology(literal) is self.language

    def test_its_toolchain_says_what_is_needed_for_what(self) -> None:
        tools = self.language.toolchain()

        assert {type(tool) for tool in tools} <= {Tool}
        assert all(tool.name for tool in tools)
        assert {tool.needed_for for tool in tools} <= {"build", "run", "build and run"}

    def test_a_missing_tool_comes_with_a_hint(self) -> None:
        assert all(tool.hint for tool in self.language.toolchain() if not tool.found)

    # Projects.

    def test_an_empty_folder_is_not_recognised(self, tmp_path: Path) -> None:
        assert not self.language.recognises(tmp_path)

    def test_a_folder_of_other_things_is_not_recognised(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("# Nothing here runs\n", encoding="utf-8")
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "table.csv").write_text("a;b\n1;2\n", encoding="utf-8")

        assert not self.language.recognises(tmp_path)

    def test_its_scaffold_is_a_project_of_this_language(self, project: Project) -> None:
        assert project.language == self.language.name

    def test_its_scaffold_bears_the_name_it_was_given(self, project: Project) -> None:
        assert project.bot_id == BOT_ID

    def test_its_scaffold_passes_validation(self, plugins: Plugins, project: Project) -> None:
        assert [described(each) for each in plugins.validate(project)] == []

    def test_its_scaffold_writes_into_its_folder_only(self, plugins: Plugins, tmp_path: Path) -> None:
        self.scaffolded(plugins, tmp_path / "bot")

        assert [path.name for path in tmp_path.iterdir()] == ["bot"]

    def test_an_unknown_template_is_refused_with_a_hint(self, tmp_path: Path) -> None:
        with pytest.raises(ProjectError, match="no-such-template") as refusal:
            self.language.scaffold(tmp_path, BOT_ID, "no-such-template")

        assert refusal.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_validation_changes_nothing(self, plugins: Plugins, project: Project) -> None:
        before = snapshot(project.folder)

        plugins.validate(project)

        assert snapshot(project.folder) == before

    def test_a_bot_without_its_files_is_refused(self, plugins: Plugins, project: Project, tmp_path: Path) -> None:
        for path in [each for each in project.folder.rglob("*") if each.is_file()]:
            path.unlink()

        with pytest.raises(BottoolError) as refusal:
            build(plugins, find(project.folder, plugins), tmp_path / "out")

        assert refusal.value.hint
        assert not (tmp_path / "out").exists()

    def test_validation_of_an_emptied_folder_raises_nothing(self, plugins: Plugins, project: Project) -> None:
        for path in [each for each in project.folder.rglob("*") if each.is_file()]:
            path.unlink()

        problems = plugins.validate(project)

        assert all(not Path(problem.path).is_absolute() for problem in problems)

    # Packages.

    def test_building_leaves_the_source_untouched(
        self, plugins: Plugins, project: Project, built: Built, tmp_path: Path
    ) -> None:
        before = snapshot(project.folder)

        again = build(plugins, project, tmp_path / "out")

        assert snapshot(project.folder) == before
        assert again.package.path.name == built.package.path.name

    def test_building_twice_gives_the_same_bytes(
        self, plugins: Plugins, source: Project, built: Built, tmp_path: Path
    ) -> None:
        copy = tmp_path / "copied elsewhere"
        shutil.copytree(source.folder, copy, copy_function=shutil.copyfile)
        keep_modes(source.folder, copy)

        again = build(plugins, replace(source, folder=copy), tmp_path / "out")

        assert again.package.sha256 == built.package.sha256

    def test_building_makes_exactly_one_file(self, built: Built) -> None:
        assert list(built.package.path.parent.iterdir()) == [built.package.path]

    def test_the_package_says_what_it_is(self, built: Built) -> None:
        said = archive.read_manifest(built.package.path)

        assert said["format"] == 1
        assert (said["bot_id"], said["version"]) == (BOT_ID, VERSION)
        assert said["language"] == self.language.name
        assert said["entry"]

    def test_the_package_is_known_again_without_being_told(self, plugins: Plugins, built: Built) -> None:
        assert open_package(built.package.path, plugins) == built.package

    def test_what_belongs_into_no_package_is_left_out(self, built: Built) -> None:
        names = archive.check(built.package.path).names

        assert not [name for name in names for unwanted in _NOT_FOR_A_PACKAGE if name.endswith(unwanted)]

    def test_nothing_of_a_dot_env_file_is_in_the_package(self, built: Built) -> None:
        for name in archive.check(built.package.path).names:
            assert _SECRET.encode() not in (archive.read_member(built.package.path, name, 2**29) or b""), name

    def test_inspection_agrees_with_the_manifest(self, built: Built) -> None:
        inspection = self.language.inspect(built.package)

        assert inspection.entry == built.package.manifest["entry"]
        assert [described(each) for each in inspection.problems if each.severity is Severity.ERROR] == []

    def test_inspection_of_a_damaged_package_fails_cleanly(self, built: Built, tmp_path: Path) -> None:
        damaged = tmp_path / built.package.path.name
        damaged.write_bytes(built.package.path.read_bytes()[: built.package.size_bytes // 2])

        with pytest.raises(BottoolError):
            self.language.inspect(replace(built.package, path=damaged))

    # Installations.

    def test_the_environment_key_is_the_same_for_two_installations(
        self, plugins: Plugins, installed: Installation, kitchen: Path, tmp_path: Path
    ) -> None:
        other = self.install(plugins, installed.package, kitchen, tmp_path / "other")

        assert self.language.environment_key(other) == self.language.environment_key(installed)

    def test_two_installations_share_one_environment(
        self, plugins: Plugins, installed: Installation, kitchen: Path, tmp_path: Path
    ) -> None:
        other = self.install(plugins, installed.package, kitchen, tmp_path / "other")

        assert other.environment == installed.environment
        assert other.folder != installed.folder

    def test_what_a_bot_writes_is_not_there_the_next_time(
        self, plugins: Plugins, installed: Installation, kitchen: Path, tmp_path: Path
    ) -> None:
        first = self.install(plugins, installed.package, kitchen, tmp_path / "first")
        (first.folder / "written by the bot.txt").write_text("x", encoding="utf-8")

        second = self.install(plugins, installed.package, kitchen, tmp_path / "second")

        assert not (second.folder / "written by the bot.txt").exists()

    def test_the_command_is_the_same_each_time_and_starts_nothing(self, installed: Installation) -> None:
        before = psutil.Process().children(recursive=True)

        commands = [self.language.command(installed) for _ in range(2)]

        assert commands[0] == commands[1]
        assert commands[0].arguments
        assert psutil.Process().children(recursive=True) == before

    def test_a_bot_that_runs_offline_succeeds(self, plugins: Plugins, installed: Installation) -> None:
        outcome, printed = self.run(plugins, installed)

        assert outcome.succeeded, f"{outcome} {printed}"
        assert outcome.left_behind == ()

    def test_its_output_is_utf_8(self, plugins: Plugins, installed: Installation) -> None:
        _, printed = self.run(plugins, installed)

        assert printed[1].decode("utf-8") + printed[2].decode("utf-8")

    def test_an_installation_killed_half_way_is_made_anew(
        self, plugins: Plugins, built: Built, cache_root: Path, tmp_path: Path
    ) -> None:
        self.need("run")
        prepare_until_killed(self.language, built.package, cache_root, tmp_path / "killed")

        outcome, printed = self.run(plugins, self.install(plugins, built.package, cache_root, tmp_path / "again"))

        assert outcome.succeeded, f"{outcome} {printed}"

    def test_a_speaking_bot_ends_with_its_own_exit_status(self, spoken: tuple[Outcome, dict[int, bytes]]) -> None:
        outcome, printed = spoken

        assert (outcome.reason, outcome.exit_code) == (Reason.EXITED, STATUS), f"{outcome} {printed}"

    def test_a_speaking_bot_is_heard_in_utf_8(self, spoken: tuple[Outcome, dict[int, bytes]]) -> None:
        assert TEXT in spoken[1][1].decode("utf-8")

    def test_a_speaking_bot_works_below_blanks_and_accents(self, spoken: tuple[Outcome, dict[int, bytes]]) -> None:
        assert spoken[0].reason is Reason.EXITED
        assert TEXT in spoken[1][1].decode("utf-8")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, with its mode and content."""
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), (path.stat().st_mode, path.read_bytes())


def keep_modes(source: Path, copy: Path) -> None:
    """Give the files of a copy the modes of their originals, but not their times."""
    for path in source.rglob("*"):
        if path.is_file():
            shutil.copymode(path, copy / path.relative_to(source))
