"""Python runs this at the start of every process of a round: it brings crash points, clocks and mutants in from outside.

The program itself knows nothing of it. Modules are changed right after they were imported, and only in processes of a
round, which have ``NEMESIS`` in their variables.
"""

import os

if os.environ.get("NEMESIS"):
    import nemesis_hooks

    nemesis_hooks.install()
