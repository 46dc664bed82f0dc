"""Replaces itself by a child every two milliseconds, so that whoever looks for it finds nobody."""
import os
import time

print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    time.sleep(0.002)
    if os.fork():
        os._exit(0)
