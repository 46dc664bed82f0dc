"""What every language passes. Each bot is a file of the scaffolded bot and its new text; leave out what cannot be."""

from bottool.testing import LanguageContract
from bottool_PLUGIN_PACKAGE.language import ENTRY, LOCK, PLUGIN_CLASS

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


class TestPLUGIN_CLASS(LanguageContract):
    language = PLUGIN_CLASS()
    speaks = (ENTRY, "import sys\nprint('@TEXT@')\nsys.exit(@STATUS@)\n")
    ends = (ENTRY, "import sys\nsys.exit(int(sys.argv[2]))\n")
    sleeps = (ENTRY, SLEEPING)
    floods = (ENTRY, FLOODING)
    spawns = (ENTRY, SPAWNING)
    depends = (LOCK, "one 1.0\n", "one 2.0\n")
