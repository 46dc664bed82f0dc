"""Templates, folders that are no bots, sources that will not do, options, signatures, and Maven's words."""

import base64
import hashlib
import os
import subprocess
import zipfile
from dataclasses import replace

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.errors import BuildError
from bottool.model import Installation, TaskContext
from bottool.settings import base_variables
from bottool_java import jars, jdk, signatures
from bottool_java.language import Java
from bottool_java.maven_errors import failure
from bottool_java.options import allowed

POM = "<project><groupId>a</groupId><artifactId>b</artifactId><version>1</version>{}</project>"
MAIN = "class A { public static void main(String[] a) { %s } }"


@pytest.fixture
def codes(project_of):
    """The codes of the problems of a bot with this source, with their lines."""

    def found(source: str) -> dict[str, int | None]:
        project = project_of({"pom.xml": POM.format(""), "src/main/java/A.java": source})
        return {each.code: each.line for each in Java().validate(project) if each.path.endswith(".java")}

    return found


@pytest.fixture(scope="module")
def assembled(tmp_path_factory):
    """The template 'assembly' as a package."""
    if any(not each.found for each in Java().toolchain()):
        pytest.skip("there is no JDK or no Maven")
    from bottool.model import Project

    folder = tmp_path_factory.mktemp("assembly") / "bot"
    folder.mkdir()
    Java().scaffold(folder, "Mine", "assembly")
    project = Project(folder=folder, language="java", bot_id="Mine", version="1.0.0", options={"options": ["-Xmx128m"]})
    assert list(Java().validate(project)) == []
    return Java().build(project, tmp_path_factory.mktemp("out"))


def test_the_template_with_dependencies_makes_one_jar_that_holds_them(assembled, package_of):
    found = Java().inspect(package_of(assembled))

    assert found.problems == ()
    assert found.locked
    assert ("com.google.code.gson:gson", "2.11.0", "maven") in [
        (each.name, each.version, each.ecosystem) for each in found.dependencies
    ]
    assert archive.read_manifest(assembled)["java"] == {"release": 11, "options": ["-Xmx128m"]}
    assert archive.read_manifest(assembled)["requires"] == ">=11"


def test_the_template_with_dependencies_finishes_its_task(assembled, package_of, maestro, tmp_path):
    folder = archive.unpack(assembled, tmp_path / "work")
    command = Java().command(Installation(package=package_of(assembled), folder=folder))
    task = TaskContext(server=maestro.address, task_id=7, workspace="ours", token="a-token")

    arguments, variables = full_command(command, task, folder)
    ended = subprocess.run(arguments, cwd=folder, env=variables, capture_output=True, encoding="utf-8", timeout=60)

    assert ended.returncode == 0, ended.stderr
    assert "-Xmx128m" in arguments
    assert [call[3]["processedItems"] for call in maestro.calls if call[3]] == [5]


def test_the_test_of_the_template_passes(assembled, tmp_path):
    Java().scaffold(tmp_path, "Mine", "assembly")
    java = jdk.for_running(base_variables(), 11).java
    test = tmp_path / "src/test/java/bot/BotTest.java"

    ended = subprocess.run([java, "-cp", assembled, test], capture_output=True, text=True, timeout=60)

    assert ended.stdout == "1 passed, 0 failed\n", ended.stderr


def test_a_dependency_that_is_not_packed_is_refused_with_the_remedy(sample, tmp_path, tools):
    path = sample.folder / "pom.xml"
    rest = (
        "<dependencies><dependency><groupId>com.google.code.gson</groupId><artifactId>gson</artifactId>"
        "<version>2.11.0</version></dependency></dependencies></project>"
    )
    path.write_text(path.read_text(encoding="utf-8").replace("</project>", rest), encoding="utf-8")

    with pytest.raises(
        BuildError, match=r"does not hold the bot's dependencies: com\.google\.code\.gson:gson"
    ) as refusal:
        Java().build(sample, tmp_path)

    assert "maven-assembly-plugin" in refusal.value.hint


def test_the_class_that_bot_toml_names_is_started_though_the_pom_names_none(sample, tmp_path, tools, package_of):
    path = sample.folder / "pom.xml"
    path.write_text(path.read_text(encoding="utf-8").replace("<mainClass>bot.Bot</mainClass>", ""), encoding="utf-8")

    package = Java().build(replace(sample, options={"main": "bot.Bot"}), tmp_path)

    assert Java().inspect(package_of(package)).entry == "bot.Bot"


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"pom.xml": POM.format("<packaging>war</packaging>")}, "a web application (packaging 'war')"),
        ({"pom.xml": POM.format("<packaging>pom</packaging>")}, "a parent of other projects (packaging 'pom')"),
        (
            {"pom.xml": POM.format("").replace("<artifactId>b", "<artifactId>{{ id }}")},
            "a template whose {{ }} are not filled in",
        ),
        ({"pom.xml": POM.format(""), "src/main/java/A.java": "class A {}"}, "a library (no class has a main method)"),
        ({"pom.xml": POM.format(""), "src/test/java/T.java": "class T {}"}, "a test suite"),
        ({"pom.xml": POM.format(""), "src/main/java/A.java": MAIN % ""}, ""),
        ({"pom.xml": POM.format("")}, ""),
    ],
)
def test_what_is_no_bot_is_called_by_its_name(project_of, files, what):
    assert Java().not_a_bot(project_of(files).folder) == what


def test_questions_to_a_person_are_found_with_their_line_but_not_in_comments(codes):
    assert codes(MAIN % "\n new Scanner(System.in);") == {"prompts": 2}
    assert codes("/* new Scanner(System.in) */ // new Scanner(System.in)\n" + MAIN % "") == {}


def test_a_bot_of_the_desktop_needs_a_display(codes):
    assert codes("class A extends DesktopBot { static void main(String[] a) {} }") == {"needs_display": 1}


def test_a_bot_that_never_says_how_it_ended_is_told(codes):
    assert codes(MAIN % "BotMaestroSDK maestro;") == {"never_finishes": 1}
    assert codes(MAIN % "BotMaestroSDK maestro; maestro.finishTask(x);") == {}
    assert codes(MAIN % "BotMaestroSDK maestro; BotExecutor.run(x, y);") == {}


@pytest.mark.parametrize(
    "option", ["-Xmx512m", "-Dlevel=a b", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-XX:+UseZGC", "-ea"]
)
def test_options_that_set_sizes_and_properties_are_allowed(option):
    assert allowed(option)


@pytest.mark.parametrize(
    "option",
    [
        "-javaagent:x.jar",
        "-agentlib:jdwp=x",
        "@file",
        "-cp",
        "-jar",
        "-XX:OnError=x",
        "-XX:Flags=x",
        "-Xlog:all",
        "-D",
        "",
    ],
)
def test_options_that_load_or_run_something_are_not(option):
    assert not allowed(option)


def test_an_option_that_is_not_passed_on_is_an_error(project_of):
    project = project_of({"pom.xml": POM.format("")}, options=["-javaagent:x.jar"])

    assert "java_option_refused" in {each.code for each in Java().validate(project)}


def test_a_signed_jar_that_was_altered_is_told_and_its_signature_is_left_away(jar_of, package_of, tmp_path):
    content = b"\xca\xfe\xba\xbe\0\0\0\x34 as it was signed"
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    manifest = f"Main-Class: bot.Bot\r\n\r\nName: bot/Bot.class\r\nSHA-256-Digest: {digest}\r\n"
    whole = f"Manifest-Version: 1.0\r\n{manifest}\r\n".encode()
    signed = base64.b64encode(hashlib.sha256(whole).digest()).decode()
    others = {
        "META-INF/A.SF": f"Signature-Version: 1.0\r\nSHA-256-Digest-Manifest: {signed}\r\n".encode(),
        "META-INF/A.RSA": b"x",
    }
    intact = jar_of("intact.jar", manifest, None, **others, **{"bot/Bot.class": content})
    altered = jar_of("altered.jar", manifest, None, **others, **{"bot/Bot.class": content + b"!"})

    assert signatures.altered(intact) == ""
    assert signatures.without_broken(intact, tmp_path / "no.jar") == intact
    assert "jar_altered" in {each.code for each in Java().inspect(package_of(altered)).problems}
    with zipfile.ZipFile(signatures.without_broken(altered, tmp_path / "clean.jar")) as jar:
        assert sorted(jar.namelist()) == ["META-INF/MANIFEST.MF", "bot/Bot.class"]


def test_classes_for_a_java_that_does_not_exist_are_told(jar_of, package_of):
    found = Java().inspect(package_of(jar_of("x.jar", "Main-Class: bot.Bot\r\n", {"bot/Bot.class": 99})))

    assert found.requires == ">=55"
    assert "version 99" in next(each.message for each in found.problems if each.code == "jar_for_unknown_java")


def test_a_jar_without_a_manifest_or_its_main_class_is_told(tmp_path, jar_of, package_of):
    with zipfile.ZipFile(tmp_path / "bare.jar", "w") as jar:
        jar.writestr("bot/Bot.class", b"\xca\xfe\xba\xbe\0\0\0\x34")
    missing = jar_of("x.jar", "Main-Class: bot.Other\r\n", {"bot/Bot.class": 52})

    assert {each.code for each in Java().inspect(package_of(tmp_path / "bare.jar")).problems} == {
        "jar_no_manifest",
        "jar_no_main_class",
    }
    assert {each.code for each in Java().inspect(package_of(missing)).problems} == {"jar_main_class_missing"}


def test_a_long_main_class_is_written_in_lines_of_72_bytes(jar_of):
    from bottool_java.building import _with_main_class

    name = "a." * 60 + "Main"
    manifest = _with_main_class(b"Manifest-Version: 1.0\r\nMain-Class: old.One\r\nX: y\r\n\r\n", name)

    assert jars.attributes(manifest.decode())["Main-Class"] == name
    assert jars.attributes(manifest.decode())["X"] == "y"
    assert max(len(line) for line in manifest.split(b"\r\n")) <= 72


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "[ERROR] Fatal error compiling: error: invalid target release: 21 -> [Help 1]",
            "JDK 17.0.1 does not compile for Java 21",
        ),
        (
            "[ERROR] Fatal error compiling: error: release version 21 not supported",
            "JDK 17.0.1 does not compile for Java 21",
        ),
        (
            "[ERROR] Source option 5 is no longer supported. Use 7 or later.",
            "JDK 17.0.1 does not compile for Java 5 any more",
        ),
        (
            "[ERROR] 'dependencies.dependency.version' for com.acme:sdk:jar is missing. @ line 12, column 17",
            "pom.xml:12: com.acme:sdk has no version",
        ),
        (
            (
                "[ERROR] Plugin com.acme:maker:1.0 or one of its dependencies could not be resolved: Cannot access central"
                " (https://registry.example/maven) in offline mode and the artifact com.acme:maker:jar:1.0 has not been"
                " downloaded from it before. -> [Help 1]"
            ),
            "Maven is offline and does not have 'com.acme:maker:1.0'",
        ),
    ],
)
def test_what_maven_says_becomes_one_line(project_of, line, message):
    java = jdk.Installed(
        home=project_of({"pom.xml": POM.format("")}).folder, version="17.0.1", feature=17, compiles=True
    )

    error = failure(line, java.home, java)

    assert error.message == message
    assert error.hint


def test_tests_that_do_not_compile_do_not_stop_a_build(sample, tmp_path, tools):
    (sample.folder / "src/test/java/bot/Broken.java").write_text("nonsense", encoding="utf-8")

    assert Java().build(sample, tmp_path).is_file()


def test_the_tools_that_the_bytes_depend_on_are_named_unless_something_may_change(sample, tools):
    assert "maven" in str(Java().build_key(sample))

    path = sample.folder / "pom.xml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("<version>1.0.0<", "<version>1-SNAPSHOT<"), encoding="utf-8"
    )

    assert Java().build_key(sample) is None


@pytest.mark.skipif(os.name != "nt", reason="only Windows has a registry")
def test_the_registry_is_read_without_complaint():
    from bottool_java.windows_registry import java_homes

    assert all(isinstance(each.name, str) for each in java_homes())
