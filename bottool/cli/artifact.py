"""``bottool artifact``."""

import click


@click.group("artifact")
def command() -> None:
    """Result files of tasks."""
