"""Doing what a request asks for once, however often the request comes: idempotency keys."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from bottool_web.actions import checks
from bottool_web.store import idempotency
from bottool_web.store.scope import Scope

A = TypeVar("A", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """``act`` is the permission's name; with an empty ``key`` every request is new."""

    act: str
    key: str
    body: msgspec.Struct
    now: datetime


def once(tx: sa.Connection, scope: Scope, request: Request, make: Callable[[], A], answer: type[A]) -> tuple[A, bool]:
    """What ``make`` returns, and True; or what it returned for the same key before, and False.

    Call it inside the write of which ``make`` is a part.

    :raises InvalidInput: when the key came with another request before.
    """
    if not request.key:
        return make(), True
    key = f"{scope.principal.kind}:{scope.principal.id}:{checks.name(request.key, 'the idempotency key')}"
    said = hashlib.sha256(request.act.encode() + b"\0" + msgspec.json.encode(request.body)).hexdigest()
    before = idempotency.find_or_claim(tx, scope, key, said, request.now)
    if before is not None:
        return msgspec.convert(before, answer), False
    made = make()
    idempotency.keep(tx, scope, key, msgspec.to_builtins(made))
    return made, True
