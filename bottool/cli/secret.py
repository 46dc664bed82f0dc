"""Secrets from a file, from stdin or by prompt: never as a plain argument, which other users of the machine can see."""

import sys
from pathlib import Path

import click

from bottool.errors import SettingsError


def read_secret(file: str, what: str) -> str:
    """The first line of ``file``; ``-`` is stdin.

    :raises SettingsError: when it cannot be read or is empty.
    """
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(f"the file '{file}' with the {what} cannot be read: {reason}") from error
    secret = text.partition("\n")[0].strip()
    if not secret:
        raise SettingsError(f"there is no {what} in '{file}'", f"put the {what} in its first line")
    return secret


def ask_secret(what: str, flag: str) -> str:
    """Ask the person at the terminal.

    :raises SettingsError: when there is no terminal; names the flag to use.
    """
    if not sys.stdin.isatty():
        raise SettingsError(f"no {what} is given, and there is no terminal to ask", f"use {flag} FILE ('-' is stdin)")
    answer: str = click.prompt(what.capitalize(), hide_input=True, err=True)
    return answer
