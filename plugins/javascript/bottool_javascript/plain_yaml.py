"""Reads YAML in which everything stays text, as the locks of pnpm and yarn are read.

A module of its own, since importing a YAML library takes longer than validating a small bot. The text may be hostile.
"""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Everything stays text: a version such as 1.10 is no number. No lock repeats a part of itself by its name."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias, by which a few lines can stand for millions")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}


def read(text: str) -> Any:
    """What the text says.

    :raises ValueError: when it is no YAML, or holds an alias.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
