"""Credentials: labels and keys; values only on request."""
