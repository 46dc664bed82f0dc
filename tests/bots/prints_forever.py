"""Writes as much as it can, without an end and without a line's end."""
import os

piece = b"x" * 1_000_000
while True:
    os.write(1, piece)
