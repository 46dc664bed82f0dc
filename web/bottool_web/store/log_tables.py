"""Logs that bots write, and error reports."""
