"""Plays the part of a keeper: adopts orphans, starts one bot, ends it, and says in JSON what is left.

Arguments: ``stop`` or ``sweep``, the bot's file, and a word that all its processes carry in their arguments.
"""
import json
import os
import sys
import threading
from pathlib import Path

from bottool.process import become_subreaper, start


def main() -> None:
    how, bot, word = sys.argv[1:]
    adopts = become_subreaper()
    ready = threading.Event()
    tree = start(
        [sys.executable, bot, word],
        folder=Path(bot).parent,
        variables=dict(os.environ),
        output=lambda _stream, data: ready.set() if b"ready" in data else None,
    )
    is_ready = ready.wait(30)
    if how == "stop":
        tree.stop(0.3)
        left_behind = ()
    else:
        tree.wait(30)
        left_behind = tree.sweep()
    left = [process.pid for process in tree.members()]
    tree.close(5)
    answer = {"adopts": adopts, "ready": is_ready, "left": left, "left_behind": left_behind, "exit_code": tree.poll()}
    print(json.dumps(answer))


main()
