"""Ends what a killed keeper left behind: its bot, what the bot started, and what was preparing.

Knows the processes by what the attempt's folder says of them, and by the mark that every process of a bot carries.
"""

import psutil

from bottool import process, stopping
from bottool_runner import screens
from bottool_runner.journal import AttemptFolder, NotPrepared, Process


def silent_keeper(folder: AttemptFolder, boot_id: str, *, is_late: bool) -> NotPrepared:
    """A keeper ended without a word on whether it made the bot ready; one that ``is_late`` is ended here."""
    if is_late:
        stop_processes(folder, boot_id)
    how = "was stuck and was ended" if is_late else "ended, as when a plugin ends the process"
    return NotPrepared(
        reason=f"its keeper {how}; the last that it printed: {folder.last_words()}",
        hint="'bottool plugins' lists the plugins; one of them, or a tool that it runs, has done this",
    )


def stop_processes(folder: AttemptFolder, boot_id: str) -> tuple[str, ...]:
    """End the attempt's keeper and bot, whatever still lives of them; their names with counts.

    Only for a keeper that has ended, or must end. Processes from before a restart of the machine are left alone: their
    numbers belong to others now.
    """
    left: list[str] = []
    for name in ("keeper.pid", "started"):  # the keeper first: it would write an exit otherwise
        known = folder.read(name, Process)
        if known is not None and process.same_boot(known.boot_id, boot_id):
            left += process.stop_leftovers(known.pid, known.create_time, folder.bot, known.group)

    def find() -> list[psutil.Process]:
        return stopping.living(stopping.marked(str(folder.bot)))

    left += stopping.names(find())
    stopping.end(find, 0.0)
    screens.forget_number(folder)
    return tuple(left)
