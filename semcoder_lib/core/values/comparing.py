"""Equality of decoded values."""

from __future__ import annotations

import math
from typing import Any

from semcoder_lib.core.values.writing import encode


def same(a: Any, b: Any) -> bool:
    """Equal in type and in value all the way down; nan is itself, 0.0 is not -0.0, 1 is not True.
    Raises `Unserializable` when one of them cannot be encoded."""
    return encode(a) == encode(b)


def equal(a: Any, b: Any, *, rel_tol: float = 0.0, abs_tol: float = 0.0) -> bool:
    """Python's `==` on decoded values (so 1 == 1.0 == True), plus nan equal to nan, plus a float
    tolerance where one is given, both inside lists, tuples and the values of dicts too. Only for
    exact built-in values, whose `==` is harmless."""
    kind = type(a)
    if kind is float and type(b) is float:
        if a != a or b != b:
            return a != a and b != b
        return a == b or math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    if kind is type(b) and (kind is list or kind is tuple):
        return len(a) == len(b) and all(
            equal(x, y, rel_tol=rel_tol, abs_tol=abs_tol) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return all(equal(a[k], b[k], rel_tol=rel_tol, abs_tol=abs_tol) for k in a)
    if (rel_tol or abs_tol) and _is_number(a) and _is_number(b):
        try:
            return bool(a == b) or math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
        except OverflowError:  # an int beyond every float
            return False
    return bool(a == b)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, bool)
