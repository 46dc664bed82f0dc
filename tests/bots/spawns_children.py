"""A tree, three generations deep."""
import os
import time

for _ in range(3):
    if os.fork():
        break
else:
    print("ready", flush=True)
time.sleep(120)
