"""Every kind of problem that validate may show has a page, and every page is about one that exists."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottool.pages import codes, page_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "problems"
NOT_OURS = {"scaffold", "tests", "testing", "migrations", "static"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """The modules of all packages that make problems."""
    for folder in (ROOT / "bottool", *sorted((ROOT / "plugins").glob("*/bottool_*")), ROOT / "web", ROOT / "runner"):
        for path in sorted(folder.rglob("*.py")):
            if NOT_OURS.isdisjoint(path.relative_to(ROOT).parts):
                tree = ast.parse(path.read_text("utf-8"))
                if any(name in {"Problem", "Hit"} for name in imported(tree)):
                    yield path, tree


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            yield node.name


def makers(tree: ast.Module) -> dict[str, int]:
    """Functions that take a parameter ``code``, and at which place of a call it stands."""
    found = {"Problem": -1, "Hit": -1}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            names = names[1:] if names[:1] == ["self"] else names
            if "code" in names:
                found[node.name] = names.index("code") if "code" not in {a.arg for a in node.args.kwonlyargs} else -1
    return found


def texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be: a literal, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def codes_in(tree: ast.Module) -> Iterator[tuple[str, int]]:
    known = makers(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        said = [each.value for each in node.keywords if each.arg == "code" and name in known]
        said += [each.value for each in node.keywords if each.arg == "problem"]
        if 0 <= known.get(name, -1) < len(node.args):
            said.append(node.args[known[name]])
        for each in said:
            yield from ((text, node.lineno) for text in texts(each))


def used() -> dict[str, str]:
    """Codes by a place where they are made."""
    return {code: f"{path.relative_to(ROOT)}:{line}" for path, tree in trees() for code, line in codes_in(tree)}


def test_codes_are_found_where_they_are_made() -> None:
    tree = ast.parse(
        "from bottool.model import Problem\n"
        "def _about(path, code, message): return Problem(code=code)\n"
        "_about('x', 'one', 'text')\n"
        "Problem(code='two' if x else 'three', message='four')\n"
        "raise ProjectError('five', problem='six')\n"
    )

    assert {code for code, _ in codes_in(tree)} == {"one", "two", "three", "six"}
    assert {"secret_in_code", "bad_command", "http_repository", "no_entry", "windows_only"} <= set(used())


def test_every_code_has_a_page() -> None:
    missing = {code: where for code, where in used().items() if not (PAGES / f"{code}.md").is_file()}

    assert missing == {}, "write docs/problems/CODE.md: what it means, why it matters, how to mend it"


def test_every_page_is_about_a_code_that_exists() -> None:
    literals = {
        node.value
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    literals |= {each for path in sorted((ROOT / "plugins").rglob("bottool_*/*.py")) for each in _literals(path)}

    assert [code for code in codes() if code not in literals] == []


def _literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("code", codes())
def test_a_page_says_what_it_means_and_how_to_mend_it(code: str) -> None:
    page = page_of(code)

    assert page is not None
    assert page.text.startswith(f"# {code}\n\n"), "the first line is the code"
    assert page.summary.endswith("."), "a sentence follows"
    assert 5 <= len(page.text.splitlines()) <= 40
    assert "mend" in page.text.lower(), "a page says how to mend it"


def test_the_index_lists_every_page_with_its_sentence() -> None:
    lines = (PAGES / "README.md").read_text("utf-8").splitlines()
    listed = [line for line in lines if line.startswith("| [")]

    assert listed == [f"| [{code}]({code}.md) | {page_of(code).summary} |" for code in codes()], (
        "run: python tools/problem_pages.py"
    )


@pytest.mark.parametrize("code", ["../model", "README", "", "Secret", "a/b", "no_such_code"])
def test_what_is_no_code_has_no_page(code: str) -> None:
    assert page_of(code) is None
