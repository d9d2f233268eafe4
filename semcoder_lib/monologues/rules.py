"""What must stand in the slots of a piece, by the expression that the piece is about.

The writer fills slots with it, and the reader compares with it what stands there. What the
expression comes to is no part of it: each finds that out for itself.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

from semcoder_lib.monologues.evaluator import Raises, equal
from semcoder_lib.monologues.show import SPELL_UP_TO, listing, many, show, spelling, tables, wrapped
from semcoder_lib.monologues.syntax import as_list

UNROLL_UP_TO = 8  # items of a comprehension, parts that are joined
# what a rule, or an inverse, raises about another expression than it is for
UNFIT = (Raises, TypeError, AttributeError, ValueError, LookupError, ArithmeticError)
FINDS = ("find", "index", "rfind", "rindex")

# Texts of slots, a tuple where there is a choice; none where a row cannot be about the expression.
Texts = dict[str, Any]


class Facts:
    """The values of one expression: its own `v`, and those of the first two that it is made of, `x`
    and `y`. Reading one raises what `value` does, and IndexError where there is none. `text` is how
    the expression is written."""

    def __init__(self, value: Callable[[ast.expr], Any], node: ast.expr, text: str = "") -> None:
        self.value, self.node, self.text = value, node, text
        self.kind, self.operands = parts_of(node)
        self.method: str = self.kind.removesuffix("()")

    @property
    def v(self) -> Any:
        return self.value(self.node)

    @property
    def x(self) -> Any:
        return self.value(self.operands[0])

    @property
    def y(self) -> Any:
        return self.value(self.operands[1])


@functools.lru_cache(maxsize=8192)
def parts_of(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """What an expression does, and the expressions that it does it with."""
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


def places_of(box: Any, part: Any) -> list[int]:
    """Where a part stands in a sequence: of a string, without overlaps."""
    if isinstance(box, str):
        return [m.start() for m in re.finditer(re.escape(part), box)] if part else []
    return [i for i, x in enumerate(box) if equal(x, part)]


def _sum(c: Facts) -> Texts:
    sums = zip(itertools.accumulate(c.x), c.x[1:], strict=False)
    return {"c": ", ".join(f"{show(t)} + {wrapped(show(x))} = {show(t + x)}" for t, x in sums)}


def _table(c: Facts) -> Texts:
    """All of a sequence, or up to the place that is asked for."""
    items = c.y if isinstance(c.node, ast.Compare) else c.x
    end = c.y if c.kind == "item" else c.v if c.method in FINDS else None
    part = tables(items[: end + 1]) if type(end) is int and end >= 0 else ()
    return {"t": part if part and len(items) > SPELL_UP_TO else tables(items) + part}


def _places(c: Facts, there: bool) -> Texts:
    """Where an argument stands in what looks for it, counts it or cuts at it."""
    places = places_of(c.x, c.y)
    if len(c.operands) > 3 or bool(places) is not there or (isinstance(c.x, str) and not c.y):
        return {}
    texts = {"t": tables(c.x), "p": show(c.y)}
    return texts | {"n": ", ".join(map(str, places))} if there else texts


def _not_all(c: Facts) -> Texts:
    bad = [at for at, letter in enumerate(c.x) if not getattr(letter, c.method)()]
    return {"x": repr(c.x[bad[0]]), "n": str(bad[0])} if bad else {}


def _trims(c: Facts) -> Texts:
    at = 0 if c.method == "rstrip" else c.x.find(c.v) if c.v else len(c.x)
    return {"n": str(at), "k": str(len(c.x) - at - len(c.v))}


def _there(c: Facts) -> Texts:
    if len(c.operands) > 2 or not isinstance(c.y, str) or not c.y:
        return {}
    at_start = c.method in ("startswith", "removeprefix")
    return {"x": show(c.x[: len(c.y)] if at_start else c.x[-len(c.y) :])}


def _keyed(c: Facts) -> Texts:
    node: Any = c.node
    key = next((k.value for k in node.keywords if k.arg == "key"), None)
    items = c.value(as_list(node.args[0]))
    if key is None or not 0 < len(items) <= UNROLL_UP_TO:
        return {}
    mapped = ast.Call(ast.Name("map", ast.Load()), [key, node.args[0]], [])
    return {"k": listing(c.value(as_list(mapped))), "a": listing(items)}


def _respelled(c: Facts) -> Texts:
    return {"a": spelling(c.x), "b": spelling(c.v)}


RULES: dict[str, Callable[[Facts], Texts]] = {
    "division": lambda c: {
        "a": show(c.x),
        "q": "{} * {} + {}".format(*(wrapped(show(n)) for n in (c.y, *divmod(c.x, c.y)))),
    },
    "sum": _sum,
    "last": lambda c: {"v": show(c.v)} if c.y in (-1, len(c.x) - 1) else {},
    "table": _table,
    "backwards": _respelled,
    "becomes": lambda c: _respelled(c) if c.x != c.v else {},
    "places": lambda c: _places(c, True), "nowhere": lambda c: _places(c, False),
    "counted.at": lambda c: {"p": ", ".join(map(str, places_of(c.x, c.y)))},
    "trims": _trims,
    "pads": lambda c: {**many(len(c.x)), "k": str(len(c.v) - len(c.x))},
    "all.are": lambda c: {"a": spelling(c.x)} if c.v else {},
    "not.all": _not_all,
    "cased": lambda c: {
        "a": spelling(c.x), "b": spelling(getattr(c.x, c.method.removeprefix("is"))())
    },
    "ends.with": _there, "cut.there": _there,
    "joined": lambda c: {
        "q": (f" + {show(c.x)} + " if c.x else " + ").join(map(show, c.y))
    } if 0 < len(c.y) <= UNROLL_UP_TO else {},
    "keyed": _keyed,
    "has.keys": lambda c: {"x": c.text, "ks": listing({**c.v})} if c.v else {},
    "has.items": lambda c: {"x": c.text, "ks": listing(c.v.items())} if c.v else {},
    "has.none": lambda c: {} if {**c.v} else {"x": c.text},
    "has.last": lambda c: {"x": c.text, "v": show(c.v[-1])},
}  # fmt: skip
RULES |= {f"{row}.bare": RULES[row] for row in ("table", "backwards", "becomes")}
