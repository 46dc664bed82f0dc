"""What bottool finds at this plugin's entry point: its one hook."""

from collections.abc import Iterable

from bottool.hookspecs import hookimpl
from bottool.language import Language


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    from bottool_python.language import Python

    return [Python()]
