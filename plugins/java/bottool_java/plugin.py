"""The plugin: what bottool's entry point names. Offers the one language ``java``, and makes archives of classes."""

from collections.abc import Iterable

from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Installation, Outcome


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    """The language of this plugin."""
    from bottool_java.language import Java

    return [Java()]


@hookimpl
def bottool_task_finished(installation: Installation, outcome: Outcome) -> None:
    """After the first good run of a jar on this machine, the archive that makes the next ones quicker."""
    if installation.package.language == "java":
        from bottool_java import running

        running.finished(installation, succeeded=outcome.succeeded)
