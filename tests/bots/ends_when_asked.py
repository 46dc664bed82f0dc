"""Asks now and then whether it should end, as bots do through their SDK: here a file says so."""
import os
import sys
import time

print("ready", flush=True)
while not os.path.exists("please-end"):
    time.sleep(0.05)
print("asked to end", flush=True)
sys.exit(0)
