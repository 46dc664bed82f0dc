"""What bottool finds at this plugin's entry point: its one hook."""

from collections.abc import Iterable

from bottool.hookspecs import hookimpl
from bottool.language import Language


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    # Imported here, so that 'bottool --help' does not load every language.
    from bottool_ruby.language import Ruby

    return [Ruby()]
