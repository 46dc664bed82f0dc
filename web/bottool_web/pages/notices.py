"""Alerts, messages, and what waits to be delivered."""
