"""The plugin: what bottool's entry point names. Offers the languages ``javascript`` and ``typescript``."""

from collections.abc import Iterable

from bottool.hookspecs import hookimpl
from bottool.language import Language


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    """The languages of this plugin."""
    from bottool_javascript.language import JavaScript, TypeScript

    return [JavaScript(), TypeScript()]
