"""A server installation, as every action gets it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bottool_web.files import Files
from bottool_web.folder_lock import FolderLock
from bottool_web.hints import Hints
from bottool_web.settings import SiteSettings
from bottool_web.store.database import Store
from bottool_web.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """``key`` is the server's own secret, kept in a file beside the data, never in the database.

    ``now`` gives aware UTC; only this clock decides leases.
    """

    settings: SiteSettings
    store: Store
    files: Files
    hints: Hints
    now: Callable[[], datetime]
    key: bytes = field(repr=False)
    lock: FolderLock | None = None
    """Held while this process may write to a data folder of which it is the only server."""

    local_credentials: Mapping[str, Mapping[str, str]] | None = field(default=None, repr=False)
    """By label and key; only the server of a local run has any."""

    @property
    def vault(self) -> Vault:
        """What opens the secrets in the store."""
        return Vault(self.settings.vault_path)

    def close(self) -> None:
        """Let waiting writes finish and give the data folder back. May be repeated."""
        self.store.close()
        if self.lock is not None:
            self.lock.release()
