"""Cuts what Gradle prints when it fails down to one line and a hint. Written after its documented output."""

import re
from collections.abc import Sequence

from bottool.errors import BuildError
from bottool_java.jdk import Installed

_LAST_LINES = 50
_NOISE = re.compile(r"\* Try:|> (Run with|Get more help)|\* Get more help|BUILD FAILED|Deprecated Gradle features|> $")
_COMPILER_LINE = re.compile(r"^\S*?([^/\\\s]+\.(?:java|kt|groovy)):(\d+): (?:error: )?(.+)", re.MULTILINE)
_NOT_RESOLVED = re.compile(r"Could not (?:resolve|find|get|download) (?:all \w+ )?([\w.-]+:[\w.-]+(?::[\w.+-]*\w)?)")
_ADDRESS = re.compile(r"""(?:Could not (?:GET|HEAD) '|^\s*- |from ')(https?://[^'\s]+)""", re.MULTILINE)
_WENT_WRONG = re.compile(r"\* What went wrong:\n(.+?)(?:\n\* |\n\n|\Z)", re.DOTALL)
_TOO_NEW = re.compile(r"Unsupported class file major version (\d+)")
_RELEASE = re.compile(
    r"(?:invalid (?:source|target) release|release version): ?([\d.]+)|release version (\d+) not supported"
)
_TOOLCHAIN = re.compile(r"languageVersion=(\d+)|Java \[?(?:installation|toolchain).*?(\d+)")


def failure(output: str, repositories: Sequence[str], java: Installed) -> BuildError:
    """What Gradle's output says, as one line and a hint."""
    last = "\n".join(line for line in output.splitlines()[-_LAST_LINES:] if line.strip())
    message, hint = _said(output, repositories, java)
    return BuildError(message, hint, output=_shown(last), log=output)


def _shown(output: str) -> str:
    """Without Gradle's advice about its own switches, and each line once."""
    lines = (line.rstrip() for line in output.splitlines() if not _NOISE.match(line))
    return "\n".join(dict.fromkeys(lines))


def _said(output: str, repositories: Sequence[str], java: Installed) -> tuple[str, str]:
    if _TOO_NEW.search(output):
        return (
            f"this project's Gradle does not run on Java {java.version}",
            "name an older JDK by BOTTOOL_JAVA, or raise distributionUrl in gradle/wrapper/gradle-wrapper.properties",
        )
    if match := _NOT_RESOLVED.search(output):
        address = _ADDRESS.search(output)
        where = f" from '{address[1]}'" if address else ""
        return f"Gradle could not get '{match[1]}'{where}", _repository_hint(repositories)
    if match := _RELEASE.search(output):
        return f"JDK {java.version} does not compile for Java {match[1] or match[2]}", "install that JDK, or lower it"
    if "toolchain" in output and (match := _TOOLCHAIN.search(output)):
        return (
            f"Gradle found no JDK {match[1] or match[2]}, which the script asks for",
            "install it; see 'bottool doctor'",
        )
    if match := _COMPILER_LINE.search(output):
        return f"{match[1]}:{match[2]}: {match[3]}", "the compiler refuses this source"
    match = _WENT_WRONG.search(output)
    reason = " ".join(line.strip(" >") for line in match[1].splitlines()[:3]) if match else "see its output"
    return f"Gradle failed: {reason}", "run './gradlew build' yourself to try"


def _repository_hint(repositories: Sequence[str]) -> str:
    if repositories:
        listed = ", ".join(f"'{each}'" for each in repositories)
        return f"the script names the repository {listed}: it must answer from this machine, and hold the artifact"
    return "it is in no repository that the script names, or this machine is offline"
