"""A daemon: the grandchild gets a session of its own, and its parent is gone."""
import os
import time

child = os.fork()
if child == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    print("ready", flush=True)
else:
    os.waitpid(child, 0)
time.sleep(120)
