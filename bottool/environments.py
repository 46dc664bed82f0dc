"""Packages, unpacked trees and prepared environments on this machine, each made once and known by its content.

Knows no language and no server. How a thing is made once, checked and used: ``shelf``.

    <root>/packages/<sha256>/<random>/<file name>    as it was received
    <root>/trees/<key>/<random>/                     a package's files; never written to again
    <root>/environments/<key>/<random>/              what a language prepared; never moved: environments know their path
    <root>/stores/<language>/                        what a language keeps to make the next environment quicker
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bottool import working_folder
from bottool.archive import sha256_of, unpack
from bottool.errors import ArchiveError, BottoolError, PluginError
from bottool.language import Language
from bottool.model import Installation, Package
from bottool.plugins import Plugins, one_line
from bottool.shelf import STORES, About, Shelf, Thing, no_place

Note = Callable[[str], None]

PACKAGES, TREES, ENVIRONMENTS = "packages", "trees", "environments"
_KEY_LENGTH = 24
"""Short, because an environment's path stands in the first lines of scripts, where systems cut it off."""


def make_ready(plugins: Plugins, package: Package, cache: "Cache", work: Path, note: Note) -> Installation:
    """Make a package ready to start, with its files in ``work``: new, or emptied first.

    ``note`` hears in a few words what takes time. May use the network. May be killed at any point and called again.
    What it needs of the cache is in use until ``cache.release``, or until this process ends.

    :raises ProjectError: when no plugin brings the package's language.
    :raises ArchiveError: when the package is not what its checksum says, or is refused.
    :raises BuildError: when a language's tool fails.
    :raises ToolMissing: when a program is not on this machine.
    :raises PluginError: when a language raises what is not ours; names its plugin.

    Errors of ours say the ``phase`` in their details: ``unpack`` or ``environment``.
    """
    language = plugins.language(package.language)
    with _in_phase("unpack"):
        cache.unpacked(package, note=note)
        working_folder.provide(cache.shelf, tree_of(package), work)
    installation = Installation(package=package, folder=work, store=cache.store(language))
    with _in_phase("environment"):
        try:
            environment = cache.environment(language, installation, note=note)
        except (BottoolError, OSError):
            raise
        except (Exception, SystemExit) as error:
            plugin = plugins.owner(language.name)
            raise PluginError(f"plugin '{plugin}' failed to prepare '{package.bot_id}': {one_line(error)}") from error
    return replace(installation, environment=environment)


@contextlib.contextmanager
def _in_phase(phase: str) -> Iterator[None]:
    """Let an error of ours say in its details in which phase of making ready it happened."""
    try:
        yield
    except BottoolError as error:
        error.details.setdefault("phase", phase)
        raise


class Cache:
    """The folder of things that can be made again. Many processes may use one at once."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root)
        self.root = self.shelf.root
        self.release = self.shelf.release

    def store(self, language: Language) -> Path:
        """The folder in which a language keeps what its environments share."""
        folder = self.shelf.place(Thing(STORES, language.name))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise no_place(self.root, error) from error
        return folder

    def has_package(self, sha256: str) -> bool:
        """True when the package with that checksum is kept here, and whole."""
        return self.package_path(sha256) is not None

    def package_path(self, sha256: str) -> Path | None:
        """The kept package with that checksum, or ``None``."""
        kept = self.shelf.use(Thing(PACKAGES, sha256))
        return None if kept is None else next(kept.iterdir(), None)

    def add_package(self, path: Path, sha256: str) -> Path:
        """Keep a copy of a package; returns where. What is kept already stays as it is, and keeps its name.

        :raises ArchiveError: when the file's checksum is another one; then nothing is kept.
        """

        def fill(folder: Path) -> None:
            _check(path, sha256)
            shutil.copyfile(path, folder / path.name)

        return next(self.shelf.have(Thing(PACKAGES, sha256), fill, About(label=path.name)).iterdir())

    def unpacked(self, package: Package, *, note: Note = lambda _text: None) -> Path:
        """The folder with the package's files, which nobody may change.

        :raises ArchiveError: when the package is not what its checksum says, or is refused.
        """

        def fill(folder: Path) -> None:
            note(f"unpacking {package.path.name}")
            _check(package.path, package.sha256)
            unpack(package.path, folder)

        return self.shelf.have(tree_of(package), fill, About(label=package.path.name))

    def environment(
        self, language: Language, installation: Installation, *, note: Note = lambda _text: None
    ) -> Path | None:
        """The environment that the language prepared for what this installation depends on; ``None`` for none.

        :raises BuildError: when a tool fails; nothing is kept then.
        :raises ToolMissing: when a program is not on this machine.
        """
        what = language.environment_key(installation)
        if not what:
            return None

        def fill(folder: Path) -> None:
            note(f"preparing the {language.title} environment")
            with self.shelf.store(language.name):
                language.prepare(installation, folder)

        def waiting() -> None:
            note(f"another bot prepares the same {language.title} environment; waiting for it")

        about = About(
            label=f"{language.name}, first for {installation.package.bot_id}", strict=False, store=language.name
        )
        return self.shelf.have(Thing(ENVIRONMENTS, _key(language.name, what)), fill, about, waiting)


def tree_of(package: Package) -> Thing:
    """The tree of a package. A jar or plain file lies there under the package's own name, so the name counts too."""
    return Thing(TREES, _key(package.sha256, package.path.name))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_LENGTH]


def _check(path: Path, sha256: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise ArchiveError(
            f"'{path.name}' is not what it should be: its checksum is {found[:12]}…, wanted {sha256[:12]}…",
            "fetch it again",
            reason="wrong_checksum",
        )
