"""Runs Maven on a copy of a project, and says in one line what went wrong when it fails.

Nothing of Maven's output is understood but its error lines. Knows no jars and no bots.
"""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import BuildError, ToolMissing
from bottool_java import pom
from bottool_java.jdk import Installed, utf8_locale

_LAST_LINES = 50
_OWN_PROPERTIES = "META-INF/maven/org.apache.maven/maven-core/pom.properties"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MISSING = re.compile(
    r"(?:Could not (?:find|transfer) artifact|Failure to (?:find|transfer))"
    r" (?P<artifact>\S+?:\S+?)(?: \((?:present|absent)[^)]*\))? (?:in|from/to|from) (?P<where>.+)"
)
_ADDRESS = re.compile(r"(?:https?|file)://[^\s()]+")
_TYPE = re.compile(r":(?:pom|jar)(?=:)")
_ARTIFACT_LIST = re.compile(r"artifacts could not be resolved: (.+?): (?:Could not|Failure|\S+ was not found)")
_WAS_NOT_FOUND = re.compile(r"(?P<artifact>[\w.-]+:[\w.-]+:\S+) was not found in (?P<where>\S+)")
_COMPILER_LINE = re.compile(r"\[ERROR\] \S*?([^/\\]+\.java):\[(\d+),\d+\] (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maven:
    """``wrapper`` is true for a project's own ``mvnw``."""

    program: Path
    wrapper: bool = False


def find(folder: Path, variables: Mapping[str, str]) -> Maven:
    """The project's own wrapper if it can be started, else the ``mvn`` on PATH.

    :raises ToolMissing: when there is neither.
    """
    wrapper = folder / ("mvnw.cmd" if os.name == "nt" else "mvnw")
    if wrapper.is_file() and os.access(wrapper, os.X_OK) and (folder / ".mvn" / "wrapper").is_dir():
        return Maven(program=wrapper, wrapper=True)
    found = on_path(variables)
    if found is None:
        raise ToolMissing("building a Java bot needs Maven, and there is no 'mvn' on PATH", install_hint())
    return Maven(program=found)


def on_path(variables: Mapping[str, str]) -> Path | None:
    """The ``mvn`` on PATH, or None."""
    found = shutil.which("mvn", path=variables.get("PATH", ""))
    return Path(found) if found else None


def install_hint() -> str:
    """The line to type on this system."""
    if os.name == "nt":
        return "winget has no Maven: choco install maven, or unpack it and put its bin folder on PATH"
    if sys.platform == "darwin":
        return "brew install maven"
    return "sudo dnf install maven" if shutil.which("dnf") and not shutil.which("apt") else "sudo apt install maven"


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


def package(folder: Path, java: Installed, variables: Mapping[str, str], extra: Sequence[str] = ()) -> None:
    """Run ``mvn package`` in ``folder``, without tests. Uses the user's own Maven settings and local repository.

    :raises BuildError: when Maven fails; the message names the artifact and repository, or the line, that it is about.
    """
    maven = find(folder, variables)
    # A plain "mvn package" asks repositories for release versions only once, so "--offline" would save nothing.
    arguments = [str(maven.program), "-B", "-ntp", "-q", "package", "-DskipTests", *extra]
    try:
        ended = subprocess.run(
            arguments,
            cwd=folder,
            env={**variables, "JAVA_HOME": str(java.home), **utf8_locale(variables)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildError(f"'{maven.program}' could not be started: {error.strerror}") from error
    if ended.returncode:
        raise failure(_COLOUR.sub("", ended.stdout), folder)


def failure(output: str, folder: Path) -> BuildError:
    """What Maven's output says, as one line and a hint."""
    last = "\n".join(line for line in output.splitlines()[-_LAST_LINES:] if line.strip())
    if missing := _missing_artifact(output):
        artifact, address = missing
        where = f" from '{address}'" if address else ""
        return BuildError(f"Maven could not get '{artifact}'{where}", _repository_hint(folder), output=last)
    if match := _COMPILER_LINE.search(output):
        return BuildError(f"{match[1]}:{match[2]}: {match[3]}", "javac refuses this source", output=last)
    first = next((line for line in output.splitlines() if line.startswith("[ERROR]")), "")
    reason = first.removeprefix("[ERROR]").split("-> [Help")[0].strip()
    return BuildError(f"Maven failed: {reason or 'see its output'}", "run 'mvn package' yourself to try", output=last)


def _missing_artifact(output: str) -> tuple[str, str] | None:
    """The artifact, and the address that was asked for it."""
    listed = _ARTIFACT_LIST.search(output)
    match = _MISSING.search(output) or _WAS_NOT_FOUND.search(output)
    if match is None:
        return None
    address = _ADDRESS.search(match["where"])
    artifact = _TYPE.sub("", listed[1] if listed else match["artifact"])
    return artifact, (address[0].rstrip(":,") if address else "")


def _repository_hint(folder: Path) -> str:
    repositories = [address for address in pom.read(folder).repositories if address]
    if repositories:
        listed = ", ".join(f"'{address}'" for address in repositories)
        return f"pom.xml names the repository {listed}: it must answer from this machine, and hold the artifact"
    return (
        "it is in no public repository: name the private one in pom.xml or in Maven's settings.xml, or put the jar"
        " into the project's lib folder as ARTIFACT-VERSION.jar"
    )
