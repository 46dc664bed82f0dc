"""``Behaviour``: tests with bots that end oddly, ignore signals, print without end or leave processes behind.

Each needs a bot that a language's author writes, as a file of the scaffolded bot and its new text; what is not there
is not tested. ``LanguageContract`` inherits all of it.
"""

import json
import os
import shutil
import signal
import stat
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from bottool import archive
from bottool.build import Built, build
from bottool.errors import BottoolError
from bottool.model import Inspection, Installation, Limits, Outcome, Package, Project, Reason, TaskContext
from bottool.plugins import Plugins
from bottool.testing.elsewhere import built_elsewhere, run_without_network, without_root_rights
from bottool.testing.workbench import BOT_ID, VERSION, Workbench, keep_modes

MIB = 1024**2
GROWTH_BYTES = 48 * MIB
"""How much this process may grow while a bot prints, however much it prints."""
STATUSES = (0, 1, 3, 255)
_READY = b"ready"
_GRACE_SECONDS = 0.5
_END_SECONDS = 15.0
# Other bytes for each of these, and the package is not a function of its sources.
ELSEWHERE = {
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "LANG": "pt_BR.ISO-8859-1",
    "PYTHONHASHSEED": "4711",
    "SOURCE_DATE_EPOCH": "1700000000",
}
STRANGE_MANIFESTS = ("", "{}", '{"format": 1, "language": 7, "entry": ["x"], "lock": 3, "files": 1}')


class Behaviour(Workbench):
    """Bots by what they do; each is ``(file, text)``.

    * ``ends``: ends with the exit status that its second argument is (the task's id).
    * ``sleeps``: ignores the gentle signal to stop (SIGTERM), prints ``ready``, then sleeps for ten minutes.
    * ``floods``: prints ``@MEGABYTES@`` times 1,048,576 letters ``x`` in one line, and nothing else but its end.
    * ``spawns``: starts a process that sleeps for ten minutes, prints its id, and ends without waiting for it.
    * ``depends``: ``(file, one, other)``: a file of an installed bot, with two texts that need two environments.
    """

    ends: ClassVar[tuple[str, str]] = ("", "")
    sleeps: ClassVar[tuple[str, str]] = ("", "")
    floods: ClassVar[tuple[str, str]] = ("", "")
    spawns: ClassVar[tuple[str, str]] = ("", "")
    depends: ClassVar[tuple[str, str, str]] = ("", "", "")

    @pytest.fixture(scope="class")
    @classmethod
    def made(
        cls, plugins: Plugins, kitchen: Path, tmp_path_factory: pytest.TempPathFactory
    ) -> Callable[[tuple[str, str]], Installation]:
        """Builds and installs a bot of ``(file, text)``, once per text."""
        known: dict[str, Installation] = {}

        def make(bot: tuple[str, str]) -> Installation:
            cls.need("build")
            name, text = bot
            if text not in known:
                folder = tmp_path_factory.mktemp("made")
                project = cls.scaffolded(plugins, folder / "bot")
                (project.folder / name).write_text(text, encoding="utf-8", newline="")
                package = build(plugins, project, folder / "out").package
                known[text] = cls.install(plugins, package, kitchen, folder / "work")
            return known[text]

        return make

    # Ends.

    @pytest.mark.parametrize("status", STATUSES)
    def test_an_ending_bot_is_known_by_its_exit_status(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation], status: int
    ) -> None:
        task = TaskContext(server="http://127.0.0.1:9", task_id=status, workspace="contract", token="none")  # noqa: S106

        outcome, printed = self.run(plugins, made(self.ends), task=task)

        assert (outcome.reason, outcome.exit_code) == (Reason.EXITED, status), f"{outcome} {printed}"

    def test_a_sleeping_bot_that_ignores_the_signal_is_killed_in_time(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        installation, seen = made(self.sleeps), bytearray()
        asked: list[float] = []

        def stop() -> bool:
            if _READY in seen:
                asked.append(time.monotonic())
            return bool(asked)

        outcome = self.watch(plugins, installation, lambda _stream, data: seen.extend(data), stop_requested=stop)

        assert outcome.reason is Reason.STOPPED, f"{outcome} {bytes(seen)!r}"
        assert time.monotonic() - asked[0] < _END_SECONDS

    @pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without signals")
    def test_a_sleeping_bot_that_dies_of_a_signal_is_known_by_it(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        installation, seen, pids = made(self.sleeps), bytearray(), list[int]()

        def kill() -> bool:
            # Looked at again and again: the bot may be ready before anybody was told its id.
            if _READY in seen and pids:
                os.kill(pids.pop(), signal.SIGKILL)
            return False

        outcome = self.watch(
            plugins,
            installation,
            lambda _stream, data: seen.extend(data),
            stop_requested=kill,
            started=pids.append,
        )

        assert (outcome.reason, outcome.exit_code) == (Reason.EXITED, -signal.SIGKILL), outcome
        assert not outcome.succeeded

    def test_a_spawning_bot_leaves_no_process_behind(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        outcome, printed = self.run(plugins, made(self.spawns))

        child = int(printed[1].split()[0])
        assert outcome.succeeded, f"{outcome} {printed}"
        assert outcome.left_behind, "the process that outlived its bot is not named"
        assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE

    # Output.

    def test_a_flooding_bots_line_of_ten_megabytes_arrives_whole(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        outcome, printed = self.run(plugins, made(self.flood(10)))

        assert outcome.succeeded, f"{outcome} {printed[2]!r}"
        assert printed[1].rstrip(b"\r\n") == b"x" * (10 * MIB)

    def test_a_flooding_bots_output_needs_no_memory(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        self.count_output(plugins, made(self.flood(64)), 64)

    @pytest.mark.long
    def test_a_flooding_bots_gigabyte_needs_no_memory(
        self, plugins: Plugins, made: Callable[[tuple[str, str]], Installation]
    ) -> None:
        self.count_output(plugins, made(self.flood(1024)), 1024)

    def flood(self, megabytes: int) -> tuple[str, str]:
        return self.floods[0], self.floods[1].replace("@MEGABYTES@", str(megabytes))

    def count_output(self, plugins: Plugins, installation: Installation, megabytes: int) -> None:
        this, counted, highest = psutil.Process(), [0], [0]
        before = this.memory_info().rss

        def count(stream: int, data: bytes) -> None:
            if stream == 1:
                counted[0] += data.count(b"x")
                highest[0] = max(highest[0], this.memory_info().rss)

        outcome = self.watch(plugins, installation, count)

        assert outcome.succeeded, outcome
        assert counted[0] == megabytes * MIB
        assert highest[0] - before < GROWTH_BYTES

    # Building, elsewhere.

    def test_building_elsewhere_gives_the_same_bytes(self, source: Project, built: Built, tmp_path: Path) -> None:
        """Another process, time zone, locale, order of sets, umask."""
        copy = tmp_path / "noutro lugar"
        copy_of(source.folder, copy)

        found = built_elsewhere(
            replace(source, folder=copy), tmp_path / "out", self.language, variables=ELSEWHERE, umask="077"
        )

        assert found == built.package.sha256

    def test_a_project_that_cannot_be_written_to_is_built(self, source: Project, built: Built, tmp_path: Path) -> None:
        prefix = without_root_rights()
        if prefix is None:
            pytest.skip("this user may write everywhere, whatever a folder's mode says")
        copy = tmp_path / "read only"
        copy_of(source.folder, copy)
        folders = [copy, *(each for each in copy.rglob("*") if each.is_dir())]
        for folder in folders:
            folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            found = built_elsewhere(replace(source, folder=copy), tmp_path / "out", self.language, prefix=prefix)
        finally:
            for folder in folders:
                folder.chmod(stat.S_IRWXU)

        assert found == built.package.sha256

    # Packages of strangers.

    @pytest.mark.parametrize("manifest", STRANGE_MANIFESTS)
    def test_inspection_of_a_strangers_archive_raises_nothing_odd(self, manifest: str, tmp_path: Path) -> None:
        path = tmp_path / "stranger-1.zip"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("README.md", "# not a bot\n")
            packed.writestr("data/table.csv", b"\xff\xfe\x00a;b")
            if manifest:
                packed.writestr("bottool.json", manifest)
        said = json.loads(manifest or "{}")
        package = Package(
            path=path,
            bot_id=BOT_ID,
            version=VERSION,
            language=self.language.name,
            sha256=archive.sha256_of(path),
            size_bytes=path.stat().st_size,
            manifest=said,
        )

        try:
            inspection = self.language.inspect(package)
        except BottoolError as error:
            assert str(error).isprintable()  # noqa: PT017 - a refusal is as good as findings
        else:
            assert isinstance(inspection, Inspection)

    # Environments.

    def test_an_environment_is_prepared_once(
        self, plugins: Plugins, installed: Installation, kitchen: Path, tmp_path: Path
    ) -> None:
        from bottool.environments import Cache, make_ready

        notes: list[str] = []

        again = make_ready(plugins, installed.package, Cache(kitchen), tmp_path / "work", notes.append)

        assert [note for note in notes if "preparing" in note] == []
        assert again.environment == installed.environment

    def test_a_dependent_bots_environment_key_follows_what_it_depends_on(
        self, installed: Installation, tmp_path: Path
    ) -> None:
        file, *texts = self.depends
        keys = []
        for number, text in enumerate([*texts, texts[0]]):
            folder = tmp_path / str(number)
            copy_of(installed.folder, folder)
            (folder / file).write_text(text, encoding="utf-8")
            keys.append(self.language.environment_key(replace(installed, folder=folder)))

        assert keys[0] == keys[2]
        assert keys[0] != keys[1]

    def test_a_lock_that_the_manifest_names_is_in_the_package(self, built: Built) -> None:
        lock = built.package.manifest.get("lock", "")
        names = archive.check(built.package.path).names

        assert not lock or any(name == lock or name.endswith(f"/{lock}") for name in names)

    def test_once_prepared_it_needs_no_network(self, installed: Installation, kitchen: Path, tmp_path: Path) -> None:
        ended = run_without_network(self.language, installed.package, kitchen, tmp_path / "work")

        assert (ended["reason"], ended["exit_code"]) == ("exited", 0), ended

    # Steps.

    @classmethod
    def watch(
        cls,
        plugins: Plugins,
        installation: Installation,
        output: Callable[[int, bytes], None],
        *,
        stop_requested: Callable[[], bool] = lambda: False,
        started: Callable[[int], None] = lambda _pid: None,
    ) -> Outcome:
        """Run an installed bot with a short time to end; ``started`` is told the id of its process."""
        from bottool.run import run

        return run(
            plugins,
            installation,
            task=None,
            limits=Limits(timeout_seconds=120.0, grace_seconds=_GRACE_SECONDS),
            output=output,
            stop_requested=stop_requested,
            started=lambda tree: started(tree.pid),
        )


def copy_of(source: Path, target: Path) -> None:
    """Copy a folder with the modes of its files, but other times."""
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    if sys.platform != "win32":
        keep_modes(source, target)
