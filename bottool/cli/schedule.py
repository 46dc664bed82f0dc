"""``bottool schedule``."""

import click


@click.group("schedule")
def command() -> None:
    """Let automations run by themselves: schedules."""
