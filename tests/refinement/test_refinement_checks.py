"""Reading visible examples, and naming the kinds of failures."""

from __future__ import annotations

from semcoder_lib.core.records import Case, Status
from semcoder_lib.faults import assertion, from_assertions
from semcoder_lib.refinement import from_docstring
from semcoder_lib.refinement.curve import kind_of
from semcoder_lib.sandbox import Outcome, Raised


def test_assertions_with_literals_are_checks_and_the_rest_is_left_out() -> None:
    text = """
assert f(1, [2]) == {'a': (1,)}
assert f('x') is None
assert not f(0)
assert f(3)
assert f(x) == 1
assert g(1) == 2
assert f(1) == h(2)
assert f(1) > 2
assert f(k=1) == 2
import os
assert f(1, [2]) == {'a': (1,)}
"""
    assert from_assertions(text) == [
        ("f", Case((1, [2]), {"a": (1,)})),
        ("f", Case(("x",), None)),
        ("f", Case((0,), False)),
        ("f", Case((3,), True)),
        ("g", Case((1,), 2)),
    ]
    # half an assertion at the end does not spoil the others
    assert from_assertions("assert f(1) == 2\nassert f(2) == [3,") == [("f", Case((1,), 2))]
    assert assertion("f", Case((1, "a"), [2.0])) == "assert f(1, 'a') == [2.0]"


def test_examples_in_a_docstring() -> None:
    text = '''def f(x):
    """Doubles.
    >>> f(2)
    4
    >>> print(f(3))
    6
    f([1]) == [1, 1]
    f("a") => "aa"
    f(0) returns nothing
    For f(9) it is large.
    """
'''
    assert from_docstring(text, "f") == [Case((2,), 4), Case(([1],), [1, 1]), Case(("a",), "aa")]


def test_kinds_of_failures() -> None:
    for value, expected, kind in (
        (None, 1, "returns None"), (2, 1, "off by one"), (0.5, 1.5, "off by one"),
        (7, 1, "wrong value"), (True, False, "wrong value"), ("1", 1, "wrong type"),
        ([1], (1,), "wrong type"), ([2, 1], [1, 2], "wrong value"),
    ):  # fmt: skip
        assert kind_of(Outcome(Status.OK, value=value), expected) == kind
    raised = Outcome(Status.EXCEPTION, exception=Raised("KeyError", "'a'"))
    assert kind_of(raised, 1) == "raises KeyError"
    assert kind_of(Outcome(Status.TIMEOUT), 1) == "too slow"
    assert kind_of(Outcome(Status.LOAD_ERROR), 1) == "does not load"
