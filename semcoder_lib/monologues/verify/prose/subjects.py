"""What a sentence says of a subject or of the place: a value, a truth, what is returned, how often
a loop runs, how a condition comes out."""

from __future__ import annotations

import ast
import re
from typing import Any

from semcoder_lib.monologues.evaluator import Raises, equal, literal
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.verify.prose.moments import (
    MISSING,
    agrees,
    claim_expression,
    claim_known_call,
    claim_truth,
    claim_value,
    value_of,
)
from semcoder_lib.monologues.verify.prose.place import Place, names_of, squeezed
from semcoder_lib.monologues.verify.prose.reading import Reading
from semcoder_lib.monologues.verify.prose.tokens import CODE, EQUATION, Token


def claim_is(reading: Reading, subject: Token, value: Token, *, after: bool) -> None:
    """`subject` is `value` here; `after` when the text says that it becomes so."""
    code = code_of(subject)
    if code == reading.entry_point or is_call_of(reading.entry_point, code):
        if code == reading.entry_point or not claim_known_call(reading.place, code, value.text):
            claim_returned(reading, value)
    elif code.isidentifier():
        claim_value(reading.place, code, value.text, after=after)
    elif value.text in ("True", "False") and is_condition(code):
        claim_truth(reading.place, code, value.text == "True")
    else:
        claim_expression(reading.place, code, value.text)


def claim_returned(reading: Reading, token: Token) -> bool | None:
    """The function (or a call that it made) returns the value. Gives the verdict."""
    stated = literal(token.text)
    if stated is None:
        return None
    verdict, evidence = None, "no returned value"
    if reading.expected is not None:
        verdict = equal(stated[0], reading.expected[0])
        verdict = verdict or _returned_elsewhere(reading, stated[0])
        evidence = brief(reading.expected[0])
    return reading.ledger.add("return", reading.entry_point, token.text, verdict, evidence)


def _returned_elsewhere(reading: Reading, value: Any) -> bool:
    if len(reading.history.frames) < 2:
        return False
    for frame in reading.history.frames.values():
        found = literal(frame.returned or "")
        if found is not None and equal(value, found[0]):
            return True
    return False


def code_of(token: Token) -> str:
    """A token as an expression."""
    if token.mark == CODE and token.left:
        return token.left  # `if x > 3:` -> x > 3
    if token.mark == EQUATION:
        return f"({token.left}) == ({token.right})"
    return token.text


def is_condition(code: str) -> bool:
    """Whether code looks like something that is true or false."""
    return bool(
        re.search(
            r"[<>=!]=|[<>]|\bin\b|\bnot\b|\band\b|\bor\b|\bis\b|\.(?:is\w+|startswith|endswith)\(",
            code,
        )
    )


def is_call_of(name: str, code: str) -> bool:
    """Whether code is one call of the function `name`."""
    return code.startswith(name + "(") and code.endswith(")")


def claim_count(place: Place, number: int) -> None:
    """The loop of this place runs `number` times."""
    runs = [(loop, run) for loop in place.loops for run in place.history.runs(loop)]
    if not runs:
        ran = any(loop.header in place.history.executed for loop in place.loops)
        place.record(
            "iterations", "loop", str(number), None if ran or number else True, "no loop ran"
        )
        return
    here = [r for loop, r in runs if place.stack and loop is place.stack[-1][0]]
    counts = [len(run.passes) for run in (here or [r for _, r in runs])]
    ok = number in counts
    place.record(
        "iterations",
        "loop",
        str(number),
        ok if ok or len(set(counts)) == 1 or here else None,
        f"iterations: {counts[:6]}",
    )


def claim_outcome(place: Place, stated: bool, code: str = "", *, worded: bool = False) -> None:
    """The condition of this place (the latest `if` or `while` at or before it, else the next)
    comes out as stated, or `code` does, where the text named it before. `worded`: it is "met" or
    not, which of `not X` may be said of X."""
    if place.history.syntax is None:
        return
    if not code:
        verdicts = [value is stated for _, value in _tests_here(place)]
        verdict = any(verdicts) if verdicts else None
        if worded and any(test.startswith("not ") for test, _ in _tests_here(place)):
            verdict = verdict or None
        place.record("branch", "condition", str(stated), verdict, "")
        return
    verdict, evidence = agrees(place, code, lambda actual: bool(actual) is stated)
    if verdict is False and any(
        value is stated and (squeezed(code) in squeezed(test) or not names_of(code))
        for test, value in _tests_here(place)
    ):
        verdict = None  # "the condition" may be the whole one that the code is a part of
    place.record("branch", code, str(stated), verdict, evidence)


def _tests_here(place: Place) -> list[tuple[str, bool]]:
    """The conditions that this place is at, with how they come out."""
    here = place.visit if place.visit is not None else place.at
    window = place.window
    low, high = (window.start, window.end) if window else (0, len(place.history.steps) - 1)
    found = [_first_test(place, range(here, low - 1, -1))]
    if place.visit is None or found[0] is None:
        found.append(_first_test(place, range(here + 1, high + 1)))
    tests = []
    for index, node in filter(None, found):
        test = ast.unparse(node)
        actual = value_of(test, place.history.before(index))
        if actual is not MISSING and not isinstance(actual, Raises):
            tests.append((test, bool(actual)))
    return tests


def _first_test(place: Place, indices: range) -> tuple[int, ast.expr] | None:
    """The first of these steps that is at an `if` or `while`, with its condition."""
    layout = place.history.syntax
    for index in indices:
        statement = layout.statement(place.history.line(index)) if layout else None
        if place.history.steps[index].event == "line" and isinstance(statement, ast.If | ast.While):
            return index, statement.test
    return None
