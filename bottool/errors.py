"""Every error that bottool raises on purpose.

A bot that fails is an ``Outcome`` (a value); bottool failing is a ``BottoolError``. They are caught in three places
only: ``cli.main``, the web error handlers, the top of a runner's loop.

    BottoolError                exit  http
    ├─ SettingsError               3   500   a setting, a settings file or conf.bcf is wrong
    ├─ ProjectError                3   422   a bot's folder is no bot, or says something wrong
    ├─ ArchiveError                3   422   an archive is refused; ``reason`` is a stable word
    ├─ PluginError                 3   500   a plugin broke its contract, or is not there
    ├─ BuildError                  1   422   a language's tool failed while building or preparing
    ├─ ToolMissing                 3   503   a program that a language needs is not on this machine
    ├─ LaunchError                 1   500   the bot's process could not be started at all
    ├─ WaitTimeout                 8   504   something waited for did not happen in time
    ├─ TaskFailed                  9   500   ``--wait`` saw a task end without success
    ├─ ServerError                 1   502   the server answered something that is no answer
    │  └─ Unreachable              7   503   nothing answers there
    ├─ Refused                     2   400   a request that makes no sense as it stands
    │  ├─ BadJson                  2   400   the body is no JSON
    │  ├─ InvalidInput             2   422   a field holds something that it may not
    │  ├─ TooBig                   2   413   larger than this site takes
    │  ├─ LengthRequired           2   411   an upload that does not tell its length
    │  ├─ Unauthorized             4   401   not signed in, or a wrong login, key or token
    │  ├─ Forbidden                4   403   signed in, but not allowed
    │  ├─ TooManyTries             4   429   too many wrong sign-ins; ``retry_after_seconds`` says when to try again
    │  ├─ NotFound                 5   404   no such thing here, or not yours to see
    │  └─ Conflict                 6   409   it exists already, or the state does not allow it
    │     └─ StaleAttempt          6   409   a newer attempt exists, or this one has ended
    └─ Unavailable                 7   503   the site cannot answer now; try again

Messages start in lower case, put names in quotes and say what was found and what was wanted; the hint says what to do.
"""

import difflib
from collections.abc import Iterable
from typing import Any, ClassVar

LONGEST_WORD = 200
"""Longer ones are no misspelt words, and comparing them takes long."""


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """A hint for a misspelt word, or ``""`` when nothing known is near it."""
    if len(wanted) > LONGEST_WORD:
        return ""
    near = difflib.get_close_matches(wanted, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else ""


class BottoolError(Exception):
    """Something bottool could not do; shown as one line and a hint.

    ``details`` are JSON values for programs; they never hold a secret.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return self.message


class SettingsError(BottoolError):
    code = "bad_settings"
    exit_code = 3


class ProjectError(BottoolError):
    code = "bad_project"
    exit_code = 3
    http_status = 422


class ArchiveError(BottoolError):
    """An archive that is refused; ``details["reason"]`` is one stable word, such as ``path_outside``."""

    code = "bad_archive"
    exit_code = 3
    http_status = 422

    def __init__(self, message: str, hint: str = "", *, reason: str, **details: Any) -> None:
        super().__init__(message, hint, reason=reason, **details)
        self.reason = reason


class PluginError(BottoolError):
    code = "bad_plugin"
    exit_code = 3


class BuildError(BottoolError):
    """A tool failed; ``output`` are the lines of what it printed that matter, at most 50.

    ``tool`` is what a person would type to run it, ``exit_status`` how it ended. ``details["log"]`` may hold all that
    it printed, where ``output`` is much less.
    """

    code = "build_failed"
    http_status = 422

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        output: str = "",
        tool: str = "",
        exit_status: int | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message, hint, **details)
        self.output = output
        self.tool = tool
        self.exit_status = exit_status

    def reworded(self, message: str, hint: str) -> "BuildError":
        """The same failure in words that say more."""
        status = self.exit_status
        return BuildError(message, hint, output=self.output, tool=self.tool, exit_status=status, **self.details)


class ToolMissing(BottoolError):
    code = "tool_missing"
    exit_code = 3
    http_status = 503


class LaunchError(BottoolError):
    code = "launch_failed"


class WaitTimeout(BottoolError):
    code = "wait_timeout"
    exit_code = 8
    http_status = 504


class TaskFailed(BottoolError):
    code = "task_failed"
    exit_code = 9


class ServerError(BottoolError):
    code = "bad_answer"
    http_status = 502


class Unreachable(ServerError):
    code = "unreachable"
    exit_code = 7
    http_status = 503


class Refused(BottoolError):
    code = "bad_request"
    exit_code = 2
    http_status = 400


class BadJson(Refused):
    code = "bad_json"


class InvalidInput(Refused):
    code = "bad_field"
    http_status = 422


class TooBig(Refused):
    code = "too_big"
    http_status = 413


class LengthRequired(Refused):
    code = "length_required"
    http_status = 411


class Unauthorized(Refused):
    code = "unauthorized"
    exit_code = 4
    http_status = 401


class Forbidden(Refused):
    code = "forbidden"
    exit_code = 4
    http_status = 403


class TooManyTries(Refused):
    code = "too_many_tries"
    exit_code = 4
    http_status = 429


class NotFound(Refused):
    code = "not_found"
    exit_code = 5
    http_status = 404


class Conflict(Refused):
    code = "conflict"
    exit_code = 6
    http_status = 409


class StaleAttempt(Conflict):
    code = "stale_attempt"


class Unavailable(BottoolError):
    code = "unavailable"
    exit_code = 7
    http_status = 503
