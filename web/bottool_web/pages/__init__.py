"""The dashboard: pages rendered on the server. A view is: parse, one action, present. Knows no SQL."""
