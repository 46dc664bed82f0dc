"""The house keeps its shape: who may import whom, how big things may get, and what may never be written down."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = {
    "bottool": ROOT / "bottool",
    "bottool_web": ROOT / "web" / "bottool_web",
    "bottool_runner": ROOT / "runner" / "bottool_runner",
    **{folder.name: folder for folder in sorted((ROOT / "plugins").glob("*/bottool_*")) if folder.is_dir()},
}

# A module of core imports only those before it.
CORE = (
    *("errors", "model", "sbom", "states", "quantities", "local", "language", "hookspecs", "plugins", "settings"),
    *("bot_toml", "names", "discovery", "no_bot", "project"),
    *("locks", "sqlite_build", "members", "tar_reader", "zip_reader", "archive_check"),
    *("ignore_files", "sources", "deflating", "steady_files", "zip_writer", "packing", "jar_packing", "archive"),
    *("pages", "finding_rules", "findings", "adoption"),
    *(
        "cgroup",
        "platform_process",
        "memory_killer",
        "stopping",
        "process",
        "stamps",
        "resolved",
        "opening",
        "contents",
        "placing",
        "build",
        "preview",
        *("manifests", "uses", "shelf", "working_folder", "environments", "cache_use"),
        "arguments",
        "launcher",
        "limits",
        "run",
    ),
    *("wire", "answers", "client", "moving", "cli", "testing", "__main__"),
)

# The server's layers, lowest first. Parts of one layer see each other only in the layers named in SOCIABLE.
WEB = (
    (
        "store",
        "files",
        "hints",
        "settings",
        "folder_lock",
        "package_check",
        "package_inspection",
        "ecosystems",
        "vault",
        "masked_forms",
        "masking",
        "mail",
        "notifying",
        "cron",
    ),
    ("actions",),
    ("problems", "downloads"),
    ("api", "maestro", "gateway", "pages", "clock", "inspector", "outbox"),
    ("app", "asgi", "serve", "local", "plugin", "__main__"),
)
SOCIABLE = (WEB[0], WEB[-1])
SURFACES = WEB[3]
VALUES_OF_THE_STORE = "bottool_web.store.scope"
"""Who asks, and in which workspace: values without SQL, which a surface hands to actions."""

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
NOT_OURS = {"scaffold", "static", "versions"}
"""Folders that hold bots to be written, other people's scripts, and generated migrations."""


def part_of(name: str) -> str:
    """The first name below the package: ``store`` of ``bottool_web.store.tasks``."""
    return [*name.split("."), "__init__"][1]


class Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        return part_of(self.name)


class Import(NamedTuple):
    name: str
    line: int
    level: int


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder)
            if NOT_OURS.isdisjoint(inside.parts):
                parts = [part for part in inside.with_suffix("").parts if part != "__init__"]
                found.append(Module(".".join([package, *parts]), path, ast.parse(path.read_text("utf-8"), str(path))))
    return tuple(found)


@cache
def imports(module: Module) -> tuple[Import, ...]:
    """Every import, also inside functions; ``from package import module`` counts as the module."""
    names = {each.name for each in modules()}
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.append(Import(inner if inner in names else node.module or "", node.lineno, node.level))
    return tuple(found)


def ours(module: Module) -> Iterator[Import]:
    yield from (found for found in imports(module) if found.name.partition(".")[0] in PACKAGES)


def at(module: Module, line: int, text: str) -> str:
    return f"{module.path.relative_to(ROOT)}:{line}: {text}"


def test_core_imports_only_what_stands_above() -> None:
    rank = {name: number for number, name in enumerate(("__init__", *CORE))}

    wrong = [
        at(module, found.line, f"'{module.part}' imports '{found.name}'")
        for module in modules()
        if module.name.split(".")[0] == "bottool"
        for found in ours(module)
        if found.name.split(".")[0] == "bottool"
        and part_of(found.name) != module.part
        and rank.get(part_of(found.name), 1000) >= rank.get(module.part, 1000)
    ]

    assert wrong == []


def test_every_module_of_core_has_its_place_in_the_order() -> None:
    there = {module.part for module in modules() if module.name.startswith("bottool.")}

    assert there <= set(CORE), f"say in CORE where they stand: {sorted(there - set(CORE))}"


def test_a_member_imports_only_itself_and_core() -> None:
    wrong = [
        at(module, found.line, f"imports '{found.name}'")
        for module in modules()
        for found in ours(module)
        if found.name.split(".")[0] not in {"bottool", module.name.split(".")[0]}
    ]

    assert wrong == []


def test_the_server_keeps_its_layers() -> None:
    rank = {part: number for number, layer in enumerate(WEB) for part in layer}

    wrong = []
    for module in modules():
        if not module.name.startswith("bottool_web."):
            continue
        assert module.part in rank, f"say in WEB in which layer '{module.part}' is"
        for found in ours(module):
            target = part_of(found.name)
            if not found.name.startswith("bottool_web.") or target in {module.part, "__init__"}:
                continue
            upwards = rank[target] > rank[module.part]
            sideways = rank[target] == rank[module.part] and not any(module.part in layer for layer in SOCIABLE)
            past = module.part in SURFACES and target == "store" and found.name != VALUES_OF_THE_STORE
            if upwards or sideways or past:
                wrong.append(at(module, found.line, f"'{module.part}' imports '{found.name}'"))

    assert wrong == []


def test_nothing_imports_in_a_circle() -> None:
    names = {module.name for module in modules()}
    graph = {
        module.name: {found.name for found in ours(module) if found.name in names} - {module.name}
        for module in modules()
    }

    assert circle_in(graph) == []


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """One circle, or nothing."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph[name]):
            if circle := walk(target, [*path, name]):
                return circle
        done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in sorted(graph))), [])


def test_a_circle_would_be_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_imports_are_absolute_and_never_by_the_folder_of_a_member() -> None:
    wrong = [
        at(module, found.line, f"imports '{'.' * found.level}{found.name}'")
        for module in modules()
        for found in imports(module)
        if found.level or found.name.partition(".")[0] in {"web", "runner", "plugins", "tests", "tools"}
    ]

    assert wrong == []


def test_nobody_imports_what_is_private_to_another_module() -> None:
    packages = tuple(PACKAGES)

    wrong = [
        at(module, node.lineno, f"'{alias.name}' of '{node.module}'")
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in packages
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]

    assert wrong == []


def test_the_environment_is_read_in_one_place_only() -> None:
    wrong = [
        at(module, node.lineno, f"uses os.{node.attr}")
        for module in modules()
        if module.name != "bottool.settings"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "putenv"}
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    ]

    assert wrong == [], "bottool.settings.base_variables() gives a copy"


def test_modules_stay_small_and_say_what_they_own() -> None:
    wrong = []
    for module in modules():
        lines = len(module.path.read_text("utf-8").splitlines())
        if lines >= LONGEST_MODULE:
            wrong.append(at(module, lines, f"{lines} lines, {LONGEST_MODULE} is the wall"))
        if module.tree.body and not ast.get_docstring(module.tree):
            wrong.append(at(module, 1, "has no docstring"))

    assert wrong == []


def test_functions_stay_small() -> None:
    wrong = [
        at(module, node.lineno, f"'{node.name}' has {length} lines")
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]

    assert wrong == []


def test_every_package_tells_its_types() -> None:
    assert [name for name, folder in PACKAGES.items() if not (folder / "py.typed").is_file()] == []


def test_no_module_is_called_by_a_word_that_says_nothing() -> None:
    wrong = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")

    assert [module.name for module in modules() if wrong.search(module.name.rpartition(".")[2])] == []


def text_files() -> Iterator[tuple[Path, str]]:
    """All files of the repository that are text, as git lists them; every file where git is not at hand."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        if any(part in IGNORED for part in inside.parts) or not path.is_file():
            continue
        try:
            yield inside, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


IGNORED = {
    *(".git", ".venv", "__pycache__", "node_modules", "target", "dist", "uv.lock", "vendor"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
}


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        # Written in two halves, so that this file passes its own test.
        ("a registry's host name", r"(pypi" + r"|pythonhosted|npmjs|crates|rubygems|nuget)\.(org|io|com)\b"),
        ("a registry's host name", r"\b(repo\d?|search|central)\.maven" + r"\.|deb\.debian" + r"\.org"),
        ("a path of one machine", r"(?<![\w.])/(wor" + r"k/(main|shared)|root/|home/(?!user\b|runner\b|bot\b)\w+/)"),
        ("work that was left", r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    ],
)
def test_what_may_never_be_written_down(what: str, pattern: str) -> None:
    wrong = [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {what}: {found[0]}"
        for path, text in text_files()
        for found in re.finditer(pattern, text)
    ]

    assert wrong == []
