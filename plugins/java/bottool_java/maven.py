"""Runs Maven on a copy of a project: by the project's own wrapper, or the ``mvn`` on PATH. Knows no jars, no bots."""

import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bottool_java import pom
from bottool_java.build_tool import BuildTool, Tools, install_hint, installed_tool, project_wrapper, run_tool
from bottool_java.jdk import Installed
from bottool_java.maven_errors import failure

_OWN_PROPERTIES = "META-INF/maven/org.apache.maven/maven-core/pom.properties"

__all__ = ["install_hint", "on_path", "package", "version", "wrapper"]


def wrapper(folder: Path) -> BuildTool | None:
    """The project's own Maven, which its wrapper fetches."""
    settings = folder / ".mvn" / "wrapper" / "maven-wrapper.properties"
    return project_wrapper("Maven", folder, "mvnw", "mvnw.cmd", settings)


def on_path(variables: Mapping[str, str]) -> Path | None:
    """The ``mvn`` on PATH, or None."""
    found = shutil.which("mvn", path=variables.get("PATH", ""))
    return Path(found) if found else None


def version(program: Path) -> str:
    """The version as Maven's own library says it, without starting Maven; empty when it lies elsewhere."""
    for library in (program.resolve().parent.parent / "lib").glob("maven-core*.jar"):
        try:
            with zipfile.ZipFile(library) as archive:
                said = archive.read(_OWN_PROPERTIES).decode()
        except (OSError, KeyError, zipfile.BadZipFile):
            continue
        if match := re.search(r"^version=(\S+)", said, re.MULTILINE):
            return match[1]
    return ""


def package(
    folder: Path, described: pom.Pom, java: Installed, variables: Mapping[str, str], extra: Sequence[str] = ()
) -> None:
    """Run ``mvn package`` in ``folder``, without tests. Uses the user's own Maven settings and local repository.

    :raises BuildError: when Maven fails; the message names the artifact and repository, or the line, that it is about.
    :raises ToolMissing: when there is neither a wrapper nor Maven on PATH.
    """
    # Modules may use each other's test classes, so there they are compiled, though not run.
    skip = "-DskipTests" if described.modules else "-Dmaven.test.skip=true"
    # A plain "mvn package" asks repositories for release versions only once, so "--offline" would save nothing.
    arguments = ("-B", "-ntp", "-q", "package", skip, *extra)
    tools = Tools(
        title="Maven",
        wrapper=wrapper(folder),
        installed=installed_tool("Maven", "mvn", variables),
        # A failure of Maven has lines of this kind; a wrapper that found no Maven says something else.
        ran=lambda said: "[ERROR]" in said or "[FATAL]" in said,
    )
    ran = run_tool(tools, arguments, folder, java, variables)
    if ran.status:
        raise failure(ran.output, folder, java)
