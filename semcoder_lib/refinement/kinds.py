"""What kind of failure it is: the vocabulary of the atlas."""

from __future__ import annotations

from collections import Counter
from typing import Any

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Outcome

PASSED = "passed"
NO_PROGRAM = "no program"


def kind_of(outcome: Outcome, expected: Any) -> str:
    """The kind of one wrong outcome: how it ended, or how the value is wrong."""
    if outcome.status is Status.EXCEPTION:
        name = outcome.exception.type if outcome.exception else "error"
        return f"raises {name}"
    if outcome.status is not Status.OK:
        return {"timeout": "too slow", "load_error": "does not load"}.get(
            outcome.status.value, outcome.status.value.replace("_", " ")
        )
    return wrong_value(outcome.value, expected)


def wrong_value(value: Any, expected: Any) -> str:
    """How a wrong value differs from the right one."""
    if value is None:
        return "returns None"
    numbers = (int, float)
    if isinstance(value, bool) and isinstance(expected, bool):
        return "wrong truth value"
    if isinstance(value, numbers) and isinstance(expected, numbers):
        if value == -expected:
            return "wrong sign"
        return "off by one" if abs(value - expected) == 1 else "wrong number"
    if type(value) is not type(expected):
        return "wrong type"
    if isinstance(value, str):
        return _wrong_text(value, expected)
    if isinstance(value, list | tuple):
        return _wrong_sequence(value, expected)
    if isinstance(value, dict | set | frozenset):
        return _wrong_keys(set(value), set(expected))
    return "wrong value"


def _wrong_text(value: str, expected: str) -> str:
    if value.lower() == expected.lower():
        return "wrong case"
    if value.split() == expected.split() or value.strip() == expected.strip():
        return "wrong spaces"
    if value and (expected.startswith(value) or expected.endswith(value)):
        return "incomplete text"
    return "wrong text"


def _wrong_sequence(value: Any, expected: Any) -> str:
    left, right = Counter(map(repr, value)), Counter(map(repr, expected))
    if left == right:
        return "wrong order"
    if not left - right:
        return "elements missing"
    if not right - left:
        return "elements too many"
    return "wrong elements" if len(value) == len(expected) else "wrong length"


def _wrong_keys(value: set[Any], expected: set[Any]) -> str:
    if value == expected:
        return "wrong values"
    if value < expected:
        return "elements missing"
    if value > expected:
        return "elements too many"
    return "wrong elements"
