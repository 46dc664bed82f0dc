"""Dependencies as Poetry writes them, ``[tool.poetry.dependencies]``, translated into the standard's words.

What cannot be translated is left unsaid rather than guessed. Source: Poetry's documentation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NUMBER = re.compile(r"\d+")


def dependencies(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Requirement lines of the table ``[tool.poetry.dependencies]``; optional ones and Python itself are no part."""
    found = []
    for name, said in table.items():
        if name.lower() != "python":
            found += [line for each in (said if isinstance(said, list) else [said]) if (line := _line(name, each))]
    return tuple(found)


def python_range(table: Mapping[str, Any]) -> str:
    said = table.get("python")
    return versions(said) if isinstance(said, str) else ""


def versions(said: str) -> str:
    """``^1.2`` as ``>=1.2,<2``; ``""`` for any version, and for alternatives (``||``), which no specifier says."""
    if "|" in said:
        return ""
    return ",".join(_specifiers(said))


def _specifiers(said: str) -> Iterator[str]:
    for part in filter(None, (each.strip() for each in said.split(","))):
        if part == "*":
            continue
        if part[0] in "^~" and not part.startswith("~="):
            low = part[1:].strip()
            yield f">={low}"
            yield f"<{_above(low, caret=part[0] == '^')}"
        else:
            yield part.replace(" ", "") if part[0] in "<>=!~" else f"=={part}"


def _above(low: str, *, caret: bool) -> str:
    """The first version that a caret or tilde no longer allows."""
    numbers = [int(each) for each in _NUMBER.findall(low)[:3]] or [0]
    if caret:
        at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        at = min(1, len(numbers) - 1)
    return ".".join(str(each) for each in (*numbers[:at], numbers[at] + 1))


def _line(name: str, said: Any) -> str:
    if isinstance(said, str):
        return f"{name}{versions(said)}"
    if not isinstance(said, dict) or said.get("optional"):
        return ""
    extras = f"[{','.join(map(str, said['extras']))}]" if isinstance(said.get("extras"), list) else ""
    link = _link(said)
    wanted = f"{name}{extras} @ {link}" if link else f"{name}{extras}{versions(str(said.get('version', '*')))}"
    marker = _marker(said)
    return f"{wanted} ; {marker}" if marker else wanted


def _link(said: Mapping[str, Any]) -> str:
    if "git" in said:
        at = next((str(said[key]) for key in ("rev", "tag", "branch") if key in said), "")
        return f"git+{said['git']}{'@' + at if at else ''}"
    return str(said.get("url", "") or (f"./{said['path']}".replace("././", "./") if "path" in said else ""))


def _marker(said: Mapping[str, Any]) -> str:
    parts = [f"({said['markers']})"] if said.get("markers") else []
    if isinstance(said.get("python"), str):
        for each in _specifiers(said["python"]):
            operator = re.match(r"[<>=!~]+", each)
            if operator:
                parts.append(f"python_version {operator[0]} '{each[operator.end() :]}'")
    if isinstance(said.get("platform"), str):
        parts.append(f"sys_platform == '{said['platform']}'")
    return " and ".join(parts)
