"""Gradle projects, built by a wrapper that behaves like the real one."""

import os
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest

from bottool.errors import BuildError, ToolMissing
from bottool.settings import base_variables
from bottool_java import gradle, jdk
from bottool_java.gradle_errors import failure
from bottool_java.language import Java
from bottool_java.options import machine_options

PROPERTIES = "distributionUrl=https\\://registry.example/distributions/gradle-7.6.4-bin.zip\n"
SCRIPT = """
plugins {
    id 'java'
    id 'com.github.johnrengelman.shadow' version '8.1.1' // packs everything
}
version = '2.4'
sourceCompatibility = JavaVersion.VERSION_11
repositories { mavenCentral(); maven { url 'https://registry.example/maven' } }
dependencies { implementation 'com.acme:sdk:2.0' }
jar { manifest { attributes 'Main-Class': 'bot.Bot' } }
"""
KOTLIN = """
plugins { application; id("org.springframework.boot") version "3.2.0" }
java { toolchain { languageVersion.set(JavaLanguageVersion.of(17)) } }
application { mainClass.set("com.acme.Main") }
"""


@pytest.fixture
def gradle_project(project_of, jar_of):
    """A project whose wrapper copies a jar that is there, or fails with these words."""

    def make(script: str = SCRIPT, says: str = "", jar: Path | None = None, name: str = "build.gradle"):
        jar = jar or jar_of("made.jar", "Main-Class: bot.Bot\r\n", {"bot/Bot.class": 55, "com/acme/Sdk.class": 52})
        lines = "\n".join(f"echo {shlex.quote(line)}" for line in says.splitlines())
        end = "exit 1" if says else f'mkdir -p build/libs && cp {shlex.quote(str(jar))} "build/libs/$5.jar"'
        wrapper = f"#!/bin/sh\n{lines}\n{end}\n"
        project = project_of(
            {
                name: script,
                "settings.gradle": "rootProject.name = 'invoices'\n",
                "gradlew": wrapper,
                "gradle/wrapper/gradle-wrapper.properties": PROPERTIES,
                "src/main/java/bot/Bot.java": "class Bot { public static void main(String[] a) {} }",
                "build/libs/old.jar": b"an old one",
            }
        )
        (project.folder / "gradlew").chmod(0o644)
        return project

    return make


def test_a_gradle_project_is_recognised_and_says_its_name_and_version(gradle_project):
    folder = gradle_project().folder

    assert Java().recognises(folder)
    assert Java().identify(folder) == ("invoices", "2.4")
    assert Java().not_a_bot(folder) == ""


def test_what_a_script_says_is_read(gradle_project):
    script = gradle.read(gradle_project().folder)

    assert script is not None
    assert (script.task, script.release, script.main_class) == ("shadowJar", 11, "bot.Bot")
    assert script.newest_java == 19
    assert script.repositories == ("https://registry.example/maven",)
    assert script.dependencies == ("com.acme:sdk:2.0",)


def test_a_script_in_kotlin_is_read(gradle_project):
    project = gradle_project(KOTLIN, name="build.gradle.kts")

    script = gradle.read(project.folder)

    assert script is not None
    assert (script.task, script.release, script.main_class) == ("bootJar", 17, "com.acme.Main")


@pytest.mark.parametrize(
    ("script", "task"),
    [
        ("apply plugin: 'java'", "jar"),
        ("plugins { id 'java' }\ntask fatJar(type: Jar) { from configurations.runtimeClasspath }", "fatJar"),
        ('tasks.register<Jar>("uberJar") { }', "uberJar"),
        ("// id 'com.gradleup.shadow'\nplugins { id 'java' }", "jar"),
    ],
)
def test_the_task_that_makes_the_jar_is_found(gradle_project, script, task):
    assert gradle.read(gradle_project(script).folder).task == task


@pytest.mark.skipif(not shutil.which("sh"), reason="the wrapper is a shell script")
def test_the_wrapper_builds_the_jar_and_an_old_one_is_not_taken(gradle_project, tmp_path, tools):
    (tmp_path / "out").mkdir()

    package = Java().build(gradle_project(), tmp_path / "out")

    with zipfile.ZipFile(package) as jar:
        assert "com/acme/Sdk.class" in jar.namelist()
        assert "META-INF/bottool.json" in jar.namelist()


@pytest.mark.skipif(not shutil.which("sh"), reason="the wrapper is a shell script")
def test_a_wrapper_that_cannot_fetch_gradle_is_told(gradle_project, tmp_path, tools):
    said = "Downloading https://registry.example/gradle-7.6.4-bin.zip\nUnknownHostException: registry.example"
    java = jdk.for_building(base_variables())
    project = gradle_project(says=said)
    script = gradle.read(project.folder)

    with pytest.raises(ToolMissing, match=r"could not get Gradle: nothing answers as 'registry\.example'"):
        gradle.package(project.folder, script, java, {"PATH": "/usr/bin:/bin"})


JAVA = jdk.Installed(home=Path("/jdk"), version="25.0.1", feature=25, compiles=True)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            (
                "FAILURE: Build failed with an exception.\n\n* What went wrong:\nExecution failed for task ':compileJava'.\n"
                "> Could not resolve all files for configuration ':compileClasspath'.\n   > Could not find com.acme:sdk:2.0.\n"
                "     Searched in the following locations:\n       - https://registry.example/maven/com/acme/sdk.pom\n"
            ),
            "Gradle could not get 'com.acme:sdk:2.0' from 'https://registry.example/maven/com/acme/sdk.pom'",
        ),
        (
            "/tmp/x/src/main/java/bot/Bot.java:12: error: cannot find symbol\nFAILURE: Build failed\n",
            "Bot.java:12: cannot find symbol",
        ),
        (
            "FAILURE: Build failed\n* What went wrong:\nBUG! Unsupported class file major version 69\n",
            "this project's Gradle does not run on Java 25.0.1",
        ),
        (
            "FAILURE: Build failed\n* What went wrong:\nerror: invalid source release: 99\n",
            "JDK 25.0.1 does not compile for Java 99",
        ),
        (
            (
                "FAILURE: Build failed\n* What went wrong:\nNo matching toolchains found for requested specification:"
                " {languageVersion=17, vendor=any}\n"
            ),
            "Gradle found no JDK 17, which the script asks for",
        ),
        (
            "FAILURE: Build failed\n\n* What went wrong:\nTask 'shadowJar' not found in root project 'x'.\n\n* Try:\n> x\n",
            "Gradle failed: Task 'shadowJar' not found in root project 'x'.",
        ),
    ],
)
def test_what_gradle_says_becomes_one_line(output, message):
    error = failure(output, (), JAVA)

    assert error.message == message
    assert error.hint


def test_a_script_without_main_class_or_wrapper_is_warned_about(gradle_project):
    project = gradle_project("plugins { id 'java' }\ndependencies { implementation 'a:b:1' }")
    (project.folder / "gradle/wrapper/gradle-wrapper.properties").unlink()

    assert {each.code for each in Java().validate(project)} == {"no_main_class", "thin_jar", "no_gradle_wrapper"}


def test_an_android_project_is_no_bot(gradle_project):
    assert Java().not_a_bot(gradle_project("plugins { id 'com.android.application' }").folder) == "an Android project"


def test_a_manifest_that_says_nonsense_gives_no_options():
    assert machine_options({"java": 11}) == ()
    assert machine_options({"java": {"options": "-Xmx1g", "quick_start": "yes"}}) == ()


def test_jdks_are_chosen_between_what_is_asked_for_and_what_gradle_knows(java_home):
    old, new = java_home("old", "99.0.1"), java_home("new", "101.0.1")
    variables = {"HOME": "/nonexistent", "PATH": "", "BOTTOOL_JAVA": f"{new}{os.pathsep}{old}"}

    assert jdk.for_building(variables, 99).home == new.resolve()
    assert jdk.for_building(variables, 99, newest=100).home == old.resolve()


def test_a_build_does_not_learn_our_keys(gradle_project, tmp_path, tools, monkeypatch):
    monkeypatch.setenv("BOTTOOL_KEY", "swordfish")
    project = gradle_project()
    (project.folder / "gradlew").write_text("#!/bin/sh\necho FAILURE: key $BOTTOOL_KEY, $JAVA_HOME\nexit 1\n")

    with pytest.raises(BuildError) as refusal:
        Java().build(project, tmp_path)

    assert "FAILURE: key , /" in refusal.value.output
    assert "swordfish" not in str(refusal.value.__dict__)


def test_a_failed_build_keeps_its_last_lines(gradle_project, tmp_path, tools):
    with pytest.raises(BuildError) as refusal:
        Java().build(gradle_project(says="FAILURE: Build failed\n* What went wrong:\nno luck\n"), tmp_path)

    assert "no luck" in refusal.value.output
