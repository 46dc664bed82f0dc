"""Logs and their entries."""
