"""When something is due: expressions of several kinds, read into patterns, and walked through real time in a zone.

Pure: no database, no clock, no request. ``timing.read_timing`` is the door; the other modules are rooms behind it.
"""
