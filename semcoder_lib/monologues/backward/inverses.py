"""Inverses of single operations: values that may have gone in, from the value that came out.

Where an operation loses information the values are guesses, the most natural first.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from typing import Any


def left_of(op: ast.operator, value: Any, c: Any) -> list[Any]:
    """Values x with `x op c == value`."""
    if isinstance(op, ast.Add):
        if isinstance(value, str | list | tuple):
            return [value[: len(value) - len(c)]] if value[len(value) - len(c) :] == c else []
        return [value - c]
    if isinstance(op, ast.Sub):
        return [value | c] if isinstance(value, set) else [value + c]
    if isinstance(op, ast.Mult):
        if isinstance(value, str | list | tuple):
            part = value[: len(value) // c]
            return [part] if part * c == value else []
        return [value // c] if value % c == 0 else ([value / c] if isinstance(value, float) else [])
    if isinstance(op, ast.Div):
        made = value * c
        return [int(made), made] if made == int(made) else [made]
    if isinstance(op, ast.FloorDiv):
        return [value * c]
    if isinstance(op, ast.Mod):
        return [value, value + c]
    if isinstance(op, ast.Pow):
        root = round(abs(value) ** (1 / c))
        return [r for r in (root, -root) if r**c == value]
    if isinstance(op, ast.BitXor):
        return [value ^ c]
    if isinstance(op, ast.LShift):
        return [value >> c]
    if isinstance(op, ast.RShift):
        return [value << c]
    return [value] if isinstance(op, ast.BitAnd | ast.BitOr) else []


def right_of(op: ast.operator, value: Any, c: Any) -> list[Any]:
    """Values x with `c op x == value`."""
    if isinstance(op, ast.Add):
        if isinstance(value, str | list | tuple):
            return [value[len(c) :]] if value[: len(c)] == c else []
        return [value - c]
    if isinstance(op, ast.Sub):
        return [c - value]
    if isinstance(op, ast.Mult | ast.BitXor):
        if isinstance(c, str | list) and c:
            return [len(value) // len(c)]
        return left_of(op, value, c)
    if isinstance(op, ast.Div):
        return [c / value]
    if isinstance(op, ast.Pow) and c > 1 and value > 0:
        return [round(math.log(value, c))]
    return []


def both_of(op: ast.operator, value: Any) -> list[tuple[Any, Any]]:
    """Pairs (x, y) with `x op y == value`."""
    if isinstance(op, ast.Add):
        if isinstance(value, str | list | tuple):
            n, empty = len(value), value[:0]
            return [(value[: n // 2], value[n // 2 :]), (value, empty), (empty, value)]
        return [(value, value - value), (value // 2, value - value // 2)]
    if isinstance(op, ast.Sub):
        return [(value, set())] if isinstance(value, set) else [(value, 0), (value + 1, 1)]
    if isinstance(op, ast.Mult):
        if isinstance(value, str | list):
            return [(value, 1)]
        return [(value, 1), (1, value)]
    if isinstance(op, ast.Div):
        whole = int(value) if value == int(value) else value
        return [(whole, 1)]
    if isinstance(op, ast.FloorDiv | ast.Pow):
        return [(value, 1)]
    if isinstance(op, ast.Mod):
        return [(value, value + 1)]
    if isinstance(op, ast.BitOr):
        return [(value, value)]
    return [(value, value)] if isinstance(op, ast.BitAnd) else [(value, 0)]


def sequences(value: Any) -> list[Any]:
    """The same items as a list, as a tuple, and as a string where they are characters."""
    items = list(value)
    out: list[Any] = [items, tuple(items)]
    if items and all(isinstance(x, str) and len(x) == 1 for x in items):
        out.insert(1, "".join(items))
    return out


def _of_length(n: int) -> list[Any]:
    return ["a" * n, list(range(1, n + 1)), ["a"] * n] if 0 <= n < 1000 else []


FUNCTIONS: dict[str, Callable[[Any], list[Any]]] = {
    "str": lambda v: [*number(v), v],
    "int": lambda v: [str(v), v],
    "float": lambda v: [v, str(v)],
    "bool": lambda v: [1, "a"] if v else [0, ""],
    "len": _of_length,
    "sorted": sequences,
    "list": lambda v: sequences(v),
    "tuple": sequences,
    "set": lambda v: [sorted(v)] if v else [[]],
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


def number(text: str) -> list[Any]:
    if re.fullmatch(r"-?\d{1,18}", text):
        return [int(text)]
    return [float(text)] if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text) else []


METHODS: dict[str, Callable[[Any, list[Any]], list[Any]]] = {
    "upper": lambda v, a: [v.lower(), v],
    "lower": lambda v, a: [v, v.upper()],
    "swapcase": lambda v, a: [v.swapcase()],
    "title": lambda v, a: [v.lower(), v],
    "capitalize": lambda v, a: [v.lower(), v],
    "strip": lambda v, a: [v, f" {v} "],
    "lstrip": lambda v, a: [v],
    "rstrip": lambda v, a: [v],
    "replace": lambda v, a: [
        v.replace(a[1][0], a[0][0]) if len(a) > 1 and a[0] and a[1] and a[1][0] else v,
        v,
    ],
    "copy": lambda v, a: [v],
    "keys": lambda v, a: [dict.fromkeys(v, 1)],
    "values": lambda v, a: [dict(enumerate(v))],
    "items": lambda v, a: [dict(v)],
    "zfill": lambda v, a: [v.lstrip("0") or "0", v],
    "rjust": lambda v, a: [v.lstrip(), v],
    "ljust": lambda v, a: [v.rstrip(), v],
    "center": lambda v, a: [v.strip(), v],
    "union": lambda v, a: [v],
    "isdigit": lambda v, a: ["1"] if v else ["a"],
    "isalpha": lambda v, a: ["a"] if v else ["1"],
    "isupper": lambda v, a: ["A"] if v else ["a"],
    "islower": lambda v, a: ["a"] if v else ["A"],
    "isspace": lambda v, a: [" "] if v else ["a"],
    "startswith": lambda v, a: [a[0][0] if v else "_"] if a and a[0] else [],
    "endswith": lambda v, a: [a[0][0] if v else "_"] if a and a[0] else [],
    "count": lambda v, a: (
        [a[0][0] * v if isinstance(a[0][0], str) else [a[0][0]] * v] if a and a[0] else []
    ),
    "removeprefix": lambda v, a: [(a[0][0] if a and a[0] else "") + v],
    "removesuffix": lambda v, a: [v + (a[0][0] if a and a[0] else "")],
}
