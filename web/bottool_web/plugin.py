"""The server's commands on the command line: ``bottool serve`` and ``bottool server init``.

Everything heavy is imported inside the commands, so that ``bottool --help`` stays fast.
"""

import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import click

from bottool.errors import SettingsError
from bottool.hookspecs import hookimpl
from bottool.local import LocalServer, LocalWork
from bottool.settings import base_variables

DATA = click.option(
    "--data",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The site's folder: its settings, its key, its files, and its database unless that is elsewhere.",
)


@hookimpl
def bottool_register_commands(cli: click.Group) -> None:
    cli.add_command(serve)
    cli.add_command(server)


@hookimpl
def bottool_local_server(work: LocalWork) -> AbstractContextManager[LocalServer]:
    from bottool_web.local import local_server

    return local_server(work)


@click.command()
@DATA
@click.option("--host", help="The address to listen on; 127.0.0.1 unless the settings say otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one and prints it.")
def serve(data: Path, host: str | None, port: int | None) -> None:
    """Serve a site that 'bottool server init' set up, until it is told to end."""
    from bottool_web.actions.setup import has_workspace, is_site, open_site
    from bottool_web.serve import serve as serve_site
    from bottool_web.settings import load_site_settings

    settings = load_site_settings(data, base_variables(), {"host": host, "port": port})
    if not is_site(data):
        raise _not_set_up(data)
    site = open_site(settings)
    try:
        if not has_workspace(site):
            raise _not_set_up(data)
        serve_site(site)
    finally:
        site.close()


@click.group()
def server() -> None:
    """Set a site up and look after it."""


@server.command()
@DATA
@click.option("--workspace", required=True, help="Label of the first workspace.")
@click.option("--login", required=True, help="What runners and programs sign in with, together with the key.")
@click.option("--key-file", required=True, type=click.File(encoding="utf-8"), help="File with the key; - is stdin.")
@click.option("--admin", required=True, metavar="EMAIL", help="E-mail address of the first administrator.")
@click.option(
    "--password-file", required=True, type=click.File(encoding="utf-8"), help="File with the password; - is stdin."
)
@click.option("--database", metavar="ADDRESS", help="postgresql://… instead of a SQLite file in the folder.")
def init(  # noqa: PLR0913  # one for each option
    *,
    data: Path,
    workspace: str,
    login: str,
    key_file: IO[str],
    admin: str,
    password_file: IO[str],
    database: str | None,
) -> None:
    """Set a site up: its folder, its database, a workspace with login and key, and an administrator."""
    from bottool_web.actions.setup import First, begin, check_first, open_site
    from bottool_web.settings import load_site_settings

    first = First(workspace=workspace, login=login, key=_line(key_file), email=admin, password=_line(password_file))
    check_first(first)
    site = open_site(load_site_settings(data, base_variables(), {"database": database}))
    try:
        begin(site, first)
    finally:
        site.close()
    if database:
        _keep_setting(data, "database", database)
    click.echo(f"Workspace '{workspace}' is set up. Start it with: bottool serve --data {data}")


@server.command("rotate-key")
@DATA
def rotate_key(data: Path) -> None:
    """Seal all credentials anew with a new key. Keys that seal nothing any more go at the next rotation."""
    from bottool_web.actions.rotation import rotate
    from bottool_web.actions.setup import is_site, open_site
    from bottool_web.settings import load_site_settings

    if not is_site(data):
        raise _not_set_up(data)
    site = open_site(load_site_settings(data, base_variables(), {}))
    try:
        done = rotate(site)
    finally:
        site.close()
    click.echo(
        f"{done.resealed} secrets are sealed anew; "
        f"back '{site.vault.path.name}' up ({done.keys} keys), apart from the data."
    )


@server.command("mail-test")
@DATA
@click.option("--to", required=True, metavar="ADDRESS", help="To whom.")
def mail_test(data: Path, to: str) -> None:
    """Send one mail with the site's settings now, and say what the mail server answers."""
    import secrets
    from datetime import UTC, datetime

    from bottool.errors import InvalidInput, Unreachable
    from bottool_web.actions.messages import address
    from bottool_web.mail import Mail, Postman, Undelivered
    from bottool_web.settings import load_site_settings

    postman = Postman(settings=load_site_settings(data, base_variables(), {}))
    if not postman.is_set_up:
        raise SettingsError(f"no mail server is set in '{data / 'site.toml'}'", 'write smtp_host = "mail.example.org"')
    mail = Mail(
        to=address(to, "--to"),
        subject="A test of bottool",
        body="This site can send mail.\n",
        reference=secrets.token_hex(12),
        at=datetime.now(UTC),
    )
    try:
        postman.send(mail)
    except Undelivered as error:
        if error.final:
            raise InvalidInput(error.message, "is the address right?") from error
        raise Unreachable(error.message, "look at smtp_host, smtp_port, smtp_tls, smtp_user in site.toml") from error
    finally:
        postman.close()
    click.echo(f"The mail server took a mail to {mail.to}.")


def _line(file: IO[str]) -> str:
    """The file's text without the line break that editors put at its end."""
    return file.read().rstrip("\r\n")


def _keep_setting(data: Path, name: str, value: str) -> None:
    """Write one setting into ``site.toml``, which nobody else may read: an address may hold a password."""
    from bottool_web.settings import FILE_NAME

    path = data / FILE_NAME
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    others = [line for line in lines if line.partition("=")[0].strip() != name]
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        # A JSON text without escapes beyond \uXXXX is a TOML text.
        file.write("\n".join([f"{name} = {json.dumps(value)}", *others, ""]))
    part.replace(path)


def _not_set_up(data: Path) -> SettingsError:
    return SettingsError(f"no site is set up in '{data}'", "type: bottool server init --help")
