"""What an expression is made of, what is known of its value, and how values are written."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.evaluator import Raises, equal
from semcoder_lib.monologues.show import NotShown, brief, show

MISSING = object()  # a value that cannot be decided
_LONG = 1_000  # characters of a value that a text may have to match


def differ(a: Any, b: Any) -> bool:
    """Whether two values are known and not equal; of an exception nothing is known."""
    known = not any(x is MISSING or isinstance(x, Raises) for x in (a, b))
    return known and not equal(a, b)


def links(node: ast.expr) -> list[ast.expr]:
    """The comparisons of a chain; any other expression itself."""
    if not isinstance(node, ast.Compare) or len(node.ops) == 1:
        return [node]
    sides = [node.left, *node.comparators]
    return [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]


def parts_of(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """What an expression does, and the expressions that it does it with."""
    known: tuple[str, list[ast.expr]] | None = getattr(node, "parts_of", None)
    if known is None:
        known = node.parts_of = _parts_of(node)  # type: ignore[attr-defined]
    return known


def _parts_of(node: ast.expr) -> tuple[str, list[ast.expr]]:
    match node:
        case ast.BinOp(left, op, right) | ast.Compare(left, [op], [right]):
            return type(op).__name__, [left, right]
        case ast.UnaryOp(op, operand):
            return type(op).__name__, [operand]
        case ast.BoolOp(op, operands):
            return type(op).__name__, operands
        case ast.Subscript(box, ast.Slice() as part):
            ends = (part.lower, part.upper, part.step)
            given = "".join("x:" if end else ":" for end in ends)
            return f"slice {given}", [box, *(end for end in ends if end)]
        case ast.Subscript(box, key):
            return "item", [box, key]
        case ast.Call(func, args, keywords):
            name = func.attr if isinstance(func, ast.Attribute) else ast.unparse(func)
            owner = [func.value] if isinstance(func, ast.Attribute) else []
            return f"{name}()", [*owner, *args, *(k.value for k in keywords)]
    return ast.unparse(node), []


# --- how values are written -----------------------------------------------------------------------


def shown(value: Any) -> str:
    """A value, or why there is none, as evidence."""
    if value is MISSING:
        return "cannot be evaluated"
    return f"raises {value.kind}" if isinstance(value, Raises) else brief(value)


def text_of(value: Any, limit: int = _LONG) -> str:
    """The one way to write a value."""
    try:
        return show(value, limit)
    except NotShown:
        return "?"


def wrapped(value: Any) -> str:
    """A number as it stands after a sign."""
    return f"({text_of(value)})" if text_of(value).startswith("-") else text_of(value)


def listing(items: Any) -> str:
    """Values in order, `4, 7`."""
    return ", ".join(map(text_of, items))


def spelling(items: Any) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if isinstance(items, str):
        return " ".join(c if c.isalnum() else repr(c) for c in items)
    return listing(items)


def tables(items: Any, end: int) -> tuple[str, ...]:
    """The ways to list a sequence by place up to `end`: `0:h 1:e`, densely `0h1e`."""
    cells = [*enumerate(items[: max(end, 0)])]
    if not isinstance(items, str):
        return (" ".join(f"{i}:{text_of(x)}" for i, x in cells),)
    wide = " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in cells)
    return wide, "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in cells)


def places_of(box: Any, part: Any) -> list[int]:
    """Where a part stands in a sequence: of a string, without overlaps."""
    if not isinstance(box, str):
        return [i for i, x in enumerate(box) if equal(x, part)]
    places, at = [], box.find(part) if part else -1
    while at >= 0:
        places.append(at)
        at = box.find(part, at + len(part))
    return places
