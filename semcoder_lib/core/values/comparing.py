"""Equality of decoded values."""

from __future__ import annotations

import collections
import math
from typing import Any

from semcoder_lib.core.values.writing import late

_SEQUENCES = (list, tuple, collections.deque)
_SETS = (set, frozenset)
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
_FLOATS = (float, complex)
# Types whose `==` neither raises nor knows nan nor takes a tolerance; bytes equal a bytearray.
_PLAIN = (str, bytes, bytearray, type(None), range, type(...))
_USUAL = frozenset({int, str, bool, type(None)})
_NAN = object()
_EXACT = (0.0, 0.0)


def equal(a: Any, b: Any, *, rel_tol: float = 0.0, abs_tol: float = 0.0) -> bool:
    """Python's `==` on decoded values (so 1 == 1.0 == True, dicts of all kinds by their items, two
    OrderedDicts by their order too), with two differences: nan equals itself wherever it stands,
    in keys, sets, complex numbers and Decimals too; and floats are close where a tolerance is
    given, in lists, tuples, deques and the values of dicts.

    Never raises. Values that `decode` does not make, and those nested too deep to look into, are
    equal to themselves only.
    """
    try:
        return _equal(a, b, (rel_tol, abs_tol))
    except Exception:  # too deep, or a key of a class of its own
        return False


def _equal(a: Any, b: Any, tolerance: tuple[float, float]) -> bool:
    kind, other = type(a), type(b)
    if a is b or (kind is other and kind in _USUAL and a == b):
        return True
    if kind in _SEQUENCES:
        return kind is other and len(a) == len(b) and all(
            _equal(x, y, tolerance) for x, y in zip(a, b, strict=True)
        )  # fmt: skip
    if kind in _MAPPINGS:
        return other in _MAPPINGS and _equal_mappings(a, b, tolerance)
    if kind in _SETS:
        if other not in _SETS or len(a) != len(b):
            return False
        count = collections.Counter
        return bool(a == b) or count(map(_canonical, a)) == count(map(_canonical, b))
    if kind in _PLAIN:
        return other in _PLAIN and bool(a == b)
    if _is_number(kind):
        return _is_number(other) and _equal_numbers(a, b, tolerance)
    return bool(late(kind)) and kind is other and bool(a == b)


def _equal_mappings(a: Any, b: Any, tolerance: tuple[float, float]) -> bool:
    if type(a) is type(b) is collections.OrderedDict:
        return _equal(list(a), list(b), _EXACT) and _equal(
            list(a.values()), list(b.values()), tolerance
        )
    if type(a) is type(b) is collections.Counter:  # what is not there counts zero
        a, b = ({k: n for k, n in c.items() if not _equal(n, 0, _EXACT)} for c in (a, b))
    if len(a) != len(b):
        return False
    if a.keys() == b.keys():
        return all(_equal(a[key], b[key], tolerance) for key in a)
    places: dict[Any, list[Any]] = {}  # several keys may be nan: they are taken in order
    for key in reversed(b):
        places.setdefault(_canonical(key), []).append(b[key])
    for key, value in a.items():
        rest = places.get(_canonical(key))
        if not rest or not _equal(value, rest.pop(), tolerance):
            return False
    return True


def _canonical(key: Any) -> Any:
    """Equal and of equal hash for equal keys, nan included."""
    kind = type(key)
    if kind is tuple:
        return tuple(map(_canonical, key))
    if kind is frozenset:
        return frozenset(collections.Counter(map(_canonical, key)).items())
    return (_NAN, *_parts(key)) if _is_nan(key) else key


def _equal_numbers(a: Any, b: Any, tolerance: tuple[float, float]) -> bool:
    if _is_nan(a) or _is_nan(b):
        return _is_nan(a) and _is_nan(b) and _parts(a) == _parts(b)
    if a == b:
        return True
    if tolerance == _EXACT or {type(a), type(b)} - {int, float, bool}:
        return False
    try:
        return math.isclose(a, b, rel_tol=tolerance[0], abs_tol=tolerance[1])
    except OverflowError:  # an int beyond every float
        return False


def _is_nan(value: Any) -> bool:
    if type(value) in _FLOATS:
        return bool(value != value)
    return late(type(value)) == "Decimal" and bool(value.is_nan())


def _parts(value: Any) -> tuple[Any, ...]:
    """What makes a nan out: of a Decimal its text (signaling or not), of others their parts."""
    if type(value) not in _FLOATS:
        return (str(value),)
    return tuple("nan" if part != part else part for part in (value.real, value.imag))


def _is_number(kind: type) -> bool:
    plain = kind is int or kind is float or kind is bool or kind is complex
    return plain or late(kind) in ("Decimal", "Fraction")
