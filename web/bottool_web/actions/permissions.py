"""Who may do what: one table. Every action names its permission; the surfaces only pass it on.

A person has a role in the workspace; programs have the kind of their token as their role. Something that is not in the
table is forbidden to everybody.
"""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from bottool.errors import Forbidden
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC = "public"
"""Permission of what anybody may call, signed in or not."""

_READ = frozenset({"viewer", "operator", "developer", "manager", "administrator", "workspace"})
_OPERATE = _READ - {"viewer"}
_DEVELOP = _OPERATE - {"operator"}
_MANAGE = _DEVELOP - {"developer"}
_ADMINISTER = frozenset({"administrator"})
_BOT = frozenset({"attempt"})
_RUNNER = frozenset({"runner"})

PERMISSIONS: dict[str, frozenset[str]] = {
    "bot.read": _READ,
    "bot.deploy": _DEVELOP,
    "bot.release": _DEVELOP,
    "bot.exclude": _DEVELOP,
    "bot.download": _DEVELOP,
    "automation.read": _READ | _BOT,
    "automation.create": _DEVELOP,
    "automation.change": _DEVELOP,
    "automation.delete": _MANAGE,
    "task.read": _READ | _BOT,
    "task.create": _OPERATE | _BOT,
    "task.finish": _OPERATE | _BOT,
    "task.restart": _OPERATE | _BOT,
    "task.cancel": _OPERATE | _BOT,
    "task.interrupt": _OPERATE | _BOT,
    "task.stop": _OPERATE | _BOT,
    "output.read": _READ,
    "alert.read": _READ | _BOT,
    "alert.create": _OPERATE | _BOT,
    "artifact.read": _READ | _BOT,
    "artifact.create": _OPERATE | _BOT,
    "artifact.delete": _DEVELOP,
    "audit.read": _MANAGE,
    # Labels and keys; never a value.
    "credential.read": _OPERATE,
    # Values: of a running bot, and of whoever may give them anyway.
    "credential.use": _MANAGE | _BOT,
    "credential.change": _DEVELOP | _BOT,
    "credential.delete": _MANAGE,
    "error.read": _READ | _BOT,
    "error.create": _OPERATE | _BOT,
    "error.change": _OPERATE,
    "log.read": _READ | _BOT,
    "log.change": _DEVELOP | _BOT,
    "log.write": _OPERATE | _BOT,
    "log.delete": _DEVELOP | _BOT,
    "message.read": _OPERATE,
    "message.send": _OPERATE | _BOT,
    "notice.manage": _MANAGE,
    "pool.read": _READ | _BOT,
    "pool.change": _DEVELOP | _BOT,
    "pool.delete": _DEVELOP | _BOT,
    "pool.push": _OPERATE | _BOT,
    "pool.pull": _OPERATE | _BOT,
    "pool.edit": _OPERATE | _BOT,
    "schedule.read": _READ,
    "schedule.pause": _OPERATE,
    "schedule.run": _OPERATE,
    "schedule.change": _DEVELOP,
    "schedule.delete": _DEVELOP,
    "runner.read": _READ,
    "runner.create": _MANAGE,
    "runner.enrol": _MANAGE,
    "attempt.work": _RUNNER,
    "site.keep": frozenset({"site"}),
    "workspace.read": _READ,
    "workspace.change": _ADMINISTER,
    "account.read": _READ,
    "account.manage": _ADMINISTER,
}


def may(who: Principal, permission: str) -> bool:
    return permission == PUBLIC or who.role in PERMISSIONS.get(permission, frozenset())


def action(
    permission: str,
) -> Callable[[Callable[Concatenate[Site, Principal, P], R]], Callable[Concatenate[Site, Principal, P], R]]:
    """Guard an action: ``f(site, who, …)`` runs only for those whom the table allows.

    The guarded function carries ``permission``, so that a route can say which one it needs.

    :raises Forbidden: from the guarded function, when ``who`` may not.
    """

    def guard(function: Callable[Concatenate[Site, Principal, P], R]) -> Callable[Concatenate[Site, Principal, P], R]:
        @functools.wraps(function)
        def guarded(site: Site, who: Principal, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not may(who, permission):
                raise Forbidden(
                    f"'{who.name}' may not do this: it needs '{permission}'", "ask an administrator of the workspace"
                )
            return function(site, who, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return guard
