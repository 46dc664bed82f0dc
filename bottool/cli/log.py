"""``bottool log``."""

import click


@click.group("log")
def command() -> None:
    """Logs: tables that bots write."""
