"""``bottool up``: a server and a runner on this machine, for as long as the command runs."""

from pathlib import Path

import click

from bottool import settings
from bottool.cli import present

NAME = "local"


@click.command("up")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder. [default: the user's data]")
@click.option("--port", type=click.IntRange(1, 65535), default=8787, show_default=True, help="Port of the server.")
@click.option("--slots", type=click.IntRange(1), default=2, show_default=True, help="Bots to run at a time.")
def command(data: Path | None, port: int, slots: int) -> None:
    """Run a server and a runner on this machine until Ctrl-C. Their data stay."""
    from bottool.cli.children import Children, ending_on_signals, wait_for_end
    from bottool.cli.local_site import LocalSite, start_site, variables_for_children

    folder = (data or settings.data_folder() / "up").absolute()
    with ending_on_signals(), Children(folder / "logs", variables_for_children()) as children:
        site: LocalSite = start_site(children, folder, name=NAME, port=port, slots=slots)
        present.fields(
            {
                "dashboard": site.server,
                "e-mail": site.email,
                "password": site.password if site.is_new else f"in {folder / 'password'}",
                "workspace": site.workspace,
                "login": site.login,
                "key": f"in {folder / 'key'}",
                "runner": site.machine_id,
                "logs": folder / "logs",
            }
        )
        present.done(
            "running; Ctrl-C ends it",
            f"bottool login {site.server} --login {site.login} --key-file {folder / 'key'}",
        )
        wait_for_end(children)
