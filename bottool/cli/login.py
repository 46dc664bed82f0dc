"""``bottool login``: sign in once, and keep the token for the commands that follow."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from bottool import settings
from bottool.cli import present
from bottool.cli.secret import ask_secret, read_secret
from bottool.errors import SettingsError

if TYPE_CHECKING:
    from bottool.wire import Login


@click.command("login")
@click.argument("server", default="", metavar="[ADDRESS]")
@click.option("--login", default="", help="Login of a workspace; asks for its key. [BOTTOOL_LOGIN]")
@click.option("--key-file", default="", metavar="FILE", help="File that holds the key; '-' is stdin. [BOTTOOL_KEY]")
@click.option("--email", default="", help="E-mail address of a user; asks for the password.")
@click.option("--password-file", default="", metavar="FILE", help="File that holds the password; '-' is stdin.")
@click.option("--workspace", default="", help="Workspace to work in, for a user of several.")
def command(server: str, login: str, key_file: str, email: str, password_file: str, workspace: str) -> None:
    """Sign in to the server at ADDRESS.

    The token is kept in a file that only you can read; login, key and password are not kept.
    """
    import msgspec

    from bottool.client import Client
    from bottool.wire import LoggedIn

    known = settings.load_client_settings({"server": server, "login": login, "workspace": workspace})
    if not known.server:
        raise SettingsError("no server is named", "type 'bottool login http://HOST:PORT'")
    who = _a_user(email, password_file) if email else _a_workspace(known, key_file)
    signed_in = Client(known.server).post(
        "/rest/v1/login", msgspec.structs.replace(who, workspace=known.workspace), type=LoggedIn
    )
    path = settings.save_client_settings(replace(known, token=signed_in.token, workspace=signed_in.workspace))
    present.done(
        f"signed in to {known.server}, workspace '{signed_in.workspace}'; the token is kept in {path}",
        "bottool task list",
    )


def _a_user(email: str, password_file: str) -> "Login":
    from bottool.wire import Login

    password = read_secret(password_file, "password") if password_file else ask_secret("password", "--password-file")
    return Login(email=email, password=password)


def _a_workspace(known: settings.ClientSettings, key_file: str) -> "Login":
    from bottool.wire import Login

    login = known.login
    if not login:
        if not sys.stdin.isatty():
            raise SettingsError("nobody is named to sign in", "use --login LOGIN or --email ADDRESS")
        login = click.prompt("Login", err=True)
    key = read_secret(key_file, "key") if key_file else known.key or ask_secret("key", "--key-file")
    return Login(login=login, key=key)
