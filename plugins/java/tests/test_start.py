"""How a bot is started: from the environment, with an archive of classes that never changes what the bot does."""

import json
import os
import shutil
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from bottool import archive
from bottool.environments import Cache, make_ready
from bottool.errors import BuildError
from bottool.model import Installation, Limits, Outcome
from bottool.plugins import Plugins
from bottool.run import run
from bottool.settings import base_variables
from bottool_java import class_archive, jdk, plugin, running

SOURCE = """package bot;
public final class Bot {
    public static void main(String[] arguments) throws Exception {
        java.net.http.HttpClient.newHttpClient();
        System.out.println("folder " + new java.io.File("").getAbsoluteFile().getName());
        System.out.println("heap " + Runtime.getRuntime().maxMemory() / 1048576);
        java.io.File wanted = new java.io.File("status");
        System.exit(wanted.exists() ? (int) wanted.length() : 0);
    }
}
"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    (folder / "Bot.java").write_text(SOURCE, encoding="utf-8")
    compiler = jdk.for_building(base_variables(), 11)
    if compiler.feature < class_archive.OLDEST:
        pytest.skip("this Java makes no archives")
    subprocess.run([compiler.home / "bin" / "javac", "--release", "11", "-d", folder, folder / "Bot.java"], check=True)
    return folder


@pytest.fixture
def bot(classes, tmp_path, package_of):
    """Install a jar that asks for this in its manifest, and run it."""
    return lambda **told: _Bot(classes, tmp_path, package_of, told)


class _Bot:
    def __init__(self, classes: Path, folder: Path, package_of, told: dict) -> None:
        jar = folder / "bot.jar"
        with zipfile.ZipFile(jar, "w") as file:
            file.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: bot.Bot\r\n\r\n")
            file.writestr(archive.MANIFEST_IN_JAR, json.dumps({"java": told}))
            file.write(classes / "bot" / "Bot.class", "bot/Bot.class")
        self._package = package_of(jar)
        self._folder = folder
        self._plugins = Plugins()
        self._plugins.add("java", plugin)
        self._number = 0
        self.notes: list[str] = []

    @property
    def store(self) -> Path:
        return self._folder / "cache" / "stores" / "java" / "classes"

    def kept(self, suffix: str) -> list[Path]:
        return sorted(self.store.glob(f"*{suffix}"))

    def installed(self) -> Installation:
        self._number += 1
        work = self._folder / f"attempt{self._number}"
        return make_ready(self._plugins, self._package, Cache(self._folder / "cache"), work, self.notes.append)

    def start(self, installation: Installation | None = None) -> tuple[Outcome, str]:
        said: list[bytes] = []
        outcome = run(
            self._plugins,
            installation or self.installed(),
            task=None,
            limits=Limits(timeout_seconds=60),
            output=lambda _stream, data: said.append(data),
        )
        return outcome, b"".join(said).decode()

    def from_archive(self) -> bool:
        """True when the JVM takes the bot's own class from the archive."""
        program, *rest = running.command(self.installed()).arguments
        ended = subprocess.run([program, "-Xlog:class+load", *rest], capture_output=True, text=True, check=True)
        return "bot.Bot source: shared objects file" in ended.stdout


def test_the_second_start_takes_its_classes_from_an_archive_and_says_the_same(bot):
    one = bot()

    first, said = one.start()
    assert first.succeeded
    assert said.startswith("folder attempt1\n")
    assert len(one.kept(".jsa")) == 1
    assert one.kept(".classes") == []

    second, said_again = one.start()
    assert second.succeeded
    assert said_again == said.replace("attempt1", "attempt2")
    assert one.from_archive()


def test_the_jar_that_is_started_lies_in_the_environment_and_cannot_be_written(bot):
    installation = bot().installed()

    jar = Path(running.command(installation).arguments[-1])

    assert jar.parent == installation.environment
    assert not jar.stat().st_mode & 0o222


def test_a_bot_that_fails_makes_no_archive_and_keeps_its_exit_status(bot):
    one = bot()
    installation = one.installed()
    (installation.folder / "status").write_bytes(b"12345")

    outcome, _ = one.start(installation)

    assert outcome.exit_code == 5
    assert one.kept(".jsa") == one.kept(".classes") == []


def test_half_an_archive_is_not_used_and_made_anew(bot):
    one = bot()
    one.start()
    (made,) = one.kept(".jsa")
    made.chmod(0o644)
    with made.open("rb+") as file:
        file.truncate(made.stat().st_size // 2)

    assert not any("SharedArchiveFile" in each for each in running.command(one.installed()).arguments)
    outcome, said = one.start()

    assert outcome.succeeded
    assert "\nheap " in said
    assert made not in one.kept(".jsa")
    assert one.from_archive()


def test_a_store_that_was_emptied_changes_nothing(bot):
    one = bot()
    one.start()
    installation = one.installed()
    shutil.rmtree(one.store)

    outcome, said = one.start(installation)

    assert outcome.succeeded
    assert "warning" not in said


def test_two_first_starts_at_once_leave_one_archive_that_counts(bot):
    one = bot()
    installations = [one.installed(), one.installed()]
    ended: list[Outcome] = []
    threads = [threading.Thread(target=lambda each=each: ended.append(one.start(each)[0])) for each in installations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [each.succeeded for each in ended] == [True, True]
    assert len(one.kept(".json")) == 1
    assert one.from_archive()


def test_archives_of_environments_that_are_gone_are_removed(bot):
    one = bot()
    one.start()
    gone = one.store / "feedfacefeedface-abc123-0123456789ab.jsa"
    gone.write_bytes(b"old")
    one.kept(".json")[0].unlink()

    one.start()

    assert not gone.exists()
    assert one.kept(".json")


def test_a_list_that_a_killed_bot_left_is_used_by_nobody(bot):
    one = bot()
    one.start()
    left = one.kept(".json")[0].with_name(one.kept(".json")[0].stem + "-000000000000.classes")
    left.write_text("nonsense", encoding="utf-8")
    one.kept(".json")[0].unlink()

    outcome, _ = one.start()

    assert outcome.succeeded
    assert one.from_archive()


def test_the_options_of_the_package_reach_the_bot_and_what_is_not_allowed_does_not(bot):
    one = bot(options=["-Xmx64m", "-javaagent:evil.jar", "-XX:OnOutOfMemoryError=touch /tmp/x", 5], quick_start=True)

    arguments = running.command(one.installed()).arguments
    _, said = one.start()

    assert "-XX:+UseSerialGC" in arguments
    assert not any("evil" in each or "touch" in each for each in arguments)
    assert 50 < int(said.split("heap ")[1]) <= 64


def test_options_that_java_refuses_are_told_before_the_start(bot):
    with pytest.raises(BuildError, match="does not start with"):
        bot(options=["-XX:+UseSerialGC", "-XX:+UseParallelGC"]).installed()


@pytest.mark.skipif(os.name == "nt", reason="needs a program without an ending")
def test_another_java_gets_another_environment(bot, tmp_path, monkeypatch):
    one = bot()
    before = running.environment_key(one.installed())
    home = jdk.for_running(base_variables(), 11).home
    other = tmp_path / "other java"
    other.mkdir()
    (other / "bin").symlink_to(home / "bin")
    (other / "release").write_text('JAVA_VERSION="98.0.1"\n', encoding="utf-8")

    monkeypatch.setenv(jdk.OWN_VARIABLE, str(other))

    assert running.environment_key(one.installed()) != before
