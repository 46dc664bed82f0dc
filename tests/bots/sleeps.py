"""Says that it is ready and does nothing."""
import time

print("ready", flush=True)
time.sleep(120)
