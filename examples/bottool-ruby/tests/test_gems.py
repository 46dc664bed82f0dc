"""Gems: read from a lock without running anything, and installed by bundler from a folder beside the bot."""

import shutil
from pathlib import Path

import pytest
from bottool_ruby import gemfile
from bottool_ruby.language import Ruby

from bottool.build import build
from bottool.model import Dependency, Project
from bottool.testing import plugins_with
from bottool.testing.workbench import Workbench

LOCK = b"""PATH
  remote: vendor/greeting
  specs:
    greeting (0.1.0)

GEM
  remote: https://registry.example/
  specs:
    mini_portile2 (2.8.5)
    nokogiri (1.16.0-x86_64-linux)
      mini_portile2 (~> 2.8.2)

PLATFORMS
  ruby

DEPENDENCIES
  greeting!
  nokogiri (~> 1.16)

BUNDLED WITH
   2.4.20
"""


class Bench(Workbench):
    language = Ruby()


def test_a_lock_tells_the_gems_and_who_asked_for_them() -> None:
    assert gemfile.dependencies(LOCK) == (
        Dependency(name="greeting", version="0.1.0", ecosystem="gem", direct=True),
        Dependency(name="mini_portile2", version="2.8.5", ecosystem="gem", direct=False),
        Dependency(name="nokogiri", version="1.16.0", ecosystem="gem", direct=True),
    )


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"GEM\n    x (1)\n" * 3, b"(" * 10_000])
def test_a_strange_lock_raises_nothing(text: bytes) -> None:
    assert len(gemfile.dependencies(text)) <= 1


def test_a_package_tells_its_gems(tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    folder.mkdir()
    (folder / "main.rb").write_text("puts 1\n")
    (folder / "Gemfile").write_text("")
    (folder / "Gemfile.lock").write_bytes(LOCK)
    plugins = plugins_with(Ruby())

    package = build(plugins, Project(folder=folder, language="ruby", bot_id="b", version="1"), tmp_path / "out").package
    inspection = Ruby().inspect(package)

    assert (inspection.entry, inspection.locked) == ("main.rb", True)
    assert [each.name for each in inspection.dependencies] == ["greeting", "mini_portile2", "nokogiri"]


@pytest.mark.skipif(shutil.which("bundle") is None, reason="there is no bundler")
def test_a_bot_gets_a_gem_from_a_folder_beside_it(tmp_path: Path) -> None:
    plugins = plugins_with(Ruby())
    project = Bench.scaffolded(plugins, tmp_path / "bot")
    gem = project.folder / "vendor" / "greeting"
    (gem / "lib").mkdir(parents=True)
    (gem / "lib" / "greeting.rb").write_text('GREETING = "from a gem"\n')
    (gem / "greeting.gemspec").write_text(
        'Gem::Specification.new { |s| s.name = "greeting"; s.version = "0.1.0"; s.summary = "x"; s.authors = ["x"];'
        ' s.files = ["lib/greeting.rb"] }\n'
    )
    (project.folder / "Gemfile").write_text('gem "greeting", path: "vendor/greeting"\n')
    (project.folder / "bot.rb").write_text('require "greeting"\nputs GREETING\n')
    package = build(plugins, project, tmp_path / "out").package

    outcome, printed = Bench.run(plugins, Bench.install(plugins, package, tmp_path / "cache", tmp_path / "work"))

    assert outcome.succeeded, printed
    assert printed[1].strip() == b"from a gem"
