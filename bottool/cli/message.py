"""``bottool message``."""

import click


@click.group("message")
def command() -> None:
    """Send messages to people."""
