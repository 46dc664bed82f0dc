"""A pytest plugin for bottool and for the authors of plugins; opt in with ``-p bottool.testing``.

Every test then fails that leaves a process, a thread or a changed variable behind (``leaks``). ``LanguageContract``
holds the tests that every language passes. Fixtures are ``cache_root``, ``maestro`` and ``package_of``; ``Answering``
is a small server, ``plugins_with`` makes plugins of languages, and ``Notes`` is a language for tests that need any.
Nothing in bottool imports this package.
"""

from bottool.testing.contract import LanguageContract
from bottool.testing.leaks import leaves_nothing_behind, pytest_configure, pytest_unconfigure
from bottool.testing.notes import Notes
from bottool.testing.places import cache_root
from bottool.testing.servers import Answering, Call, maestro, package_of
from bottool.testing.workbench import Offer, plugins_with

__all__ = [
    "Answering",
    "Call",
    "LanguageContract",
    "Notes",
    "Offer",
    "cache_root",
    "leaves_nothing_behind",
    "maestro",
    "package_of",
    "plugins_with",
    "pytest_configure",
    "pytest_unconfigure",
]
