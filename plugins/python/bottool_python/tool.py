"""Runs ``uv``: finds it, gives it a clean set of variables, and turns a failure into an error with its last words.

Knows nothing of bots. What a tool prints may hold a password of the package index; none gets through.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bottool.errors import BuildError, ToolMissing
from bottool.settings import base_variables, without_own

_LAST_LINES = 50
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|_KEY$", re.IGNORECASE)
_ADDRESS_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_MIN_SECRET = 4
"""A shorter value would blacken half the text, and protects nothing."""


def find_uv() -> str:
    """The path of the ``uv`` that was installed with this plugin, or another on this machine.

    :raises ToolMissing: when there is none.
    """
    import uv

    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        raise ToolMissing("uv is not on this machine", "install it again: python -m pip install uv") from error


def run(
    arguments: Sequence[str], folder: Path, doing: str, extra: Mapping[str, str] | None = None, *, said: str = ""
) -> str:
    """Run ``uv`` in ``folder`` with ``said`` as its input and ``extra`` variables; returns what it printed.

    ``doing`` says what for, as in ``installing setuptools``.

    :raises BuildError: when it fails; carries its last 50 lines.
    :raises ToolMissing: when there is no ``uv``.
    """
    done = subprocess.run(
        [find_uv(), *arguments],
        cwd=folder,
        env={**variables(), **(extra or {})},
        input=said.encode(),
        capture_output=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        check=False,
    )
    if done.returncode:
        output = redacted(done.stderr.decode("utf-8", "replace"), base_variables())
        last = "\n".join(output.splitlines()[-_LAST_LINES:])
        raise BuildError(
            f"{doing} failed: {_first_error(last)}",
            "its last lines tell more",
            output=last,
            tool=" ".join(["uv", *arguments[:2]]),
            exit_status=done.returncode,
        )
    return done.stdout.decode("utf-8", "replace")


def redacted(text: str, variables: Mapping[str, str]) -> str:
    """``text`` without logins in addresses and without the values of variables that are named like secrets."""
    text = _ADDRESS_LOGIN.sub("***", text)
    secrets = {value for name, value in variables.items() if _SECRET_NAME.search(name) and len(value) >= _MIN_SECRET}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def variables() -> dict[str, str]:
    """What ``uv`` gets. It runs strangers' build scripts, so bottool's own keys and tokens are no part of it."""
    kept = without_own(base_variables())
    for name in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "UV_PYTHON", "UV_PYTHON_DOWNLOADS"):
        kept.pop(name, None)
    return kept | {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def _first_error(output: str) -> str:
    """The line that says what went wrong, as uv marks it; otherwise the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line.removeprefix("error:").strip() for line in lines if line.startswith("error:")]
    return marked[0] if marked else (lines or ["it said nothing"])[-1]
