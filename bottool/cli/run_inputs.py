"""What a local run is given: parameters and credentials, typed or from files. Knows no server and starts nothing."""

import json
import os
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bottool.cli import parameters
from bottool.errors import InvalidInput
from bottool.local import Credentials
from bottool.wire import Parameter

CREDENTIALS_FILE = "credentials.toml"


def parameters_of(said: Sequence[str], file: Path | None) -> dict[str, Any]:
    """The parameters of ``file`` (JSON or TOML), then those that were typed: ``NAME=TEXT`` or ``NAME:=JSON``.

    :raises InvalidInput: when the file or a parameter cannot be read.
    """
    given = _table(file) if file is not None else {}
    names = [text.partition("=")[0] for text in said]
    texts = [Parameter(label=name) for name in names if name]
    return given | parameters.values(said, texts, "")


def credentials_of(file: Path | None, folder: Path) -> tuple[Credentials, str]:
    """The credentials of ``file``, else of ``credentials.toml`` in the bot's folder; and a warning, or nothing.

    The file in the folder is taken only when nobody else may read it.

    :raises InvalidInput: when the file cannot be read, or holds something else than ``[label] key = "value"``.
    """
    if file is not None:
        return _sets(file), ""
    found = folder / CREDENTIALS_FILE
    if not found.is_file():
        return {}, ""
    if os.name != "nt" and stat.S_IMODE(found.stat().st_mode) & 0o077:
        return {}, f"'{found}' is not used, because others can read it; type: chmod 600 '{found}'"
    return _sets(found), ""


def _sets(file: Path) -> Credentials:
    found = _table(file)
    for label, keys in found.items():
        if not isinstance(keys, dict) or any(isinstance(value, (dict, list)) for value in keys.values()):
            raise InvalidInput(f"'{file}': '{label}' is no credential", 'write: [label], and below it: key = "value"')
    return {label: {key: _text(value) for key, value in keys.items()} for label, keys in found.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _table(file: Path) -> dict[str, Any]:
    """The JSON object or TOML table in a file; dates become texts, as JSON would carry them."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() != ".toml":
            return parameters.object_of(text, str(file))
        plain: dict[str, Any] = json.loads(json.dumps(tomllib.loads(text), default=str))
    except OSError as error:
        raise InvalidInput(f"cannot read '{file}': {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"'{file}' is no TOML: {error}") from error
    return plain
