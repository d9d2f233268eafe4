"""The lines of a program as its statements: traces speak of the line where a statement starts."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layout:
    """`starts` maps a line to the first line of the statement (or of the header of the compound
    statement) that it belongs to, where that is another line. `handlers` are the lines of `except`
    clauses. `ranks` orders the variables of a program in which a comprehension's variable shares
    its name with a real one: there the interpreters list the locals of a frame in different orders.
    It is empty for all other programs."""

    starts: dict[int, int]
    handlers: frozenset[int]
    ranks: dict[str, int]


@functools.lru_cache(maxsize=256)
def layout(source: str) -> Layout:
    """The layout of a program; an empty one if the source does not parse."""
    starts: dict[int, int] = {}
    handlers: set[int] = set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return Layout({}, frozenset(), {})
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        inner = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        ]
        waiting.extend(inner)
        if isinstance(node, ast.ExceptHandler):
            handlers.add(node.lineno)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            last = node.end_lineno or node.lineno
            if inner:
                last = min(_first_line(child) for child in inner) - 1
            for line in range(first, last + 1):
                if line != node.lineno:
                    starts[line] = node.lineno
    return Layout(starts, frozenset(handlers), _ranks(tree))


def _first_line(node: ast.AST) -> int:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    lines = [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]  # type: ignore[attr-defined]
    return min(lines)


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


def _ranks(tree: ast.Module) -> dict[str, int]:
    inner: set[str] = set()
    if not any(isinstance(node, _COMPREHENSIONS) for node in ast.walk(tree)):
        return {}
    order: dict[str, int] = {}
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, inside = waiting.pop()
        if isinstance(node, ast.arg):
            order.setdefault(node.arg, len(order))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            if inside:
                inner.add(node.id)
            else:
                order.setdefault(node.id, len(order))
        inside = inside or isinstance(node, _COMPREHENSIONS)
        waiting.extend((child, inside) for child in reversed(list(ast.iter_child_nodes(node))))
    return order if inner & order.keys() else {}
