"""``conf.bcf``: the settings file of BotCity's runner, so that a machine moves over by pointing at it.

Owns the keys, what their values must look like, and what is said of a wrong one: file, line, key and a hint, and never
the value of a secret. The format itself is in ``properties``. Nothing is ever written to the file.
"""

import ipaddress
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from bottool.errors import SettingsError, did_you_mean
from bottool.model import LABEL
from bottool_runner.properties import BadProperties, Entry, decoded, entries

MOST_BYTES = 1_000_000
_SHOWN = 60
"""The most letters of a wrong value or name that are repeated in a message."""
KEYS = ("server", "workspace", "machineId", "login", "key", "logApplication", "logScreen", "startup")
SECRET = frozenset({"key"})
_BY_FOLDED = {key.casefold(): key for key in KEYS}
_LONE_BACKSLASH = re.compile(r"^(?:[A-Za-z]:|\\\\)?(?:[^\\]|\\\\)*\\[^\\]")
_PRIVATE_ENDINGS = (".local", ".localhost", ".lan", ".home", ".internal", ".intranet", ".corp", ".home.arpa", ".test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conf:
    """What a ``conf.bcf`` says; empty where it says nothing. ``warnings`` are whole sentences for people."""

    path: Path
    server: str = ""
    workspace: str = ""
    machine_id: str = ""
    login: str = ""
    key: str = field(default="", repr=False)
    log_application: bool = False
    log_screen: bool = False
    startup: Path | None = None
    warnings: tuple[str, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """``conf.bcf, line 3, 'key'``, for a message about it."""
        line = self.lines.get(key)
        return f"{self.path}, line {line}, '{key}'" if line else f"'{self.path}', '{key}'"


def read(path: Path, *, allow_http: bool = False) -> Conf:
    """The file's settings, checked. ``allow_http``: a server out in the world may be spoken to without TLS.

    :raises SettingsError: names file, line and key.
    """
    said = _Said(path, allow_http=allow_http)
    said.take(_parsed(path))
    for key in ("server", "machineId"):
        said.require(key)
    said.warn_of_readers()
    return Conf(
        path=path,
        server=said.checked("server", said.server),
        workspace=said.plain("workspace"),
        machine_id=said.checked("machineId", _machine_id),
        login=said.plain("login"),
        key=said.plain("key"),
        log_application=said.flag("logApplication"),
        log_screen=said.flag("logScreen"),
        startup=said.startup(),
        warnings=tuple(said.warnings),
        lines={key: entry.line for key, entry in said.found.items()},
    )


def stamp(path: Path) -> tuple[int, int]:
    """Another value when the file was changed; zeros when it is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _parsed(path: Path) -> list[Entry]:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError(f"'{path}' is no file", "name the file itself: --conf FOLDER/conf.bcf")
        if found.st_size > MOST_BYTES:
            raise SettingsError(
                f"'{path}' has {found.st_size:,} bytes, and a conf.bcf has a few hundred", "name the right file"
            )
        return list(entries(decoded(path.read_bytes())))
    except OSError as error:
        raise SettingsError(
            f"'{path}' cannot be read: {error.strerror}", "check its name, and that the runner's user may read it"
        ) from error
    except BadProperties as error:
        if not error.line:
            raise SettingsError(f"'{path}': {error}", "save it as UTF-8 text") from error
        raise _wrong(
            path,
            error.line,
            error.key,
            str(error),
            r"a path's backslashes are written twice: C:\\Users, or as C:/Users",
        ) from error


def _wrong(path: Path, line: int, key: str, what: str, hint: str) -> SettingsError:
    return SettingsError(f"{path}, line {line}, '{key}': {what}", hint)


class _Said:
    """The entries of one file while they are checked."""

    def __init__(self, path: Path, *, allow_http: bool) -> None:
        self._path = path
        self._allow_http = allow_http
        self.found: dict[str, Entry] = {}
        self.warnings: list[str] = []

    def take(self, found: Iterable[Entry]) -> None:
        for entry in found:
            key = _BY_FOLDED.get(entry.key.casefold())
            if key is None:
                self._warn(entry, "is not known and left out", did_you_mean(entry.key, KEYS))
                continue
            if key != entry.key:
                self._warn(entry, f"is taken as '{key}'")
            if key in self.found:
                self._warn(entry, f"was on line {self.found[key].line} already; this line counts")
            self.found[key] = entry

    def _warn(self, entry: Entry, what: str, hint: str = "") -> None:
        shown = entry.key if len(entry.key) <= _SHOWN else entry.key[:_SHOWN] + "…"
        self.warnings.append(f"{self._path}, line {entry.line}, '{shown}': {what}" + (f" ({hint})" if hint else ""))

    def wrong(self, key: str, what: str, hint: str) -> SettingsError:
        return _wrong(self._path, self.found[key].line, key, what, hint)

    def plain(self, key: str) -> str:
        """The value without blanks around it; ``""`` when the key is missing."""
        entry = self.found.get(key)
        if entry is None:
            return ""
        value = entry.value.strip()
        if value != entry.value:
            self._warn(entry, "has blanks at its end, which are left out")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            raise self.wrong(key, "its value is in quotes", "write it without: there are no quotes in this format")
        if any(letter < " " for letter in value):
            raise self.wrong(key, "its value has a control character in it", "write it anew, on one line")
        return value

    def require(self, key: str) -> None:
        if key not in self.found:
            raise SettingsError(f"'{self._path}': '{key}' is missing", f"add a line: {key}={_EXAMPLES[key]}")
        if not self.found[key].value.strip():
            raise self.wrong(key, "it has no value", f"write: {key}={_EXAMPLES[key]}")

    def checked(self, key: str, check: Callable[[str], str]) -> str:
        """The value; ``check`` gives it back, or raises ``ValueError`` with what is wrong and the hint."""
        value = self.plain(key)
        try:
            return check(value)
        except ValueError as error:
            what, hint = error.args
            raise self.wrong(key, what, hint) from error

    def flag(self, key: str) -> bool:
        value = self.plain(key).casefold()
        if value not in {"", "true", "false"}:
            raise self.wrong(key, f"'{value[:20]}' is neither true nor false", f"write: {key}=true")
        return value == "true"

    def server(self, value: str) -> str:
        return _server(value, allow_http=self._allow_http)

    def startup(self) -> Path | None:
        value = self.plain("startup")
        if not value:
            return None
        if _LONE_BACKSLASH.match(self.found["startup"].raw):
            raise self.wrong(
                "startup", "its backslashes stand alone, and vanish", r"write them twice: C:\\BotCity, or as C:/BotCity"
            )
        # The SDK's own layout is conf/conf.bcf beside startup/.
        inside = [self._path.absolute().parent, self._path.absolute().parent.parent]
        found = next((each for each in (folder / value for folder in inside) if each.is_file()), None)
        if found is None:
            raise self.wrong("startup", f"there is no file '{value}'", "correct its path, or remove the line")
        if os.name != "nt" and not os.access(found, os.X_OK):
            raise self.wrong("startup", f"'{found}' may not be executed", f"chmod u+x '{found}'")
        if not any(found.resolve().is_relative_to(folder.resolve()) for folder in inside):
            self._warn(self.found["startup"], f"'{found.resolve()}' lies outside of this installation, and is run")
        return found

    def warn_of_readers(self) -> None:
        if "key" in self.found and os.name != "nt" and self._path.stat().st_mode & 0o077:
            self._warn(self.found["key"], "other users of this machine can read it", f"chmod 600 '{self._path}'")


_EXAMPLES = {"server": "https://HOST", "machineId": "NAME"}


def _machine_id(value: str) -> str:
    if not LABEL.fullmatch(value):
        raise ValueError(
            f"'{value[:_SHOWN]}' is no machine id",
            "1 to 100 letters, digits, dots, dashes and underscores, as on the server's page of runners",
        )
    return value


def _server(value: str, *, allow_http: bool) -> str:
    parts = _parts(value)
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"'{parts.scheme}' is no way to speak to a server", "write it as https://HOST:PORT")
    if "@" in parts.netloc:
        raise ValueError("a name or password is in it", "write login and key on lines of their own")
    _check_host(parts)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("something stands behind the host", f"write: server={parts.scheme}://{parts.netloc}")
    if parts.scheme == "http" and not allow_http and _is_public(parts.hostname or ""):
        raise ValueError(
            f"'{parts.hostname}' would get the key without encryption", "write https://, or start with --allow-http"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _parts(value: str) -> SplitResult:
    if "://" not in value:
        # Without its scheme it may be anything, even the key on the wrong line: it is not repeated.
        raise ValueError("it does not begin with http:// or https://", "write it as https://HOST:PORT")
    try:
        return urlsplit(value)
    except ValueError as error:
        raise ValueError("its host makes no sense", "write it as https://HOST:PORT") from error


def _check_host(parts: SplitResult) -> None:
    host = parts.hostname or ""
    if parts.netloc.count(":") > 1 and "[" not in parts.netloc:
        raise ValueError("an IPv6 address stands without brackets", "write it as http://[::1]:8080")
    if not _has_port(parts):
        raise ValueError("its port is not between 1 and 65535", "write it as https://HOST:PORT")
    try:
        known = bool(host) and bool(host.encode("idna"))
    except UnicodeError:
        known = False
    if not known or re.search(r"[\s_\\]", host):
        raise ValueError("its host makes no sense", "write it as https://HOST:PORT")


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _is_public(host: str) -> bool:
    """A host out in the world, as far as its name tells: no private address, no name without dots, no inner ending."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.casefold().endswith(_PRIVATE_ENDINGS)
