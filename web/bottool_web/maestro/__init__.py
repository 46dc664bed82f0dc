"""Maestro's interface ``/api/v2``, as its clients speak it: thin translations over the same actions as everything else.

Foreign words (activity, machine, organization, START, FINISHED) live here and nowhere else. ``docs/maestro.md`` says
which calls there are and where they differ.
"""
