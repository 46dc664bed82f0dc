"""Finds, loads and checks plugins, and calls their hooks: one typed method per hook.

A plugin is an object (usually a module) with hook implementations. One that breaks its contract is left out, recorded
in ``broken`` with the reason, and nothing of it stays registered; the others work. Nothing is loaded at import, and
there is no global: ``main`` makes a ``Plugins`` and passes it on, and tests make their own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import EntryPoint, entry_points
from traceback import walk_tb
from types import MappingProxyType
from typing import Any

import click
import pluggy

from bottool import hookspecs
from bottool.errors import BottoolError, PluginError, ProjectError, did_you_mean
from bottool.language import API_VERSION, Language
from bottool.local import LocalServer, LocalWork
from bottool.model import Command, Installation, Notification, Outcome, Problem, Project

GROUP = "bottool"
"""The group of entry points in which plugins announce themselves."""

_LANGUAGE_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class Plugins:
    """The plugins of one process. Empty when made; ``load`` finds the installed ones, ``add`` takes one by hand."""

    def __init__(self, *, with_languages: bool = True) -> None:
        self._with_languages = with_languages
        self._pluggy = pluggy.PluginManager(hookspecs.NAMESPACE)
        self._pluggy.add_hookspecs(hookspecs)
        self._languages: dict[str, Language] = {}
        self._owners: dict[str, str] = {}
        self._broken: dict[str, str] = {}

    @classmethod
    def load(cls, disabled: frozenset[str] = frozenset(), *, with_languages: bool = True) -> "Plugins":
        """All installed plugins but the ``disabled`` ones, in the order of their names.

        Without languages it is for the list of commands only, which must be quick: no language is asked for.
        """
        plugins = cls(with_languages=with_languages)
        for entry_point in sorted(entry_points(group=GROUP), key=lambda found: found.name):
            if entry_point.name not in disabled:
                plugins.try_add(entry_point)
        return plugins

    def try_add(self, entry_point: EntryPoint) -> None:
        """Load and register one plugin; one that is broken is recorded and costs itself only."""
        try:
            self.add(entry_point.name, entry_point.load())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's import may raise anything
            self._broken[entry_point.name] = one_line(error)

    def add(self, name: str, plugin: object) -> None:
        """Register one plugin with all that it brings, or nothing of it.

        :raises PluginError: when it breaks its contract; the message says how.
        """
        if self._pluggy.has_plugin(name):
            raise PluginError(f"plugin '{name}' is there already")
        try:
            self._pluggy.register(plugin, name=name)
            self._refuse_unknown_hooks(plugin)
            if self._with_languages:
                self._take_languages(name, _languages_of(self._call_one(name, "bottool_register_languages")))
        except Exception as error:
            self._forget(name)
            raise PluginError(f"plugin '{name}': {one_line(error)}") from error

    def _refuse_unknown_hooks(self, plugin: object) -> None:
        for caller in self._pluggy.get_hookcallers(plugin) or ():
            optional = all(found.optionalhook for found in caller.get_hookimpls() if found.plugin is plugin)
            if not caller.has_spec() and not optional:
                known = [each for each in vars(hookspecs) if each.startswith("bottool_")]
                raise PluginError(
                    f"there is no hook '{caller.name}'; hooks: {listed(known)}", did_you_mean(caller.name, known)
                )

    def _take_languages(self, plugin_name: str, languages: list[Language]) -> None:
        for language in languages:
            if language.name in self._languages:
                owner = self._owners[language.name]
                raise PluginError(f"the language name '{language.name}' is taken by plugin '{owner}'")
            self._languages[language.name] = language
            self._owners[language.name] = plugin_name

    def _forget(self, name: str) -> None:
        """Unregister a plugin with everything it brought; harmless when there is nothing."""
        if self._pluggy.has_plugin(name):
            self._pluggy.unregister(name=name)
        for language in [each for each, owner in self._owners.items() if owner == name]:
            del self._languages[language], self._owners[language]

    @property
    def broken(self) -> Mapping[str, str]:
        """Why a plugin was left out, by its name."""
        return MappingProxyType(self._broken)

    @property
    def names(self) -> tuple[str, ...]:
        """The plugins that work, sorted."""
        return tuple(sorted(name for name, plugin in self._pluggy.list_name_plugin() if plugin is not None))

    @property
    def at_runs(self) -> tuple[str, ...]:
        """The plugins that join when a bot starts or ends, sorted."""
        return tuple(sorted({*self._implementers("bottool_launch"), *self._implementers("bottool_task_finished")}))

    @property
    def languages(self) -> Mapping[str, Language]:
        """By name, sorted."""
        return MappingProxyType(dict(sorted(self._languages.items())))

    def owner(self, language: str) -> str:
        """The name of the plugin that brought this language."""
        return self._owners[language]

    def language(self, name: str) -> Language:
        """The language of that name.

        :raises ProjectError: when no plugin brings it; names those there are.
        """
        if name in self._languages:
            return self._languages[name]
        raise ProjectError(f"there is no language '{name}'; installed: {listed(self.languages)}", self.hint_for(name))

    def for_technology(self, literal: str) -> Language:
        """The language that serves a literal of Maestro's deploy calls, in upper or lower case.

        :raises ProjectError: when none does; names those that are served.
        """
        served = {each.upper(): language for language in self.languages.values() for each in language.technologies}
        if literal.upper() in served:
            return served[literal.upper()]
        raise ProjectError(
            f"no installed language serves the technology '{literal}'; served: {listed(sorted(served))}",
            did_you_mean(literal.upper(), served) or self.hint_for(""),
        )

    def hint_for(self, language: str) -> str:
        """What to do about a language that is not there."""
        near = did_you_mean(language, self._languages)
        if near or not self._broken:
            return near or "install the plugin that brings it; 'bottool plugins' lists what is there"
        return f"'bottool plugins' says why {listed(sorted(self._broken))} could not be loaded"

    def validate(self, project: Project) -> list[Problem]:
        """What the project's language finds, then what the other plugins find.

        :raises PluginError: when a plugin raises, or returns something that is no problem; names it.
        """
        language = self.language(project.language)
        owner = self._owners[language.name]
        with _blame(owner, "validate"):
            problems = _problems(language.validate(project))
        for name in self._implementers("bottool_validate"):
            with _blame(name, "bottool_validate"):
                for found in self._call_one(name, "bottool_validate", project=project):
                    problems += _problems(found)
        return problems

    def command(self, language: Language, installation: Installation) -> Command:
        """How the language starts the bot.

        :raises PluginError: when its plugin raises or returns something else; names it.
        """
        owner = self._owners[language.name]
        with _blame(owner, "command"):
            answer = _command(language.command(installation))
        if answer is None:
            raise PluginError(f"plugin '{owner}' failed in command: it returned None, not a Command")
        return answer

    def launch(self, installation: Installation, command: Command) -> Command:
        """The command as plugins want it: the first answer counts; without one, ``command`` itself.

        :raises PluginError: when a plugin raises or returns something else; names it.
        """
        caller = self._pluggy.hook.bottool_launch
        try:
            return _command(caller(installation=installation, command=command)) or command
        except BottoolError:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"plugin '{_culprits(error, caller)}' failed in bottool_launch: {one_line(error)}"
            ) from error

    def local_server(self, work: LocalWork) -> AbstractContextManager[LocalServer] | None:
        """A server that answers the bot during one run; ``None`` when no plugin brings one.

        :raises PluginError: when a plugin raises or returns something else; names it.
        """
        caller = self._pluggy.hook.bottool_local_server
        try:
            return _context(caller(work=work))
        except BottoolError:
            raise
        except Exception as error:
            raise PluginError(
                f"plugin '{_culprits(error, caller)}' failed in bottool_local_server: {one_line(error)}"
            ) from error

    def notify(self, notification: Notification) -> bool | None:
        """Whether a service took it; ``None`` when no plugin serves such an address. What a plugin raises passes.

        :raises PluginError: when a plugin returns something else.
        """
        taken = self._pluggy.hook.bottool_notify(notification=notification)
        if taken is None or isinstance(taken, bool):
            return taken
        raise PluginError(f"a plugin returned {_kind(taken)} from bottool_notify, not True")

    def task_finished(self, installation: Installation, outcome: Outcome) -> None:
        """Tell every plugin that a bot ended. What they raise is printed and changes nothing."""
        for name in self._implementers("bottool_task_finished"):
            try:
                self._call_one(name, "bottool_task_finished", installation=installation, outcome=outcome)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - who only watches must not change how a task ended
                click.echo(f"plugin '{name}' failed in bottool_task_finished: {one_line(error)}", err=True)

    def register_commands(self, cli: click.Group) -> None:
        """Let every plugin add its commands; one that fails is left out with its commands and languages."""
        for name in self._implementers("bottool_register_commands"):
            before = dict(cli.commands)
            try:
                self._call_one(name, "bottool_register_commands", cli=cli)
            except Exception as error:  # noqa: BLE001 - the other plugins' commands must work
                cli.commands.clear()
                cli.commands.update(before)
                self._forget(name)
                self._broken[name] = one_line(error)

    def _implementers(self, hook: str) -> list[str]:
        """Names of the plugins that implement a hook, sorted: the same order on every machine."""
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
        return sorted({implementation.plugin_name for implementation in caller.get_hookimpls()})

    def _call_one(self, name: str, hook: str, **arguments: Any) -> list[Any]:
        """The results of one plugin's implementations of a hook."""
        others = [plugin for other, plugin in self._pluggy.list_name_plugin() if other != name and plugin is not None]
        results: list[Any] = self._pluggy.subset_hook_caller(hook, others)(**arguments)
        return results


@contextmanager
def _blame(plugin: str, where: str) -> Iterator[None]:
    """Turn what a plugin raises into a ``PluginError`` that names it; errors of our own tree pass unchanged."""
    try:
        yield
    except BottoolError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"plugin '{plugin}' failed in {where}: {one_line(error)}") from error


def _culprits(error: BaseException, caller: pluggy.HookCaller) -> str:
    """The plugin whose implementation raised; all implementers when the traceback does not tell."""
    implementations = caller.get_hookimpls()
    by_code = {getattr(found.function, "__code__", None): found.plugin_name for found in implementations}
    for frame, _ in walk_tb(error.__traceback__):
        if frame.f_code in by_code:
            return by_code[frame.f_code]
    return "' or '".join(sorted({found.plugin_name for found in implementations}))


def _languages_of(results: list[Any]) -> list[Language]:
    """The languages that one plugin offers, each checked.

    :raises PluginError: when something offered is no usable ``Language``.
    """
    languages = []
    for offered in results:
        for language in _as_list(offered, "bottool_register_languages"):
            _check_language(language)
            languages.append(language)
    return languages


def _check_language(language: object) -> None:
    if not isinstance(language, Language):
        raise PluginError(f"bottool_register_languages offers {_kind(language)}, not a Language object")
    missing = [each for each in ("name", "title", "technologies") if not hasattr(language, each)]
    if missing:
        raise PluginError(f"{type(language).__name__} does not say its {listed(missing)}")
    if not _LANGUAGE_NAME.fullmatch(language.name):
        raise PluginError(f"'{language.name}' is no name for a language: lower-case letters, digits, '_' and '-'")
    if not isinstance(language.technologies, tuple):
        raise PluginError(f"technologies of '{language.name}' is {_kind(language.technologies)}, not a tuple of texts")
    if language.api_version != API_VERSION:
        raise PluginError(
            f"language '{language.name}' speaks plugin API {language.api_version}, this bottool speaks {API_VERSION}",
            "install a version of the plugin that fits this bottool",
        )


def _command(answer: Any) -> Command | None:
    if answer is None:
        return None
    if not isinstance(answer, Command):
        raise TypeError(f"it returned {_kind(answer)}, not a Command")
    if not answer.arguments or not all(isinstance(each, str) for each in answer.arguments):
        raise TypeError("it returned a Command whose arguments are not one text or more")
    return answer


def _context(answer: Any) -> AbstractContextManager[LocalServer] | None:
    if answer is None or isinstance(answer, AbstractContextManager):
        return answer
    raise TypeError(f"it returned {_kind(answer)}, not a context manager")


def _problems(found: Any) -> list[Problem]:
    if found is None:
        return []
    problems = _as_list(found, "validate")
    for each in problems:
        if not isinstance(each, Problem):
            raise TypeError(f"{_kind(each)} is no Problem")
    return problems


def _as_list(value: Any, where: str) -> list[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{where} returned {_kind(value)}, not a list")
    return list(value)


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def listed(names: Iterable[str]) -> str:
    """``a, b, c``, or ``none``."""
    return ", ".join(names) or "none"


def one_line(error: BaseException) -> str:
    """What an error says, on one line; with its type when it is not one of ours."""
    text = " ".join(str(error).split())
    if isinstance(error, BottoolError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
