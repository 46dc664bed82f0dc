"""Runners, as Maestro calls them machines: read only."""
