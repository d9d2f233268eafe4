"""Child-side plug-in for HumanEval+ and MBPP+: runs a solution on one input, or says whether what
it returned counts, by EvalPlus 0.3.1's rule.

The rule: equal by `==`; else, where the expected value is a float (or a list or tuple of floats) or
the task has a tolerance, of equal type and close as `numpy.allclose` has it, with a relative
tolerance of 1e-7. A few tasks have rules of their own. What a solution returned may be large or
strange, so it is compared in a process of its own that may die: there the program is the task's
reference solution, which gives the expected value, and the solution's value is a text.
"""

from __future__ import annotations

import cmath
import hashlib
import marshal
import math
from typing import Any

from semcoder_lib.core import values

_encode, _Unserializable = values.encode, values.Unserializable
_sha256, _dumps = hashlib.sha256, marshal.dumps
OPAQUE = "?"  # of a value without exact text; no value's text is "?" or begins with "#"
ANY_VALUE = frozenset({"are_equivalent"})  # Mbpp/164: every returned value counts
_SAME_SET = (
    "similar_elements find_char_long common_in_nested_lists extract_singly larg_nnum "
    "intersection_array find_dissimilar Diff"
)
SAME_SET = frozenset(_SAME_SET.split())
NOT_NONE = frozenset({"check_str", "text_match_three", "text_starta_endb"})
ROOT = "find_zero"
FLOAT_TOLERANCE = 1e-6
_RELATIVE = 1e-07


def call(function: Any, arguments: tuple[Any, ...], options: dict[str, Any], emit: Any) -> Any:
    """Without `texts` in `options`: the text of the value that `function` returns, or `OPAQUE`, or
    `#` and a hash where the value is larger than `long` (0: never); some tasks return tens of
    megabytes, and to claim the right hash a program must know the right value.

    With `texts`: whether the text whose number is the first argument counts for the call of the
    others, or the reason why it is no value. `options` then also: `dataset`, `name`, `tolerances`.
    """
    if "texts" in options:
        number, *rest = arguments
        try:
            value = values.decode(options["texts"][number])
        except values.NotALiteral as error:
            return str(error)
        rule = options["dataset"], options["name"], options["tolerances"][number]
        return accepts(*rule, tuple(rest), value, function(*rest))
    value = function(*arguments)
    try:
        # exact built-in types only, at C speed; version 2 has no references between objects
        blob = _dumps(value, 2) if options["long"] else b""
    except ValueError:
        blob = b""
    if len(blob) > options["long"]:
        return "#" + _sha256(blob).hexdigest()
    try:
        return _encode(value, max_nodes=5_000_000, max_bytes=50_000_000)
    except _Unserializable:
        return OPAQUE


def accepts(
    dataset: str, name: str, tolerance: float, arguments: tuple[Any, ...], value: Any, expected: Any
) -> bool:
    """Whether `value` counts for the task's function `name`. Never raises an Exception: where
    EvalPlus's comparison would, it is no."""
    try:
        if dataset == "humaneval" and name == ROOT:
            return bool(abs(_polynomial(arguments[0], value)) <= tolerance)
        equal = value == expected
        if dataset == "mbpp":
            equal = _by_task(name, tolerance, arguments, value, expected, equal)
        if tolerance == 0 and floats(expected):
            tolerance = FLOAT_TOLERANCE
        if equal or tolerance == 0 or type(value) is not type(expected):
            return bool(equal)
        if isinstance(expected, list | tuple) and len(value) != len(expected):
            return False
        return close(value, expected, tolerance)
    except Exception:  # comparing or converting odd values: EvalPlus counts that as a failure
        return False


def floats(value: Any) -> bool:
    """Whether EvalPlus compares with a tolerance from this expected value on."""
    if isinstance(value, float):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(type(x) is float for x in value)


def close(value: Any, expected: Any, tolerance: float) -> bool:
    """`numpy.allclose(value, expected, rtol=1e-7, atol=tolerance)` on built-in values. Raises where
    numpy does."""
    dimensions = len(_shape(value, False)), len(_shape(expected, True))
    for _ in range(dimensions[1] - dimensions[0]):
        value = [value]
    for _ in range(dimensions[0] - dimensions[1]):
        expected = [expected]
    return _all_close(value, expected, max(dimensions), tolerance)


def _shape(value: Any, numeric: bool) -> tuple[int, ...]:
    if isinstance(value, range):
        return (len(value),)
    if not isinstance(value, list | tuple):
        if numeric or isinstance(value, str | bytes):
            _ = value - 0.0  # what is no number raises here
        return ()
    inner = {_shape(x, numeric) for x in value}
    if len(inner) > 1:
        raise ValueError("an array of different shapes")
    return (len(value), *(inner.pop() if inner else ()))


def _all_close(value: Any, expected: Any, dimensions: int, tolerance: float) -> bool:
    if dimensions == 0:
        if isinstance(expected, int) and not -(2**63) <= expected < 2**64:
            raise TypeError("an integer beyond numpy's")
        y = expected if isinstance(expected, complex) else float(expected)
        near = abs(value - y) <= tolerance + _RELATIVE * abs(y)
        return bool((near and cmath.isfinite(y)) or value == y)
    count = max(len(value), len(expected)) if len(value) and len(expected) else 0
    if len(value) not in (1, count) or len(expected) not in (1, count):
        raise ValueError("shapes that do not fit")
    pairs = ((value[i % len(value)], expected[i % len(expected)]) for i in range(count))
    return all(_all_close(x, y, dimensions - 1, tolerance) for x, y in pairs)


def _by_task(
    name: str, tolerance: float, arguments: tuple[Any, ...], value: Any, expected: Any, equal: bool
) -> bool:
    if name in ANY_VALUE:
        return True
    if name == "sum_div":
        return equal or value == 0
    if name == "surface_Area":
        return equal or abs(value - _pyramid(*arguments)) <= tolerance
    if name == "digit_distance_nums":
        return equal or value == _digit_distance(*arguments)
    if name in SAME_SET:
        return set(value) == set(expected)
    if name in NOT_NONE:
        counts = value == expected if isinstance(value, bool) else expected == (value is not None)
        return bool(counts)
    return equal


def _polynomial(coefficients: list[float], x: float) -> float:
    return sum(c * math.pow(x, power) for power, c in enumerate(coefficients))


def _pyramid(base: float, height: float) -> int:
    """Surface of a square pyramid, with `height` from the base to the apex."""
    slant = math.sqrt((base / 2) ** 2 + height**2)
    return round(base**2 + 2 * base * slant)


def _digit_distance(a: int, b: int) -> int:
    """Sum of the digits' differences, the shorter number padded with zeros."""
    left, right = str(a), str(b)
    width = max(len(left), len(right))
    pairs = zip(left.zfill(width), right.zfill(width), strict=True)
    return sum(abs(int(x) - int(y)) for x, y in pairs)
