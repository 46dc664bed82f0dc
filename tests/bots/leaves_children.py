"""Succeeds at once and leaves five children behind, which hold its output open."""
import os
import time

for _ in range(5):
    if os.fork() == 0:
        time.sleep(120)
        os._exit(0)
print("ready", flush=True)
