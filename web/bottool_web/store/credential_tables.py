"""Credentials, sealed; who reads them is in the audit table."""
