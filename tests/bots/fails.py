"""Writes a line on standard error and ends with exit status 3."""
import sys

print("something is wrong", file=sys.stderr)
sys.exit(3)
