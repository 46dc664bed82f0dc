"""Whose rows a statement may touch: every store function takes a ``Scope`` first."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["account", "workspace", "runner", "attempt", "site"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts. ``id`` is the id of the account, workspace, runner or attempt; 0 for the site itself (its clock).

    ``name`` is what events and audit show. ``role`` is the membership's role for an account, else the kind.
    """

    kind: Kind
    id: int
    name: str
    role: str
    workspace_id: int
    task_id: int | None = None
    attempt: int | None = None
    workspace: str = ""
    """The workspace's label, as of this request; empty when it was not looked up with who acts."""

    closed: frozenset[str] = frozenset()
    """The interfaces that the workspace has switched off: columns of the workspace that are false."""

    @property
    def scope(self) -> "Scope":
        return Scope(workspace_id=self.workspace_id, principal=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    workspace_id: int
    principal: Principal
