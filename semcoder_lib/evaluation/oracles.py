"""When does a returned value count as right? EvalPlus 0.3.1's rule, on decoded values.

Equal by `==`; else, where the expected value is a float (or a list or tuple of floats) or the task
has a tolerance, of equal type and close by `numpy.allclose` with a relative tolerance of 1e-7. A
few tasks have rules of their own.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

ANY_VALUE = frozenset({"are_equivalent"})  # Mbpp/164: every returned value counts
SAME_SET = frozenset(
    {
        "similar_elements",
        "find_char_long",
        "common_in_nested_lists",
        "extract_singly",
        "larg_nnum",
        "intersection_array",
        "find_dissimilar",
        "Diff",
    }
)
NOT_NONE = frozenset({"check_str", "text_match_three", "text_starta_endb"})
FLOAT_TOLERANCE = 1e-6
_RELATIVE = 1e-07


class Oracle:
    """Decides the calls of one solution, in order.

    EvalPlus raises its tolerance once it met a float in a task and never lowers it again, so the
    order matters and an oracle is used for one pass over one set of inputs.
    """

    def __init__(self, dataset: str, entry_point: str, tolerance: float) -> None:
        self.entry_point = entry_point
        self.tolerance = tolerance
        self._mbpp = dataset == "mbpp"
        self._root = dataset == "humaneval" and entry_point == "find_zero"

    @property
    def asks_not_none(self) -> bool:
        """Whether only "is it None" is asked, so that values without exact text count as well."""
        return self._mbpp and self.entry_point in NOT_NONE

    @property
    def exact_text_decides(self) -> bool:
        """Whether equal text of both values is enough to accept."""
        return not self._root

    def note(self, expected: Any) -> None:
        """Take notice of an expected value that was accepted without `accepts`."""
        if self.tolerance == 0 and _floats(expected):
            self.tolerance = FLOAT_TOLERANCE

    def accepts(self, arguments: tuple[Any, ...], got: Any, expected: Any) -> bool:
        """Whether `got` counts. Never raises: where EvalPlus's comparison would, it is no."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._accepts(arguments, got, expected)
        except Exception:  # comparing or converting odd values: EvalPlus counts that as a failure
            return False

    def _accepts(self, arguments: tuple[Any, ...], got: Any, expected: Any) -> bool:
        if self._root:
            return bool(abs(_polynomial(arguments[0], got)) <= self.tolerance)
        equal = got == expected
        if self._mbpp:
            equal = self._by_task(arguments, got, expected, equal)
        self.note(expected)
        if equal or self.tolerance == 0:
            return bool(equal)
        if type(got) is not type(expected):
            return False
        if isinstance(expected, list | tuple) and len(got) != len(expected):
            return False
        return bool(np.allclose(got, expected, rtol=_RELATIVE, atol=self.tolerance))

    def _by_task(self, arguments: tuple[Any, ...], got: Any, expected: Any, equal: bool) -> bool:
        name = self.entry_point
        if name in ANY_VALUE:
            return True
        if name == "sum_div":
            return equal or got == 0
        if name == "surface_Area":
            return equal or abs(got - _pyramid(*arguments)) <= self.tolerance
        if name == "digit_distance_nums":
            return equal or got == _digit_distance(*arguments)
        if name in SAME_SET:
            return set(got) == set(expected)
        if name in NOT_NONE:
            return bool(got == expected if isinstance(got, bool) else expected == (got is not None))
        return equal


def _floats(value: Any) -> bool:
    if isinstance(value, float):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(type(x) is float for x in value)


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
