"""What can be said of a bot's command line before anything runs. Reads files, starts nothing."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bottool.model import Problem, Severity
from bottool_command import starting


def of_files(folder: Path, runs: Iterable[tuple[str, Sequence[str]]]) -> Iterator[Problem]:
    """The files that command lines name: not there, or with line ends that keep them from starting.

    ``runs`` are the options with their command lines.
    """
    seen = set()
    for option, arguments in runs:
        for argument in arguments[:2]:
            name = starting.file_named(argument)
            if name and name not in seen:
                seen.add(name)
                yield from _of_file(folder, option, name)


def _of_file(folder: Path, option: str, name: str) -> Iterator[Problem]:
    file = folder / name.replace("\\", "/")
    if not file.is_file():
        yield Problem(
            severity=Severity.ERROR,
            code="no_entry",
            message=f"[command] {option} starts '{name}', which is not in the folder",
            hint="correct the name, or add the file",
            path="bot.toml",
        )
    elif starting.has_crlf_interpreter(file):
        yield Problem(
            severity=Severity.WARNING,
            code="crlf_script",
            message=f"'{name}' has the line ends of Windows; started directly, its first line names no program",
            hint=f"save it with LF line ends, or: sed -i 's/\\r$//' {name}",
            path=name,
            line=1,
        )


def of_program(folder: Path, run: Sequence[str]) -> Iterator[Problem]:
    """The program that a command line starts here."""
    program = run[0]
    is_name = Path(program).name == program and "{" not in program
    if is_name and not (folder / program).is_file() and shutil.which(program) is None:
        yield Problem(
            severity=Severity.WARNING,
            code="program_missing",
            message=f"'{program}' is not on this machine's PATH",
            hint=f"install '{program}' here to run the bot, and on every machine with a runner for it",
            path="bot.toml",
        )
