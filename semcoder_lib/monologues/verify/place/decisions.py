"""What an expression is worth at a place, also one that is only hinted at."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.verify.evaluate import (
    NO_NAMES,
    Raises,
    equals,
    literal,
    names_of,
    parse,
)
from semcoder_lib.monologues.verify.history import State
from semcoder_lib.monologues.verify.place.place import Place
from semcoder_lib.monologues.verify.place.states import expressions_here, states
from semcoder_lib.monologues.verify.place.variables import value_in
from semcoder_lib.monologues.verify.report import SUPPORTED
from semcoder_lib.monologues.verify.scene import MISSING, value_of

_RECENT = 6  # claims: about two sentences


def claim_expression(place: Place, code: str, text: str) -> None:
    """`code` has the value `text` here."""
    stated = literal(text)
    if stated is None:
        place.record("value", code, text, None, "not a value")
        return
    verdict, evidence = agrees(place, code, lambda actual: equals(stated[0], actual, text))
    if verdict is None:
        verdict, evidence = _partial(place, code, stated[0], text)
    place.record("value", code, text, verdict, evidence)


def claim_truth(place: Place, code: str, stated: bool) -> None:
    """The condition `code` is true (or false) here."""
    verdict, evidence = agrees(place, code, lambda actual: bool(actual) is stated)
    place.record("branch", code, str(stated), verdict, evidence)


def holds(place: Place, code: str, text: str) -> bool:
    """Whether `code` has the value somewhere in the run."""
    stated = literal(text)
    if stated is None or parse(code) is None:
        return False
    return bool(agrees(place, code, lambda actual: equals(stated[0], actual, text))[0])


def agrees(place: Place, code: str, test: Any) -> tuple[bool | None, str]:
    """Whether the value of `code` passes the test in some state of the place, with that value."""
    node = parse(code)
    if node is None:
        return None, "not an expression"
    last: Any = MISSING
    first = True
    exact = False
    for state in states(place, code):
        actual = value_of(code, state)
        if actual is MISSING:
            continue
        if isinstance(actual, Raises):
            last = actual if last is MISSING else last
            continue
        if test(actual):
            return True, repr(actual)[:200]
        if first:
            last = actual
        first = False
        exact = True
    if last is MISSING:
        if not names_of(code):
            actual = value_of(code, _nobody(place))
            if actual is not MISSING and not isinstance(actual, Raises):
                return test(actual), repr(actual)[:200]
        return None, "cannot be evaluated"
    if isinstance(last, Raises):
        return None, f"raises {last.args[0]}"
    return (False if exact else None), repr(last)[:200]


def _partial(place: Place, code: str, stated: Any, text: str) -> tuple[bool | None, str]:
    """`split()` or `any()`: a call named without what it is called on."""
    node = parse(code)
    if not isinstance(node, ast.Call) or (node.args and not isinstance(node.func, ast.Name)):
        return None, "cannot be evaluated"
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    seen = False
    for expression, state in expressions_here(place):
        if isinstance(expression, ast.Call):
            called = expression.func
            other = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if other == name:
                actual = value_of(ast.unparse(expression), state)
                if actual is not MISSING and not isinstance(actual, Raises):
                    seen = True
                    if equals(stated, actual, text):
                        return True, repr(actual)[:200]
    return (False if seen and not node.args else None), ""


def claim_known_call(place: Place, code: str, text: str) -> bool:
    """Decide a call of the program's own function from the calls in the trace, if it is one."""
    stated = literal(text)
    frame = place.frame()
    if stated is None or frame is None:
        return False
    actual = value_of(code, State(place.history, frame, len(place.history.steps)))
    if actual is MISSING or isinstance(actual, Raises):
        return False
    place.record("return", code, text, equals(stated[0], actual, text), repr(actual)[:200])
    return True


def claim_implicit(place: Place, subject: str | None, text: str, *, stated: list[str]) -> None:
    """ "resulting in V": the subject, a variable, or a part of what runs here has that value."""
    found = literal(text)
    if found is None:
        return
    name = "it" if subject is None else subject
    if text in stated:
        place.record("value", name, text, True, "repeats what was said")
        return
    if subject is not None and parse(name) is not None:
        verdict, evidence = agrees(place, name, lambda a: equals(found[0], a, text))
        if verdict:
            place.record("value", name, text, True, evidence)
            return
    complete = True
    for frame in place.history.frames.values():
        for variable in frame.changes:
            verdict, evidence = value_in(place, frame, variable, text, False)
            if verdict:
                place.record("value", variable, text, True, evidence)
                return
    for expression, state in expressions_here(place):
        actual = value_of(ast.unparse(expression), state)
        if actual is MISSING or isinstance(actual, Raises):
            complete = False
        elif equals(found[0], actual, text):
            place.record("value", ast.unparse(expression)[:60], text, True, "")
            return
    placed = place.visit is not None or place.window is not None
    if any(c.status == SUPPORTED and c.value == text for c in place.ledger.claims[-_RECENT:]):
        placed = False  # "since the count is 0" takes up what an earlier line gave
    place.record(
        "value", name, text, False if placed and complete else None, "nothing here has this value"
    )


def _nobody(place: Place) -> Any:
    frame = place.history.entry
    return NO_NAMES if frame is None else State(place.history, frame, 0, place.bound or None)
