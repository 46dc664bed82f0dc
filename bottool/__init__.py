"""Builds, runs and orchestrates bots; knows bots, but no language and no web framework."""

__version__ = "0.1.0"
