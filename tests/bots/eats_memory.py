"""Takes more memory all the time: in a child of its own, so that only who looks at the whole tree sees it."""
import os
import time

if os.fork() == 0:
    held = []
    while True:
        held.append(b"x" * 5_000_000)
        time.sleep(0.02)
print("ready", flush=True)
time.sleep(120)
