"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_python.language import Python

SLEEPING = """import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
FLOODING = """import sys
for _ in range(@MEGABYTES@):
    sys.stdout.write("x" * 1048576)
print()
"""
SPAWNING = """import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid)
"""


class TestPython(LanguageContract):
    language = Python()
    speaks = ("bot.py", 'print("@TEXT@")\nraise SystemExit(@STATUS@)\n')
    ends = ("bot.py", "import sys\nsys.exit(int(sys.argv[2]))\n")
    sleeps = ("bot.py", SLEEPING)
    floods = ("bot.py", FLOODING)
    spawns = ("bot.py", SPAWNING)
