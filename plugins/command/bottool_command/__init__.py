"""Bots in anything that has a command line, as a language of bottool.

``language`` is the whole plugin; ``plugin`` announces it; ``scaffold/`` holds the files of ``bottool new``. It is the
smallest language there is and the one to copy for another: its README says how.
"""
