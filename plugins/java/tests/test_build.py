"""Real builds by Maven, and what it says when they fail."""

import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.errors import BuildError, ToolMissing
from bottool.model import Installation, TaskContext
from bottool.settings import base_variables
from bottool_java import jdk, maven, pom
from bottool_java.language import Java


@pytest.fixture
def wrapped(project_of):
    """A project whose own Maven wrapper prints these lines and fails."""

    def make(*lines: str, rest: str = ""):
        said = "\n".join(f"echo '{line}'" for line in lines)
        project = project_of(
            {
                "pom.xml": f"<project><artifactId>x</artifactId>{rest}</project>",
                "mvnw": f"#!/bin/sh\n{said}\nexit 1\n",
                "mvnw.cmd": "@echo off\r\n" + "\r\n".join(f"echo {line}" for line in lines) + "\r\nexit /b 1\r\n",
                ".mvn/wrapper/maven-wrapper.properties": "",
            }
        )
        (project.folder / "mvnw").chmod(0o755)
        return project

    return make


@pytest.fixture
def failure(wrapped, tmp_path, tools):
    def build(*lines: str, rest: str = "") -> BuildError:
        output = tmp_path / "out"
        output.mkdir()
        with pytest.raises(BuildError) as refusal:
            Java().build(wrapped(*lines, rest=rest), output)
        assert list(output.iterdir()) == []
        return refusal.value

    return build


def test_the_projects_own_wrapper_is_used_and_its_last_lines_are_kept(failure):
    error = failure(*(f"line {number}" for number in range(60)), "[ERROR] No luck today -> [Help 1]")

    assert error.message == "Maven failed: No luck today"
    assert error.output.splitlines()[0] == "line 11"
    assert len(error.output.splitlines()) == 50


@pytest.mark.parametrize(
    "line",
    [
        (
            "[ERROR] Failed to execute goal on project x: Could not resolve: Could not find artifact com.acme:sdk:jar:2.0 in"
            " acme (https://registry.example:8081/maven/)"
        ),
        (
            "[ERROR] Failed to read artifact descriptor for com.acme:sdk:jar:2.0: Could not transfer artifact"
            " com.acme:sdk:pom:2.0 from/to acme (https://registry.example:8081/maven/): transfer failed: Unknown host"
        ),
        (
            "[ERROR] com.acme:sdk:jar:2.0 was not found in https://registry.example:8081/maven/ during a previous attempt."
            " This failure was cached"
        ),
        "[ERROR] Could not find artifact com.acme:sdk:jar:2.0 (absent) in acme (https://registry.example:8081/maven/)",
    ],
)
def test_a_missing_artifact_is_named_with_the_repository_that_was_asked(failure, line):
    rest = "<repositories><repository><url>https://registry.example:8081/maven/</url></repository></repositories>"

    error = failure(line, rest=rest)

    assert error.message == "Maven could not get 'com.acme:sdk:2.0' from 'https://registry.example:8081/maven/'"
    assert "'https://registry.example:8081/maven/'" in error.hint


def test_an_artifact_that_no_repository_is_named_for_gets_another_hint(failure):
    error = failure("[ERROR] Could not find artifact com.acme:sdk:jar:2.0 in central (https://registry.example/maven2)")

    assert "settings.xml" in error.hint


def test_a_source_that_javac_refuses_is_named_with_its_line(sample, tmp_path, tools):
    source = sample.folder / "src/main/java/bot/Bot.java"
    source.write_text(source.read_text(encoding="utf-8").replace("int items)", "String items)", 1), encoding="utf-8")

    with pytest.raises(BuildError, match=r"^Bot\.java:\d+: incompatible types") as refusal:
        Java().build(sample, tmp_path)

    assert refusal.value.output.startswith("[ERROR] src/main/java/bot/Bot.java:[")
    assert "Help 1" not in refusal.value.output
    assert "COMPILATION ERROR" in refusal.value.details["log"]


def test_a_repository_that_does_not_answer_is_named(sample, tmp_path, tools):
    path = sample.folder / "pom.xml"
    rest = (
        "<repositories><repository><id>ours</id><url>https://registry.example/ours/</url></repository></repositories>"
        "<dependencies><dependency><groupId>com.acme.bots</groupId><artifactId>sdk</artifactId><version>2.0</version>"
        "</dependency></dependencies></project>"
    )
    path.write_text(path.read_text(encoding="utf-8").replace("</project>", rest), encoding="utf-8")

    with pytest.raises(
        BuildError, match=r"^Maven could not get 'com\.acme\.bots:sdk:2\.0' from 'https://registry\.example/ours/'"
    ):
        Java().build(sample, tmp_path)


def test_a_jar_without_a_main_class_is_refused(sample, tmp_path, tools):
    path = sample.folder / "pom.xml"
    path.write_text(path.read_text(encoding="utf-8").replace("<mainClass>bot.Bot</mainClass>", ""), encoding="utf-8")

    with pytest.raises(BuildError, match=r"'target/Mine-1\.0\.0\.jar' has no Main-Class"):
        Java().build(sample, tmp_path)


def test_without_maven_the_line_to_type_is_said(project_of):
    folder = project_of({"pom.xml": "<project><artifactId>x</artifactId></project>"}).folder
    java = jdk.for_building(base_variables())

    with pytest.raises(ToolMissing, match="needs Maven") as missing:
        maven.package(folder, pom.read(folder), java, {"PATH": ""})

    assert missing.value.hint == maven.install_hint("Maven")


def test_a_wrapper_without_its_settings_is_passed_over(wrapped):
    project = wrapped("never")
    assert maven.wrapper(project.folder)

    (project.folder / ".mvn/wrapper/maven-wrapper.properties").unlink()

    assert maven.wrapper(project.folder) is None


def test_a_wrapper_without_the_permission_to_run_is_started_by_the_shell(wrapped, tmp_path, tools):
    project = wrapped("[ERROR] the wrapper speaks")
    (project.folder / "mvnw").chmod(0o644)

    with pytest.raises(BuildError, match="the wrapper speaks"):
        Java().build(project, tmp_path)


def test_a_wrapper_that_cannot_fetch_maven_gives_way_to_the_one_on_path(sample, tmp_path, tools, capsys):
    wrapper = "#!/bin/sh\necho 'curl: (6) Could not resolve host: registry.example' >&2\nexit 6\n"
    (sample.folder / "mvnw").write_text(wrapper, encoding="utf-8")
    (sample.folder / "mvnw.cmd").write_text(
        "@echo curl: (6) Could not resolve host\r\n@exit /b 6\r\n", encoding="utf-8"
    )
    (sample.folder / ".mvn/wrapper").mkdir(parents=True)
    (sample.folder / ".mvn/wrapper/maven-wrapper.properties").write_text("", encoding="utf-8")

    assert Java().build(sample, tmp_path).is_file()
    assert "could not get Maven: curl: (6) Could not resolve host" in capsys.readouterr().err


def test_a_built_bot_finishes_its_task(sample, tmp_path, tools, package_of, maestro):
    jar = Java().build(sample, tmp_path)
    folder = archive.unpack(jar, tmp_path / "instalação nº 1")
    command = Java().command(Installation(package=package_of(jar), folder=folder))
    task = TaskContext(server=maestro.address, task_id=7, workspace="ours", token="a-token")

    arguments, variables = full_command(command, task, folder)
    ended = subprocess.run(arguments, cwd=folder, env=variables, capture_output=True, encoding="utf-8", timeout=60)

    assert ended.returncode == 0, ended.stderr
    assert '"Zo\\u00eb"' in ended.stdout
    (read, finished) = maestro.calls
    assert read[:3] == ("GET", "/api/v2/task/7", "a-token")
    assert finished[:3] == ("POST", "/api/v2/task/7", "a-token")
    assert finished[3] == {
        "state": "FINISHED",
        "finishStatus": "SUCCESS",
        "finishMessage": "All 5 items are done.",
        "totalItems": 5,
        "processedItems": 5,
        "failedItems": 0,
    }


@pytest.mark.skipif(not jdk.utf8_locale({}), reason="only Linux has the locale C")
def test_a_bot_below_an_accent_starts_in_the_locale_c(sample, tmp_path, tools, package_of):
    jar = Java().build(sample, tmp_path)
    folder = archive.unpack(jar, tmp_path / "instalação")
    command = Java().command(Installation(package=package_of(jar), folder=folder))
    variables = {"PATH": "/usr/bin:/bin", "LANG": "C", **jdk.utf8_locale({"LANG": "C"})}

    ended = subprocess.run(command.arguments, cwd=folder, env=variables, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 0, ended.stderr


def test_a_jar_that_the_project_carries_is_found_by_its_install_script(sample, project_of, tmp_path, tools):
    library = tmp_path / "library"
    library.mkdir()
    carried = Java().build(sample, library)
    script = (
        "mvn install:install-file -Dfile=lib/Our-Greeter.jar -DgroupId=com.acme.bots -DartifactId=greeter"
        ' -Dversion="3.1" -Dpackaging=jar\n'
    )
    (sample.folder / "lib").mkdir()
    shutil.copyfile(carried, sample.folder / "lib" / "Our-Greeter.jar")
    (sample.folder / "install.bat").write_text(script.replace("/", "\\"), encoding="utf-8")
    path = sample.folder / "pom.xml"
    rest = (
        "<dependencies><dependency><groupId>com.acme.bots</groupId><artifactId>greeter</artifactId>"
        "<version>3.1</version><scope>provided</scope></dependency></dependencies></project>"
    )
    path.write_text(path.read_text(encoding="utf-8").replace("</project>", rest), encoding="utf-8")
    (tmp_path / "out").mkdir()

    jar = Java().build(sample, tmp_path / "out")

    with zipfile.ZipFile(jar) as opened:
        assert opened.read("META-INF/maven/bots/Mine/pom.xml") == path.read_bytes()
    assert not (sample.folder / ".bottool-libraries").exists()


def test_the_jar_that_bot_toml_names_is_taken(sample, tmp_path, tools):
    with pytest.raises(BuildError, match=r"nothing that matches jar = 'other/\*\.jar'") as refusal:
        Java().build(replace(sample, options={"jar": "other/*.jar"}), tmp_path)

    assert "target/Mine-1.0.0.jar" in refusal.value.hint
    assert Java().build(replace(sample, options={"jar": "target/*.jar"}), tmp_path).is_file()


def test_the_release_of_the_sample_is_one_that_every_jdk_in_use_compiles_for(sample):
    assert pom.read(sample.folder).release == 11
