"""The runner: takes tasks from a bottool server on one machine, and supervises their bots."""

__version__ = "0.1.0"
