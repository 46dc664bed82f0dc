"""A pytest plugin for bottool and for the authors of plugins; opt in with ``-p bottool.testing``."""
