"""``bottool credential``."""

import click


@click.group("credential")
def command() -> None:
    """Keep secrets for bots."""
