"""The connections that stay open: runners' calls and live streams, as native ASGI. Small, bounded, never blocking.

What takes time happens in a pool of threads; here is only waiting. Everything else of the server is Flask's.
"""
