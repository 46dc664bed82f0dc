"""Error reports, grouped."""
