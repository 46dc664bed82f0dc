"""A plugin of languages that do what a language must not: each is one kind, served under the kind's own technology.

The tests put this file on the path of a runner as a distribution of its own.
"""

import os
import signal
import sys
import threading
import time
from typing import ClassVar

from bottool.errors import BuildError
from bottool.hookspecs import hookimpl
from bottool.model import Command
from bottool.testing.notes import Notes


def _raises(*_):
    raise KeyError("colour")


def _fails(*_):
    raise BuildError(
        "gem failed: no such gem", "ask for another", output="line 1\nline 2", tool="gem get", exit_status=9
    )


def _recurses(*_):
    return _recurses()


def _leaves(*_):
    sys.exit(0)


def _exits(*_):
    print("so long", flush=True)
    os._exit(0)


def _dies(*_):
    os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _hangs(*_):
    time.sleep(600)


def _hangs_deaf(*_):
    """As a loop in C that never lets another thread run: nothing in this process can end it."""
    sys.setswitchinterval(600)
    while True:
        pass


def _prints(*_):
    for _each in range(64):
        os.write(1, b"x" * 1_000_000)


def _closes(*_):
    os.closerange(3, 256)


def _threads(*_):
    threading.Thread(target=time.sleep, args=(600,)).start()


def _patches(*_):
    import json

    import msgspec

    json.dumps = json.loads = msgspec.json.encode = lambda *_a, **_k: None


class Evil(Notes):
    """``moments``: what the language does instead of, or before, what it should."""

    before: ClassVar = {}
    answers: ClassVar = {}

    def environment_key(self, installation):
        self.before.get("environment_key", lambda *_: None)()
        return self.answers.get("environment_key", f"{self.name} {installation.folder}")

    def prepare(self, installation, environment):
        self.before.get("prepare", lambda *_: None)()
        return super().prepare(installation, environment)

    def command(self, installation):
        self.before.get("command", lambda *_: None)()
        return self.answers["command"] if "command" in self.answers else super().command(installation)


def _language(kind, before=None, answers=None):
    given = {"name": f"evil-{kind}", "technologies": (f"EVIL-{kind.upper()}",), "looks_for": f"bot.{kind}"}
    return type(kind, (Evil,), {**given, "before": before or {}, "answers": answers or {}})()


KINDS = {
    **{f"prepare-{act.__name__[1:].replace('_', '-')}": ({"prepare": act}, {}) for act in (
        _raises, _fails, _leaves, _exits, _dies, _hangs, _prints, _closes, _threads, _patches
    )},
    **{f"key-{act.__name__[1:]}": ({"environment_key": act}, {}) for act in (_raises, _recurses)},
    **{f"command-{act.__name__[1:]}": ({"command": act}, {}) for act in (_raises, _leaves, _exits, _hangs)},
    "key-none": ({}, {"environment_key": None}),
    "key-number": ({}, {"environment_key": 5}),
    "key-huge": ({}, {"environment_key": "x" * 30_000_000}),
    "command-none": ({}, {"command": None}),
    "command-text": ({}, {"command": "run me"}),
    "command-empty": ({}, {"command": Command(arguments=())}),
    "command-numbers": ({}, {"command": Command(arguments=(sys.executable, 5))}),
    "command-huge": ({}, {"command": Command(arguments=(sys.executable, "x" * 10_000_000))}),
}  # fmt: skip


@hookimpl
def bottool_register_languages():
    return [_language(kind, *moments) for kind, moments in KINDS.items()]
