"""What a page may show of a result file: text, a table, a picture; never anything that a browser would run."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bottool import wire
from bottool_web.actions import artifacts, media_types
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

TEXT_BYTES = 64 * 1024
TABLE_ROWS = 50
TABLE_COLUMNS = 50
CELL_LETTERS = 500
IMAGE_BYTES = 20 * 1024 * 1024
_TEXTS = {media_types.TEXT, media_types.JSON, media_types.CSV, "text/html", "text/xml", "image/svg+xml"}
"""Shown as the text that they are; markup too."""
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """``cut``: the file goes on after what is shown. ``rows`` begin with the first line, which often is a heading."""

    kind: Literal["none", "text", "table", "image"]
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    cut: bool = False


@action("artifact.read")
def preview(site: Site, who: Principal, artifact_id: int) -> Preview:
    """What to show of an artifact; of one without bytes, or with bytes for programs only, nothing."""
    found = artifacts.get_artifact(site, who, artifact_id)
    if found.state != "stored":
        return Preview(kind="none")
    if is_shown_as_image(found):
        return Preview(kind="image")
    if found.media_type not in _TEXTS:
        return Preview(kind="none")
    _, path = artifacts.content(site, who, artifact_id)
    return _of_text(_beginning(path), found)


def is_shown_as_image(found: wire.Artifact) -> bool:
    return found.media_type in media_types.IMAGES and found.size_bytes <= IMAGE_BYTES


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        # The last character may be cut, and not all that comes later need be text.
        return file.read(TEXT_BYTES).decode("utf-8-sig", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _of_text(text: str, found: wire.Artifact) -> Preview:
    cut = found.size_bytes > TEXT_BYTES
    if found.media_type == media_types.CSV and (rows := _table(text, whole=not cut)):
        more = cut or len(rows) > TABLE_ROWS
        return Preview(kind="table", rows=rows[:TABLE_ROWS], cut=more)
    if found.media_type == media_types.JSON and not cut:
        text = _pretty(text)
    return Preview(kind="text", text=text, cut=cut)


def _table(text: str, *, whole: bool) -> tuple[tuple[str, ...], ...]:
    """One row more than is shown, where there are so many; nothing when it is no table."""
    lines = text if whole else text[: text.rfind("\n") + 1]
    first = lines.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    rows = []
    try:
        for row in csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter):
            rows.append(tuple(cell[:CELL_LETTERS] for cell in row[:TABLE_COLUMNS]))
            if len(rows) > TABLE_ROWS:
                break
    except csv.Error:
        return ()
    return tuple(rows)


def _pretty(text: str) -> str:
    try:
        made = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
    # Half of a surrogate pair can be written in JSON, but not in a page.
    return made.encode("utf-8", "replace").decode()
