"""What a folder with Python in it is when it is no bot: a template, tests, a library, a web application, exercises.

Cheap: names of files, and the imports of the one file that would be started.
"""

import ast
import posixpath
import re

from bottool_python import layout, metadata, robots, syntax
from bottool_python.tree import Tree

_APPLICATIONS = {
    "django": "a Django application",
    "fastapi": "a FastAPI application",
    "flask": "a Flask application",
    "streamlit": "a Streamlit application",
}
_TEST = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py")
_BOTS = frozenset({"botcity", "bottool"})
_MIN_EXERCISES = 3
_AS_BOT = "to run it as a bot, put a bot.py there: import sys, pytest; sys.exit(pytest.main())"
_NO_SCRIPT = re.compile(
    r"__init__\.py|__main__\.py|setup\w*\.py|conftest\.py|test_.*\.py|.*_test\.py|(settings|config|constants)(\.\w+)?\.py",
    re.IGNORECASE,
)
_GUARD = re.compile(rb"""^if\s+__name__\s*==\s*["']__main__["']""", re.MULTILINE)
_WORD = re.compile(rb"\w+")
_READ = 200
"""So many files are looked into at most."""
_EXERCISE = re.compile(r"(ex|exerc\w*|aula|lesson|desafio|day|dia|kata|task|quest\w*)[ _-]?\d+.*\.py", re.IGNORECASE)


def not_a_bot(tree: Tree) -> str:
    """What it is, as the end of a sentence; ``""`` for a bot, and for what nobody can tell."""
    if any("{{" in name and "}}" in name for name in tree.names):
        return "a template whose {{ }} are not filled in"
    found = layout.find(tree)
    if found and any(name.endswith(".botproj") for name in tree.top):
        return ""
    if "manage.py" in tree.top and b"DJANGO_SETTINGS_MODULE" in (tree.read("manage.py") or b""):
        return "a Django application"
    if found:
        return _application(tree.read(found.file) or b"")
    return _without_entry(tree)


def scripts(tree: Tree) -> tuple[str, ...]:
    """The files that somebody may start, the likeliest first: what no other names, what asks whether it is started.

    Tests, set-up and what only holds settings are not among them, unless there is nothing else.
    """
    found = [name for name in tree.names if name.endswith(".py") and "{{" not in name and not name.startswith(".")]
    likely = [name for name in found if not _NO_SCRIPT.fullmatch(posixpath.basename(name))]
    chosen = likely or [name for name in found if posixpath.basename(name) != "__init__.py"]
    texts = {name: tree.read(name) or b"" for name in chosen[:_READ]}
    stems = {name: posixpath.basename(name).removesuffix(".py").encode() for name in chosen}
    words = {name: frozenset(_WORD.findall(text)) for name, text in texts.items()}

    def rank(name: str) -> tuple[bool, bool, bool, bool, int, str]:
        stem = stems[name]
        is_named = any(stem in said for other, said in words.items() if other != name)
        is_usual = posixpath.basename(name) in layout.SCRIPTS
        names_others = any(stems[other] in words.get(name, ()) for other in chosen if other != name)
        is_guarded = _GUARD.search(texts.get(name, b"")) is not None
        return not is_usual, is_named, not names_others, not is_guarded, name.count("/"), name.lower()

    return tuple(sorted(chosen, key=rank))


def _without_entry(tree: Tree) -> str:
    scripts = [name for name in tree.names if name.endswith(".py")]
    others = [name for name in tree.top if name.endswith(".py") and name not in {"setup.py", "__init__.py"}]
    tests = [name for name in scripts if _TEST.fullmatch(posixpath.basename(name))]
    for name in ("app.py", "wsgi.py", "asgi.py", "streamlit_app.py"):
        kind = _application(tree.read(name) or b"") if name in tree.top else ""
        if kind:
            return kind
    if "robot.yaml" in tree.top:
        return robots.described(tree)
    if tests and len(tests) * 2 >= len(scripts):
        return f"a pytest suite\n{_AS_BOT}"
    if sum(bool(_EXERCISE.fullmatch(name)) for name in others) >= _MIN_EXERCISES:
        return "a folder of exercises"
    return _installed(tree, scripts)


def _installed(tree: Tree, scripts: list[str]) -> str:
    """A project that is made to be installed: by its own command it may be a bot, otherwise it is a library."""
    if command := metadata.command(tree):
        name, module, function = command
        path = 'sys.path.insert(0, "src"); ' if f"src/{module.partition('.')[0]}/__init__.py" in tree.names else ""
        line = f"import sys; {path}from {module} import {function}; sys.exit({function}())"
        what = f"a package that is installed and started by its command '{name}'"
        return f"{what}\nto run it as a bot, put a bot.py there: {line}"
    is_described = "setup.py" in tree.top or bool(metadata.pyproject(tree).get("name"))
    if not is_described or not any(name.endswith("/__init__.py") for name in scripts):
        return ""
    return "" if any(posixpath.basename(name) in layout.SCRIPTS for name in scripts) else "a library"


def _application(source: bytes) -> str:
    """By what a file imports; one that speaks to an orchestrator is a bot, whatever else it does."""
    if not any(name.encode() in source for name in _APPLICATIONS):
        return ""
    try:
        module = syntax.parse(source)
    except SyntaxError:
        return ""
    tops = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            tops |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            tops.add(node.module.partition(".")[0])
    if tops & _BOTS:
        return ""
    return next((kind for name, kind in _APPLICATIONS.items() if name in tops), "")
