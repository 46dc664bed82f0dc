"""A daemon that also throws away the variables it was given, as sudo and some launchers do."""
import os
import sys
import time

if "daemon" not in sys.argv:
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.execve(sys.executable, [sys.executable, *sys.argv, "daemon"], {})
    os.waitpid(child, 0)
else:
    print("ready", flush=True)
time.sleep(120)
