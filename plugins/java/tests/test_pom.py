import re

import pytest

from bottool.errors import ProjectError
from bottool.model import Severity
from bottool_java import pom
from bottool_java.language import Java

PLAIN = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <groupId>bots</groupId><artifactId>invoices</artifactId><version>1.4</version>
  {rest}
</project>
"""


@pytest.fixture
def read(project_of):
    return lambda rest="", text=PLAIN: pom.read(project_of({"pom.xml": text.replace("{rest}", rest)}).folder)


@pytest.fixture
def problems(project_of):
    def found(rest="", text=PLAIN, **options):
        project = project_of({"pom.xml": text.replace("{rest}", rest)}, **options)
        return {problem.code: problem for problem in Java().validate(project)}

    return found


def test_the_main_class_is_trimmed(read):
    plugin = (
        "<plugin><artifactId>p</artifactId><configuration><mainClass>\n\t a.B \n</mainClass></configuration></plugin>"
    )

    assert read(f"<build><plugins>{plugin}</plugins></build>").main_class == "a.B"


def test_references_are_resolved_through_properties(read):
    found = read(
        "<properties><root>https://registry.example</root><v>2.0</v><w>${v}</w></properties>"
        "<repositories><repository><url>${root}/public/</url></repository></repositories>"
        "<dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>${w}</version></dependency>"
        "</dependencies>"
    )

    assert found.repositories == ("https://registry.example/public/",)
    assert str(found.dependencies[0]) == "a:b:2.0"


def test_references_in_a_circle_are_empty(read):
    found = read(
        text="<project><artifactId>x</artifactId><version>${a}</version><properties><a>${b}</a><b>${a}${a}</b></properties></project>"
    )

    assert found.version == ""


def test_the_version_of_the_parent_counts_when_there_is_no_own(read):
    text = "<project><parent><groupId>g</groupId><version>9</version></parent><artifactId>x</artifactId></project>"

    assert read(text=text).version == "9"


@pytest.mark.parametrize(
    ("rest", "release"),
    [
        ("<properties><maven.compiler.release>11</maven.compiler.release></properties>", 11),
        ("<properties><maven.compiler.source>1.8</maven.compiler.source></properties>", 8),
        (
            (
                "<properties><j>21</j><maven.compiler.target>8</maven.compiler.target></properties><build><plugins><plugin>"
                "<artifactId>maven-compiler-plugin</artifactId><configuration><release>${j}</release></configuration>"
                "</plugin></plugins></build>"
            ),
            21,
        ),
        ("", 0),
    ],
)
def test_the_release_is_found_where_poms_write_it(read, rest, release):
    assert read(rest).release == release


def test_a_pom_in_utf_16_and_with_a_prefix_is_read(project_of):
    text = '<?xml version="1.0" encoding="UTF-16"?><m:project xmlns:m="x"><m:artifactId>robô</m:artifactId></m:project>'

    assert pom.read(project_of({"pom.xml": text.encode("utf-16")}).folder).artifact == "robô"


def test_a_document_type_is_refused_with_its_line(problems):
    text = '<?xml version="1.0"?>\n<!DOCTYPE project [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<project>&x;</project>'

    found = problems(text=text)["pom_doctype"]

    assert (found.path, found.line, found.severity) == ("pom.xml", 2, Severity.ERROR)
    assert found.hint


def test_a_document_type_in_another_encoding_is_refused_too(project_of):
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE project [<!ENTITY x "y">]><project>&x;</project>'

    with pytest.raises(ProjectError, match="document type"):
        pom.read(project_of({"pom.xml": text.encode("utf-16")}).folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<project>\n<artifactId>x</project>", r"pom\.xml:2: it is no XML: mismatched tag"),
        ("", r"pom\.xml:1: it is no XML: no element found"),
        ("<html/>", r"pom\.xml holds <html>"),
        ('<?xml version="1.0" encoding="klingon"?><project/>', r"pom\.xml:1: it is no XML|encoding"),
    ],
)
def test_a_broken_pom_is_one_error_with_its_line(problems, text, message):
    found = problems(text=text)

    assert set(found) == {"bad_pom"}
    assert re.search(message, found["bad_pom"].message)


def test_a_broken_pom_says_neither_id_nor_version(project_of):
    assert Java().identify(project_of({"pom.xml": "<project"}).folder) == ("", "")


def test_id_and_version_come_from_the_pom_when_they_can_be_labels(project_of):
    assert Java().identify(project_of({"pom.xml": PLAIN.replace("{rest}", "")}).folder) == ("invoices", "1.4")

    odd = "<project><artifactId>a b</artifactId><version>${revision}</version></project>"
    assert Java().identify(project_of({"pom.xml": odd}).folder) == ("", "")


def test_a_war_is_refused(problems):
    assert "'war'" in problems("<packaging>war</packaging>")["not_a_jar"].message


def test_a_pom_without_modules_makes_nothing(problems):
    assert problems("<packaging>pom</packaging>")["not_a_jar"].severity is Severity.ERROR
    assert "not_a_jar" not in problems("<packaging>pom</packaging><modules><module>bot</module></modules>")


def test_dependencies_that_nothing_packs_are_a_warning_that_names_one(problems):
    dependency = "<dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>1</version></dependency></dependencies>"

    assert "a:b:1" in problems(dependency)["thin_jar"].message
    fat = "<build><plugins><plugin><artifactId>maven-shade-plugin</artifactId></plugin></plugins></build>"
    assert "thin_jar" not in problems(dependency + fat)


def test_an_unencrypted_repository_is_a_warning(problems):
    rest = "<repositories><repository><url>http://registry.example/maven</url></repository></repositories>"

    assert "registry.example" in problems(rest)["http_repository"].message


def test_an_unknown_option_is_an_error_that_guesses(problems):
    found = problems(maven_argument=["-P"])["bad_option"]

    assert "maven_argument" in found.message
    assert "maven_arguments" in found.hint


def test_an_option_of_the_wrong_type_is_an_error(problems):
    assert "wrong type" in problems(jar=5)["bad_option"].message


def test_only_a_folder_with_a_pom_is_recognised(project_of, tmp_path):
    assert Java().recognises(project_of({"pom.xml": "<project/>"}).folder)
    assert not Java().recognises(tmp_path)
