"""Control flow at a place: how often a loop runs, how a condition comes out, which branch is taken."""

from __future__ import annotations

import ast

from semcoder_lib.monologues.verify.evaluate import Raises, names_of
from semcoder_lib.monologues.verify.place.decisions import agrees
from semcoder_lib.monologues.verify.place.place import Place
from semcoder_lib.monologues.verify.place.states import visits_here
from semcoder_lib.monologues.verify.scene import MISSING, value_of
from semcoder_lib.monologues.verify.source import squeezed


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
    if place.history.layout is None:
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
    layout = place.history.layout
    for index in indices:
        statement = layout.statements.get(place.history.line(index)) if layout else None
        if place.history.steps[index].event == "line" and isinstance(statement, ast.If | ast.While):
            return index, statement.test
    return None


def claim_branch(place: Place, which: str, *, taken: bool) -> None:
    """The `if` (or `else`) part of the condition at this place is (not) taken."""
    layout = place.history.layout
    if layout is None:
        return
    outcomes: list[bool] = []
    for visit in visits_here(place):
        statement = layout.statements.get(place.history.line(visit))
        if not isinstance(statement, ast.If):
            continue
        following = place.cursor.next_line(visit)
        if following is None:
            continue
        line = place.history.line(following)
        body = statement.body[0].lineno <= line <= (statement.body[-1].end_lineno or 0)
        if which in ("if", "true", "then", "elif"):
            outcomes.append(body is taken)
        else:
            outcomes.append((not body) is taken)
        if place.visit is None and place.window is None:
            break
    if outcomes:
        place.record("branch", which, "taken" if taken else "not taken", any(outcomes), "")
