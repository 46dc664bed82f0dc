"""What the code of a bot tells about how it will run: it asks a person, needs a screen, reads a file that is not there.

Looks only into the files that the started one loads, so that a script beside the bot raises no alarm. Patterns, not a
parser: everything here is a warning.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bottool.model import Problem, Severity
from bottool_javascript import imports

_PROMPTS = re.compile(
    r"""(?:require\(\s*|\bfrom\s+)["'](?P<module>readline-sync|prompt-sync|prompts?|inquirer|@inquirer/[\w-]+|enquirer)["']"""
    r"""|(?P<call>\breadline(?:Promises)?\.createInterface\(\s*(?:\{[^}]{0,200}\binput\s*:\s*)?process\.stdin\b)"""
)
_DISPLAY = re.compile(
    r"""\bheadless\s*:\s*false\b|(?:require\(\s*|\bfrom\s+)["'](?:@nut-tree(?:-fork)?/nut-js|robotjs|electron)["']"""
)
_OPENED = re.compile(
    r"""\b(?:readFile(?:Sync)?|createReadStream|readJson(?:Sync)?)\(\s*["'](?P<file>\.{0,2}/?[\w./-]+\.\w{1,5})["']"""
    r"""|\bdotenv["']?\)?\.config\(\s*(?P<dotenv>\)|\{[^)]{0,200}\))"""
    r"""|["']dotenv/config["']"""
)
_DOTENV_PATH = re.compile(r"""\bpath\s*:\s*["']([^"']+)["']""")
_SDK = re.compile(r"""\bBotMaestroSdk\b|["'](?:@botcity/)?(?:botcity-)?maestro-sdk["']""", re.IGNORECASE)
_FINISHES = re.compile(r"\bfinish_?[tT]ask\b")
_WRITES = re.compile(r"""\b(?:writeFile(?:Sync)?|createWriteStream|outputFile)\(\s*["']([\w./-]+)["']""")


def of_code(folder: Path, found: imports.Found, *, has_display: bool) -> Iterator[Problem]:
    """The findings in the files that ``found`` names; ``has_display`` tells of this machine."""
    texts = {name: imports.text_of(folder / name) for name in found.files}
    written = {posixpath.normpath(name) for text in texts.values() for name in _WRITES.findall(text)}
    for name, text in texts.items():
        yield from _prompts(name, text)
        if not has_display and (match := _DISPLAY.search(text)):
            yield _warning(
                "needs_display",
                f"'{match[0].strip()}' needs a screen, and this machine has none",
                "run the browser headless, or run this bot where somebody is signed in",
                name,
                text,
                match.start(),
            )
        yield from _missing_files(folder, name, text, written)
    yield from _never_finishes(texts)


def _prompts(name: str, text: str) -> Iterator[Problem]:
    if match := _PROMPTS.search(text):
        what = f"'{match['module']}'" if match["module"] else "readline on process.stdin"
        yield _warning(
            "prompts",
            f"{what} asks a person; nobody answers on a runner",
            "take the answer from the task's parameters",
            name,
            text,
            match.start(),
        )


def _missing_files(folder: Path, name: str, text: str, written: Iterable[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for match in _OPENED.finditer(text):
        named = match["file"] or _dotenv_file(match["dotenv"] or "")
        wanted = posixpath.normpath(named)
        if wanted in seen or wanted.startswith(("..", "/")) or wanted in written or (folder / wanted).exists():
            continue
        seen.add(wanted)
        yield _warning(
            "file_missing",
            f"'{wanted}' is read, but is not there",
            "put it into the folder, or hand its values over as parameters or credentials",
            name,
            text,
            match.start(),
        )


def _dotenv_file(arguments: str) -> str:
    said = _DOTENV_PATH.search(arguments)
    return said[1] if said else ".env"


def _never_finishes(texts: dict[str, str]) -> Iterator[Problem]:
    if any(_FINISHES.search(text) for text in texts.values()):
        return
    for name, text in texts.items():
        if match := _SDK.search(text):
            yield _warning(
                "never_finishes",
                "the Maestro SDK is used, but finishTask is never called",
                "the exit status then says how it went; call finishTask to say it yourself",
                name,
                text,
                match.start(),
            )
            return


def _warning(code: str, message: str, hint: str, path: str, text: str, position: int) -> Problem:
    line = text.count("\n", 0, position) + 1
    return Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=path, line=line)
