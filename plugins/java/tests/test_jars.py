import zipfile

import pytest

from bottool.errors import ArchiveError, BuildError, LaunchError, ToolMissing
from bottool.model import Installation
from bottool_java import jars
from bottool_java.language import Java

MAIN = "Main-Class: bot.Bot\r\n"
NAME = "META-INF/maven/a/b/pom.properties"


def test_a_long_attribute_goes_on_in_the_next_line(jar_of):
    path = jar_of("x.jar", "Main-Class: a.very.long.na\r\n me.of.a.Class\r\n")

    assert jars.read(path).main_class == "a.very.long.name.of.a.Class"


def test_attributes_of_later_sections_do_not_count(jar_of):
    assert jars.read(jar_of("x.jar", "\r\nName: a/b\r\nMain-Class: a.B\r\n")).main_class == ""


def test_the_newest_class_decides_which_java_is_needed(jar_of):
    path = jar_of("x.jar", MAIN, {"a/A.class": 52, "a/B.class": 61})

    assert jars.read(path).feature == 17


def test_classes_that_older_javas_ignore_do_not_count(jar_of):
    path = jar_of("x.jar", MAIN, {"a/A.class": 52, "META-INF/versions/21/a/A.class": 65, "module-info.class": 53})

    assert jars.read(path).feature == 8


def test_of_two_jars_the_one_that_can_be_started_is_chosen(jar_of, tmp_path):
    thin = jar_of("big.jar", "", {f"{name}/A.class": 52 for name in range(50)})
    runnable = jar_of("small.jar", MAIN, {"bot/Bot.class": 52})

    assert jars.choose([thin, runnable], tmp_path).path == runnable


def test_of_two_jars_that_start_the_bigger_is_chosen(jar_of, tmp_path):
    small = jar_of("b.jar", MAIN, {"bot/Bot.class": 52})
    big = jar_of("a.jar", MAIN, {"bot/Bot.class": 52, **{f"{name}/A.class": 52 for name in range(50)}})

    assert jars.choose([small, big], tmp_path).path == big


def test_a_jar_with_dependencies_is_chosen_by_its_name(jar_of, tmp_path):
    fat = jar_of("bot-1.0-jar-with-dependencies.jar", MAIN, {"bot/Bot.class": 52})
    big = jar_of("bot-1.0.jar", MAIN, {"bot/Bot.class": 52, **{f"{name}/A.class": 52 for name in range(50)}})

    assert jars.choose([big, fat], tmp_path).path == fat


def test_sources_tests_and_shaded_originals_are_not_chosen(jar_of, tmp_path):
    bot = jar_of("bot.jar", MAIN, {"bot/Bot.class": 52})
    others = [
        jar_of(name, MAIN, {"bot/Bot.class": 52, **{f"{each}/A.class": 52 for each in range(9)}})
        for name in ("original-bot.jar", "bot-sources.jar", "bot-tests.jar", "bot-javadoc.jar")
    ]

    assert jars.choose([*others, bot], tmp_path).path == bot


def test_jars_that_cannot_start_are_named_with_what_they_lack(jar_of, tmp_path):
    found = [jar_of("target/empty.jar", MAIN), jar_of("target/library.jar", "", {"a/A.class": 52})]

    with pytest.raises(BuildError) as refusal:
        jars.choose(found, tmp_path)

    assert "'target/empty.jar' holds no classes" in refusal.value.message
    assert "'target/library.jar' has no Main-Class" in refusal.value.message
    assert "mainClass" in refusal.value.hint


def test_no_jar_at_all_is_said(tmp_path):
    with pytest.raises(BuildError, match="made no jar"):
        jars.choose([], tmp_path)


def test_what_differs_from_build_to_build_is_taken_out_of_the_manifest(jar_of):
    path = jar_of("x.jar", f"Built-By: somebody\r\nBuild-Jdk: 17.0\r\n .15\r\n{MAIN}\r\nName: a\r\nBuilt-By: kept\r\n")

    said = jars.steady_manifest(path)

    assert b"somebody" not in said
    assert b".15" not in said
    assert b"Main-Class: bot.Bot" in said
    assert b"Built-By: kept" in said


def test_a_file_that_is_no_jar_is_refused(tmp_path):
    (tmp_path / "x.jar").write_bytes(b"PK\x03\x04 and nothing more")

    with pytest.raises(ArchiveError):
        jars.read(tmp_path / "x.jar")


def test_inspection_tells_entry_java_and_dependencies(jar_of, package_of):
    path = jar_of("x.jar", MAIN, {"bot/Bot.class": 55}, **{NAME: b"#today\nartifactId=b\ngroupId=a\nversion=1.2\n"})

    found = Java().inspect(package_of(path))

    assert (found.entry, found.requires) == ("bot.Bot", ">=11")
    assert [(each.name, each.version) for each in found.dependencies] == [("a:b", "1.2")]
    assert found.problems == ()


def descriptor(group, name, version, *asks):
    """What Maven leaves in a jar about one artifact."""
    asked = "".join(
        f"<dependency><groupId>{one}</groupId><artifactId>{two}</artifactId></dependency>" for one, two in asks
    )
    pom = f"<project><groupId>{group}</groupId><artifactId>{name}</artifactId><dependencies>{asked}</dependencies></project>"
    properties = f"artifactId={name}\ngroupId={group}\nversion={version}\n"
    place = f"META-INF/maven/{group}/{name}"
    return {f"{place}/pom.properties": properties.encode(), f"{place}/pom.xml": pom.encode()}


def test_the_bot_is_none_of_its_dependencies_and_its_pom_tells_what_it_asks_for(jar_of, package_of):
    members = {
        **descriptor("me", "my-bot", "1.0", ("a", "asked")),
        **descriptor("a", "asked", "1.2", ("a", "along")),
        **descriptor("a", "along", "3"),
    }

    found = Java().inspect(package_of(jar_of("x.jar", MAIN, {"bot/Bot.class": 55}, **members)))

    assert [(each.name, each.version, each.direct) for each in found.dependencies] == [
        ("a:along", "3", False),
        ("a:asked", "1.2", True),
    ]


def test_jars_inside_a_jar_are_dependencies_too(jar_of, package_of):
    inner = jar_of("inner.jar", "", {"a/A.class": 55}, **descriptor("a", "told", "2.0"))
    members = {
        **descriptor("me", "my-bot", "1.0", ("a", "told"), ("b", "named")),
        "BOOT-INF/lib/told-2.0.jar": inner.read_bytes(),
        "BOOT-INF/lib/named-1.5-RC1.jar": b"no jar at all",
        "BOOT-INF/lib/plain-7.jar": b"",
    }

    found = Java().inspect(package_of(jar_of("x.jar", MAIN, {"bot/Bot.class": 55}, **members)))

    assert [(each.name, each.version, each.direct) for each in found.dependencies] == [
        ("a:told", "2.0", True),
        ("b:named", "1.5-RC1", True),
        ("plain", "7", False),
    ]


def test_inspection_finds_what_keeps_a_jar_from_starting(jar_of, package_of):
    found = Java().inspect(package_of(jar_of("x.jar")))

    assert {problem.code for problem in found.problems} == {"jar_no_main_class", "jar_no_classes"}


def test_a_jar_for_a_java_that_does_not_exist_yet_is_not_started(jar_of, package_of):
    path = jar_of("here/x.jar", MAIN, {"bot/Bot.class": 255})

    with pytest.raises(ToolMissing, match="needs Java 211 or newer"):
        Java().command(Installation(package=package_of(path), folder=path.parent))


def test_a_package_with_two_jars_is_not_started(jar_of, package_of):
    path = jar_of("here/x.jar", MAIN, {"bot/Bot.class": 52})
    jar_of("here/y.jar", MAIN, {"bot/Bot.class": 52})

    with pytest.raises(LaunchError, match=r"2 jars: x\.jar, y\.jar"):
        Java().command(Installation(package=package_of(path), folder=path.parent))


def test_a_jar_without_a_main_class_is_not_started(jar_of, package_of):
    path = jar_of("here/x.jar", "", {"bot/Bot.class": 52})

    with pytest.raises(LaunchError, match="no Main-Class"):
        Java().command(Installation(package=package_of(path), folder=path.parent))


def test_an_encrypted_jar_is_refused(jar_of):
    path = jar_of("x.jar", MAIN, {"bot/Bot.class": 52})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as jar:
        offsets = [info.header_offset for info in jar.infolist()]
    for offset in offsets:
        content[offset + 6] |= 1
    at = content.index(b"PK\x01\x02")
    while at != -1:
        content[at + 8] |= 1
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(content)

    with pytest.raises(ArchiveError):
        jars.read(path)
