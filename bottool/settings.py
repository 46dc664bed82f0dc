"""Settings of the command line and of this machine; the only module that reads the process's environment.

What counts first: a flag, then a variable, then the user's settings file (``settings.toml``, written by
``bottool login``). Knows no server and no bot.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bottool.errors import BottoolError, SettingsError, did_you_mean

FILE_NAME = "settings.toml"
_IN_FILE = ("server", "token", "workspace")
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where the server is, and as whom to speak to it: ``token``, or ``login`` and ``key``; empty means unknown."""

    server: str = ""
    login: str = ""
    workspace: str = ""
    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def base_variables() -> dict[str, str]:
    """A copy of this process's environment variables."""
    return dict(os.environ)


def without_own(variables: Mapping[str, str]) -> dict[str, str]:
    """For tools that build and install: they run strangers' scripts, which our keys and tokens do not concern."""
    return {name: value for name, value in variables.items() if not name.upper().startswith("BOTTOOL_")}


def cache_folder(variables: Mapping[str, str] | None = None) -> Path:
    """Where packages and environments are kept that can be made again; ``BOTTOOL_CACHE`` moves it."""
    return _folder("BOTTOOL_CACHE", "user_cache_path", variables)


def data_folder(variables: Mapping[str, str] | None = None) -> Path:
    """Where a server or runner of this user keeps what cannot be made again; ``BOTTOOL_DATA`` moves it."""
    return _folder("BOTTOOL_DATA", "user_data_path", variables)


def config_folder(variables: Mapping[str, str] | None = None) -> Path:
    """Where the user's settings file lies; ``BOTTOOL_CONFIG`` moves it."""
    return _folder("BOTTOOL_CONFIG", "user_config_path", variables)


def _folder(variable: str, kind: str, variables: Mapping[str, str] | None) -> Path:
    said = (os.environ if variables is None else variables).get(variable, "")
    if said:
        return Path(said).expanduser().absolute()
    import platformdirs

    path: Path = getattr(platformdirs, kind)("bottool", appauthor=False)
    return path


def disabled_plugins(variables: Mapping[str, str] | None = None) -> frozenset[str]:
    """Names in ``BOTTOOL_DISABLE_PLUGINS``, separated by commas: plugins that are not to be loaded."""
    said = (os.environ if variables is None else variables).get("BOTTOOL_DISABLE_PLUGINS", "")
    return frozenset(name.strip() for name in said.split(",") if name.strip())


def load_client_settings(
    flags: Mapping[str, str | None] | None = None, variables: Mapping[str, str] | None = None
) -> ClientSettings:
    """The settings for talking to a server. Keys of ``flags`` are the fields of ``ClientSettings``.

    Login and key from a flag or variable count before the token of the file, and that token goes to no other server
    than the one it came from.

    :raises SettingsError: when the file is broken or the server's address is none.
    """
    given = os.environ if variables is None else variables
    names = [each.name for each in fields(ClientSettings)]
    path = config_folder(variables) / FILE_NAME
    by_flag = {name: (flags or {}).get(name) or "" for name in names}
    by_variable = {name: given.get(f"BOTTOOL_{name.upper()}", "") for name in names}
    by_file = dict.fromkeys(names, "") | _read_file(path)

    server = _address(by_flag["server"], "--server") or _address(by_variable["server"], "BOTTOOL_SERVER")
    if server and server != by_file["server"].rstrip("/"):
        by_file = dict.fromkeys(names, "")
    server = server or _address(by_file["server"], str(path))
    return _without_weaker_token(server, (by_flag, by_variable, by_file))


def _without_weaker_token(server: str, sources: tuple[dict[str, str], ...]) -> ClientSettings:
    """The strongest value of each field; a token counts only where no stronger source gives a login or a key."""
    chosen = {
        name: next((source[name] for source in sources if source[name]), "") for name in ("login", "key", "workspace")
    }
    token = ""
    for source in sources:
        if source["token"]:
            token = source["token"]
        if source["token"] or source["login"] or source["key"]:
            break
    return ClientSettings(server=server, token=token, **chosen)


def save_client_settings(settings: ClientSettings, variables: Mapping[str, str] | None = None) -> Path:
    """Write server, token and workspace to the user's settings file, readable by this user only; returns its path."""
    folder = config_folder(variables)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    # A JSON string without ASCII escapes is a TOML basic string.
    text = "".join(f"{name} = {json.dumps(getattr(settings, name), ensure_ascii=False)}\n" for name in _IN_FILE)
    fresh = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
    return path


def _read_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    said, _ = read_toml(path, SettingsError)
    for name, value in said.items():
        if name not in _IN_FILE:
            raise SettingsError(f"{path}: unknown setting '{name}'", did_you_mean(name, _IN_FILE))
        if not isinstance(value, str):
            raise SettingsError(f"{path}: '{name}' is no text", f'put it in quotes: {name} = "…"')
    return said


def _address(said: str, source: str) -> str:
    """The address without a slash at its end.

    :raises SettingsError: when it is no http or https address; names where it was said.
    """
    if said and not re.match(r"https?://[^/\s]", said):
        raise SettingsError(
            f"{source}: '{said}' is no address of a server", "write it as http://HOST:PORT or https://HOST"
        )
    return said.rstrip("/")


def read_toml(path: Path, failure: type[BottoolError]) -> tuple[dict[str, Any], str]:
    """What a TOML file says, and its text. Reads a byte order mark, and UTF-8 only, as TOML wants it.

    :raises failure: when it cannot be read or is no TOML; the message starts with the file's name and line.
    """
    import tomllib

    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), text
    except OSError as error:
        raise failure(f"{path.name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise failure(f"{path.name} is not UTF-8 text", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        line = _AT_LINE.search(said)
        where = f":{line[1]}" if line and line[1] else ""
        what = said[: line.start()] if line else said
        raise failure(
            f"{path.name}{where}: {what[:1].lower()}{what[1:]}", "see https://toml.io for the format"
        ) from error
