"""Ruby bots for bottool: ``language`` is the whole plugin, ``plugin`` announces it."""
