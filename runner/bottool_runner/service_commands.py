"""``bottool runner install | uninstall | window``. Parses and calls; everything heavy is imported inside."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from bottool.cli.options import server_options
from bottool.cli.state import State
from bottool_runner.local_commands import home_option, limit_options

if TYPE_CHECKING:
    from bottool_runner.service import Service

name_option = click.option(
    "--name", default="bottool-runner", show_default=True, metavar="NAME", help="What the service is called."
)
system_option = click.option(
    "--system", "whole_machine", is_flag=True, help="For the whole machine, from its start on; as root."
)
conf_option = click.option(
    "--conf", type=click.Path(path_type=Path), metavar="FILE", help="The conf.bcf of a BotCity runner."
)


@click.command()
@server_options
@conf_option
@click.option("--code", default="", help="One-time code from the page of the runners: registers this machine first.")
@click.option("--machine-id", default="", metavar="NAME", help="What automations call this machine.")
@home_option
@click.option("--slots", type=click.IntRange(1, 1000), default=1, show_default=True, help="Tasks at the same time.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Say this of the machine; may be repeated.")
@limit_options
@click.option("--allow-http", is_flag=True, help="Let a conf.bcf name a server out in the world without https.")
@name_option
@system_option
@click.option("--user", default="", metavar="USER", help="With --system: whose runner it is.")
@click.option("--print", "only_print", is_flag=True, help="Print what would be installed, and change nothing.")
@click.pass_obj
def install(state: State, /, *, only_print: bool, **said: Any) -> None:
    """Have this machine start the runner by itself, and again when it fails.

    On Linux a systemd unit of the user or the machine, on macOS a launchd agent, on Windows a task at log-on, so that
    bots have a screen. Bots that run go on when the service is stopped or started anew.
    """
    from bottool.cli import present
    from bottool_runner import installing

    service, home = _service(state, said, register=not only_print)
    manager = installing.manager_of(sys.platform, home)
    if only_print:
        click.echo(manager.content(service).decode("utf-16" if sys.platform == "win32" else "utf-8"), nl=False)
        return
    path = installing.install(service, manager)
    present.done(f"'{path}' is installed, and the runner started", "bottool runner status", manager.afterwards(service))


def _service(state: State, said: dict[str, Any], *, register: bool) -> "tuple[Service, Path]":
    """The service for these options; registers the machine, since a service asks nobody.

    :raises SettingsError: when the machine is not registered and nothing is given to register it with.
    """
    from bottool_runner import starting
    from bottool_runner.handover import lasting_variables
    from bottool_runner.places import home_folder
    from bottool_runner.service import Service, command

    name, whole_machine, user = said.pop("name"), said.pop("whole_machine"), said.pop("user")
    limits = [
        part
        for name in ("output_limit", "cache_limit", "disk_floor")
        if click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT
        for part in (f"--{name.replace('_', '-')}", str(said[name]))
    ]
    starting.limits_of(said)
    asked = starting.Asked(**said)
    home = home_folder(asked.home)
    if register:
        starting.register(state, asked)
    conf = ["--conf", str(asked.conf.absolute())] if asked.conf else []
    options = [
        *conf,
        *(["--allow-http"] if asked.allow_http else []),
        *(["--slots", str(asked.slots)] if asked.slots > 1 else []),
        *(part for tag in asked.tags for part in ("--tag", tag)),
        *limits,
    ]
    service = Service(
        name=name,
        arguments=command(home, tuple(options)),
        folder=home,
        variables=lasting_variables(),
        whole_machine=whole_machine,
        user=user,
    )
    return service, home


@click.command()
@name_option
@system_option
@home_option
def uninstall(name: str, *, whole_machine: bool, home: Path | None) -> None:
    """Take the runner out of the machine's services. Its home, and with it its registration, stay."""
    from bottool.cli import present
    from bottool_runner import installing
    from bottool_runner.places import home_folder
    from bottool_runner.service import Service

    folder = home_folder(home)
    service = Service(name=name, arguments=(), folder=folder, variables={}, whole_machine=whole_machine)
    path = installing.uninstall(service, installing.manager_of(sys.platform, folder))
    present.done(f"'{path}' is gone; the runner's own folder stays")


@click.command()
@conf_option
@home_option
@click.option("--allow-http", is_flag=True, help="Let a conf.bcf name a server out in the world without https.")
def window(conf: Path | None, home: Path | None, *, allow_http: bool) -> None:
    """Open a small window with START and STOP, the connection, and what the bots print.

    Closing it does not end the runner.
    """
    from bottool_runner.places import home_folder
    from bottool_runner.window import open_window

    open_window(home_folder(home), conf, allow_http=allow_http)


COMMANDS: tuple[click.Command, ...] = (install, uninstall, window)
