"""Groups of commands: core's own, imported one by one, and those that plugins add.

Plugins are loaded only when a command is asked for that core does not have, or when all are listed.
"""

from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from bottool.cli import failures
from bottool.cli.state import State
from bottool.errors import PluginError

SECTIONS = {
    "Make a bot": ("new", "adopt", "validate", "lock", "build", "run", "inspect"),
    "Put it to work": (
        "deploy",
        "release",
        "bot",
        "automation",
        "task",
        "schedule",
        "credential",
        "pool",
        "runner",
        "workspace",
        "import",
    ),
    "What bots report": ("finish", "log", "artifact", "alert", "message", "error"),
    "This machine": ("up", "demo", "login", "logout", "whoami", "doctor", "plugins", "plugin", "version"),
}
OWN = tuple(name for names in SECTIONS.values() for name in names)
FROM_PLUGINS = "Site and machines"


class PluggableGroup(click.Group):
    """A group into which plugins put commands; they are loaded when a name is not there, and for the list."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            ctx.ensure_object(State).add_commands_of_plugins(_root(ctx))
            found = super().get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        ctx.ensure_object(State).add_commands_of_plugins(_root(ctx))
        return super().list_commands(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """:raises NoSuchCommand: which knows all names, also of what is not imported yet, for the hint."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            names = self.list_commands(ctx)
            raise click.exceptions.NoSuchCommand(error.command_name, error.message, names, ctx) from None

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """:raises PluginError: when the name is taken: nobody replaces a command of another."""
        called = name or cmd.name or ""
        if called in self.commands:
            raise PluginError(f"the command '{called}' is taken")
        super().add_command(cmd, name)


class Root(PluggableGroup):
    """The commands of core, imported one by one, before those of plugins."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in OWN:
            return self.own(cmd_name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(failures.reader_has_gone())

    def own(self, name: str) -> click.Command:
        """A command of core, in ``commands`` from then on."""
        if name not in self.commands:
            command: click.Command = import_module(f"bottool.cli.{name}{'_' * iskeyword(name)}").command
            super().add_command(command, name)
        return self.commands[name]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*OWN, *(name for name in super().list_commands(ctx) if name not in OWN)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names = self.list_commands(ctx)
        sections = {**SECTIONS, FROM_PLUGINS: tuple(name for name in names if name not in OWN)}
        widest = max(len(name) for name in names)
        for title, commands in sections.items():
            found = [(name.ljust(widest), self.get_command(ctx, name)) for name in commands]
            with formatter.section(title):
                formatter.write_dl(
                    [(name, command.get_short_help_str(formatter.width)) for name, command in found if command]
                )


def _root(ctx: click.Context) -> click.Group:
    """The root group, with core's ``runner`` in place, into which the runner's plugin adds."""
    root = ctx.find_root().command
    if not isinstance(root, Root):
        raise TypeError(f"the root is {root!r}")
    root.own("runner")
    return root
