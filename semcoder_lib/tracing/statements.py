"""A program's source as the tracer sees it: statements, and what its functions share."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


@dataclass(frozen=True, slots=True)
class Layout:
    """`starts` maps a line to the first line of the statement (or of the header of the compound
    statement) that it belongs to, where that is another line. `handlers` are the lines of `except`
    clauses. `order` ranks the variables of a program in which a comprehension's variable shares its
    name with a real one (there the interpreters list a frame's variables in different orders), and
    is empty for all other programs. `beyond` are the module's names that a function uses, if the
    program can change anything but local variables at all; None if it cannot."""

    starts: dict[int, int]
    handlers: frozenset[int]
    order: dict[str, int]
    beyond: tuple[str, ...] | None = None


@functools.lru_cache(maxsize=256)
def layout(source: str) -> Layout:
    """The layout of a program; an empty one if the source does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return Layout({}, frozenset(), {})
    starts: dict[int, int] = {}
    handlers: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            handlers.add(node.lineno)
        if isinstance(node, ast.stmt | ast.ExceptHandler):
            inner = [_first_line(child) for child in ast.iter_child_nodes(node) if _is_part(child)]
            last = min(inner) - 1 if inner else node.end_lineno or node.lineno
            for line in range(_first_line(node), last + 1):
                if line != node.lineno:
                    starts[line] = node.lineno
    return Layout(starts, frozenset(handlers), _order(tree), _beyond(tree))


def _is_part(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)


def _first_line(node: ast.AST) -> int:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    return min(n.lineno for n in (node, *getattr(node, "decorator_list", ())))


def _order(tree: ast.Module) -> dict[str, int]:
    inner: set[str] = set()
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


def _beyond(tree: ast.Module) -> tuple[str, ...] | None:
    bound: set[str] = set()  # at the top level, or declared global
    used: set[str] = set()  # in a function
    holders = False  # classes, and functions inside functions
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, True)]
    while waiting:
        node, inside, top = waiting.pop()
        if isinstance(node, ast.Name):
            if top and isinstance(node.ctx, ast.Store):
                bound.add(node.id)
            if inside:
                used.add(node.id)
        elif isinstance(node, ast.Global):
            bound.update(node.names)
            used.update(node.names)
        elif top and isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(a.asname or a.name.partition(".")[0] for a in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if top:
                bound.add(node.name)
            holders = holders or inside or isinstance(node, ast.ClassDef)
        holders = holders or isinstance(node, ast.Lambda)
        inside = inside or isinstance(node, _FUNCTIONS)
        top = top and not isinstance(node, (*_FUNCTIONS, ast.ClassDef))
        waiting.extend((child, inside, top) for child in ast.iter_child_nodes(node))
    names = tuple(sorted(bound & used))
    return names if names or holders else None
