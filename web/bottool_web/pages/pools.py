"""Data pools and their entries."""
