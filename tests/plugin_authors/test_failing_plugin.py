"""A plugin that fails while a bot is made ready: it is named, and nothing of its work is kept."""

from pathlib import Path

import pytest

from bottool.build import build
from bottool.environments import Cache, make_ready
from bottool.errors import BuildError, PluginError
from bottool.project import find
from bottool.testing import Notes, plugins_with


class RaisesOnPrepare(Notes):
    def prepare(self, installation, environment):
        (environment / "half").write_text("x")
        raise KeyError("colour")


class RaisesOnKey(Notes):
    def environment_key(self, installation):
        raise RecursionError


class GivesUp(Notes):
    def prepare(self, installation, environment):
        raise BuildError("the index has no such gem", "ask for another")


def made_ready(language: Notes, folder: Path) -> None:
    (folder / "bot").mkdir()
    language.scaffold(folder / "bot", "hello", "")
    plugins = plugins_with(language)
    package = build(plugins, find(folder / "bot", plugins), folder / "out").package
    make_ready(plugins, package, Cache(folder / "cache"), folder / "work", lambda _note: None)


@pytest.mark.parametrize(
    ("language", "said"), [(RaisesOnPrepare(), "KeyError: 'colour'"), (RaisesOnKey(), "RecursionError")]
)
def test_it_is_named_and_leaves_no_environment(language, said, tmp_path) -> None:
    with pytest.raises(PluginError, match=f"plugin 'under-test' failed to prepare 'hello': {said}"):
        made_ready(language, tmp_path)

    assert not list(tmp_path.glob("cache/environments/*/*/*"))


def test_its_own_word_to_the_user_passes_unchanged(tmp_path) -> None:
    with pytest.raises(BuildError, match="the index has no such gem") as refusal:
        made_ready(GivesUp(), tmp_path)

    assert refusal.value.hint == "ask for another"
