"""The root of the command line: which commands there are, and what becomes of an error.

Knows nothing of what the commands do. Nothing of a command is imported before it is asked for.
"""

import sys
from collections.abc import Sequence
from typing import Any

import click

from bottool import __version__
from bottool.cli import failures
from bottool.cli.groups import Root
from bottool.cli.state import State
from bottool.errors import BottoolError

HELP = """Build, deploy, run and orchestrate bots in several languages, on your own machines.

\b
Start here:   bottool demo
              bottool new python my-bot
              bottool run my-bot

\b
Exit status:  0 well · 1 failed · 2 usage · 3 project or settings · 4 not allowed
              5 not found · 6 exists already · 7 unreachable · 8 took too long
              9 the task failed · 130 Ctrl-C
"""


def make_root() -> Root:
    """A new root; tests make their own, so that no command of a plugin stays behind."""

    @click.group(cls=Root, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, message="bottool %(version)s")
    @click.pass_context
    def bottool(ctx: click.Context) -> None:
        ctx.ensure_object(State)

    return bottool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. The only place of the command line that catches errors."""
    said = list(sys.argv[1:] if arguments is None else arguments)
    failures.prepare_streams()
    try:
        status: Any = make_root().main(args=said, prog_name="bottool", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return failures.reader_has_gone()
    except (BottoolError, click.ClickException) as error:
        return failures.tell(error, as_json=failures.wants_json(said))
    except (KeyboardInterrupt, click.Abort):
        return failures.interrupted()
    except Exception as error:  # noqa: BLE001 - the user gets one line, and we a report that can be sent
        return failures.unexpected(error, said)
    return status if isinstance(status, int) else 0
