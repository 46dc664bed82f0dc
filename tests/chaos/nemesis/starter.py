"""A warm parent of servers and runners: forks what would take a second to import. Standard library and bottool only.

Reads a line of JSON for each process to start, ``{"argv", "variables", "log"}``; prints ``started PID``, and
``ended PID STATUS`` for each that has ended. Keepers that outlive their runners become its children, and it reaps them.
"""

import gc
import json
import os
import select
import signal
import sys

from bottool import stopping
from bottool.cli.main import main
from bottool.platform_process import descendant_pids
from bottool.process import become_subreaper

# ruff: noqa: F401 - imported once here, so that nobody has to wait for it
import bottool_runner.supervisor  # isort: skip
import bottool_web.app  # isort: skip
import bottool_web.serve  # isort: skip
from bottool_web.store import schema


def child(order):
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.closerange(3, 64)
    os.environ.clear()
    os.environ.update(order["variables"])
    sys.argv = ["bottool", *order["argv"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = main(order["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def say(*words):
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def reap():
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            say("ended", ended[0], os.waitstatus_to_exitcode(ended[1]))
    except ChildProcessError:
        return


def serve():
    become_subreaper()
    gc.freeze()
    say("ready")
    rest = b""
    while True:
        reap()
        if not select.select([0], [], [], 0.01)[0]:
            continue
        read = os.read(0, 65536)
        if not read:
            return
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                child(json.loads(line))
            say("started", pid)


if __name__ == "__main__":
    serve()
    # Whoever asked for all of it is gone, perhaps killed: nothing may stay behind.
    stopping.end(lambda: stopping.living(descendant_pids(os.getpid())), 0.0)
