"""Inverses of single operations, as tables: values that may have gone in, from the value that came
out. Where an operation loses information the values are guesses, the most natural first."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from typing import Any

_SEQUENCES = (str, list, tuple)


def number(text: str) -> list[Any]:
    """The number that a text writes, if it writes one."""
    if re.fullmatch(r"-?\d{1,18}", text):
        return [int(text)]
    return [float(text)] if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text) else []


def sequences(value: Any) -> list[Any]:
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


def _whole(value: Any) -> list[Any]:
    return [int(value), value] if value == int(value) else [value]


def _roots(value: Any, c: Any) -> list[Any]:
    root = round(abs(value) ** (1 / c))
    return [r for r in (root, -root) if r**c == value]


Binary = dict[type[ast.operator], Callable[[Any, Any], list[Any]]]
# x with `x op c == value`
LEFT: Binary = {
    ast.Add: _without_end,
    ast.Sub: lambda v, c: [v | c] if isinstance(v, set) else [v + c],
    ast.Mult: _factor,
    ast.Div: lambda v, c: _whole(v * c),
    ast.FloorDiv: lambda v, c: [v * c],
    ast.Mod: lambda v, c: [v, v + c],
    ast.Pow: _roots,
    ast.BitXor: lambda v, c: [v ^ c],
    ast.LShift: lambda v, c: [v >> c],
    ast.RShift: lambda v, c: [v << c],
    ast.BitAnd: lambda v, c: [v],
    ast.BitOr: lambda v, c: [v],
}
# x with `c op x == value`
RIGHT: Binary = {
    ast.Add: _without_start,
    ast.Sub: lambda v, c: [c - v],
    ast.Mult: lambda v, c: [len(v) // len(c)] if isinstance(c, str | list) and c else _factor(v, c),
    ast.BitXor: lambda v, c: [v ^ c],
    ast.Div: lambda v, c: [c / v],
    ast.Pow: lambda v, c: [round(math.log(v, c))] if c > 1 and v > 0 else [],
}


def _halves(v: Any) -> list[tuple[Any, Any]]:
    if isinstance(v, _SEQUENCES):
        return [(v[: len(v) // 2], v[len(v) // 2 :]), (v, v[:0]), (v[:0], v)]
    return [(v, v - v), (v // 2, v - v // 2)]


# pairs (x, y) with `x op y == value`; of another operation (value, 0)
BOTH: dict[type[ast.operator], Callable[[Any], list[tuple[Any, Any]]]] = {
    ast.Add: _halves,
    ast.Sub: lambda v: [(v, set())] if isinstance(v, set) else [(v, 0), (v + 1, 1)],
    ast.Mult: lambda v: [(v, 1)] if isinstance(v, str | list) else [(v, 1), (1, v)],
    ast.Div: lambda v: [(_whole(v)[0], 1)],
    ast.FloorDiv: lambda v: [(v, 1)],
    ast.Pow: lambda v: [(v, 1)],
    ast.Mod: lambda v: [(v, v + 1)],
    ast.BitOr: lambda v: [(v, v)],
    ast.BitAnd: lambda v: [(v, v)],
}
FUNCTIONS: dict[str, Callable[[Any], list[Any]]] = {
    "str": lambda v: [*number(v), v],
    "int": lambda v: [str(v), v],
    "float": lambda v: [v, str(v)],
    "bool": lambda v: [1, "a"] if v else [0, ""],
    "len": lambda n: ["a" * n, list(range(1, n + 1)), ["a"] * n] if 0 <= n < 1000 else [],
    "sorted": sequences,
    "list": sequences,
    "tuple": sequences,
    "set": lambda v: [sorted(v)],
    "dict": lambda v: [v, list(v.items())],
    "reversed": lambda v: [list(v)[::-1]],
    "sum": lambda v: [[v], [v, 0]],
    "max": lambda v: [[v], [v, v]],
    "min": lambda v: [[v], [v, v]],
    "abs": lambda v: [v, -v],
    "round": lambda v: [v],
    "ord": lambda v: [chr(v)],
    "chr": lambda v: [ord(v)],
    "bin": lambda v: [int(v, 2)],
    "hex": lambda v: [int(v, 16)],
    "any": lambda v: [[v]],
    "all": lambda v: [[v]],
    "enumerate": lambda v: [[x for _, x in v]],
}
# What a method was called on; `a` is its first argument (None where that is not known).
METHODS: dict[str, Callable[[Any, Any], list[Any]]] = {
    "upper": lambda v, a: [v.lower(), v],
    "lower": lambda v, a: [v, v.upper()],
    "swapcase": lambda v, a: [v.swapcase()],
    "title": lambda v, a: [v.lower(), v],
    "capitalize": lambda v, a: [v.lower(), v],
    "strip": lambda v, a: [v, f" {v} "],
    **dict.fromkeys(("lstrip", "rstrip", "copy", "union"), lambda v, a: [v]),
    "keys": lambda v, a: [dict.fromkeys(v, 1)],
    "values": lambda v, a: [dict(enumerate(v))],
    "items": lambda v, a: [dict(v)],
    "zfill": lambda v, a: [v.lstrip("0") or "0", v],
    "rjust": lambda v, a: [v.lstrip(), v],
    "ljust": lambda v, a: [v.rstrip(), v],
    "center": lambda v, a: [v.strip(), v],
    "isdigit": lambda v, a: ["1" if v else "a"],
    "isalpha": lambda v, a: ["a" if v else "1"],
    "isupper": lambda v, a: ["A" if v else "a"],
    "islower": lambda v, a: ["a" if v else "A"],
    "isspace": lambda v, a: [" " if v else "a"],
    "startswith": lambda v, a: [a if v else "_"] if a is not None else [],
    "endswith": lambda v, a: [a if v else "_"] if a is not None else [],
    "count": lambda v, a: [a * v if isinstance(a, str) else [a] * v] if a is not None else [],
    "removeprefix": lambda v, a: [(a or "") + v],
    "removesuffix": lambda v, a: [v + (a or "")],
}
