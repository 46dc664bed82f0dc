"""The moments that plugins may join. Languages are objects (``language.py``); these are hooks.

A hook implementation takes only the arguments it wants. Mark it with ``hookimpl`` and name it as here::

    from bottool.hookspecs import hookimpl


    @hookimpl
    def bottool_register_languages():
        return [Ruby()]
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager

import click
import pluggy

from bottool.language import Language
from bottool.local import LocalServer, LocalWork
from bottool.model import Command, Installation, Notification, Outcome, Problem, Project

NAMESPACE = "bottool"
hookspec = pluggy.HookspecMarker(NAMESPACE)
hookimpl = pluggy.HookimplMarker(NAMESPACE)


@hookspec
def bottool_register_languages() -> Iterable[Language]:  # type: ignore[empty-body]
    """Offer languages.

    When: once per plugin, while plugins are loaded, by ``Plugins``.
    Process: command line, keeper, and the children that inspect.
    Parameters: none.
    Returns: the languages; ``None`` is not allowed, an empty list is.
    Several results: all are taken; a name that is taken already refuses the later plugin.
    Exceptions: the plugin is left out, and ``bottool plugins`` says why.
    Since 0.1. Example::

        @hookimpl
        def bottool_register_languages():
            return [Ruby()]
    """


@hookspec
def bottool_register_commands(cli: click.Group) -> None:
    """Add commands to the command line.

    When: once per plugin, when a command is looked up that core does not know, or when all are listed.
    Process: command line.
    Parameters: ``cli``, the root group; ``cli.add_command`` refuses a name that is taken.
    Returns: nothing.
    Several results: all are called.
    Exceptions: the plugin is left out, and ``bottool plugins`` says why.
    Since 0.1. Example::

        @hookimpl
        def bottool_register_commands(cli):
            cli.add_command(serve)
    """


@hookspec
def bottool_validate(project: Project) -> Iterable[Problem]:  # type: ignore[empty-body]
    """Object to a project.

    When: ``bottool validate``, and before every build.
    Process: command line.
    Parameters: ``project``, which its language has not yet judged.
    Returns: problems; ``None`` and an empty list mean no objection.
    Several results: all are concatenated, the language's own first; nobody can silence another.
    Exceptions: become a ``PluginError`` that names the plugin; nothing is built.
    Since 0.1. Example::

        @hookimpl
        def bottool_validate(project):
            if not (project.folder / "README.md").exists():
                yield Problem(severity=Severity.WARNING, code="no_readme", message="there is no README.md")
    """


@hookspec(firstresult=True)
def bottool_launch(installation: Installation, command: Command) -> Command | None:
    """Change how a bot is started.

    When: right before every start, by ``run``.
    Process: keeper, and the command line for ``bottool run``.
    Parameters: ``installation``; ``command`` as the language gave it. Start nothing here.
    Returns: the command to use; ``None`` means "not me". Core's own answer is the language's command.
    Several results: the first that is not ``None`` counts.
    Exceptions: the bot is not started; the attempt ends as not launched, and the plugin is named.
    Since 0.1. Example::

        @hookimpl
        def bottool_launch(installation, command):
            return replace(command, variables={**command.variables, "DISPLAY": ":99"})
    """


@hookspec
def bottool_task_finished(installation: Installation, outcome: Outcome) -> None:
    """Learn that a bot ended.

    When: after every end of a bot and its whole process tree, by ``run``.
    Process: keeper, and the command line for ``bottool run``.
    Parameters: ``installation`` and how it ended.
    Returns: nothing.
    Several results: all are called.
    Exceptions: are printed, and change nothing.
    Since 0.1. Example::

        @hookimpl
        def bottool_task_finished(installation, outcome):
            print(installation.package.bot_id, outcome.reason)
    """


@hookspec(firstresult=True)
def bottool_local_server(work: LocalWork) -> AbstractContextManager[LocalServer] | None:
    """Answer a bot's calls during one local run.

    When: ``bottool run``, once the bot is ready to start.
    Process: command line.
    Parameters: ``work``, the task to answer for, with an empty folder that is removed afterwards.
    Returns: a context that yields the server and ends it; it binds to the loopback address only. ``None``: "not me".
    Several results: the first that is not ``None`` counts; without any the bot runs without a task.
    Exceptions: the bot is not started, and the plugin is named.
    Since 0.1. Example, as ``bottool_web`` does it::

        @hookimpl
        def bottool_local_server(work):
            return local_server(work)
    """


@hookspec(firstresult=True)
def bottool_notify(notification: Notification) -> bool | None:
    """Bring a notification to a chat service.

    When: once per notification and channel, and again later after a failure.
    Process: a child of the server, made for this one call, with little memory; it is killed when it takes too long.
    Parameters: ``notification`` with the channel's address, which only this plugin may understand.
    Returns: ``True`` when the service took it; ``None`` for an address of a service that is not yours.
    Several results: the first that is not ``None`` counts; without any the notification has failed for good.
    Exceptions: ``Refused`` when no other try makes sense; any other lets it be tried again later.
    Since 0.1. Example::

        @hookimpl
        def bottool_notify(notification):
            if notification.address.startswith("pager://"):
                return page(notification.address, notification.title)
    """
