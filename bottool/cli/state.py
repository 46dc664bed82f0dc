"""What the commands of one call share: the plugins, loaded once, and the client of the server that was named."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool import settings
from bottool.errors import SettingsError

if TYPE_CHECKING:  # both cost too much for `bottool --help`
    from bottool.client import Client
    from bottool.plugins import Plugins


class State:
    """Made by the root for one call; ``flags`` is what was said of the server on the command line."""

    def __init__(self, plugins: "Plugins | None" = None) -> None:
        self._plugins = plugins
        self._commands_added = False
        self._told: set[str] = set()
        self.flags: dict[str, str | None] = {}

    @property
    def plugins(self) -> "Plugins":
        """The installed plugins."""
        if self._plugins is None:
            from bottool.plugins import Plugins

            self._plugins = Plugins.load(settings.disabled_plugins())
            self._warn(self._plugins)
        return self._plugins

    def add_commands_of_plugins(self, root: click.Group) -> None:
        """Let the plugins register their commands, once; a plugin that cannot is told of, and the rest works."""
        if self._commands_added:
            return
        from bottool.plugins import Plugins

        self._commands_added = True
        plugins = self._plugins or Plugins.load(settings.disabled_plugins(), with_languages=False)
        plugins.register_commands(root)
        self._warn(plugins)

    def _warn(self, plugins: "Plugins") -> None:
        """Tell once of each plugin that is left out."""
        for name, reason in plugins.broken.items():
            if name not in self._told:
                self._told.add(name)
                click.echo(f"warning: plugin '{name}' is left out: {reason}", err=True)

    def client_settings(self) -> settings.ClientSettings:
        """Flags, then variables, then the user's settings file."""
        flags = dict(self.flags)
        key_file = flags.pop("key_file", None)
        if key_file:
            from bottool.cli.secret import read_secret

            flags["key"] = read_secret(key_file, "key")
        return settings.load_client_settings(flags)

    def client(self) -> "Client":
        """Someone to speak to the server, signed in.

        :raises SettingsError: when the server, or as whom to sign in, is not known.
        :raises Unauthorized: when login and key are wrong.
        """
        from bottool.client import Client
        from bottool.wire import Login

        known = self.client_settings()
        if not known.server:
            raise SettingsError(
                "no server is known", "type 'bottool login ADDRESS', set BOTTOOL_SERVER, or start one with 'bottool up'"
            )
        if known.token:
            return Client(known.server, known.token)
        if not known.login or not known.key:
            missing = "login" if not known.login else "key"
            raise SettingsError(
                f"no {missing} is known for '{known.server}'",
                "type 'bottool login', or set BOTTOOL_LOGIN and BOTTOOL_KEY",
            )
        return Client(known.server).login(Login(login=known.login, key=known.key, workspace=known.workspace))

    @property
    def cache(self) -> Path:
        """Where packages and environments are kept."""
        return settings.cache_folder()
