"""Uses half a second of processor time, half of it in a child that it waits for."""
import subprocess
import sys
import time


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


burn(0.25)
if "child" not in sys.argv:
    subprocess.run([sys.executable, __file__, "child"], check=True)
