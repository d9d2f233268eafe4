"""From the value of an expression back to values of the names in it.

`INVERSES` has, for every operation that is undone, what may have gone in for what came out; where
an operation loses information (`sorted`, `len`, a slice) these are guesses, the most natural first.
`Inverter.solve` goes down an expression by this table. Whoever uses a solution runs the program to
check it. No code of the program is run here.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Given, Raises, evaluate
from semcoder_lib.monologues.write.workings import SIGNS

Assignment = dict[str, Any]
WIDTH = 4  # alternatives kept at every step
_DEPTH = 12
_UNFIT = (TypeError, ValueError, ArithmeticError, IndexError, AttributeError, KeyError)
_SEQUENCES = (str, list, tuple)


def number(text: str) -> list[Any]:
    """The number that a text writes, if it writes one."""
    if re.fullmatch(r"-?\d{1,18}", text):
        return [int(text)]
    return [float(text)] if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text) else []


def sequences(value: Any, _: Any = None) -> list[Any]:
    """The same items as a list, as a tuple, and as a string where they are characters."""
    items = list(value)
    letters = items and all(isinstance(x, str) and len(x) == 1 for x in items)
    return [items, *(["".join(items)] if letters else []), tuple(items)]


def _without_end(value: Any, end: Any) -> list[Any]:
    if not isinstance(value, _SEQUENCES):
        return [value - end]
    cut = len(value) - len(end)
    return [value[:cut]] if value[cut:] == end else []


def _without_start(value: Any, start: Any) -> list[Any]:
    if not isinstance(value, _SEQUENCES):
        return [value - start]
    return [value[len(start) :]] if value[: len(start)] == start else []


def _factor(value: Any, c: Any) -> list[Any]:
    if isinstance(value, _SEQUENCES):
        part = value[: len(value) // c]
        return [part] if part * c == value else []
    return [value // c] if value % c == 0 else [value / c] if isinstance(value, float) else []


def _repeats(value: Any, c: Any) -> list[Any]:
    return [len(value) // len(c)] if isinstance(c, str | list) and c else _factor(value, c)


def _whole(value: Any) -> list[Any]:
    return [int(value), value] if value == int(value) else [value]


def _halves(v: Any, _: Any) -> list[tuple[Any, Any]]:
    if isinstance(v, _SEQUENCES):
        return [(v[: len(v) // 2], v[len(v) // 2 :]), (v, v[:0]), (v[:0], v)]
    return [(v, v - v), (v // 2, v - v // 2)]


def _other(c: Any) -> list[Any]:
    return [c + 1 if isinstance(c, int | float) else "a" if c != "a" else "b"]


def _outside(c: Any) -> list[Any]:
    return [x for x in ("a", "z", "_", 0, 1, 7) if not isinstance(c, str) or isinstance(x, str)]


# From the value `v` of an operation and its known operand, or first argument, `c` to values of `x`;
# of two unknown operands, to pairs of them.
INVERSES: dict[str, Callable[[Any, Any], list[Any]]] = {
    "x + c": _without_end,
    "x - c": lambda v, c: [v | c] if isinstance(v, set) else [v + c],
    "x * c": _factor,
    "x / c": lambda v, c: _whole(v * c),
    "x // c": lambda v, c: [v * c],
    "x % c": lambda v, c: [v, v + c],
    "x ^ c": lambda v, c: [v ^ c],
    "x << c": lambda v, c: [v >> c],
    "x >> c": lambda v, c: [v << c],
    "x & c": lambda v, c: [v],
    "c + x": _without_start,
    "c - x": lambda v, c: [c - v],
    "c * x": _repeats,
    "x + y": _halves,
    "x - y": lambda v, c: [(v, set())] if isinstance(v, set) else [(v, 0), (v + 1, 1)],
    "x * y": lambda v, c: [(v, 1)] if isinstance(v, str | list) else [(v, 1), (1, v)],
    "x / y": lambda v, c: [(_whole(v)[0], 1)],
    "x // y": lambda v, c: [(v, 1)],
    "x % y": lambda v, c: [(v, v + 1)],
    "x | y": lambda v, c: [(v, v)],
    "x & y": lambda v, c: [(v, v)],
    "x == c": lambda v, c: [c],
    "x is c": lambda v, c: [c],
    "x != c": lambda v, c: _other(c),
    "x is not c": lambda v, c: _other(c),
    "x < c": lambda v, c: [c - 1, c - 2],
    "x > c": lambda v, c: [c + 1, c + 2],
    "x <= c": lambda v, c: [c, c - 1],
    "x >= c": lambda v, c: [c, c + 1],
    "x in c": lambda v, c: list(c)[:WIDTH],
    "x not in c": lambda v, c: [x for x in _outside(c) if x not in c],
    "str(x)": lambda v, c: [*number(v), v],
    "int(x)": lambda v, c: [str(v), v],
    "float(x)": lambda v, c: [v, str(v)],
    "bool(x)": lambda v, c: [1, "a"] if v else [0, ""],
    "len(x)": lambda n, c: ["a" * n, list(range(1, n + 1)), ["a"] * n] if 0 <= n < 1000 else [],
    "sorted(x)": sequences,
    "list(x)": sequences,
    "tuple(x)": sequences,
    "set(x)": lambda v, c: [sorted(v)],
    "reversed(x)": lambda v, c: [list(v)[::-1]],
    "sum(x)": lambda v, c: [[v], [v, 0]],
    "max(x)": lambda v, c: [[v], [v, v]],
    "min(x)": lambda v, c: [[v], [v, v]],
    "abs(x)": lambda v, c: [v, -v],
    "round(x)": lambda v, c: [v],
    "ord(x)": lambda v, c: [chr(v)],
    "chr(x)": lambda v, c: [ord(v)],
    "hex(x)": lambda v, c: [int(v, 16)],
    "any(x)": lambda v, c: [[v]],
    "all(x)": lambda v, c: [[v]],
    "enumerate(x)": lambda v, c: [[x for _, x in v]],
    "x.upper()": lambda v, c: [v.lower(), v],
    "x.lower()": lambda v, c: [v, v.upper()],
    "x.swapcase()": lambda v, c: [v.swapcase()],
    "x.title()": lambda v, c: [v.lower(), v],
    "x.capitalize()": lambda v, c: [v.lower(), v],
    "x.strip()": lambda v, c: [v, f" {v} "],
    "x.keys()": lambda v, c: [dict.fromkeys(v, 1)],
    "x.values()": lambda v, c: [dict(enumerate(v))],
    "x.items()": lambda v, c: [dict(v)],
    "x.get()": lambda v, c: [{"a" if c is None else c: v}],
    "x.split()": lambda v, c: [(" " if c is None else c).join(v)],
    "x.center()": lambda v, c: [v.strip(), v],
    "x.isdigit()": lambda v, c: ["1" if v else "a"],
    "x.isalpha()": lambda v, c: ["a" if v else "1"],
    "x.isupper()": lambda v, c: ["A" if v else "a"],
    "x.islower()": lambda v, c: ["a" if v else "A"],
    "x.startswith()": lambda v, c: [c if v else "_"] if c is not None else [],
    "x.endswith()": lambda v, c: [c if v else "_"] if c is not None else [],
    "x.count()": lambda v, c: [c * v if isinstance(c, str) else [c] * v] if c is not None else [],
}
_NEGATED = {"==": "!=", "<": ">=", ">": "<=", "in": "not in", "is": "is not"}
_NEGATED |= {b: a for a, b in _NEGATED.items()}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


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
        if isinstance(test, ast.Name):
            values = [1, "a", [1], True] if wanted else [0, "", [], None]
            return [{test.id: value} for value in values]
        return self.solve(test, wanted)

    def _first(self, node: ast.expr, values: Iterable[Any]) -> list[Assignment]:
        """Solutions for any of several values of `node`."""
        return [solution for value in values for solution in self.solve(node, value)]

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
        left, right, sign = self.known(node.left), self.known(node.right), SIGNS[type(node.op)]
        if right is not None:
            return self._first(node.left, INVERSES[f"x {sign} c"](value, right[0]))
        if left is not None:
            return self._first(node.right, INVERSES[f"c {sign} x"](value, left[0]))
        key = f"x {sign} y"
        pairs = INVERSES[key](value, None) if key in INVERSES else [(value, 0)]
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
        return self._first(node.args[0], INVERSES[f"{func.id}(x)"](value, None))

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
        if name == "replace":
            new = known[1][0] if len(known) > 1 and known[1] else ""
            undone = value.replace(new, first) if new and first is not None else value
            return self._first(owner, [undone, value])
        return self._first(owner, INVERSES[f"x.{name}()"](value, first))

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
        if not isinstance(value, bool):
            return self.solve(node.values[0], value)
        options = [o[0] for v in node.values if (o := self.condition(v, value))]
        return _one(merged(options)) if isinstance(node.op, ast.And) is value else options

    def _Compare(self, node: ast.Compare, value: Any) -> list[Assignment]:
        if not isinstance(value, bool) or len(node.ops) > 1:
            return []
        sign = SIGNS[type(node.ops[0])]
        sign = sign if value else _NEGATED[sign]
        unknown, c = node.left, self.known(node.comparators[0])
        if c is None and sign not in ("in", "not in"):
            unknown, c = node.comparators[0], self.known(node.left)
            sign = _MIRRORED.get(sign, sign)
        return [] if c is None else self._first(unknown, INVERSES[f"x {sign} c"](value, c[0]))


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
