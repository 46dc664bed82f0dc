"""Result files of tasks."""

from datetime import datetime
from typing import Literal

from bottool.wire.base import Message


class Artifact(Message, kw_only=True, frozen=True):
    """A file that a bot hands in. ``announced``: its bytes have not come yet, and ``sha256`` is empty.

    ``attempt`` is the number of the attempt whose bot sent it, ``None`` when somebody else did. ``media_type`` is what
    the bytes look like, not what the sender says.
    """

    id: int
    task_id: int
    automation: str
    automation_name: str
    repository: str
    name: str
    file_name: str
    state: Literal["announced", "stored"]
    sha256: str = ""
    size_bytes: int = 0
    media_type: str = ""
    created_by: str = ""
    attempt: int | None = None
    created_at: datetime
    stored_at: datetime | None = None


class NewArtifact(Message, kw_only=True, frozen=True):
    """Of ``file_name`` only the last part of a path counts. Either of the two names may be missing, not both."""

    task_id: int
    name: str = ""
    file_name: str = ""
