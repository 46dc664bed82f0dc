"""Fifty children, each in a session of its own."""
import os
import time

reader, writer = os.pipe()
for _ in range(50):
    if os.fork() == 0:
        os.setsid()
        os.write(writer, b".")
        time.sleep(120)
        os._exit(0)
waiting = 50
while waiting:
    waiting -= len(os.read(reader, waiting))
print("ready", flush=True)
time.sleep(120)
