"""What kind of failure it is: the vocabulary of the atlas."""

from __future__ import annotations

from collections import Counter
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Outcome

PASSED = "passed"
NO_PROGRAM = "no program"
OTHER = "other"  # a failure that no hidden check shows, such as a special test of a benchmark


def kind_of(outcome: Outcome, expected: Any) -> str:
    """The kind of one wrong outcome: how it ended, or how the value is wrong."""
    if outcome.status is Status.EXCEPTION:
        return f"raises {outcome.exception.type if outcome.exception else 'error'}"
    if outcome.status is not Status.OK:
        words = {Status.TIMEOUT: "too slow", Status.LOAD_ERROR: "does not load"}
        return words.get(outcome.status, outcome.status.value.replace("_", " "))
    return wrong_value(outcome.value, expected)


def wrong_value(value: Any, expected: Any) -> str:
    """How a wrong value differs from the right one."""
    if value is None:
        return "returns None"
    if isinstance(value, bool) and isinstance(expected, bool):
        return "wrong truth value"
    if isinstance(value, int | float) and isinstance(expected, int | float):
        if value == -expected:
            return "wrong sign"
        return "off by one" if value in (expected - 1, expected + 1) else "wrong number"
    if type(value) is not type(expected):
        return "wrong type"
    if isinstance(value, str):
        return _wrong_text(value, expected)
    if isinstance(value, list | tuple):
        left, right = Counter(map(values.encode, value)), Counter(map(values.encode, expected))
        if left != right and left - right and right - left:
            return "wrong elements" if len(value) == len(expected) else "wrong length"
        return _part("wrong order", left <= right, left >= right)
    if isinstance(value, dict | set | frozenset):
        keys, right_keys = set(value), set(expected)
        return _part("wrong values", keys <= right_keys, keys >= right_keys)
    return "wrong value"


def _part(same: str, within: bool, around: bool) -> str:
    if within and around:
        return same
    return "elements missing" if within else "elements too many" if around else "wrong elements"


def _wrong_text(value: str, expected: str) -> str:
    if value.lower() == expected.lower():
        return "wrong case"
    if value.split() == expected.split():
        return "wrong spaces"
    if value and (expected.startswith(value) or expected.endswith(value)):
        return "incomplete text"
    return "wrong text"
