"""Follows the imports of a bot from its entry, without importing anything.

Only what the entry reaches counts: side scripts in the folder may need what nobody installs. Honours
``sys.path.append`` with literal folders. Whether a requirement brings a module is guessed from names, so that is a
warning; a relative import of what is not there stops the bot at its start, and is an error.
"""

import ast
import posixpath
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from bottool.model import Problem, Severity
from bottool_python import habits, syntax
from bottool_python.habits import Habits
from bottool_python.layout import SCRIPTS, Layout
from bottool_python.requirements import Requirements
from bottool_python.tree import Tree

_MAX_FILES = 400
_MIN_LETTERS = 3
"""From how many letters on a module's name inside a distribution's name counts as a sign."""
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception"})
_ALWAYS_THERE = frozenset({"setuptools", "pkg_resources", "__main__"})
_BROUGHT_BY = {
    "AppKit": ("pyobjc",),
    "Crypto": ("pycryptodome",),
    "MySQLdb": ("mysqlclient",),
    "OpenSSL": ("pyopenssl",),
    "PIL": ("pillow", "botcity-framework-core", "pyautogui"),
    "botcity": ("botcity",),
    "bs4": ("beautifulsoup4", "botcity-crawler-plugin"),
    "cv2": ("opencv", "botcity-framework-core"),
    "dateutil": ("pandas",),
    "docx": ("python-docx",),
    "fitz": ("pymupdf",),
    "google": ("google", "protobuf"),
    "googleapiclient": ("google-api-python-client",),
    "jwt": ("pyjwt",),
    "numpy": ("pandas", "opencv", "scipy", "botcity-framework-core"),
    "packaging": ("botcity-maestro-sdk",),
    "pyautogui": ("botcity-framework-core",),
    "pyperclip": ("botcity-framework-core", "pyautogui"),
    "pythoncom": ("pywin32", "pypiwin32", "pywinauto"),
    "pywintypes": ("pywin32", "pypiwin32", "pywinauto"),
    "requests": ("botcity-maestro-sdk", "botcity-http-plugin", "webdriver-manager"),
    "requests_toolbelt": ("botcity-maestro-sdk",),
    "selenium": ("botcity-framework-web", "undetected-chromedriver"),
    "serial": ("pyserial",),
    "six": ("python-dateutil", "pandas"),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "undetected_chromedriver": ("botcity-framework-web",),
    "urllib3": ("requests", "selenium", "botcity-maestro-sdk"),
    "win32api": ("pywin32", "pypiwin32", "pywinauto"),
    "win32clipboard": ("pywin32", "pypiwin32", "pywinauto"),
    "win32com": ("pywin32", "pypiwin32"),
    "win32con": ("pywin32", "pypiwin32", "pywinauto"),
    "win32gui": ("pywin32", "pypiwin32", "pywinauto"),
    "win32process": ("pywin32", "pypiwin32", "pywinauto"),
    "yaml": ("pyyaml",),
}
"""Import names that are not in the name of what brings them: beginnings of distributions' names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """``module`` is absolute; ``members`` may be modules below it; ``local`` means that only the tree can hold it."""

    module: str
    members: tuple[str, ...] = ()
    line: int
    local: bool = False
    at_start: bool = False
    """True when the module cannot be loaded without it, unlike one that a function imports later."""


def follow(
    tree: Tree, layout: Layout, requirements: Requirements, locked: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """Imports that nothing brings, and bad habits, in the entry and all that it reaches.

    The entry itself must be there; that it does not compile is an error. ``locked`` are all distributions that a lock
    installs.
    """
    walk = _Walk(tree=tree, requirements=requirements, locked=locked)
    walk.entry = layout.file
    walk.waiting = [layout.file]
    if layout.package:
        walk.waiting.append(f"{layout.entry}/__init__.py")
    # A script in a folder is started so that it also finds what lies beside the folder.
    walk.roots = list(dict.fromkeys(("" if layout.package else posixpath.dirname(layout.entry), "")))
    yield from walk.problems()


def syntax_problem(tree: Tree, path: str) -> Problem | None:
    """Why the entry at ``path`` does not compile."""
    try:
        syntax.parse(tree.read(path) or b"")
    except SyntaxError as error:
        return _does_not_compile(path, error, Severity.ERROR)
    return None


def _does_not_compile(path: str, error: SyntaxError, severity: Severity) -> Problem:
    message = f"'{path}' does not compile: {error.msg}"
    return Problem(severity=severity, code="syntax_error", message=message, path=path, line=error.lineno or None)


@dataclass(kw_only=True)
class _Walk:
    tree: Tree
    requirements: Requirements
    locked: frozenset[str] = frozenset()
    entry: str = ""
    waiting: list[str] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    extensions: set[str] = field(default_factory=set)
    """Compiled modules, without what comes after the first dot of their file's name."""

    def problems(self) -> Iterator[Problem]:
        self.names = frozenset(self.tree.names)
        for name in self.names:
            if name.endswith((".pyd", ".so")):
                self.extensions.add(posixpath.join(posixpath.dirname(name), posixpath.basename(name).partition(".")[0]))
            while (name := posixpath.dirname(name)) and name not in self.folders:
                self.folders.add(name)
        told = Habits(names=self.names)
        while self.waiting and len(self.seen) < _MAX_FILES:
            path = self.waiting.pop(0)
            if path in self.names and path not in self.seen:
                self.seen.add(path)
                yield from self._one(path, told)
        yield from told.of_the_whole()

    def _one(self, path: str, told: Habits) -> Iterator[Problem]:
        try:
            source = self.tree.read(path) or b""
            module = syntax.parse(source)
        except SyntaxError as error:
            yield _does_not_compile(path, error, Severity.ERROR if path == self.entry else Severity.WARNING)
            return
        # One way through every node serves all, and is spared where no word of the source asks for it.
        touches_path = b"path" in source
        nodes = syntax.nodes_of(module) if touches_path or habits.may_be_in(source) else ()
        added = _added_roots(nodes, path) if touches_path else ()
        self.roots += [root for root in added if root in self.folders and root not in self.roots]
        for each in _imports(module, path):
            if not self._found(each) and each.module not in self.reported:
                self.reported.add(each.module)
                yield _missing(each, path) if each.local else self._missing(each, path)
        yield from told.of_module(module, nodes, path)

    def _found(self, each: _Import) -> bool:
        """True when the import is in the tree (then it is followed), in Python, or plausibly in the requirements."""
        here = False
        for root in [""] if each.local else self.roots:
            base = posixpath.join(root, each.module.replace(".", "/"))
            for path in (base, *(f"{base}/{member}" for member in each.members)):
                files = (f"{path}.py", f"{path}/__init__.py")
                self.waiting += [file for file in files if file in self.names and file not in self.seen]
            top = base if each.local else posixpath.join(root, each.module.partition(".")[0])
            here = here or self._in_tree(top)
        return here or (not each.local and brought(each.module, self.requirements, self.locked))

    def _missing(self, each: _Import, path: str) -> Problem:
        """Not found from where the bot starts; it may lie in another folder of the bot all the same."""
        top = each.module.partition(".")[0]
        places = {posixpath.dirname(name) for name in self.names if name.endswith(f"/{top}.py")}
        places |= {posixpath.dirname(name) for name in self.folders if name.endswith(f"/{top}")}
        place = min(places, key=lambda name: (name.count("/"), name), default="")
        if not place:
            return _missing(each, path)
        start = next((name for name in sorted(self.names) if name in {f"{place}/{one}" for one in SCRIPTS}), "")
        where = f"which lies in '{place}', where Python does not look when the bot starts with {self.entry}"
        other = f'start with a file there: entry = "{start}" in bot.toml, or ' if start else ""
        return _warning(
            "missing_module",
            path,
            each.line,
            f"imports '{top}', {where}",
            f"{other}import it as {place.replace('/', '.')}.{each.module}",
        )

    def _in_tree(self, base: str) -> bool:
        return base in self.folders or f"{base}.py" in self.names or base == "" or base in self.extensions


def brought(module: str, requirements: Requirements, locked: frozenset[str] = frozenset()) -> bool:
    """True when Python brings the module, or a requirement plausibly does, or something in the lock by its name."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in _ALWAYS_THERE or requirements.has_nameless:
        return True
    plain = canonicalize_name(top)
    known = _BROUGHT_BY.get(top, ())
    return any(
        name.startswith(known) or name == plain or (len(plain) >= _MIN_LETTERS and plain in name)
        for name in requirements.names
    ) or any(name.startswith(known) or plain in {name, *name.split("-")} for name in locked)


def _imports(module: ast.Module, path: str) -> Iterator[_Import]:
    """What a module imports, but for what it is ready to miss."""
    waiting: deque[ast.AST] = deque([module])
    at_start = frozenset(module.body)
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import):
            for name in node.names:
                yield _Import(module=name.name, line=node.lineno)
        elif isinstance(node, ast.ImportFrom):
            yield _import_from(node, path, at_start=node in at_start)
        elif isinstance(node, ast.Try) and any(_catches_import_error(each) for each in node.handlers):
            waiting.extend((*node.orelse, *node.finalbody))
        elif not (isinstance(node, ast.If) and _name(node.test) == "TYPE_CHECKING"):
            waiting.extend(syntax.blocks_of(node))


def _import_from(node: ast.ImportFrom, path: str, *, at_start: bool) -> _Import:
    members = tuple(name.name for name in node.names)
    if not node.level:
        return _Import(module=node.module or "", members=members, line=node.lineno)
    folder = path
    for _ in range(node.level):
        folder = posixpath.dirname(folder)
    module = posixpath.join(folder, (node.module or "").replace(".", "/")).rstrip("/").replace("/", ".")
    return _Import(module=module, members=members, line=node.lineno, local=True, at_start=at_start)


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(each, ast.Name) and each.id in _CAUGHT for each in ast.walk(handler.type))


def _changes_sys_path(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in {"append", "insert"}
        and isinstance(function.value, ast.Attribute)
        and (_name(function.value), _name(function.value.value)) == ("path", "sys")
    )


def _name(node: ast.AST) -> str:
    """``c`` of ``c`` and of ``a.b.c``; ``""`` for anything else. Not ``ast.unparse``: a bot's code may be too deep."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _added_roots(nodes: Sequence[ast.AST], path: str) -> Iterator[str]:
    """Folders that the module adds to ``sys.path``, as far as they are literals in the call or in a variable of it."""
    assigned = {_name(node.targets[0]): node.value for node in nodes if isinstance(node, ast.Assign)}
    for call in nodes:
        if isinstance(call, ast.Call) and _changes_sys_path(call.func):
            given = [assigned.get(_name(each), each) for argument in call.args for each in ast.walk(argument)]
            for said in _texts(given):
                yield posixpath.normpath(said)
                yield posixpath.normpath(posixpath.join(posixpath.dirname(path), said))


def _texts(expressions: Iterable[ast.AST]) -> Iterator[str]:
    for expression in expressions:
        for node in ast.walk(expression):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value.replace("\\", "/")


def _missing(each: _Import, path: str) -> Problem:
    if each.local:
        return Problem(
            severity=Severity.ERROR if each.at_start else Severity.WARNING,
            code="missing_module",
            message=f"imports '{each.module}', which is not in the folder",
            hint="add the file to the folder, or take the import away",
            path=path,
            line=each.line,
        )
    return _warning(
        "missing_module",
        path,
        each.line,
        f"imports '{each.module}', which is neither in the folder nor, by its name, in the requirements",
        "add the file to the folder, or what brings it to the requirements",
    )


def _warning(code: str, path: str, line: int, message: str, hint: str = "") -> Problem:
    return Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=path, line=line or None)
