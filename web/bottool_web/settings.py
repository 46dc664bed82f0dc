"""The settings of a site, one frozen value: defaults < ``site.toml`` in its folder < ``BOTTOOL_SITE_*`` < flags."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from bottool.errors import SettingsError

FILE_NAME = "site.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    data: Path
    database: str = ""
    """``sqlite:///PATH`` or ``postgresql://…``; empty: ``site.db`` in the data folder."""
    vault_key_file: str = ""
    """Where the keys lie that seal credentials, from the data folder on; empty: ``vault.key`` in it."""
    host: str = "127.0.0.1"
    port: int = 8800
    upload_limit_bytes: int = 200 * 1024 * 1024
    artifact_limit_bytes: int = 1024**3
    """So large may one result file be."""
    disk_floor_bytes: int = 256 * 1024**2
    """No file is taken that would leave less room on the disk."""
    inspection_seconds: float = 3.0
    """So long an upload waits for its inspection; what takes longer goes on behind it, as "checking"."""
    output_limit_bytes: int = 2 * 1024**3
    """So much of what one attempt prints is taken."""
    lease_seconds: float = 60.0
    lost_margin_seconds: float = 30.0
    """An attempt that was started is called lost so long after its lease ran out."""
    start_grace_seconds: float = 60.0
    """Added to every live lease when the server starts."""
    lost_window_seconds: float = 600.0
    """So long a lost task may still be corrected before it counts as failed."""
    missed_after_seconds: float = 60.0
    """A schedule's time that is older when the server looks counts as missed."""
    hold_seconds: float = 10.0
    max_claims: int = 5
    """A task that so many runners took and could not prepare expires."""
    token_hours: float = 12.0
    session_idle_minutes: float = 30.0
    session_hours: float = 12.0
    smtp_host: str = ""
    """The mail server; while it is empty, mail waits in the outbox."""
    smtp_port: int = 0
    """0: the usual one for ``smtp_tls``."""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; without it no password is sent, except to this machine itself."""
    smtp_ca_file: str = ""
    """Certificates to trust instead of the system's."""
    smtp_user: str = ""
    smtp_password_file: str = ""
    mail_from: str = ""
    """Who mail is from, such as ``Bots <bots@acme.example>``."""
    delivery_seconds: float = 60.0
    """The longest that one try to deliver may take; what a server that died was sending waits three times as long."""
    delivery_days: float = 5.0
    """What cannot be delivered for so long has failed."""
    threads: int = 16
    """How many requests the Flask part works on at a time."""

    @property
    def longest_hold_seconds(self) -> float:
        """How long a runner's call may be held: several fit into a lease, or the runner could never trust its lease."""
        return min(self.hold_seconds, self.lease_seconds / 4)

    @property
    def vault_path(self) -> Path:
        return self.data / (self.vault_key_file or "vault.key")

    @property
    def database_address(self) -> str:
        return self.database or f"sqlite:///{self.data / 'site.db'}"


def load_site_settings(data: Path, variables: Mapping[str, str], flags: Mapping[str, Any]) -> SiteSettings:
    """Read ``site.toml`` of ``data`` (it may be missing) and lay ``variables`` and then ``flags`` over it.

    ``variables`` are a process's; only ``BOTTOOL_SITE_<NAME>`` count. A flag that is ``None`` was not given.

    :raises SettingsError: for a file that is no TOML, an unknown name, or a value of the wrong kind.
    """
    known = {field.name for field in fields(SiteSettings)} - {"data"}
    values: dict[str, Any] = _read(data / FILE_NAME, known)
    prefix = "BOTTOOL_SITE_"
    values |= {name[len(prefix) :].lower(): text for name, text in variables.items() if name.startswith(prefix)}
    values |= {name: value for name, value in flags.items() if value is not None}
    if unknown := sorted(set(values) - known):
        raise SettingsError(f"there is no setting '{unknown[0]}'", f"there are: {', '.join(sorted(known))}")
    try:
        return msgspec.convert({**values, "data": str(data.absolute())}, SiteSettings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise SettingsError(
            f"the site's settings: {error}", f"correct {data / FILE_NAME}, the variable or the flag"
        ) from error


def _decode(kind: type[Any], value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(f"no setting is a {kind}")


def _read(path: Path, known: set[str]) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}", "correct the file or move it away") from error
    if unknown := sorted(set(values) - known):
        raise SettingsError(f"{path}: there is no setting '{unknown[0]}'", f"there are: {', '.join(sorted(known))}")
    return values
