"""From the value of an expression back to values of the names in it.

`solve(node, value)` gives a few assignments of names under which the expression may well have that
value. They are guesses where the operation loses information (`sorted`, `len`, `sum`, a slice), so
whoever uses one runs the program to check. No code of the program is run here.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from semcoder_lib.monologues.backward.inverses import (
    BOTH,
    FUNCTIONS,
    LEFT,
    METHODS,
    RIGHT,
    number,
    sequences,
)
from semcoder_lib.monologues.evaluator import Cannot, Given, Raises, evaluate

Assignment = dict[str, Any]
WIDTH = 4  # alternatives kept at every step
_DEPTH = 12
_UNFIT = (TypeError, ValueError, ArithmeticError, IndexError, AttributeError, KeyError)


class Inverter:
    """Solves over fixed `constants` (module-level names and literals of the program). A method for
    each kind of node gives assignments under which it has a value."""

    def __init__(self, constants: Mapping[str, Any]) -> None:
        self.constants = constants
        self._depth = 0

    def solve(self, node: ast.expr, value: Any) -> list[Assignment]:
        """Assignments of the names in `node`, the most natural first; empty when there is none
        or none is known."""
        known = self.known(node)
        if known is not None:
            return [{}] if _alike(known[0], value) else []
        solver = getattr(self, f"_{type(node).__name__}", None)
        if solver is None or self._depth > _DEPTH:
            return []
        self._depth += 1
        try:
            return list(solver(node, value))[:WIDTH]
        except _UNFIT:
            return []
        finally:
            self._depth -= 1

    def known(self, node: ast.expr) -> tuple[Any] | None:
        """The value of an expression that depends on no input, in a 1-tuple."""
        try:
            return (evaluate(node, Given(self.constants)),)
        except (Cannot, Raises):
            return None

    def condition(self, test: ast.expr, wanted: bool) -> list[Assignment]:
        """Assignments under which a simple test comes out as wanted."""
        try:
            return list(self._condition(test, wanted))[:WIDTH]
        except _UNFIT:
            return []

    def _first(self, node: ast.expr, values: Iterable[Any]) -> list[Assignment]:
        """Solutions for any of several values of `node`."""
        return [found for value in values for found in self.solve(node, value)]

    def _both(
        self, a: tuple[ast.expr, Any], b: tuple[ast.expr, Any], width: int = 1
    ) -> list[Assignment]:
        """Solutions under which two expressions have their values."""
        pairs = itertools.product(self.solve(*a)[:width], self.solve(*b)[:width])
        return [both for pair in pairs if (both := merged(pair)) is not None]

    # --- a method for each kind of node ---------------------------------------------------------

    def _Name(self, node: ast.Name, value: Any) -> list[Assignment]:
        return [{node.id: value}]

    def _List(self, node: ast.Tuple | ast.List, value: Any) -> list[Assignment]:
        if len(value) != len(node.elts):
            return []
        options = [self.solve(e, v)[:1] for e, v in zip(node.elts, value, strict=True)]
        return _one(merged(o[0] for o in options if o)) if any(options) else []

    _Tuple = _List

    def _UnaryOp(self, node: ast.UnaryOp, value: Any) -> list[Assignment]:
        if isinstance(node.op, ast.USub):
            return self.solve(node.operand, -value)
        return self.condition(node.operand, not value) if isinstance(node.op, ast.Not) else []

    def _BinOp(self, node: ast.BinOp, value: Any) -> list[Assignment]:
        left, right, op = self.known(node.left), self.known(node.right), type(node.op)
        if right is not None:
            return self._first(node.left, LEFT[op](value, right[0]))
        if left is not None:
            return self._first(node.right, RIGHT[op](value, left[0]))
        pairs = BOTH.get(op, lambda v: [(v, 0)])(value)
        return [f for a, b in pairs for f in self._both((node.left, a), (node.right, b), 2)]

    def _Subscript(self, node: ast.Subscript, value: Any) -> list[Assignment]:
        if isinstance(node.slice, ast.Slice):
            return self._slice(node, node.slice, value)
        key = self.known(node.slice)
        boxes: list[Any] = [[value], str(value) if isinstance(value, str) else [value]]
        if key is None:
            return [f for box in boxes for f in self._both((node.value, box), (node.slice, 0))]
        boxes = [{key[0]: value}]
        if type(key[0]) is int:
            places = -key[0] if key[0] < 0 else key[0] + 1
            boxes = [[value] * places, (value,) * places, *boxes]
            if isinstance(value, str) and len(value) == 1:
                boxes.insert(0, value * places)
        return self._first(node.value, boxes)

    def _slice(self, node: ast.Subscript, part: ast.Slice, value: Any) -> list[Assignment]:
        step = self.known(part.step) if part.step else (1,)
        low = self.known(part.lower) if part.lower else (0,)
        upper = self.known(part.upper) if part.upper else None
        if step == (-1,) and not part.lower and not part.upper:
            return self.solve(node.value, value[::-1])
        if step != (1,) or low is None:
            return self.solve(node.value, value)
        filler = value[:1] or ("a" if isinstance(value, str) else [0])
        box = filler * low[0] + value if low[0] > 0 else value
        if upper is not None and type(upper[0]) is int and upper[0] < 0:
            box = box + filler * -upper[0]
        return self.solve(node.value, box)

    def _Call(self, node: ast.Call, value: Any) -> list[Assignment]:
        func = node.func
        if isinstance(func, ast.Attribute):
            return self._method(func.value, func.attr, node.args, value)
        if not isinstance(func, ast.Name) or not node.args:
            return []
        if func.id in ("max", "min") and len(node.args) > 1:
            return _one(merged(a[0] for n in node.args if (a := self.solve(n, value))))
        return self._first(node.args[0], FUNCTIONS[func.id](value))

    def _method(
        self, owner: ast.expr, name: str, arguments: list[ast.expr], value: Any
    ) -> list[Assignment]:
        known = [self.known(a) for a in arguments]
        first = known[0][0] if known and known[0] else None
        if name == "join" and arguments:
            glue = self.known(owner)
            if glue is None:
                return self._both((arguments[0], [value]), (owner, ""))
            parts = list(value) if glue[0] == "" else value.split(glue[0])
            return self.solve(arguments[0], [] if value == "" else parts)
        if name == "split":
            return self.solve(owner, (" " if first is None else first).join(value))
        if name == "get" and arguments:
            return self.solve(owner, {first if known[0] else "a": value})
        if name == "replace":
            new = known[1][0] if len(known) > 1 and known[1] else ""
            undone = value.replace(new, first) if new and first is not None else value
            return self._first(owner, [undone, value])
        return self._first(owner, METHODS[name](value, first))

    def _ListComp(self, node: Any, value: Any) -> list[Assignment]:
        items = [found for x in value for found in self.solve(node.elt, x)[:1]]
        return self._went_over(node.generators, items, len(value))

    _SetComp = _GeneratorExp = _ListComp

    def _DictComp(self, node: ast.DictComp, value: Any) -> list[Assignment]:
        items = [f for k, v in value.items() for f in self._both((node.key, k), (node.value, v))]
        return self._went_over(node.generators, items, len(value))

    def _went_over(
        self, generators: list[ast.comprehension], items: list[Assignment], count: int
    ) -> list[Assignment]:
        """Solutions for what a comprehension goes over, if its variables were `items` in turn."""
        target, through = generators[0].target, generators[0].iter
        if len(items) != count or len(generators) > 1:
            return []
        if isinstance(target, ast.Name):
            return self._first(through, sequences([a[target.id] for a in items]))
        names = [e.id for e in getattr(target, "elts", ()) if isinstance(e, ast.Name)]
        if not names or len(names) != len(target.elts):  # type: ignore[attr-defined]
            return []
        rows = [tuple(a.get(n, place) for n in names) for place, a in enumerate(items)]
        return self.solve(through, rows)

    def _JoinedStr(self, node: ast.JoinedStr, value: Any) -> list[Assignment]:
        holes = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        pattern = "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.*?)"
            for part in node.values
        )
        found = re.fullmatch(pattern, value, re.DOTALL)
        texts = found.groups() if found else ()
        options = [self._first(h, [*number(t), t]) for h, t in zip(holes, texts, strict=True)]
        return _one(merged(o[0] for o in options)) if all(options) else []

    def _IfExp(self, node: ast.IfExp, value: Any) -> list[Assignment]:
        out = []
        for branch, wanted in ((node.body, True), (node.orelse, False)):
            for a in self.solve(branch, value)[:2]:
                tests = [merged((a, c)) for c in self.condition(node.test, wanted)]
                out.append(next((t for t in tests if t is not None), a))
        return out

    def _BoolOp(self, node: ast.BoolOp, value: Any) -> list[Assignment]:
        if isinstance(value, bool):
            return self.condition(node, value)
        return self.solve(node.values[0], value)

    def _Compare(self, node: ast.Compare, value: Any) -> list[Assignment]:
        return self.condition(node, value) if isinstance(value, bool) else []

    # --- conditions -----------------------------------------------------------------------------

    def _condition(self, test: ast.expr, wanted: bool) -> list[Assignment]:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            return self.condition(test.operand, not wanted)
        if isinstance(test, ast.BoolOp):
            options = [o[0] for v in test.values if (o := self.condition(v, wanted))]
            return _one(merged(options)) if isinstance(test.op, ast.And) is wanted else options
        if isinstance(test, ast.Compare):
            return self._comparison(test, wanted) if len(test.ops) == 1 else []
        if isinstance(test, ast.Name):
            return [
                {test.id: v} for v in ([1, "a", [1], True] if wanted else [0, "", [], None, False])
            ]
        return self.solve(test, wanted)

    def _comparison(self, test: ast.Compare, wanted: bool) -> list[Assignment]:
        kind: type = type(test.ops[0]) if wanted else _NEGATED[type(test.ops[0])]
        left, right = test.left, test.comparators[0]
        c = self.known(right)
        if c is None and kind not in (ast.In, ast.NotIn):
            left, kind, c = right, _MIRRORED.get(kind, kind), self.known(left)
        if c is None:
            return []
        bound = c[0]
        if kind in (ast.NotEq, ast.IsNot):
            other = bound + 1 if isinstance(bound, int | float) else "a" if bound != "a" else "b"
            return self.solve(left, other)
        if kind is ast.In:
            return self._first(left, list(bound)[:WIDTH])
        if kind is ast.NotIn:
            return self._first(left, [x for x in ("a", "z", "_", 0, 1, 7) if _outside(x, bound)])
        shifts = _SHIFTS.get(kind)
        return self._first(left, [bound + shift for shift in shifts] if shifts else [bound])


_NEGATED: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_MIRRORED: dict[type, type] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
_SHIFTS: dict[type, tuple[int, int]] = {
    ast.Lt: (-1, -2), ast.Gt: (1, 2), ast.LtE: (0, -1), ast.GtE: (0, 1)
}  # fmt: skip


def _outside(x: Any, box: Any) -> bool:
    try:
        return x not in box
    except TypeError:
        return False


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _one(found: Assignment | None) -> list[Assignment]:
    return [found] if found is not None else []


def merged(parts: Iterable[Assignment]) -> Assignment | None:
    """One assignment that agrees with all, or None."""
    out: Assignment = {}
    for part in parts:
        for name, value in part.items():
            if name in out and not _alike(out[name], value):
                return None
            out[name] = value
    return out
