"""Reads ``build.gradle`` as far as bottool must know it, and runs a project's own Gradle on a copy.

A build script is a program: what is read here are the few lines that most of them have in common, and what cannot be
seen is empty. Knows no jars and no bots.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bottool_java import marks
from bottool_java.build_tool import BuildTool, Tools, installed_tool, project_wrapper, run_tool
from bottool_java.gradle_errors import failure
from bottool_java.jdk import Installed

_SETTINGS = ("settings.gradle", "settings.gradle.kts")
_LIMIT_BYTES = 1_000_000
_COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
_PLUGIN = re.compile(
    r"""(?:\bid\s*\(?\s*|apply\s*\(?\s*plugin\s*[:=]\s*)["']([\w.-]+)["']|^\s*`?([a-z][a-z-]+)`?\s*$""", re.MULTILINE
)
_SHADOW = frozenset({"com.github.johnrengelman.shadow", "com.gradleup.shadow", "io.github.goooler.shadow"})
_BOOT = "org.springframework.boot"
_FAT_JAR_TASK = re.compile(
    r"""tasks\.(?:register|create)(?:<Jar>)?\s*\(\s*["'](\w+)["'](?:\s*,\s*Jar\b)?|^\s*task\s+["']?(\w+)["']?\s*\([^)]*Jar""",
    re.MULTILINE,
)
_MAIN_CLASS = re.compile(
    r"""["']?(?:Main-Class["']?\s*(?:[:=]|to)|(?<!\w)mainClass(?:Name)?(?:\.set)?\s*[=(]|mainClassName\s)\s*\(?\s*["']([\w.$]+)["']"""
)
_RELEASES = (
    re.compile(r"options\.release(?:\.set)?\s*[=(]\s*(\d+)"),
    re.compile(
        r"targetCompatibility\s*[=( ]\s*(?:JavaVersion\.VERSION_|JavaVersion\.toVersion\(|[\"'])?(?:1[._])?(\d+)"
    ),
    re.compile(
        r"sourceCompatibility\s*[=( ]\s*(?:JavaVersion\.VERSION_|JavaVersion\.toVersion\(|[\"'])?(?:1[._])?(\d+)"
    ),
    re.compile(r"JavaLanguageVersion\.of\s*\(\s*[\"']?(\d+)"),
    re.compile(r"jvmToolchain\s*\(\s*(\d+)"),
)
_NAME = re.compile(r"""rootProject\.name\s*=\s*["']([^"'$]+)["']""")
_VERSION = re.compile(r"""^\s*version\s*=?\s*\(?["']([^"'$]+)["']""", re.MULTILINE)
_REPOSITORY = re.compile(r"""url\s*[=(:]?\s*(?:uri\s*\(\s*)?["'](https?://[^"'$]+)["']""")
_DEPENDENCY = re.compile(
    r"""(?:^|[{;])\s*(?:implementation|api|compile|runtimeOnly|runtime)\b\s*\(?\s*["']([\w.-]+:[\w.-]+(?::[^"']*)?)["']""",
    re.MULTILINE,
)
_PACKS_ALL = re.compile(r"runtimeClasspath|configurations\.compileClasspath|configurations\.compile\b")
_NEWEST_JAVA = (
    ((9, 1), 25),
    ((8, 14), 24),
    ((8, 10), 23),
    ((8, 8), 22),
    ((8, 5), 21),
    ((8, 3), 20),
    ((7, 6), 19),
    ((7, 5), 18),
    ((7, 3), 17),
    ((7, 0), 16),
    ((6, 7), 15),
    ((6, 3), 14),
    ((6, 0), 13),
    ((5, 4), 12),
    ((5, 0), 11),
    ((4, 7), 10),
    ((2, 0), 8),
)
"""The newest Java that a Gradle of this version, or of a later one, runs on. Source: Gradle's compatibility matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a build script says, as far as it can be seen. ``newest_java`` is the newest that its Gradle runs on."""

    file: str
    text: str
    name: str = ""
    version: str = ""
    release: int = 0
    main_class: str = ""
    plugins: frozenset[str] = frozenset()
    repositories: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    newest_java: int = 0

    @property
    def task(self) -> str:
        """The task that makes the jar that starts by itself."""
        if self.plugins & _SHADOW:
            return "shadowJar"
        if _BOOT in self.plugins:
            return "bootJar"
        named = [first or second for first, second in _FAT_JAR_TASK.findall(self.text)]
        fat = next((each for each in named if re.search(r"fat|uber|all|shadow|jar", each, re.IGNORECASE)), "")
        return fat or "jar"

    @property
    def packs_dependencies(self) -> bool:
        return self.task in {"shadowJar", "bootJar"} or bool(_PACKS_ALL.search(self.text))


def read(folder: Path) -> Script | None:
    """What the build script of ``folder`` says; ``None`` when there is none."""
    path = marks.gradle_script_of(folder)
    if path is None:
        return None
    text = _COMMENT.sub("", _text(path))
    settings = "\n".join(_text(folder / name) for name in _SETTINGS)
    properties = _text(folder / "gradle.properties")
    said_version = _VERSION.search(text) or re.search(r"^\s*version\s*=\s*(\S+)", properties, re.MULTILINE)
    return Script(
        file=path.name,
        text=text,
        name=_first(_NAME, settings),
        version=said_version[1] if said_version else "",
        release=next((int(found[1]) for each in _RELEASES if (found := each.search(text))), 0),
        main_class=_first(_MAIN_CLASS, text),
        plugins=frozenset(first or second for first, second in _PLUGIN.findall(text)),
        repositories=tuple(_REPOSITORY.findall(text)),
        dependencies=tuple(_DEPENDENCY.findall(text)),
        newest_java=_newest_java(_text(folder / "gradle" / "wrapper" / "gradle-wrapper.properties")),
    )


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(_LIMIT_BYTES)
    except OSError:
        return ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1].strip() if found else ""


def _newest_java(properties: str) -> int:
    found = re.search(r"distributionUrl\s*=.*gradle-(\d+)\.(\d+)", properties)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return next((java for since, java in _NEWEST_JAVA if version >= since), 0)


def wrapper(folder: Path) -> BuildTool | None:
    """The project's own Gradle, which its wrapper fetches."""
    settings = folder / "gradle" / "wrapper" / "gradle-wrapper.properties"
    return project_wrapper("Gradle", folder, "gradlew", "gradlew.bat", settings)


def package(
    folder: Path, script: Script, java: Installed, variables: Mapping[str, str], extra: Sequence[str] = ()
) -> None:
    """Let Gradle make the jar in ``folder``, without tests.

    :raises BuildError: when Gradle fails; the message names the artifact and repository, or the line, that it is about.
    :raises ToolMissing: when there is neither a wrapper nor a ``gradle`` on PATH.
    """
    arguments = ("--no-daemon", "--console=plain", "-q", script.task, "-x", "test", *extra)
    tools = Tools(
        title="Gradle",
        wrapper=wrapper(folder),
        installed=installed_tool("Gradle", "gradle", variables),
        # The failure of a build has a heading; a wrapper that found no Gradle says something else.
        ran=lambda said: "FAILURE:" in said,
    )
    ran = run_tool(tools, arguments, folder, java, variables)
    if ran.status:
        raise failure(ran.output, script.repositories, java)
