"""Plugins: found, checked, called; a broken one costs itself only."""

from pathlib import Path
from typing import Any

import click
import pytest

from bottool.errors import PluginError, ProjectError, ToolMissing
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Command, Installation, Outcome, Package, Problem, Project, Reason, Severity
from bottool.plugins import Plugins
from bottool.testing import Notes, Offer

PROJECT = Project(folder=Path("/bot"), language="notes", bot_id="a", version="1")
PACKAGE = Package(path=Path("/a.zip"), bot_id="a", version="1", language="notes", sha256="0", size_bytes=1)
INSTALLATION = Installation(package=PACKAGE, folder=Path("/bot"))
COMMAND = Command(arguments=("run",))
FINDING = Problem(severity=Severity.WARNING, code="x", message="a finding")


@pytest.fixture
def plugins() -> Plugins:
    plugins = Plugins()
    plugins.add("notes", Offer(Notes()))
    return plugins


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs a plugin the way an installer does: a module, and a distribution that names it."""

    def install(name: str, text: str) -> None:
        (tmp_path / f"plugin_{name}.py").write_text(text, encoding="utf-8")
        about = tmp_path / f"plugin_{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plugin-{name}\nVersion: 1.0\n", encoding="utf-8")
        (about / "entry_points.txt").write_text(f"[bottool]\n{name} = plugin_{name}\n", encoding="utf-8")

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def language(**members: Any) -> Language:
    """A ``Notes`` with other members."""
    return type("Odd", (Notes,), members)()


# Loading.


def test_the_languages_of_this_repository_are_found_by_their_entry_points():
    plugins = Plugins.load()

    assert dict(plugins.broken) == {}
    assert {"command", "java", "javascript", "python", "typescript"} <= set(plugins.languages)


def test_a_plugin_that_cannot_be_imported_is_recorded_and_the_others_work(installed):
    installed("aa_broken", "import there_is_no_such_module")
    installed("zz_quits", "raise SystemExit('not today')")

    plugins = Plugins.load()

    assert plugins.broken["aa_broken"] == "ModuleNotFoundError: No module named 'there_is_no_such_module'"
    assert plugins.broken["zz_quits"] == "SystemExit: not today"
    assert "command" in plugins.languages


def test_a_disabled_plugin_is_not_even_imported(installed):
    installed("explosive", "raise RuntimeError('imported')")

    plugins = Plugins.load(disabled=frozenset({"explosive"}))

    assert "explosive" not in plugins.names
    assert "explosive" not in plugins.broken


def test_the_hint_for_an_unknown_language_points_at_broken_plugins(installed):
    installed("ruby", "import there_is_no_such_module")

    with pytest.raises(ProjectError) as refusal:
        Plugins.load().language("xyzzy")

    assert refusal.value.hint == "'bottool plugins' says why ruby could not be loaded"


# Adding.


def test_a_language_without_a_method_is_refused_by_the_methods_name():
    class Half:
        @hookimpl
        def bottool_register_languages(self):
            class Incomplete(Language):
                name, title, technologies = "half", "Half", ()

            return [Incomplete()]

    with pytest.raises(PluginError, match=r"plugin 'half'.*inspect"):
        Plugins().add("half", Half())


@pytest.mark.parametrize(
    ("offered", "message"),
    [
        (lambda: [object()], "offers a object, not a Language object"),
        (lambda: [Notes], "offers a ABCMeta, not a Language object"),
        (lambda: "notes", "returned a str, not a list"),
        (lambda: 7, "returned a int, not a list"),
        (lambda: [language(name="Not Lower")], "'Not Lower' is no name for a language"),
        (lambda: [language(api_version=2)], "speaks plugin API 2, this bottool speaks 1"),
        (lambda: [language(technologies="NOTES")], "technologies of 'notes' is a str"),
        (lambda: [Notes(), Notes()], "the language name 'notes' is taken by plugin 'odd'"),
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_no_good_language_refuses_the_plugin(offered, message):
    class Odd:
        @hookimpl
        def bottool_register_languages(self):
            return offered()

    plugins = Plugins()
    with pytest.raises(PluginError, match=message) as refusal:
        plugins.add("odd", Odd())

    assert str(refusal.value).startswith("plugin 'odd': ")
    assert plugins.names == ()
    assert dict(plugins.languages) == {}


def test_a_language_that_does_not_say_its_name_is_refused():
    class Nameless(Language):
        title = "Nameless"

    Nameless.__abstractmethods__ = frozenset()

    with pytest.raises(PluginError, match="Nameless does not say its name, technologies"):
        Plugins().add("odd", Offer(Nameless()))


def test_a_taken_language_name_refuses_the_later_plugin_only(plugins):
    with pytest.raises(PluginError, match="the language name 'notes' is taken by plugin 'notes'"):
        plugins.add("copycat", Offer(language(name="other"), Notes()))

    assert plugins.names == ("notes",)
    assert list(plugins.languages) == ["notes"]


def test_a_plugin_is_added_once(plugins):
    with pytest.raises(PluginError, match="plugin 'notes' is there already"):
        plugins.add("notes", Offer())


def test_a_hook_that_does_not_exist_refuses_the_plugin_and_names_those_that_do():
    class Misspelt:
        @hookimpl
        def bottool_regster_languages(self):
            return []

    with pytest.raises(PluginError, match=r"no hook 'bottool_regster_languages'; hooks: .*bottool_register_languages"):
        Plugins().add("misspelt", Misspelt())


def test_a_hook_for_a_newer_bottool_may_be_marked_optional():
    class Newer:
        @hookimpl(optionalhook=True)
        def bottool_from_the_future(self):
            return []

    plugins = Plugins()
    plugins.add("newer", Newer())

    assert plugins.names == ("newer",)


def test_an_argument_that_a_hook_does_not_have_refuses_the_plugin():
    class Greedy:
        @hookimpl
        def bottool_validate(self, project, database):
            return []

    plugins = Plugins()
    with pytest.raises(PluginError, match="database"):
        plugins.add("greedy", Greedy())

    assert plugins.names == ()


# Asking for a language.


def test_a_misspelt_language_gets_the_installed_ones_and_a_suggestion(plugins):
    with pytest.raises(ProjectError, match="there is no language 'nots'; installed: notes") as refusal:
        plugins.language("nots")

    assert refusal.value.hint == "did you mean 'notes'?"


def test_a_technology_is_found_in_any_case(plugins):
    assert plugins.for_technology("Notes").name == "notes"


def test_an_unknown_technology_is_refused_with_those_that_are_served(plugins):
    with pytest.raises(ProjectError, match="no installed language serves the technology 'COBOL'; served: NOTES"):
        plugins.for_technology("COBOL")


# Hooks.


def test_every_plugin_may_object_to_a_project_and_the_language_speaks_first(plugins, tmp_path):
    class HouseRules:
        @hookimpl
        def bottool_validate(self, project):
            yield FINDING

    class Silent:
        @hookimpl
        def bottool_validate(self):
            return None

    plugins.add("house-rules", HouseRules())
    plugins.add("silent", Silent())

    problems = plugins.validate(Project(folder=tmp_path, language="notes", bot_id="a", version="1"))

    assert [problem.code for problem in problems] == ["no_entry", "x"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda: ["a text"], "a str is no Problem"),
        (lambda: "text", "returned a str, not a list"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: (1 / number for number in [0]), "ZeroDivisionError"),
    ],
)
def test_a_plugin_that_fails_while_it_validates_is_named(plugins, answer, message):
    class Bad:
        @hookimpl
        def bottool_validate(self):
            return answer()

    plugins.add("bad", Bad())

    with pytest.raises(PluginError, match=f"plugin 'bad' failed in bottool_validate: .*{message}"):
        plugins.validate(PROJECT)


def test_a_language_that_fails_while_it_validates_is_named_by_its_plugin():
    def validate(self, project):
        raise KeyError("entry")

    plugins = Plugins()
    plugins.add("odd", Offer(language(validate=validate)))

    with pytest.raises(PluginError, match="plugin 'odd' failed in validate: KeyError: 'entry'"):
        plugins.validate(PROJECT)


def test_an_error_of_our_own_that_a_language_raises_stays_what_it_is():
    def validate(self, project):
        raise ToolMissing("no compiler", "install it")

    plugins = Plugins()
    plugins.add("odd", Offer(language(validate=validate)))

    with pytest.raises(ToolMissing, match="no compiler"):
        plugins.validate(PROJECT)


def test_without_a_plugin_that_wants_to_the_command_stays_as_it_is(plugins):
    assert plugins.launch(INSTALLATION, COMMAND) is COMMAND


def test_a_plugin_may_change_the_command_and_another_may_pass(plugins):
    class Passes:
        @hookimpl(tryfirst=True)
        def bottool_launch(self):
            return None

    class Display:
        @hookimpl
        def bottool_launch(self, command):
            return Command(arguments=command.arguments, variables={"DISPLAY": ":99"})

    plugins.add("passes", Passes())
    plugins.add("display", Display())

    assert plugins.launch(INSTALLATION, COMMAND).variables == {"DISPLAY": ":99"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [(lambda: "run it", "it returned a str, not a Command"), (lambda: 1 / 0, "ZeroDivisionError: division by zero")],
)
def test_a_plugin_that_fails_at_launch_is_named(plugins, answer, message):
    class Bad:
        @hookimpl
        def bottool_launch(self):
            return answer()

    plugins.add("bad", Bad())

    with pytest.raises(PluginError, match=f"plugin 'bad' failed in bottool_launch: .*{message}"):
        plugins.launch(INSTALLATION, COMMAND)


def test_of_two_plugins_at_launch_the_one_that_failed_is_named(plugins):
    class Fine:
        @hookimpl(tryfirst=True)
        def bottool_launch(self):
            return None

    class Bad:
        @hookimpl
        def bottool_launch(self):
            raise RuntimeError("no display")

    plugins.add("fine", Fine())
    plugins.add("bad", Bad())

    with pytest.raises(PluginError, match="plugin 'bad' failed in bottool_launch: RuntimeError: no display"):
        plugins.launch(INSTALLATION, COMMAND)


def test_every_plugin_learns_of_the_end_even_if_one_of_them_fails(plugins, capsys):
    told = []

    class Bad:
        @hookimpl
        def bottool_task_finished(self):
            raise RuntimeError("cannot write")

    class Good:
        @hookimpl
        def bottool_task_finished(self, installation, outcome):
            told.append((installation, outcome))

    plugins.add("bad", Bad())
    plugins.add("good", Good())
    outcome = Outcome(reason=Reason.EXITED, exit_code=0)

    plugins.task_finished(INSTALLATION, outcome)

    assert told == [(INSTALLATION, outcome)]
    assert capsys.readouterr().err == "plugin 'bad' failed in bottool_task_finished: RuntimeError: cannot write\n"


def test_a_plugin_that_fails_while_it_adds_commands_is_left_out_whole(plugins):
    class Bad(Offer):
        @hookimpl
        def bottool_register_commands(self, cli):
            cli.add_command(click.Command("half"))
            raise RuntimeError("the other half is missing")

    class Good:
        @hookimpl
        def bottool_register_commands(self, cli):
            cli.add_command(click.Command("whole"))

    plugins.add("bad", Bad(language(name="worse")))
    plugins.add("good", Good())
    cli = click.Group(commands=[click.Command("own")])

    plugins.register_commands(cli)

    assert sorted(cli.commands) == ["own", "whole"]
    assert plugins.broken == {"bad": "RuntimeError: the other half is missing"}
    assert list(plugins.languages) == ["notes"]
    assert "bad" not in plugins.names
