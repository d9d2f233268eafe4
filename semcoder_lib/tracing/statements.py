"""A program's source as the tracer sees it: statements, and what its functions share."""

from __future__ import annotations

import ast
import functools
import symtable
import warnings
from dataclasses import dataclass

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
_COMPREHENSION_NAMES = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})


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
        with warnings.catch_warnings():  # of the program's author
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            beyond = _beyond(source)
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
    return Layout(starts, frozenset(handlers), _order(tree), beyond)


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


def _beyond(source: str) -> tuple[str, ...] | None:
    bound: set[str] = set()  # at the top level, or declared global
    used: set[str] = set()  # in a function
    holders = False  # classes, and functions inside functions
    waiting = [(symtable.symtable(source, "<program>", "exec"), 0)]
    while waiting:
        table, depth = waiting.pop()
        holders = holders or table.get_type() == "class" or table.get_name() == "lambda"
        if table.get_type() == "function" and table.get_name() not in _COMPREHENSION_NAMES:
            depth += 1
            holders = holders or depth > 1
        for name in table.get_symbols():
            if depth == 0 and (name.is_assigned() or name.is_imported() or name.is_namespace()):
                bound.add(name.get_name())
            elif name.is_global():
                used.add(name.get_name())
                if name.is_declared_global():
                    bound.add(name.get_name())
        waiting.extend((child, depth) for child in table.get_children())
    names = tuple(sorted(bound & used))
    return names if names or holders else None
