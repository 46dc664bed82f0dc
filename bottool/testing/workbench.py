"""What the tests of ``LanguageContract`` share: a scaffolded bot, its package, its installation, and running it.

Builds and environments are slow, so they are made once per class; nobody may change what is shared.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from bottool.build import Built, build
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Installation, Limits, Outcome, Package, Project, TaskContext
from bottool.plugins import Plugins
from bottool.project import find
from bottool.settings import base_variables

BOT_ID = "contract-bot"
VERSION = "2.5.0"
TEXT = "ação, 日本, ✓"
STATUS = 3
_TIMEOUT_SECONDS = 120.0
SECRET = "hunter2-in-dot-env"  # noqa: S105 - a value that must not be found in a package
NOT_FOR_A_PACKAGE = (".env", ".git/HEAD", "__pycache__/bot.cpython-311.pyc", "yesterday.log", "private/notes.txt")


class Offer:
    """A plugin that brings languages and nothing else."""

    def __init__(self, *languages: Language) -> None:
        self.languages = languages

    @hookimpl
    def bottool_register_languages(self) -> list[Language]:
        return list(self.languages)


def plugins_with(*languages: Language) -> Plugins:
    """Plugins with these languages only, whatever is installed."""
    plugins = Plugins()
    plugins.add("under-test", Offer(*languages))
    return plugins


class Workbench:
    """Fixtures and steps for one language; ``LanguageContract`` adds the tests."""

    language: ClassVar[Language]
    speaks: ClassVar[tuple[str, str]] = ("", "")

    @pytest.fixture(scope="class")
    @classmethod
    def plugins(cls) -> Plugins:
        return plugins_with(cls.language)

    @pytest.fixture
    def project(self, plugins: Plugins, tmp_path: Path) -> Project:
        """A scaffolded bot of the test's own."""
        return self.scaffolded(plugins, tmp_path / "bot")

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, plugins: Plugins, tmp_path_factory: pytest.TempPathFactory) -> Project:
        """A scaffolded bot with files around it that belong into no package; nobody writes into its folder."""
        project = cls.scaffolded(plugins, tmp_path_factory.mktemp("source") / "bot")
        for name in NOT_FOR_A_PACKAGE:
            path = project.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SECRET, encoding="utf-8")
        return replace(project, exclude=("private",))

    @pytest.fixture(scope="class")
    @classmethod
    def built(cls, plugins: Plugins, source: Project, tmp_path_factory: pytest.TempPathFactory) -> Built:
        cls.need("build")
        return build(plugins, source, tmp_path_factory.mktemp("built"))

    @pytest.fixture(scope="class")
    @classmethod
    def kitchen(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A cache folder for the whole class, with a blank and accents in its name."""
        folder = tmp_path_factory.mktemp("kitchen") / "caché de bots"
        folder.mkdir()
        return folder

    @pytest.fixture(scope="class")
    @classmethod
    def installed(
        cls, plugins: Plugins, built: Built, kitchen: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Installation:
        return cls.install(plugins, built.package, kitchen, tmp_path_factory.mktemp("installed") / "work")

    @pytest.fixture(scope="class")
    @classmethod
    def spoken(
        cls, plugins: Plugins, kitchen: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> tuple[Outcome, dict[int, bytes]]:
        """How the speaking bot ended and what it printed, from source to end below names with blanks and accents."""
        cls.need("build")
        folder = tmp_path_factory.mktemp("spoken") / "meu robô nº 1"
        project = cls.scaffolded(plugins, folder / "fonte é aqui")
        name, text = cls.speaks
        text = text.replace("@TEXT@", TEXT).replace("@STATUS@", str(STATUS))
        (project.folder / name).write_text(text, encoding="utf-8")
        package = build(plugins, project, folder / "saída").package
        return cls.run(plugins, cls.install(plugins, package, kitchen, folder / "área de trabalho"))

    @classmethod
    def scaffolded(cls, plugins: Plugins, folder: Path) -> Project:
        folder.mkdir(parents=True)
        cls.language.scaffold(folder, BOT_ID, "")
        return find(folder, plugins, version=VERSION)

    @classmethod
    def install(cls, plugins: Plugins, package: Package, cache: Path, work: Path) -> Installation:
        from bottool.environments import Cache, make_ready

        cls.need("run")
        return make_ready(plugins, package, Cache(cache), work, lambda _note: None)

    @classmethod
    def run(
        cls, plugins: Plugins, installation: Installation, *, task: TaskContext | None = None
    ) -> tuple[Outcome, dict[int, bytes]]:
        """The outcome, and what was printed by stream (1, 2)."""
        from bottool.run import run

        printed = {1: bytearray(), 2: bytearray()}

        def keep(stream: int, data: bytes) -> None:
            printed[stream] += data

        outcome = run(plugins, installation, task=task, limits=Limits(timeout_seconds=_TIMEOUT_SECONDS), output=keep)
        return outcome, {stream: bytes(data) for stream, data in printed.items()}

    @classmethod
    def need(cls, purpose: str) -> None:
        """Skip on a laptop, fail in CI, when a tool is missing that the language needs to ``build`` or ``run``."""
        missing = [tool for tool in cls.language.toolchain() if not tool.found and purpose in tool.needed_for]
        if not missing:
            return
        message = f"{cls.language.title} needs {', '.join(tool.name for tool in missing)} to {purpose}"
        if base_variables().get("CI"):
            pytest.fail(message)
        pytest.skip(message)


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, with its mode and content."""
    return dict(_files(folder))


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, bytes]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), (path.stat().st_mode, path.read_bytes())


def keep_modes(source: Path, copy: Path) -> None:
    """Give the files of a copy the modes of their originals, but not their times."""
    for path in source.rglob("*"):
        if path.is_file():
            shutil.copymode(path, copy / path.relative_to(source))
