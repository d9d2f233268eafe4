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
    It is empty for all other programs. `beyond` are the module's names that a function uses, if the
    program can change anything but local variables at all; None if it cannot."""

    starts: dict[int, int]
    handlers: frozenset[int]
    ranks: dict[str, int]
    beyond: tuple[str, ...] | None = None


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
    return Layout(starts, frozenset(handlers), _ranks(tree), _beyond(tree))


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


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _beyond(tree: ast.Module) -> tuple[str, ...] | None:
    bound: set[str] = set()  # at the top level, or declared global
    used: set[str] = set()  # in a function
    holders = False  # classes and functions inside functions
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
        elif isinstance(node, ast.Lambda):
            holders = True
        inside = inside or isinstance(node, _FUNCTIONS)
        top = top and not isinstance(node, (*_FUNCTIONS, ast.ClassDef))
        waiting.extend((child, inside, top) for child in ast.iter_child_nodes(node))
    names = tuple(sorted(bound & used))
    return names if names or holders else None
