"""From the value of an expression back to values of the names in it.

`solve(node, value)` gives a few assignments of names under which the expression may well have that
value. They are guesses where the operation loses information (`sorted`, `len`, `sum`, a slice), so
whoever uses one runs the program to check. No code of the program is run here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from semcoder_lib.monologues.backward.inverses import (
    FUNCTIONS,
    METHODS,
    both_of,
    left_of,
    number,
    right_of,
    sequences,
)
from semcoder_lib.monologues.evaluator import Cannot, Given, Raises, evaluate

Assignment = dict[str, Any]
WIDTH = 4  # alternatives kept at every step


class Inverter:
    """Solves over fixed `constants` (module-level names and literals of the program)."""

    def __init__(self, constants: Mapping[str, Any]) -> None:
        self.constants = constants

    def solve(self, node: ast.expr, value: Any, depth: int = 0) -> list[Assignment]:
        """Assignments of the names in `node`, the most natural first; empty when there is none
        or none is known."""
        if depth > 12:
            return []
        known = self.known(node)
        if known is not None:
            return [{}] if _alike(known[0], value) else []
        solver = _SOLVERS.get(type(node))
        if solver is None:
            return []
        try:
            found: list[Assignment] = list(solver(self, node, value, depth + 1))
        except (TypeError, ValueError, ArithmeticError, IndexError, AttributeError, KeyError):
            return []
        return found[:WIDTH]

    def known(self, node: ast.expr) -> tuple[Any] | None:
        """The value of an expression that depends on no input, in a 1-tuple."""
        try:
            return (evaluate(node, Given(self.constants)),)
        except (Cannot, Raises):
            return None

    def first(self, node: ast.expr, values: Iterable[Any], depth: int) -> list[Assignment]:
        """Solutions for any of several values of `node`, each value once."""
        out: list[Assignment] = []
        for value in values:
            out.extend(self.solve(node, value, depth))
        return out

    def condition(self, test: ast.expr, wanted: bool) -> list[Assignment]:
        """Assignments under which a simple test comes out as wanted."""
        try:
            return list(_condition(self, test, wanted))[:WIDTH]
        except (TypeError, ValueError, ArithmeticError, IndexError, AttributeError, KeyError):
            return []


def merged(parts: Iterable[Assignment]) -> Assignment | None:
    """One assignment that agrees with all, or None."""
    out: Assignment = {}
    for part in parts:
        for name, value in part.items():
            if name in out and not _alike(out[name], value):
                return None
            out[name] = value
    return out


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _name(i: Inverter, node: ast.Name, value: Any, depth: int) -> list[Assignment]:
    return [{node.id: value}]


def _display(i: Inverter, node: ast.Tuple | ast.List, value: Any, depth: int) -> list[Assignment]:
    if len(value) != len(node.elts):
        return []
    options = [i.solve(e, v, depth)[:1] for e, v in zip(node.elts, value, strict=True)]
    told = merged(o[0] for o in options if o)
    return [told] if told is not None and any(options) else []


def _unary(i: Inverter, node: ast.UnaryOp, value: Any, depth: int) -> list[Assignment]:
    if isinstance(node.op, ast.USub):
        return i.solve(node.operand, -value, depth)
    if isinstance(node.op, ast.Not):
        return i.condition(node.operand, not value)
    return []


def _binary(i: Inverter, node: ast.BinOp, value: Any, depth: int) -> list[Assignment]:
    left, right = i.known(node.left), i.known(node.right)
    if right is not None:
        return i.first(node.left, left_of(node.op, value, right[0]), depth)
    if left is not None:
        return i.first(node.right, right_of(node.op, value, left[0]), depth)
    out = []
    for a, b in both_of(node.op, value):
        for x in i.solve(node.left, a, depth)[:2]:
            for y in i.solve(node.right, b, depth)[:2]:
                told = merged((x, y))
                if told is not None:
                    out.append(told)
    return out


def _subscript(i: Inverter, node: ast.Subscript, value: Any, depth: int) -> list[Assignment]:
    if isinstance(node.slice, ast.Slice):
        return _slice(i, node, node.slice, value, depth)
    key = i.known(node.slice)
    if key is None:
        out = []
        for box in ([value], (str(value) if isinstance(value, str) else [value])):
            for a in i.solve(node.value, box, depth)[:1]:
                for b in i.solve(node.slice, 0, depth)[:1]:
                    told = merged((a, b))
                    out += [told] if told is not None else []
        return out
    index = key[0]
    if type(index) is int:
        places = abs(index) if index < 0 else index + 1
        boxes: list[Any] = [[value] * places, (value,) * places]
        if isinstance(value, str) and len(value) == 1:
            boxes.insert(0, value * places)
        return i.first(node.value, [*boxes, {index: value}], depth)
    return i.first(node.value, [{index: value}], depth)


def _slice(
    i: Inverter, node: ast.Subscript, part: ast.Slice, value: Any, depth: int
) -> list[Assignment]:
    step = i.known(part.step) if part.step else (1,)
    low = i.known(part.lower) if part.lower else (0,)
    if step == (-1,) and not part.lower and not part.upper:
        return i.solve(node.value, value[::-1], depth)
    filler = value[:1] or ("a" if isinstance(value, str) else [0])
    if step != (1,) or low is None:
        return i.solve(node.value, value, depth)
    boxes = [value]
    if low[0] > 0:
        boxes = [filler * low[0] + value]
    upper = i.known(part.upper) if part.upper else None
    if upper is not None and type(upper[0]) is int and upper[0] < 0:
        boxes = [b + filler * -upper[0] for b in boxes]
    return i.first(node.value, boxes, depth)


def _call(i: Inverter, node: ast.Call, value: Any, depth: int) -> list[Assignment]:
    if isinstance(node.func, ast.Attribute):
        return _method(i, node, node.func, value, depth)
    if not isinstance(node.func, ast.Name) or not node.args:
        return []
    inverse = FUNCTIONS.get(node.func.id)
    if node.func.id in ("max", "min") and len(node.args) > 1:
        told = merged(a[0] for n in node.args if (a := i.solve(n, value, depth)))
        return [told] if told is not None else []
    if inverse is None:
        return []
    return i.first(node.args[0], inverse(value), depth)


def _method(
    i: Inverter, node: ast.Call, func: ast.Attribute, value: Any, depth: int
) -> list[Assignment]:
    name = func.attr
    if name == "join" and node.args:
        glue = i.known(func.value)
        if glue is None:
            return [
                told
                for a in i.solve(node.args[0], [value], depth)[:1]
                for b in i.solve(func.value, "", depth)[:1]
                if (told := merged((a, b))) is not None
            ]
        parts = list(value) if glue[0] == "" else value.split(glue[0])
        return i.first(node.args[0], [[] if value == "" else parts], depth)
    if name == "split":
        glue = i.known(node.args[0]) if node.args else (" ",)
        return i.solve(func.value, (glue[0] if glue else " ").join(value), depth)
    if name == "get" and node.args:
        key = i.known(node.args[0])
        return i.solve(func.value, {key[0] if key else "a": value}, depth)
    inverse = METHODS.get(name)
    if inverse is None:
        return []
    return i.first(func.value, inverse(value, [i.known(a) for a in node.args]), depth)


def _comprehension(i: Inverter, node: Any, value: Any, depth: int) -> list[Assignment]:
    generator = node.generators[0]
    if len(node.generators) > 1:
        return []
    if isinstance(node, ast.DictComp):
        items = [
            told
            for k, v in value.items()
            for a in i.solve(node.key, k, depth)[:1]
            for b in i.solve(node.value, v, depth)[:1]
            if (told := merged((a, b))) is not None
        ]
    else:
        items = [a for x in value for a in i.solve(node.elt, x, depth)[:1]]
    if len(items) != len(value):
        return []
    return i.first(generator.iter, targets(generator.target, items), depth)


def targets(target: ast.expr, items: list[Assignment]) -> list[Any]:
    """What a loop with this target went over, if its variables were `items` in turn."""
    if isinstance(target, ast.Name):
        if not all(target.id in a for a in items):
            return []
        return sequences([a[target.id] for a in items])
    if isinstance(target, ast.Tuple):
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        if len(names) != len(target.elts):
            return []
        return [[tuple(a.get(n, p) for n in names) for p, a in enumerate(items)]]
    return []


def _formatted(i: Inverter, node: ast.JoinedStr, value: Any, depth: int) -> list[Assignment]:
    pattern, holes = "", []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pattern += re.escape(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            pattern += "(.*?)" if part is not node.values[-1] else "(.*)"
            holes.append(part.value)
    found = re.fullmatch(pattern, value, re.DOTALL) if isinstance(value, str) else None
    if found is None:
        return []
    parts = []
    for hole, text in zip(holes, found.groups(), strict=True):
        options = i.first(hole, [*number(text), text], depth)
        if not options:
            return []
        parts.append(options[0])
    told = merged(parts)
    return [told] if told is not None else []


def _choice(i: Inverter, node: ast.IfExp, value: Any, depth: int) -> list[Assignment]:
    out = []
    for branch, wanted in ((node.body, True), (node.orelse, False)):
        for a in i.solve(branch, value, depth)[:2]:
            tests = i.condition(node.test, wanted)
            fitting = [t for c in tests if (t := merged((a, c))) is not None]
            out += fitting[:1] or [a]
    return out


def _boolean(i: Inverter, node: ast.BoolOp, value: Any, depth: int) -> list[Assignment]:
    if isinstance(value, bool):
        return i.condition(node, value)
    return i.first(node.values[0], [value], depth)


def _compare(i: Inverter, node: ast.Compare, value: Any, depth: int) -> list[Assignment]:
    return i.condition(node, value) if isinstance(value, bool) else []


def _condition(i: Inverter, test: ast.expr, wanted: bool) -> list[Assignment]:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return i.condition(test.operand, not wanted)
    if isinstance(test, ast.BoolOp):
        all_of = isinstance(test.op, ast.And) is wanted
        options = [i.condition(v, wanted) for v in test.values]
        if all_of:
            told = merged(o[0] for o in options if o)
            return [told] if told else []
        return [o[0] for o in options if o]
    if isinstance(test, ast.Compare):
        return _comparison(i, test, wanted) if len(test.ops) == 1 else []
    if isinstance(test, ast.Name):
        values = [1, "a", [1], True] if wanted else [0, "", [], None, False]
        return [{test.id: v} for v in values]
    return i.solve(test, wanted, 1)


_NEGATED: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_MIRRORED: dict[type, type] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}


def _comparison(i: Inverter, test: ast.Compare, wanted: bool) -> list[Assignment]:
    kind: type = type(test.ops[0]) if wanted else _NEGATED[type(test.ops[0])]
    left, right = test.left, test.comparators[0]
    c = i.known(right)
    if c is None and kind not in (ast.In, ast.NotIn):
        left, right = right, left
        kind = _MIRRORED.get(kind, kind)
        c = i.known(right)
    if c is None:
        return []
    bound = c[0]
    if kind in (ast.Eq, ast.Is):
        return i.solve(left, bound, 1)
    if kind is ast.In:
        return i.first(left, list(bound)[:WIDTH], 1)
    if kind is ast.NotIn:
        return i.first(left, [x for x in ("a", "z", "_", 0, 1, 7) if _outside(x, bound)], 1)
    if kind in (ast.NotEq, ast.IsNot):
        other = bound + 1 if isinstance(bound, int | float) else "a" if bound != "a" else "b"
        return i.solve(left, other, 1)
    shifts: dict[type, tuple[int, int]] = {
        ast.Lt: (-1, -2),
        ast.Gt: (1, 2),
        ast.LtE: (0, -1),
        ast.GtE: (0, 1),
    }
    return i.first(left, [bound + o for o in shifts[kind]], 1)


def _outside(x: Any, box: Any) -> bool:
    try:
        return x not in box
    except TypeError:
        return False


_SOLVERS: dict[type, Callable[[Inverter, Any, Any, int], Iterable[Assignment]]] = {
    ast.Name: _name,
    ast.Tuple: _display,
    ast.List: _display,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.JoinedStr: _formatted,
    ast.IfExp: _choice,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
}
