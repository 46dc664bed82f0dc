"""``bottool pool``."""

import click


@click.group("pool")
def command() -> None:
    """Data pools: work that bots share."""
