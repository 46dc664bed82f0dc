"""How a script is started where the system alone would not do it: by its first line, or by the program of its kind.

Reads the first bytes of a file, starts nothing. What a task adds to a command line is checked in core, which alone
knows it.
"""

import os
import re
from pathlib import Path, PurePosixPath

POWERSHELL = ("-NoProfile", "-ExecutionPolicy", "Bypass", "-File")
SCRIPTS = frozenset(
    {".sh", ".bash", ".py", ".rb", ".pl", ".js", ".mjs", ".ps1", ".bat", ".cmd", ".php", ".lua", ".r", ".jar", ".exe"}
)
_FIRST_LINE_BYTES = 4096
_PATH = re.compile(r"^\{path\}[/\\]")


def file_named(argument: str) -> str:
    """The relative file that an argument of a command line names; ``""`` when it names none for sure."""
    name = _PATH.sub("", argument)
    if "{" in name or name.startswith(("-", "/", "\\", "~")) or name[1:2] == ":":
        return ""
    return name if PurePosixPath(name).suffix.lower() in SCRIPTS or name.startswith(("./", ".\\")) else ""


def first_line(file: Path) -> bytes:
    """With its line end, so that one of Windows shows; ``b""`` when there is no file, or its first line is too long."""
    try:
        with file.open("rb") as script:
            line, end, _ = script.read(_FIRST_LINE_BYTES).partition(b"\n")
    except OSError:
        return b""
    return line + end


def has_crlf_interpreter(file: Path) -> bool:
    """True when a ``#!`` line ends as on Windows: elsewhere the system takes the invisible character for a part of the
    program's name.
    """
    line = first_line(file)
    return line.startswith(b"#!") and line.endswith(b"\r\n")


def command_line(arguments: tuple[str, ...], folder: Path, *, windows: bool = os.name == "nt") -> tuple[str, ...]:
    """``arguments`` with the program in front that a script in ``folder`` needs; unchanged for everything else."""
    script = folder / arguments[0]
    if not file_named(arguments[0]) or not script.is_file():
        return arguments
    suffix = script.suffix.lower()
    rest = (str(script), *arguments[1:])
    if suffix == ".ps1":
        return ("powershell" if windows else "pwsh", *POWERSHELL, *rest)
    if suffix in {".bat", ".cmd"} and windows:
        return ("cmd", "/d", "/c", *rest)
    needs_interpreter = windows or not os.access(script, os.X_OK) or has_crlf_interpreter(script)
    interpreter = _interpreter(script, windows=windows) if needs_interpreter else ()
    return (*interpreter, *rest)


def _interpreter(script: Path, *, windows: bool) -> tuple[str, ...]:
    """What the script's ``#!`` line says; for a shell script without one, the shell."""
    line = first_line(script).decode("utf-8", "replace").strip()
    if not line.startswith("#!"):
        return ("sh",) if script.suffix.lower() == ".sh" else ()
    program, _, argument = line[2:].strip().partition(" ")
    words = [program, *argument.split()]
    if PurePosixPath(program).name == "env":
        words = [word for word in words[1:] if word != "-S"]
    if windows and words:
        words[0] = PurePosixPath(words[0]).name
    return tuple(word for word in words if word)
