"""The table ``[java]`` of ``bot.toml``: its keys, their types, and the options of the virtual machine that it may name.

What the runner must know of it travels in the package's manifest, under ``java``. A package is a stranger's word there,
so what is read back passes the same sieve again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bottool.errors import did_you_mean
from bottool.model import Problem, Project, Severity

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Starts in about half the time; a bot that computes for minutes gets slower."""
_COLLECTOR = re.compile(r"-XX:\+Use\w+GC")
_ALLOWED = re.compile(
    r"-X(ms|mx|mn|ss)\d+[kKmMgG]?"
    r"|-D[A-Za-z_][\w.-]*(=[^\n]*)?"
    r"|--(add-opens|add-exports|add-reads|add-modules|enable-native-access)=[\w./,=-]+"
    r"|-(ea|esa|enableassertions|enablesystemassertions)(:[\w.]+)?"
    r"|-XX:[+-]Use(Serial|Parallel|G1|Z|Shenandoah)GC"
    r"|-XX:[+-](UseStringDeduplication|UseCompactObjectHeaders|HeapDumpOnOutOfMemoryError|ExitOnOutOfMemoryError)"
    r"|-XX:(Max|Initial|Min)RAMPercentage=[\d.]+"
    r"|-XX:(MaxMetaspaceSize|ReservedCodeCacheSize|MaxDirectMemorySize)=\d+[kKmMgG]?"
    r"|-XX:(TieredStopAtLevel|ActiveProcessorCount)=\d+"
)
_MOST_OPTIONS = 50


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool)


OPTIONS: dict[str, Callable[[Any], bool]] = {
    "jar": _text,
    "main": _text,
    "maven_arguments": _texts,
    "gradle_arguments": _texts,
    "options": _texts,
    "quick_start": _yes_or_no,
}
_WANTED: dict[Callable[[Any], bool], str] = {
    _text: "a text in quotes",
    _texts: 'a list of texts, such as ["-Pproduction"]',
    _yes_or_no: "true or false",
}


def of_project(project: Project) -> dict[str, Any]:
    """The options of ``bot.toml`` that are of the right type; ``validate`` reports the others."""
    return {name: value for name, value in project.options.items() if name in OPTIONS and OPTIONS[name](value)}


def for_manifest(project: Project, feature: int) -> dict[str, Any]:
    """What the runner should know: the Java that the classes need, and how the bot wants to be started."""
    said = of_project(project)
    told: dict[str, Any] = {"release": feature}
    if said.get("quick_start"):
        told["quick_start"] = True
    if said.get("options"):
        told["options"] = said["options"]
    return told


def machine_options(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The options for the virtual machine that a manifest asks for; what may not be asked for is left away."""
    told = manifest.get("java")
    if not isinstance(told, dict):
        return ()
    asked = told.get("options")
    options = tuple(each for each in asked[:_MOST_OPTIONS] if allowed(each)) if isinstance(asked, list) else ()
    if told.get("quick_start") is not True:
        return options
    collector_chosen = any(_COLLECTOR.fullmatch(each) for each in options)
    quick = QUICK_START[:1] if collector_chosen else QUICK_START
    return (*quick, *options)


def allowed(option: Any) -> bool:
    """True for options that set sizes, properties, modules and the collector.

    Not for agents, class paths, files of options or commands to run on an error: what is started is the jar that was
    inspected, and nothing else.
    """
    return isinstance(option, str) and _ALLOWED.fullmatch(option) is not None


def problems_of(project: Project) -> Iterator[Problem]:
    """What is wrong with the table ``[java]``."""
    for name, value in project.options.items():
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS) or f"there are: {', '.join(sorted(OPTIONS))}"
            yield _error("bad_option", f"unknown option '{name}' in [java]", hint)
        elif not OPTIONS[name](value):
            yield _error("bad_option", f"'{name}' in [java] has the wrong type", _WANTED[OPTIONS[name]])
    yield from _refused(of_project(project).get("options", ()))


def _refused(options: Iterable[str]) -> Iterator[Problem]:
    for each in options:
        if not allowed(each):
            hint = "allowed are -Xmx and its like, -D…, --add-opens=…, -ea, and a few -XX: options"
            yield _error("java_option_refused", f"'{each}' in [java] options is not passed to a bot", hint)


def _error(code: str, message: str, hint: str) -> Problem:
    return Problem(severity=Severity.ERROR, code=code, message=message, hint=hint, path="bot.toml")
