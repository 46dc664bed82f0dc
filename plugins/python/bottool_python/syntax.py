"""Reads Python source as a syntax tree, and goes through one quicker than ``ast.walk``. Judges nothing.

What is read is a stranger's, and may be of any depth: nothing here calls itself.
"""

import ast
import warnings
from collections.abc import Iterator

_NO_CHILDREN = frozenset({"id", "attr", "arg", "ctx", "kind", "level", "lineno", "op", "ops", "type_comment"})
"""Fields in which no name, no call and no text stands."""
_COMPOUND = (
    *(ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While),
    *(ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.ExceptHandler, ast.Match, ast.match_case),
)
_BLOCKS = frozenset({"body", "handlers", "orelse", "finalbody", "cases"})
_BLOCKS_BY_KIND: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name in _BLOCKS) for kind in _COMPOUND
}
"""The fields that hold statements, in the order in which ``ast`` has them."""


def parse(source: bytes) -> ast.Module:
    """The syntax tree, without the warnings that Python would print.

    :raises SyntaxError: also for what is no text, or too deep to read.
    """
    with warnings.catch_warnings(action="ignore"):
        try:
            return ast.parse(source)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error)) from error


def nodes_of(module: ast.Module) -> list[ast.AST]:
    """All nodes but operators and contexts, in the order of ``ast.walk``."""
    nodes: list[ast.AST] = [module]
    children: dict[type, tuple[str, ...]] = {ast.Constant: (), ast.Name: ()}
    for node in nodes:
        kind = type(node)
        names = children.get(kind)
        if names is None:
            names = children[kind] = tuple(name for name in kind._fields if name not in _NO_CHILDREN)
        for name in names:
            found = getattr(node, name, None)
            if isinstance(found, list):
                # The keys of a dictionary may be nothing, and the names of a "global" are texts.
                nodes += [each for each in found if isinstance(each, ast.AST)]
            elif isinstance(found, ast.AST):
                nodes.append(found)
    return nodes


def blocks_of(node: ast.AST) -> Iterator[ast.AST]:
    """The statements, handlers and cases right inside a statement. No expression holds a statement."""
    for name in _BLOCKS_BY_KIND.get(type(node), ()):
        yield from getattr(node, name)
