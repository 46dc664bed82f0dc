"""What ``.gitignore`` and ``.bottoolignore`` files say of a path: the deepest file counts first, its last line wins.

Both speak git's language of patterns. ``.bottoolignore`` counts after ``.gitignore``, wherever either lies. Knows
nothing of what is left out for other reasons, and nothing of what git keeps in its index: a file that git tracks
although a line of ``.gitignore`` fits it counts as ignored here, so that a checkout and a download give one package.
"""

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

GIT = ".gitignore"
OWN = ".bottoolignore"
_NAMED_GROUP = re.compile(r"\(\?P<\w+>")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``ignored`` is false where a line that starts with ``!`` takes the path back; ``line`` tells verdicts apart."""

    ignored: bool
    file: str
    line: int


class _Rules:
    """The lines of one file. ``base`` is its folder relative to the bot's, with ``/``; ``above`` the way down to it."""

    def __init__(self, text: str, *, label: str, base: str = "", above: str = "") -> None:
        self._label = label
        self._base = base
        self._above = above
        from pathspec import GitIgnoreSpec  # takes a while to import, and many bots have no such file

        self._spec = GitIgnoreSpec.from_lines(_usable(text))
        # Most paths fit no line at all: one expression for all lines says so at a tenth of the cost.
        found = [_expression(each) for each in self._spec.patterns]
        self._any = re.compile("|".join(f"(?:{each})" for each in found if each) or r"(?!)")

    def of(self, name: str) -> Verdict | None:
        path = self._above + name[len(self._base) :]
        if not self._any.match(path):
            return None
        found = self._spec.check_file(path)
        if found.include is None:
            return None
        return Verdict(ignored=found.include, file=self._label, line=found.index or 0)


def _expression(pattern: object) -> str:
    """A line as a regular expression; empty for a comment."""
    compiled: re.Pattern[str] | None = getattr(pattern, "regex", None)
    return "" if compiled is None else _NAMED_GROUP.sub("(?:", compiled.pattern)


def _usable(text: str) -> list[str]:
    """The lines that are patterns; git, too, passes over those that are none."""
    from pathspec import GitIgnoreSpec

    lines = []
    for line in text.splitlines():
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        lines.append(line)
    return lines


def _text(path: Path) -> str:
    data = path.read_bytes()
    return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFiles:
    """The ignore files that count in one folder, the outermost first."""

    git: tuple[_Rules, ...] = ()
    own: tuple[_Rules, ...] = ()

    @classmethod
    def above(cls, folder: Path) -> "IgnoreFiles":
        """Those of the folders around ``folder``, up to the top of its repository; none when it is in no repository.

        When they ignore ``folder`` itself they do not count: somebody wants to build it all the same.
        """
        files = [path for path in files_above(folder) if path.is_file()]
        rules = []
        for path in files:
            inside = folder.relative_to(path.parent).as_posix()
            above = _Rules(_text(path), label=f"{'../' * (inside.count('/') + 1)}{GIT}", above=f"{inside}/")
            whole = above.of("")
            if whole is not None and whole.ignored:
                return cls()
            rules.append(above)
        return cls(git=tuple(rules))

    def within(self, folder: Path, prefix: str, names: Collection[str]) -> "IgnoreFiles":
        """With the files that lie in ``folder``, whose entries are ``names``; ``prefix`` is its path with ``/``."""
        added = {
            file: (_Rules(_text(folder / file), label=prefix + file, base=prefix),)
            for file in (GIT, OWN)
            if file in names and (folder / file).is_file()
        }
        if not added:
            return self
        return IgnoreFiles(git=(*self.git, *added.get(GIT, ())), own=(*self.own, *added.get(OWN, ())))

    def by_git(self, name: str) -> Verdict | None:
        """What ``.gitignore`` files say of a path relative to the bot's folder; a folder's ends in ``/``."""
        return _first(self.git, name)

    def by_own(self, name: str) -> Verdict | None:
        """What ``.bottoolignore`` files say of it."""
        return _first(self.own, name)


def _first(rules: tuple[_Rules, ...], name: str) -> Verdict | None:
    for each in reversed(rules):
        if verdict := each.of(name):
            return verdict
    return None


def files_above(folder: Path) -> list[Path]:
    """Where ``.gitignore`` files of the folders around would lie, the outermost first; they need not be there."""
    if (folder / ".git").exists():
        return []
    found: list[Path] = []
    for parent in folder.parents:
        found.insert(0, parent / GIT)
        if (parent / ".git").exists():
            return found
    return []
