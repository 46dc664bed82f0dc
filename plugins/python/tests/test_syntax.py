"""Ways through a syntax tree, beside Python's own."""

import ast
import inspect
from collections import deque

from bottool_python import syntax

NO_CONTENT = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
SOURCE = b"""
import one
async def work(first, *others, key=lambda x: x):
    global two, three
    async with first as opened:
        from four import five
    match first:
        case {"six": 6, **rest} if rest:
            import seven
        case _:
            pass
    try:
        import eight
    except* ValueError:
        import nine
    finally:
        import ten
    return {**rest, "eleven": [each async for each in opened if each < 12 < 13]}
class Thirteen(object, metaclass=type):
    name: str = f"{one!r:>{two}}"
    while one: import fourteen
    else: import fifteen
"""


def test_every_node_comes_in_the_order_of_ast_walk() -> None:
    for source in (SOURCE, inspect.getsource(ast).encode(), inspect.getsource(inspect).encode()):
        module = syntax.parse(source)

        wanted = [node for node in ast.walk(module) if not isinstance(node, NO_CONTENT)]

        assert syntax.nodes_of(module) == wanted


def test_blocks_reach_every_statement() -> None:
    module = syntax.parse(SOURCE)
    reached, waiting = set(), deque([module])
    while waiting:
        node = waiting.popleft()
        reached.add(node)
        waiting.extend(syntax.blocks_of(node))

    assert {node for node in ast.walk(module) if isinstance(node, ast.stmt)} <= reached
