import os

import pytest

from bottool.errors import ToolMissing
from bottool_java import jdk

NOWHERE = {"HOME": "/nonexistent", "USERPROFILE": "/nonexistent", "PATH": ""}


def own(found, tmp_path):
    """Without the Javas of this machine."""
    return [each for each in found if each.home.is_relative_to(tmp_path.resolve())]


@pytest.mark.parametrize(
    ("version", "feature"), [("17.0.15", 17), ("1.8.0_402", 8), ("22-ea", 22), ("9", 9), ("11.0.2+9", 11)]
)
def test_the_number_of_a_version_is_found(java_home, tmp_path, version, feature):
    home = java_home("here", version)

    found = own(jdk.installed({**NOWHERE, "JAVA_HOME": str(home)}), tmp_path)

    assert [(each.version, each.feature) for each in found] == [(version, feature)]


def test_java_home_counts_before_the_path_and_both_before_what_lies_around(java_home, tmp_path):
    named, on_path = java_home("named", "11.0.1"), java_home("on path", "17.0.1")
    other = java_home("home/.jdks/other", "99.0.1")

    found = own(
        jdk.installed(
            {
                "JAVA_HOME": str(named),
                "PATH": str(on_path / "bin"),
                "HOME": str(tmp_path / "home"),
                "USERPROFILE": str(tmp_path / "home"),
            }
        ),
        tmp_path,
    )

    assert [each.home for each in found] == [path.resolve() for path in (named, on_path, other)]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_java_with_two_names_is_found_once(java_home, tmp_path):
    home = java_home("real", "17.0.1")
    (tmp_path / "link").symlink_to(home)

    found = own(jdk.installed({"JAVA_HOME": str(tmp_path / "link"), "PATH": str(home / "bin"), "HOME": ""}), tmp_path)

    assert len(found) == 1


def test_a_folder_without_a_release_file_is_no_java(java_home, tmp_path):
    home = java_home("here", "17")
    (home / "release").unlink()

    assert own(jdk.installed({**NOWHERE, "JAVA_HOME": str(home)}), tmp_path) == []


def test_the_preferred_java_that_is_new_enough_is_used(java_home, tmp_path):
    old, new = java_home("old", "98.0.1"), java_home("home/.jdks/new", "99.0.1")
    variables = {
        "JAVA_HOME": str(old),
        "PATH": "",
        "HOME": str(tmp_path / "home"),
        "USERPROFILE": str(tmp_path / "home"),
    }

    assert jdk.for_running(variables, 98).home == old.resolve()
    assert jdk.for_running(variables, 99).home == new.resolve()


def test_a_java_that_is_too_old_is_named_with_the_line_to_type(java_home):
    home = java_home("here", "8.0.1")

    with pytest.raises(ToolMissing, match=r"needs Java 1000 or newer; found .*8\.0\.1") as missing:
        jdk.for_running({**NOWHERE, "JAVA_HOME": str(home)}, 1000)

    assert missing.value.hint == jdk.install_hint(1000)


def test_a_java_without_a_compiler_does_not_build(java_home):
    home = java_home("here", "999", compiles=False)

    with pytest.raises(ToolMissing, match=r"needs a JDK 999 or newer; .*Java without a compiler 999"):
        jdk.for_building({**NOWHERE, "JAVA_HOME": str(home)}, 999)


@pytest.mark.skipif(not jdk.utf8_locale({}), reason="only Linux needs it")
def test_a_locale_without_utf_8_is_replaced():
    assert jdk.utf8_locale({"LANG": "C"}) == {"LC_ALL": "C.UTF-8"}
    assert jdk.utf8_locale({"LANG": "pt_BR.UTF-8"}) == {}
    assert jdk.utf8_locale({"LC_ALL": "en_US.utf8", "LANG": "C"}) == {}


def test_where_every_jdk_is_too_new_for_gradle_the_hint_says_what_helps(java_home, monkeypatch):
    home = java_home("here", "99.0.1", compiles=True)
    monkeypatch.setattr(jdk, "installed", lambda _variables: (jdk._read(home),))

    with pytest.raises(ToolMissing, match="a JDK, and none newer than 13") as refusal:
        jdk.for_building({}, newest=13)

    assert "a JDK 8 to 13 by BOTTOOL_JAVA" in refusal.value.hint
    assert "a Gradle that runs on Java 99" in refusal.value.hint
