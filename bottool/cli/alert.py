"""``bottool alert``."""

import click


@click.group("alert")
def command() -> None:
    """Alerts of bots."""
