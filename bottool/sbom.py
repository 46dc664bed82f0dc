"""What a bot is made of, as CycloneDX 1.6 JSON. Knows values only: no archive, no server, no clock.

The same package gives the same document: its serial number follows from the package's checksum, and it has no time.
Source: the CycloneDX 1.6 JSON schema; the types of package URLs are those of ECMA-427.
"""

import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from bottool import __version__
from bottool.model import Dependency

MEDIA_TYPE = "application/vnd.cyclonedx+json"
_RUNS_OF_SIGNS = re.compile(r"[-_.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The bot that a document is about; ``sha256`` is its package's."""

    bot_id: str
    version: str
    language: str
    sha256: str
    entry: str = ""
    requires: str = ""
    locked: bool = False


def document(subject: Subject, dependencies: Iterable[Dependency]) -> dict[str, Any]:
    """The whole document, as JSON values, valid against the official schema."""
    parts = _unique(dependencies)
    direct = [reference for reference, part in parts.items() if part.direct] or list(parts)
    bot = f"bot:{subject.bot_id}@{subject.version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, f'bottool:{subject.sha256}')}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "bottool", "version": __version__}]},
            "component": _bot(subject, bot),
            "properties": [{"name": "bottool:locked", "value": "true" if subject.locked else "false"}],
        },
        "components": [_component(reference, part) for reference, part in parts.items()],
        "dependencies": [{"ref": bot, "dependsOn": direct}, *({"ref": reference} for reference in parts)],
    }


def text(made: dict[str, Any]) -> str:
    """A document as JSON text, the same bytes each time."""
    return json.dumps(made, ensure_ascii=False, indent=2) + "\n"


def package_url(dependency: Dependency) -> str:
    """``pkg:npm/%40scope/name@1.0``; without the version where nothing says it."""
    version = f"@{quote(dependency.version, safe='.-_~')}" if dependency.version else ""
    return f"pkg:{dependency.ecosystem or 'generic'}/{_path(dependency)}{version}"


def _path(dependency: Dependency) -> str:
    name = dependency.name
    if dependency.ecosystem == "pypi":
        name = _RUNS_OF_SIGNS.sub("-", name).lower()
    elif dependency.ecosystem == "maven":
        name = name.replace(":", "/")
    elif dependency.ecosystem == "npm":
        name = name.lower()
    return "/".join(quote(part, safe=".-_~") for part in name.split("/") if part)


def _unique(dependencies: Iterable[Dependency]) -> dict[str, Dependency]:
    """By package URL, sorted: a reference may name one component only. What came along and was asked for is direct."""
    found: dict[str, Dependency] = {}
    for each in dependencies:
        reference = package_url(each)
        if reference not in found or each.direct:
            found[reference] = each
    return dict(sorted(found.items()))


def _bot(subject: Subject, reference: str) -> dict[str, Any]:
    said = {"language": subject.language, "entry": subject.entry, "requires": subject.requires}
    return {
        "type": "application",
        "bom-ref": reference,
        "name": subject.bot_id,
        "version": subject.version,
        "hashes": [{"alg": "SHA-256", "content": subject.sha256}],
        "properties": [{"name": f"bottool:{name}", "value": value} for name, value in said.items() if value],
    }


def _component(reference: str, dependency: Dependency) -> dict[str, Any]:
    group, _, name = _group_and_name(dependency)
    made: dict[str, Any] = {"type": "library", "bom-ref": reference}
    if group:
        made["group"] = group
    made["name"] = name
    if dependency.version:
        made["version"] = dependency.version
    if dependency.licence:
        made["licenses"] = _licences(dependency.licence)
    made["purl"] = reference
    return made


def _group_and_name(dependency: Dependency) -> tuple[str, str, str]:
    if dependency.ecosystem == "maven" and ":" in dependency.name:
        return dependency.name.partition(":")
    if dependency.ecosystem == "npm" and dependency.name.startswith("@"):
        return dependency.name.partition("/")
    return "", "", dependency.name


def _licences(said: str) -> list[dict[str, Any]]:
    """An SPDX id or expression where it is one, else the words as they are."""
    try:
        expression = canonicalize_license_expression(said)
    except InvalidLicenseExpression:
        return [{"license": {"name": said}}]
    if " " in expression or expression.startswith("LicenseRef-"):
        return [{"expression": str(expression)}]
    return [{"license": {"id": str(expression)}}]
