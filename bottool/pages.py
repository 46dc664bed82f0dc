"""The page of a problem's code: what it means, why it matters, how to mend it. Knows only where pages lie.

They are written in ``docs/problems``; a wheel carries them as ``bottool/problems``.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_HERE = Path(__file__).resolve().parent
_FOLDERS = (_HERE / "problems", _HERE.parent / "docs" / "problems")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``text`` is Markdown; its first line is ``# code``, the first paragraph says in a sentence what it means."""

    code: str
    name: str
    """The file's path in the repository."""
    text: str

    @property
    def summary(self) -> str:
        """The first paragraph, on one line and without marks."""
        paragraph = next((part for part in self.text.split("\n\n")[1:] if part.strip()), self.code)
        return " ".join(paragraph.replace("`", "").split())


def page_of(code: str) -> Page | None:
    """The page of a code; ``None`` for one without, as plugins of others may have."""
    if not _CODE.fullmatch(code):
        return None
    for folder in _FOLDERS:
        path = folder / f"{code}.md"
        if path.is_file():
            return Page(code=code, name=f"docs/problems/{code}.md", text=path.read_text(encoding="utf-8"))
    return None


def codes() -> list[str]:
    """All codes that have a page, sorted."""
    folder = next((each for each in _FOLDERS if each.is_dir()), None)
    return sorted(path.stem for path in folder.glob("*.md") if path.stem != "README") if folder else []
