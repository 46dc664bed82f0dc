"""One notification to one channel, by whichever plugin serves it, in a child process with little memory and time.

``notify`` is for the server; the module itself, run with ``-m``, is the child. A plugin's code runs in the child only.
The channel's address goes in by stdin, and never comes out: what a plugin says is stripped of it.
"""

import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from bottool_web.mail import Undelivered
from bottool_web.package_check import limit_this_process

ANSWER_BYTES = 64 * 1024
SAID = 300
SHORTEST_SECRET = 4
_BEAT_SECONDS = 0.1
FIELDS = ("address", "title", "text", "severity", "html", "reference")


def notify(fields: dict[str, Any], seconds: float, ending: threading.Event) -> None:
    """Returns when a service took it. ``fields`` are those of ``bottool.model.Notification``.

    :raises Undelivered: when it did not, or not within ``seconds``, or when ``ending`` is set meanwhile.
    """
    # Files, not pipes: neither side can be made to wait by filling one.
    with tempfile.TemporaryFile() as question, tempfile.TemporaryFile() as answer:
        question.write(json.dumps(fields).encode())
        question.seek(0)
        child = subprocess.Popen(
            # -P: the folder that the server happens to be in has no say in what is imported.
            [sys.executable, "-P", "-m", "bottool_web.notifying"],
            stdin=question,
            stdout=answer,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not _ended(child, seconds, ending):
                raise Undelivered(f"the service did not answer within {seconds:.0f} s", everywhere=True)
        finally:
            child.kill()
            child.wait()
        answer.seek(0)
        _judge(answer.read(ANSWER_BYTES), fields["address"])


def _ended(child: "subprocess.Popen[bytes]", seconds: float, ending: threading.Event) -> bool:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not ending.is_set():
        try:
            child.wait(min(left, _BEAT_SECONDS))
        except subprocess.TimeoutExpired:
            continue
        return True
    return False


def _judge(answer: bytes, address: str) -> None:
    try:
        told = json.loads(answer)
        state, said = str(told["state"]), without(str(told["message"]), address)
    except (ValueError, KeyError, TypeError):
        raise Undelivered("the plugin ended without an answer", everywhere=True) from None
    if state != "taken":
        raise Undelivered(said or "the service did not take it", final=state == "final", everywhere=state != "final")


def without(text: str, address: str) -> str:
    """``text`` as one line without anything of the address that could be a secret."""
    parts = {part for part in re.split(r"[/:@?&=#,\s]+", address) if len(part) >= SHORTEST_SECRET}
    for secret in sorted({address, *parts}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:SAID]


def _tell(fields: dict[str, Any]) -> dict[str, str]:
    """In the child."""
    from bottool.errors import Refused
    from bottool.model import Notification
    from bottool.plugins import Plugins, one_line
    from bottool.settings import disabled_plugins

    try:
        plugins = Plugins.load(disabled_plugins(), with_languages=False)
        taken = plugins.notify(Notification(**{name: fields[name] for name in FIELDS}))
    except Refused as error:
        return {"state": "final", "message": one_line(error)}
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything
        return {"state": "failed", "message": one_line(error)}
    if taken is None:
        return {"state": "final", "message": "no installed plugin serves this channel's address"}
    return {"state": "taken" if taken else "failed", "message": ""}


def _main() -> None:
    fields = json.load(sys.stdin)
    limit_this_process(ANSWER_BYTES)
    # What a plugin prints must not stand in the answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace") as answer:
        sys.stdout = io.StringIO()
        os.dup2(2, 1)
        json.dump(_tell(fields), answer)
        answer.flush()
        # A plugin's threads are not waited for.
        os._exit(0)


if __name__ == "__main__":
    _main()
