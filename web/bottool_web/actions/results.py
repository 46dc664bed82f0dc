"""What a task's result is when its bot said nothing: a pure rule over what the keeper saw.

A bot's own word always wins over this, and this is never asked then. Lost contact is never success.
"""

from dataclasses import dataclass

from bottool import wire
from bottool.model import Reason
from bottool.states import TaskState

MESSAGE_LIMIT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """``stop_asked``: a person asked the bot to end. ``tail``: the last lines that it printed."""

    stop_asked: bool
    report_required: bool
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    state: TaskState
    message: str


def result_of_silence(ended: wire.Ended, found: Circumstances) -> Result:
    """The result of an attempt whose bot ended without a word."""
    match Reason(ended.reason):
        case Reason.EXITED if ended.exit_code == 0:
            return _exit_zero(found)
        case Reason.STOPPED if found.stop_asked:
            return Result(state=TaskState.CANCELLED, message=ended.message or "stopped on request")
        case Reason.TIMED_OUT | Reason.SILENT:
            return Result(state=TaskState.TIMED_OUT, message=_told(ended.message or "the bot ran out of time", found))
        case _:
            return Result(state=TaskState.FAILED, message=_told(ended.message or _what_happened(ended), found))


def _exit_zero(found: Circumstances) -> Result:
    if found.report_required:
        return Result(state=TaskState.FAILED, message=_told("the bot ended without reporting", found))
    return Result(state=TaskState.SUCCEEDED, message="")


_WORDS = {
    Reason.STOPPED: "the bot was stopped on its machine",
    Reason.DIED: "the bot's supervisor was killed, or the machine restarted; how the bot ended was not seen",
    Reason.FENCED: "its machine lost contact with the server and ended the bot",
    Reason.NOT_PREPARED: "the bot could not be prepared",
    Reason.NOT_LAUNCHED: "the bot could not be started",
    Reason.OUT_OF_MEMORY: "the bot ran out of memory",
    Reason.TOO_MANY_PROCESSES: "the bot had too many processes",
    Reason.TOO_MUCH_OUTPUT: "the bot printed too much",
    Reason.TOO_MUCH_DISK: "the bot filled its working folder",
}


def _what_happened(ended: wire.Ended) -> str:
    if ended.exit_code is not None and ended.exit_code < 0 and ended.reason == Reason.EXITED:
        return f"the bot was ended by signal {-ended.exit_code}"
    return _WORDS.get(Reason(ended.reason), f"the bot ended with exit code {ended.exit_code}")


def _told(message: str, found: Circumstances) -> str:
    """``message`` and the last output below it, cut at the front to what a message may hold."""
    if not found.tail:
        return message[:MESSAGE_LIMIT]
    room = MESSAGE_LIMIT - min(len(message), MESSAGE_LIMIT // 2) - 1
    return f"{message[: MESSAGE_LIMIT // 2]}\n{found.tail[-room:]}"
