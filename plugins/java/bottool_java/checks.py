"""What ``bottool validate`` says about a Maven project, without starting Maven and without the network."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bottool.errors import ProjectError, did_you_mean
from bottool.model import Problem, Project, Severity
from bottool_java import pom

_MAKES_FAT_JARS = frozenset({"maven-assembly-plugin", "maven-shade-plugin", "spring-boot-maven-plugin", "capsule"})
_PACKAGINGS = frozenset({"jar", "pom", "bundle", "maven-plugin"})
_NOT_PACKED = frozenset({"test", "provided", "import"})


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


OPTIONS: dict[str, Callable[[Any], bool]] = {"jar": _text, "maven_arguments": _texts}
"""The keys of the table ``[java]`` in ``bot.toml``, and what their values must be."""


def problems_of(project: Project) -> Iterator[Problem]:
    """All findings; a pom that cannot be read ends them."""
    yield from _option_problems(project)
    try:
        described = pom.read(project.folder)
    except ProjectError as error:
        yield Problem(
            severity=Severity.ERROR,
            code=error.details.get("problem", "bad_pom"),
            message=error.message,
            hint=error.hint,
            path=pom.FILE_NAME,
            line=error.details.get("line"),
        )
        return
    yield from _packaging_problems(described)
    yield from _jar_problems(described)
    yield from _repository_problems(described, project.folder)


def _option_problems(project: Project) -> Iterator[Problem]:
    for name, value in project.options.items():
        if name not in OPTIONS:
            message = f"unknown option '{name}' in [java]"
            hint = did_you_mean(name, OPTIONS) or f"there are: {', '.join(sorted(OPTIONS))}"
        elif not OPTIONS[name](value):
            message = f"'{name}' in [java] has the wrong type"
            hint = "a text in quotes" if OPTIONS[name] is _text else 'a list of texts, such as ["-Pproduction"]'
        else:
            continue
        yield Problem(severity=Severity.ERROR, code="bad_option", message=message, hint=hint, path="bot.toml")


def _about_pom(severity: Severity, code: str, message: str, hint: str) -> Problem:
    return Problem(severity=severity, code=code, message=message, hint=hint, path=pom.FILE_NAME)


def _packaging_problems(described: pom.Pom) -> Iterator[Problem]:
    if not described.artifact:
        yield _about_pom(
            Severity.ERROR, "no_artifact_id", "pom.xml has no artifactId", "add <artifactId>NAME</artifactId>"
        )
    if described.packaging not in _PACKAGINGS:
        yield _about_pom(
            Severity.ERROR,
            "not_a_jar",
            f"pom.xml makes a '{described.packaging}', which does not start by itself",
            "set <packaging>jar</packaging>",
        )
    elif described.packaging == "pom" and not described.modules:
        yield _about_pom(
            Severity.ERROR,
            "not_a_jar",
            "pom.xml has the packaging 'pom' and no modules, so that it makes no jar",
            "set <packaging>jar</packaging>",
        )


def _jar_problems(described: pom.Pom) -> Iterator[Problem]:
    """Warnings only: a parent pom or a module may do what this one does not say."""
    if described.packaging == "pom" or described.has_parent:
        return
    makes_fat_jar = bool(described.plugins & _MAKES_FAT_JARS)
    if not described.main_class and "spring-boot-maven-plugin" not in described.plugins:
        yield _about_pom(
            Severity.WARNING,
            "no_main_class",
            "pom.xml names no main class, so that its jar will not start",
            "name it as mainClass in the configuration of maven-jar-plugin or maven-assembly-plugin",
        )
    needed = [each for each in described.dependencies if each.scope not in _NOT_PACKED]
    if needed and not makes_fat_jar:
        yield _about_pom(
            Severity.WARNING,
            "thin_jar",
            f"nothing in pom.xml packs the dependencies into the jar ({needed[0]} would be missing)",
            "add maven-assembly-plugin with the descriptor jar-with-dependencies, or maven-shade-plugin",
        )


def _repository_problems(described: pom.Pom, folder: Path) -> Iterator[Problem]:
    for address in described.repositories:
        if re.match(r"http://(?!localhost|127\.)", address):
            yield _about_pom(
                Severity.WARNING,
                "http_repository",
                f"the repository '{address}' is not encrypted; Maven 3.8.1 and later refuse it",
                "use its https address",
            )
    for artifact in described.dependencies:
        if artifact.scope == "system" and not (folder / "lib").is_dir():
            yield _about_pom(
                Severity.WARNING,
                "system_scope",
                f"{artifact} has the scope 'system': it is not packed into the jar",
                "put the jar into lib and remove scope and systemPath",
            )
