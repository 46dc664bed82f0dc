"""Where in a bot's own code an error happened, told from a stack trace; and what makes two reports alike.

Reads what Python, Java, JavaScript and C# print. Line numbers, addresses and names that a compiler makes up are left
out, so that the same error on another machine, or after an edit elsewhere in the file, is the same. Knows no database.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LINE_LETTERS = 2000
MOST_LINES = 20_000
PLACE_LETTERS = 200

_PYTHON = re.compile(r'[\s|+-]*File "([^"]+)", line \d+(?:, in (.+))?$')
_JAVA = re.compile(
    r"\s*at (?:[\w.@-]*/{1,2}){0,3}([\w.$<>/]+)"
    r"\((?:[\w$-]+\.(?:java|kt|scala|groovy)(?::\d+)?|Native Method|Unknown Source)\)"
)
_SCRIPT = re.compile(r"\s*at (?:async )?(?:(.+?) \()?((?:[a-z]+:)?[^()]*?):\d+:\d+\)?$")
_SCRIPT_NAMELESS = re.compile(r"\s*at .*\((?:<anonymous>|native|index \d+)\)$")
_SHARP = re.compile(r"\s*(?:at|em|en|à|bei|in) ([\w.`<>$|+\[\], ]+?)\(.*$")
_CAUSE = re.compile(r"\s*Caused by: ")

_FOREIGN_FILES = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|\.pnpm|importlib|python\d[\d.]*|internal)/|/(?:lib|bin)/python"
    r"|/python[\d.]*/lib/|^<frozen |^node:|^native$|^<",
    re.IGNORECASE,
)
_FOREIGN_JAVA = (
    "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.", "groovy.",
    "org.codehaus.groovy.", "org.openqa.selenium.", "org.springframework.", "org.apache.", "org.junit.", "org.slf4j.",
    "org.hibernate.", "io.netty.", "io.github.bonigarcia.", "com.google.", "com.fasterxml.", "okhttp3.", "retrofit2.",
    "dev.botcity.maestro",
)  # fmt: skip
_FOREIGN_SHARP = ("System.", "Microsoft.", "Newtonsoft.", "OpenQA.", "RestSharp.", "MS.", "Interop.")

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"\d+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_IDENTIFIER = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")


@dataclass(frozen=True, slots=True)
class _Frame:
    place: str
    own: bool
    last: bool = False
    """Of a trace whose innermost frame is the last one; elsewhere it is the first."""
    deeper: bool = False
    """The first one of what caused the error above it."""


def place_of(stack_trace: str) -> str:
    """The innermost frame of the bot's own code, or the innermost of all where none is its own; empty without one."""
    frames = list(_frames(stack_trace))
    chosen = _innermost([frame for frame in frames if frame.own]) or _innermost(frames)
    return chosen.place[:PLACE_LETTERS] if chosen else ""


def fingerprint_of(type_: str, place: str, message: str) -> str:
    """What reports of one group share: type and place; where no place is known, the message without its values."""
    told = place or plain_message(message)
    return hashlib.sha256(f"{type_}\n{'at' if place else 'says'}\n{told}".encode()).hexdigest()


def plain_message(message: str) -> str:
    """The first line of a message, without numbers, addresses and what it quotes."""
    first = message.strip().partition("\n")[0][:LINE_LETTERS]
    for pattern, sign in ((_IDENTIFIER, "#"), (_ADDRESS, "#"), (_QUOTED, "'…'"), (_NUMBER, "#")):
        first = pattern.sub(sign, first)
    return first.strip()


def _innermost(frames: list[_Frame]) -> _Frame | None:
    if not frames:
        return None
    if frames[-1].last:
        return frames[-1]
    # Java tells the cause below what it caused: the last one is the deepest.
    return next((frame for frame in reversed(frames) if frame.deeper), frames[0])


def _frames(stack_trace: str) -> Iterator[_Frame]:
    deeper = in_cause = False
    for line in stack_trace.splitlines()[:MOST_LINES]:
        line = line[:LINE_LETTERS]  # what is longer is no frame
        if _CAUSE.match(line):
            deeper = in_cause = True
            continue
        for read in _READERS:
            frame = read(line)
            if frame is None:
                continue
            if not frame.place:
                break
            # The first own frame of a cause counts: it is marked until one has been seen.
            yield _Frame(frame.place, frame.own, frame.last, in_cause and deeper and frame.own)
            deeper = deeper and not frame.own
            break


def _python(line: str) -> _Frame | None:
    found = _PYTHON.match(line)
    if found is None:
        return None
    path, function = found[1].replace("\\", "/"), (found[2] or "").strip()
    return _Frame(_file_and_function(path, function), own=not _foreign_file(path), last=True)


def _java(line: str) -> _Frame | None:
    found = _JAVA.match(line)
    if found is None:
        return None
    name = re.sub(r"\$\$Lambda.*?(?=\.|$)", "", found[1])
    name = re.sub(r"lambda\$(\w+)\$\d+", r"\1", name)
    name = re.sub(r"(?<=[a-zA-Z$])\d+(?=\.)", "", name).replace("$.", ".")
    return _Frame(_plain(name), own=not name.startswith(_FOREIGN_JAVA))


def _script(line: str) -> _Frame | None:
    if _SCRIPT_NAMELESS.match(line):
        return _Frame("", own=False)
    found = _SCRIPT.match(line)
    if found is None:
        return None
    function = re.sub(r" \[as .*\]$", "", found[1] or "").removeprefix("new ").removeprefix("Object.")
    path = re.sub(r"^[a-z]+://+", "/", found[2]).replace("\\", "/").partition("?")[0]
    return _Frame(_file_and_function(path, function if function != "<anonymous>" else ""), not _foreign_file(path))


def _sharp(line: str) -> _Frame | None:
    found = _SHARP.match(line)
    if found is None or "." not in found[1]:
        return None
    name = found[1].strip()
    # What the compiler makes of lambdas and of async methods goes by the method in which it stands.
    name = re.sub(r"\.<>c(?:__DisplayClass[\d_]+)?(?=\.)", "", name)
    name = re.sub(r"<+(\w+)>(?:[bdg]__[\w|]*)?(?:\.MoveNext)?(?:>[bdg]__[\w|]*)?(?:\.MoveNext)?", r"\1", name)
    return _Frame(_plain(name), own=not name.startswith(_FOREIGN_SHARP))


_READERS: tuple[Callable[[str], _Frame | None], ...] = (_python, _java, _script, _sharp)


def _foreign_file(path: str) -> bool:
    return bool(_FOREIGN_FILES.search(path))


def _file_and_function(path: str, function: str) -> str:
    # The last part only: the folder is another one for every machine, and for every version of a bot.
    name = _plain(path.rpartition("/")[2])
    return f"{name} in {_plain(function)}" if function else name


def _plain(text: str) -> str:
    return _ADDRESS.sub("#", text)
