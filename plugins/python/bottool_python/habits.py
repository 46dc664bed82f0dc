"""What a bot does that goes wrong where nobody watches it, read from its syntax trees: warnings, never more.

It prompts, needs a display, runs on Windows only, reads a file that is not there, or never finishes its task.
"""

import ast
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bottool.model import Problem, Severity

_PROMPTS = frozenset(
    {"input", "getpass", "getpass.getpass", "pyautogui.prompt", "pyautogui.confirm", "pyautogui.alert"}
)
_DISPLAY = frozenset(
    {
        "botcity.core",
        "customtkinter",
        "mouse",
        "pyautogui",
        "pynput",
        "pyscreeze",
        "PyQt5",
        "PyQt6",
        "tkinter",
        "turtle",
    }
)
_WINDOWS = frozenset(
    {"comtypes", "msvcrt", "pythoncom", "pywinauto", "pywintypes", "uiautomation", "winreg", "winsound", "wmi"}
)
_WINDOWS_CALLS = frozenset({"os.startfile", "ctypes.windll", "ctypes.WinDLL", "ctypes.oledll"})
_WINDOWS_NAMES = frozenset(name.rpartition(".")[2] for name in _WINDOWS_CALLS)
_READERS = frozenset({"open", "read_csv", "read_excel", "read_json", "load_workbook", "read"})
_WORDS = tuple(
    word.encode()
    for word in {
        *(name.rpartition(".")[2] for name in (*_PROMPTS, *_WINDOWS_CALLS)),
        *(*_READERS, "load_dotenv", "finish_task", "from_sys_args", "parse_args"),
    }
)
"""One of these stands in every module with a habit that is not an import."""
_READ_MODES = frozenset("rbt")
_MAX_EACH = 10


def may_be_in(source: bytes) -> bool:
    """False when no more than the imports of a module need to be looked at."""
    return any(word in source for word in _WORDS)


@dataclass(kw_only=True)
class Habits:
    """Collects over all modules that a bot reaches; ``names`` are the files of the bot."""

    names: frozenset[str]
    told: dict[str, int] = field(default_factory=dict)
    starts: tuple[str, int] | None = None
    """Where the bot asks for its task, if it does."""
    parses: tuple[str, int] | None = None
    """Where it takes its command line apart itself."""
    finishes: bool = False

    def of_module(self, module: ast.Module, nodes: Iterable[ast.AST], path: str) -> Iterator[Problem]:
        """``nodes`` are all of the module; none are wanted where ``may_be_in`` says no."""
        for statement in module.body:
            yield from self._needed_at_start(statement, path)
        for node in nodes:
            if isinstance(node, ast.Attribute):
                self.finishes = self.finishes or node.attr == "finish_task"
                if node.attr == "from_sys_args" and self.starts is None:
                    self.starts = (path, node.lineno)
                if node.attr in _WINDOWS_NAMES and (name := _dotted(node)) in _WINDOWS_CALLS:
                    yield from self._tell("windows_only", path, node, f"uses '{name}', which only Windows has")
            elif isinstance(node, ast.Call):
                yield from self._call(node, path)

    def of_the_whole(self) -> Iterator[Problem]:
        """What only all modules together tell."""
        if self.parses and not self.starts:
            path, line = self.parses
            yield Problem(
                severity=Severity.WARNING,
                code="start_arguments",
                message="reads its command line itself, and would refuse the server, task and token that a task adds",
                hint='say in bot.toml, below [python]: arguments = "none"; or call parse_known_args()',
                path=path,
                line=line,
            )
        if self.starts and not self.finishes:
            path, line = self.starts
            yield Problem(
                severity=Severity.WARNING,
                code="never_finishes",
                message="asks for its task and never calls finish_task: only its exit status tells how it ended",
                hint="call maestro.finish_task(task_id=…, status=…, message=…) at the end",
                path=path,
                line=line,
            )

    def _needed_at_start(self, node: ast.stmt, path: str) -> Iterator[Problem]:
        """Imports right in the module; who imports in a function or a ``try`` is ready to go without."""
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        else:
            return
        for name in modules:
            if self._is_own(modules[0]):
                return
            if _is_one_of(name, _DISPLAY):
                hint = "run it on a machine where somebody is signed in, or with a virtual display"
                yield from self._tell("needs_display", path, node, f"imports '{name}', which needs a display", hint)
                return
            if _is_one_of(name, _WINDOWS) or name.startswith(("win32", "_win")):
                hint = "let it run on Windows only, or import it where the bot needs it"
                yield from self._tell("windows_only", path, node, f"imports '{name}', which only Windows has", hint)
                return

    def _is_own(self, module: str) -> bool:
        """True for a module of the bot that bears the name of somebody else's."""
        path = module.replace(".", "/")
        return f"{path}.py" in self.names or f"{path}/__init__.py" in self.names

    def _call(self, node: ast.Call, path: str) -> Iterator[Problem]:
        name = _dotted(node.func)
        is_parsing = isinstance(node.func, ast.Attribute) and node.func.attr == "parse_args"
        if is_parsing and not node.args and self.parses is None:
            self.parses = (path, node.lineno)
        if name in _PROMPTS:
            message = f"'{name}()' waits for somebody to type; a task has no keyboard, and the bot fails there"
            yield from self._tell("prompts", path, node, message, "make it a parameter of the task")
        elif name.rpartition(".")[2] == "load_dotenv" and not node.args:
            if ".env" not in self.names:
                message = "reads '.env', which is in no package"
                yield from self._tell(
                    "file_missing", path, node, message, "set its values as credentials or variables on the server"
                )
        elif name.rpartition(".")[2] in _READERS:
            yield from self._read(node, name, path)

    def _read(self, node: ast.Call, name: str, path: str) -> Iterator[Problem]:
        wanted = _text(node.args[0]) if node.args else ""
        mode = [_text(each) for each in node.args[1:2]]
        mode += [_text(keyword.value) for keyword in node.keywords if keyword.arg == "mode"]
        if name in {"open", "io.open"} and not set("".join(mode)) <= _READ_MODES:
            return
        file = posixpath.normpath(wanted.replace("\\", "/"))
        is_relative = not file.startswith(("/", "..")) and ":" not in file and "*" not in file
        if not (wanted and is_relative and "." in posixpath.basename(file)) or file in self.names:
            return
        if posixpath.join(posixpath.dirname(path), file) not in self.names:
            message = f"reads '{wanted}', which is not in the folder"
            yield from self._tell(
                "file_missing", path, node, message, "put the file there, or let the bot write it first"
            )

    def _tell(self, code: str, path: str, node: ast.AST, message: str, hint: str = "") -> Iterator[Problem]:
        self.told[code] = self.told.get(code, 0) + 1
        if self.told[code] <= _MAX_EACH:
            line = getattr(node, "lineno", None)
            yield Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=path, line=line)


def _is_one_of(module: str, known: frozenset[str]) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in known)


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` as text; ``""`` for what is more than names."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join((node.id, *reversed(parts))) if isinstance(node, ast.Name) else ""


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
