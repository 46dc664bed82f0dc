"""The plugin: what bottool's entry point names. Offers the one language ``java``."""

from collections.abc import Iterable

from bottool.hookspecs import hookimpl
from bottool.language import Language


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    """The language of this plugin."""
    from bottool_java.language import Java

    return [Java()]
