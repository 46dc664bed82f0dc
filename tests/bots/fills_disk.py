"""Fills its working folder with small files in folders of their own."""
import os
import time

print("ready", flush=True)
for number in range(2000):
    os.makedirs(f"data/{number}")
    with open(f"data/{number}/file", "wb") as file:
        file.write(os.urandom(100_000))
    time.sleep(0.005)
time.sleep(120)
