"""Cleans up when it is asked to end, and says so."""
import signal
import sys
import time


def end(*_):
    print("cleaned up", flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(120)
