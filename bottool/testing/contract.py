"""``LanguageContract``: the tests that every language passes, written once.

A language's own tests subclass it and name the language; pytest then collects everything here for it::

    class TestRuby(LanguageContract):
        language = Ruby()
        speaks = ("bot.rb", 'puts "@TEXT@"; exit @STATUS@')
        ends = ("bot.rb", "exit ARGV[1].to_i")

Builds and environments are made once per class and shared, since they are slow. The tools of the language must be on
the machine: without them the tests that need them are skipped on a laptop and fail where ``CI`` is set.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from bottool import archive
from bottool.build import Built, build, described
from bottool.errors import BottoolError, ProjectError
from bottool.model import Installation, Outcome, Project, Reason, Severity, Tool
from bottool.opening import open_package
from bottool.plugins import Plugins
from bottool.project import find
from bottool.testing.behaviour import Behaviour
from bottool.testing.half_way import prepare_until_killed
from bottool.testing.workbench import (
    BOT_ID,
    NOT_FOR_A_PACKAGE,
    SECRET,
    STATUS,
    TEXT,
    VERSION,
    keep_modes,
    snapshot,
)

# A hook of the contract, and how the names of the tests begin that need it.
NEEDS = {
    "speaks": "test_a_speaking_bot",
    "ends": "test_an_ending_bot",
    "sleeps": "test_a_sleeping_bot",
    "floods": "test_a_flooding_bot",
    "spawns": "test_a_spawning_bot",
    "depends": "test_a_dependent_bot",
}


class LanguageContract(Behaviour):
    """Subclass it as ``Test<Language>`` and set ``language``.

    ``speaks`` is a file of the scaffolded bot and its new text, with which the bot prints ``@TEXT@`` (UTF-8) and ends
    with the exit status ``@STATUS@``. ``ends``, ``sleeps``, ``floods``, ``spawns`` and ``depends`` are further bots, as
    ``Behaviour`` has them. The tests that need a bot which is left empty are not collected.
    """

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for hook, start in NEEDS.items():
            if not getattr(cls, hook)[0]:
                for name in [each for each in dir(cls) if each.startswith(start)]:
                    setattr(cls, name, None)

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

        assert not [name for name in names for unwanted in NOT_FOR_A_PACKAGE if name.endswith(unwanted)]

    def test_nothing_of_a_dot_env_file_is_in_the_package(self, built: Built) -> None:
        for name in archive.check(built.package.path).names:
            assert SECRET.encode() not in (archive.read_member(built.package.path, name, 2**29) or b""), name

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
