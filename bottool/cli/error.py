"""``bottool error``."""

import click


@click.group("error")
def command() -> None:
    """Error reports of bots."""
