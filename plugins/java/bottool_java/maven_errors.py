"""Cuts what Maven prints when it fails down to one line and a hint. Knows nothing of how it was started."""

import re
from pathlib import Path

from bottool.errors import BuildError
from bottool_java import pom
from bottool_java.jdk import OWN_VARIABLE, Installed

_LAST_LINES = 50
_STILL_USUAL = 8
"""The oldest Java that compilers of today take without a warning about its age."""
_HELP = re.compile(r"\s*-> \[Help \d+\]$")
_NOISE = re.compile(
    r"To see the full stack trace|Re-run Maven|For more information about|\[Help \d+\]|-> \[Help|COMPILATION ERROR"
    r"|After correcting the problems|mvn <args>|Failed to execute goal .*Compilation failure|@\s*$"
    r"|Some problems were encountered|The build could not read"
)
_MISSING = re.compile(
    r"(?:Could not (?:find|transfer) artifact|Failure to (?:find|transfer))"
    r" (?P<artifact>\S+?:\S+?)(?: \((?:present|absent)[^)]*\))? (?:in|from/to|from) (?P<where>.+)"
)
_ADDRESS = re.compile(r"(?:https?|file)://[^\s()]+")
_TYPE = re.compile(r":(?:pom|jar|maven-plugin)(?=:)")
_ARTIFACT_LIST = re.compile(
    r"artifacts could not be resolved: (.+?)(?: \((?:present|absent)[^)]*\))?: (?:Could not|Failure|\S+ was not found)"
)
_WAS_NOT_FOUND = re.compile(r"(?P<artifact>[\w.-]+:[\w.-]+:\S+) was not found in (?P<where>\S+)")
_OFFLINE = re.compile(
    r"Cannot access (?P<where>\S+) \((?P<url>[^)]+)\) in offline mode and the artifact (?P<artifact>\S+)"
    r"|(?:The repository system is offline|offline mode).*?artifact (?P<other>\S+:\S+)"
)
_COMPILER_LINE = re.compile(r"\[ERROR\] \S*?([^/\\]+\.(?:java|kt|groovy)):\[(\d+),\d+\] (.+)")
_NO_PACKAGE = re.compile(r"package (\S+) does not exist")
_BAD_RELEASE = re.compile(r"(?:invalid (?:target|source) release|release version) ?:? ?([\d.]+)(?: not supported)?")
_OLD_RELEASE = re.compile(r"(?:Source|Target) option ([\d.]+) is no longer supported\. Use ([\d.]+) or later")
_NO_PLUGIN = re.compile(r"Plugin (\S+?:\S+?)(?::(\S+))? (?:or one of its dependencies could not be resolved|not found)")
_NO_PREFIX = re.compile(r"No plugin found for prefix '([^']+)'")
_NO_VERSION = re.compile(
    r"'(?:dependencies\.dependency|build\.plugins\.plugin)\.version' for (\S+) is missing.*?line (\d+)"
)
_BAD_POM = re.compile(r"\[(?:ERROR|FATAL)\] (?:Malformed POM|Non-resolvable parent POM for|Non-parseable POM) (.+)")


def failure(output: str, folder: Path, java: Installed | None = None) -> BuildError:
    """What Maven's output says, as one line and a hint."""
    message, hint = _about_artifacts(output, folder) or _about_java(output, java) or _about_the_rest(output)
    return BuildError(message, hint, output=_shown(output), log=output)


def _shown(output: str) -> str:
    """The lines that tell something, each once: Maven repeats itself, and ends with advice about its own switches."""
    lines: dict[str, str] = {}
    for line in output.splitlines():
        plain = _HELP.sub("", line.rstrip())
        told = re.sub(r"^(\[(ERROR|FATAL)\]\s*)+", "", plain).strip()
        if told and not _NOISE.match(told):
            lines.setdefault(told, plain)
    return "\n".join(list(lines.values())[-_LAST_LINES:])


def _about_artifacts(output: str, folder: Path) -> tuple[str, str] | None:
    if match := _NO_VERSION.search(output):
        return f"pom.xml:{match[2]}: {match[1].removesuffix(':jar')} has no version", "add <version> to it"
    if match := _OFFLINE.search(output):
        artifact = _TYPE.sub("", match["artifact"] or match["other"])
        return f"Maven is offline and does not have '{artifact}'", "build once with a network, or without --offline"
    if missing := _missing_artifact(output):
        artifact, address = missing
        where = f" from '{address}'" if address else ""
        return f"Maven could not get '{artifact}'{where}", _repository_hint(folder)
    if match := _NO_PLUGIN.search(output) or _NO_PREFIX.search(output):
        return f"Maven could not get its plugin '{match[1]}'", _repository_hint(folder)
    return None


def _about_java(output: str, java: Installed | None) -> tuple[str, str] | None:
    used = f"JDK {java.version}" if java else "this JDK"
    if match := _BAD_RELEASE.search(output):
        return (
            f"{used} does not compile for Java {match[1].rstrip('.')}",
            "install that JDK, or lower maven.compiler.release in pom.xml",
        )
    if match := _OLD_RELEASE.search(output):
        oldest = max(int(match[2].removeprefix("1.").partition(".")[0] or 0), _STILL_USUAL)
        hint = f"set maven.compiler.source and maven.compiler.target to {oldest} in the properties of pom.xml"
        return (
            f"{used} does not compile for Java {match[1]} any more",
            f"{hint}, or name an older JDK by {OWN_VARIABLE}",
        )
    if match := _COMPILER_LINE.search(output):
        return f"{match[1]}:{match[2]}: {match[3]}", _compiler_hint(match[3])
    return None


def _compiler_hint(said: str) -> str:
    package = _NO_PACKAGE.match(said)
    if package is None:
        return "javac refuses this source"
    return (
        f"add the dependency that brings '{package[1]}' to pom.xml; one with <scope>test</scope> does not count for"
        " what lies outside src/test"
    )


def _about_the_rest(output: str) -> tuple[str, str]:
    if match := _BAD_POM.search(output):
        return f"Maven cannot read the project: {match[1].split('-> [Help')[0].strip()}", "mend pom.xml"
    first = next((line for line in output.splitlines() if line.startswith("[ERROR]")), "")
    reason = first.removeprefix("[ERROR]").split("-> [Help")[0].strip()
    return f"Maven failed: {reason or 'see its output'}", "run 'mvn package' yourself to try"


def _missing_artifact(output: str) -> tuple[str, str] | None:
    """The artifact, and the address that was asked for it."""
    listed = _ARTIFACT_LIST.search(output)
    match = _MISSING.search(output) or _WAS_NOT_FOUND.search(output)
    if match is None:
        return None
    address = _ADDRESS.search(match["where"])
    artifact = _TYPE.sub("", listed[1].split(", ")[0] if listed else match["artifact"])
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
