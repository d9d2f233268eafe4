"""What an expression is made of, what is known of its value, and how values are spelled."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.evaluator import Raises, equal
from semcoder_lib.monologues.show import NotShown, brief, show

MISSING = object()  # a value that cannot be decided
_LONG = 1_000  # characters of a value that a text may have to match


def differ(a: Any, b: Any) -> bool:
    """Whether two values are known and not equal; of an exception nothing is known."""
    if a is MISSING or b is MISSING or isinstance(a, Raises) or isinstance(b, Raises):
        return False
    return not equal(a, b)


def links(node: ast.expr) -> list[ast.expr]:
    """The comparisons of a chain; any other expression itself."""
    if not isinstance(node, ast.Compare) or len(node.ops) == 1:
        return [node]
    sides = [node.left, *node.comparators]
    return [ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]


def operands(node: ast.expr) -> list[ast.expr | None]:
    """What an expression is made of, one level down."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    if isinstance(node, ast.Subscript):
        part = node.slice
        inside = [part.lower, part.upper, part.step] if isinstance(part, ast.Slice) else [part]
        return [node.value, *inside]
    if isinstance(node, ast.Call):
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*base, *node.args, *(k.value for k in node.keywords)]
    return []


def kinds(node: ast.expr) -> tuple[str, ...]:
    """What an expression does, its operands aside; of a chained comparison, each link."""
    known: tuple[str, ...] | None = getattr(node, "kinds", None)
    if known is None:
        known = node.kinds = _kinds_of(node)  # type: ignore[attr-defined]
    return known


def _kinds_of(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp):
        return (type(node.op).__name__,)
    if isinstance(node, ast.Compare):
        return tuple(type(op).__name__ for op in node.ops)
    if isinstance(node, ast.Call):
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else ast.unparse(func)
        return (f"{name}()",)
    if isinstance(node, ast.Subscript):
        return ("slice" if isinstance(node.slice, ast.Slice) else "item",)
    return (ast.unparse(node),)


def as_list(node: ast.expr) -> ast.expr:
    """The expression with `list(...)` round it."""
    call = ast.Call(ast.Name("list", ast.Load()), [node], [])
    return ast.fix_missing_locations(ast.copy_location(call, node))


def source(node: ast.expr | None) -> ast.expr | None:
    """What an expression reads: the sequence that it indexes, slices, looks through, or calls a
    method or function of."""
    if isinstance(node, ast.Subscript):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value
    if isinstance(node, ast.Call) and node.args:
        return node.args[0]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return node.comparators[0]
    return None


def is_search(node: ast.Call) -> bool:
    return getattr(node.func, "attr", "") in ("find", "index", "rfind", "rindex")


# --- values in a text, to compare with what it says -----------------------------------------------


def shown(value: Any) -> str:
    """A value, or why there is none, as evidence."""
    if value is MISSING:
        return "cannot be evaluated"
    return f"raises {value.kind}" if isinstance(value, Raises) else brief(value)


def text_of(value: Any) -> str:
    """The one way to write a value."""
    try:
        return show(value, _LONG)
    except NotShown:
        return "?"


def listing(items: Any) -> str:
    """Values in order, `4, 7`."""
    return ", ".join(map(text_of, items))


def spelling(items: Any) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if isinstance(items, str):
        return " ".join(c if c.isalnum() else repr(c) for c in items)
    return listing(items)


def tables(items: Any, last: int) -> tuple[str, ...]:
    """The ways to list a sequence by place up to `last`: `0:h 1:e`, densely `0h1e`."""
    part = items[: last + 1]
    if isinstance(items, str):
        wide = " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(part))
        return wide, "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in enumerate(part))
    return (" ".join(f"{i}:{x}" for i, x in enumerate(map(text_of, part))),)


def places_of(box: Any, part: Any) -> list[int]:
    """Where a part stands in a sequence: of a string, without overlaps."""
    if not isinstance(box, str):
        return [i for i, x in enumerate(box) if equal(x, part)]
    places, at = [], box.find(part) if part else -1
    while at >= 0:
        places.append(at)
        at = box.find(part, at + len(part))
    return places
