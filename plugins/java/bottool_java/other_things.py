"""Folders of Java that are no bots: libraries, web and Android applications, templates that nobody has filled in."""

import re
from pathlib import Path

from bottool.errors import ProjectError
from bottool_java import gradle, pom, source_checks

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\$\{\{|__[A-Z_]{3,}__")
_PACKAGINGS = {
    "war": "a web application (packaging 'war')",
    "ear": "an enterprise application (packaging 'ear')",
    "aar": "an Android library",
    "apk": "an Android application",
    "maven-plugin": "a plugin for Maven",
    "maven-archetype": "a template for Maven (an archetype)",
    "hpi": "a plugin for Jenkins",
}
_MAIN_ELSEWHERE = frozenset({"spring-boot-maven-plugin", "quarkus-maven-plugin", "micronaut-maven-plugin"})
_ANDROID = re.compile(r"com\.android\.(application|library)|\bandroid\s*\{")
_GRADLE_PLUGINS = {"java-gradle-plugin": "a plugin for Gradle", "war": "a web application (plugin 'war')"}
_STARTS = frozenset({"application", "org.springframework.boot"})


def what_else(folder: Path) -> str:
    """What a folder of Java is instead of a bot; ``""`` when it may be one."""
    if (folder / pom.FILE_NAME).is_file():
        return _by_maven(folder)
    script = gradle.read(folder)
    return _by_gradle(folder, script) if script is not None else ""


def _by_maven(folder: Path) -> str:
    try:
        described = pom.read(folder)
    except ProjectError:
        # validate says what is wrong with it.
        return ""
    if any(_PLACEHOLDER.search(text) for text in (described.artifact, described.version, described.main_class)):
        return "a template whose {{ }} are not filled in"
    if described.packaging in _PACKAGINGS:
        return _PACKAGINGS[described.packaging]
    if described.packaging == "pom" and not described.modules:
        return "a parent of other projects (packaging 'pom')"
    may_start = described.main_class or described.modules or described.plugins & _MAIN_ELSEWHERE
    return "" if may_start else _without_main(folder)


def _by_gradle(folder: Path, script: gradle.Script) -> str:
    if _ANDROID.search(script.text) or (folder / "app" / "src" / "main" / "AndroidManifest.xml").is_file():
        return "an Android project"
    for plugin, what in _GRADLE_PLUGINS.items():
        if plugin in script.plugins:
            return what
    if script.main_class or script.plugins & _STARTS:
        return ""
    return _without_main(folder)


def _without_main(folder: Path) -> str:
    """Only where there are sources: an empty folder is a bot that is not written yet."""
    if next(source_checks.source_paths(folder), None) is None:
        tests = next((folder / "src" / "test").rglob("*.java"), None) if (folder / "src" / "test").is_dir() else None
        return "a test suite" if tests else ""
    return "" if source_checks.has_main(folder) else "a library (no class has a main method)"
