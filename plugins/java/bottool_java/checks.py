"""What ``bottool validate`` says about a Java project, without starting its build tool and without the network."""

import re
from collections.abc import Iterator
from pathlib import Path

from bottool.errors import ProjectError
from bottool.model import Problem, Project, Severity
from bottool_java import gradle, options, pom, source_checks
from bottool_java.building import main_class_of, uses_gradle

_PACKAGINGS = frozenset({"jar", "pom", "bundle", "maven-plugin"})


def problems_of(project: Project) -> Iterator[Problem]:
    """All findings; a pom that cannot be read ends them."""
    yield from options.problems_of(project)
    if (script := gradle.read(project.folder)) and uses_gradle(project.folder):
        yield from _gradle_problems(script, project)
        yield from source_checks.problems_of(project)
        return
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
    yield from _jar_problems(described, project)
    yield from _repository_problems(described, project.folder)
    yield from source_checks.problems_of(project)


def _gradle_problems(script: gradle.Script, project: Project) -> Iterator[Problem]:
    """Warnings only: a script may do what cannot be seen in it."""
    if not (script.main_class or "org.springframework.boot" in script.plugins or main_class_of(project)):
        yield Problem(
            severity=Severity.WARNING,
            code="no_main_class",
            message=f"{script.file} names no main class, so that its jar will not start",
            hint='name it in the manifest of the jar task, or in bot.toml: [java] main = "…"',
            path=script.file,
        )
    if script.dependencies and not script.packs_dependencies:
        yield Problem(
            severity=Severity.WARNING,
            code="thin_jar",
            message=f"nothing in {script.file} packs the dependencies into the jar"
            f" ({script.dependencies[0]} would be missing)",
            hint="apply the shadow plugin",
            path=script.file,
        )
    if gradle.wrapper(project.folder) is None:
        yield Problem(
            severity=Severity.WARNING,
            code="no_gradle_wrapper",
            message="the project has no Gradle wrapper, so that any Gradle builds it, or none",
            hint="run 'gradle wrapper' once, and commit what it writes",
            path=script.file,
        )


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
            f"the packaging is '{described.packaging}', which is no jar that starts by itself",
            'set <packaging>jar</packaging>, or let another language build it: language = "command" in bot.toml',
        )
    elif described.packaging == "pom" and not described.modules:
        yield _about_pom(
            Severity.ERROR,
            "not_a_jar",
            "pom.xml has the packaging 'pom' and no modules, so that it makes no jar",
            "set <packaging>jar</packaging>",
        )


def _jar_problems(described: pom.Pom, project: Project) -> Iterator[Problem]:
    """Warnings only: a parent pom or a module may do what this one does not say."""
    if described.packaging == "pom" or described.has_parent:
        return
    named = described.main_class or main_class_of(project)
    if not named and "spring-boot-maven-plugin" not in described.plugins:
        yield _about_pom(
            Severity.WARNING,
            "no_main_class",
            "pom.xml names no main class, so that its jar will not start",
            "name it as mainClass in the configuration of maven-jar-plugin or maven-assembly-plugin, or in bot.toml:"
            ' [java] main = "…"',
        )
    needed = [each for each in described.dependencies if each.needed_to_run]
    if needed and not described.packs_dependencies:
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
