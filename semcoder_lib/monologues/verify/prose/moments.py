"""What is decided at a place: in the states of the program that it allows, the likeliest first.

A statement is supported when some of them agrees with it, contradicted when every one disagrees."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from semcoder_lib.monologues.evaluator import Cannot, Raises, equal, evaluate, literal
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.verify.history import Frame, Pass, State
from semcoder_lib.monologues.verify.prose.place import Place, names_of
from semcoder_lib.monologues.verify.stated import same_text

MAX_STATES = 160
_FRAMES = 4
_VISITS = 20
Verdict = tuple[bool | None, str]  # with what was found
Look = Callable[[State], Verdict]


def claim_value(place: Place, code: str, text: str, *, after: bool = False) -> None:
    """`code` is `text` here; `after` when the text says that it becomes so."""
    stated = literal(text)

    def look(state: State) -> Verdict:
        recorded = state.text(code)
        if recorded is not None and code not in place.bound:
            return same_text(text, recorded), recorded
        return _evaluated(code, state, lambda v: equal(stated[0], v) if stated else None)

    verdict, evidence = decide(place, code, look, after=after)
    domain = comprehension_domain(place, code) if stated and not verdict else None
    if stated and domain is not None:
        verdict, evidence = any(equal(stated[0], v) for v in domain), brief(domain)
        place.bound |= {code: stated[0]} if verdict else {}
    place.record("value", code, text, verdict, evidence)


def truth(place: Place, code: str, stated: bool) -> Verdict:
    """Whether the condition `code` comes out as stated here."""
    return decide(place, code, lambda s: _evaluated(code, s, lambda v: bool(v) is stated))


def claim_truth(place: Place, code: str, stated: bool) -> None:
    """The condition `code` is true (or false) here."""
    place.record("branch", code, str(stated), *truth(place, code, stated))


def claim_outcome(place: Place, stated: bool) -> None:
    """The condition that the text named last, or else that of this place, comes out as stated.
    Where it is contradicted, that may be said of a part of the condition: undecided."""
    tests = _tests_here(place)
    named = place.subject is not None and is_condition(place.subject.code)
    code = place.subject.code if place.subject is not None and named else "condition"
    verdict, evidence = any(outcome is stated for _, outcome in tests) if tests else None, ""
    part = any(test.startswith("not ") for test, _ in tests)
    if named:
        part = verdict is True or not names_of(code)
        verdict, evidence = truth(place, code, stated)
    place.record("branch", code, str(stated), verdict or (None if part else verdict), evidence)


def claim_count(place: Place, number: int) -> None:
    """The loop of this place runs `number` times."""
    here = [run for i, _ in place.stack[-1:] for run in place.history.runs(i.loop)]
    runs = here or [run for loop in place.loops for run in place.history.runs(loop)]
    counts = {len(run.passes) for run in runs} or {0}
    verdict = number in counts or (False if runs and (here or len(counts) == 1) else None)
    place.record("iterations", "loop", str(number), verdict, f"iterations: {sorted(counts)[:6]}")


def claim_returned(place: Place, text: str) -> None:
    """The function (or a call that it made) returns the value."""
    stated, frames = literal(text), place.history.frames.values()
    results = [literal(f.returned or "") for f in frames] if len(frames) > 1 else []
    found = place.history.trace.result
    verdict = None
    if stated is not None:
        verdict = any(r and equal(stated[0], r[0]) for r in [(place.output,), *results])
    if found is not None and literal(found) is None:
        verdict = verdict or None  # what was returned was not kept exactly
    place.record("return", place.entry_point, text, verdict, brief(place.output))


_CONDITION = re.compile(r"[<>=!]=|[<>]|\b(?:in|not|and|or|is)\b|\.(?:is\w+|\w+swith)\(")


def is_condition(code: str) -> bool:
    """Whether code looks like something that is true or false."""
    return bool(_CONDITION.search(code))


def squeezed(code: str) -> str:
    """Code without spaces and with one kind of quotes, to compare what two people typed."""
    return re.sub(r"\s+", "", code).replace('"', "'").rstrip(":;")


# --- states ---------------------------------------------------------------------------------------


def decide(place: Place, code: str, look: Look, *, after: bool = False) -> Verdict:
    """What `look` finds in the states that the place allows: the first that agrees, else the first
    that disagrees, else none."""
    names = sorted(names_of(code))
    result: Verdict = (None, "cannot be decided")
    for frame in _frames(place, code):
        seen: set[tuple[str | None, ...]] = set()
        for index in _moments(place, code, frame, after):
            state = State(place.history, frame, index).binding(place.bound)
            key = tuple(state.text(n) for n in names)
            if key in seen:
                continue
            seen.add(key)
            verdict, evidence = look(state)
            if verdict:
                if code.isidentifier() and not place.anytime:
                    place.at = max(place.at, index)
                return True, evidence
            if verdict is False and result[0] is None:
                result = verdict, evidence
            if len(seen) >= MAX_STATES:
                break
    return result


def _evaluated(code: str, state: State, test: Callable[[Any], bool | None]) -> Verdict:
    try:
        value = evaluate(code, state)
    except Cannot:
        return None, "cannot be evaluated"
    except Raises as error:
        return None, f"raises {error.kind}"
    return test(value), brief(value)


def _frames(place: Place, code: str) -> list[Frame]:
    """The calls that code may be about: a variable may be another's."""
    here = place.frame()
    frames = [f for f in place.history.frames.values() if f is not here and code in f.names]
    if here is not None and (not frames or code in here.names or not code.isidentifier()):
        frames.insert(0, here)
    return frames[:_FRAMES] if code.isidentifier() else frames[:1]


def _moments(place: Place, code: str, frame: Frame, after: bool) -> Iterator[int]:
    """Steps of the call that what is said of code may hold after."""
    window, visit = place.window, place.visit
    name = code in frame.names
    steps = frame.names[code].steps if name else frame.steps
    if place.anytime:
        yield from steps
        return
    if visit is not None and place.history.steps[visit].frame == frame.number:
        yield from (visit,) if after else (visit, visit - 1)
        if not name and (window is None or not window.start <= visit <= window.end):
            return
    quoted = None if name else _quoting(place, code, window)
    if quoted is not None:
        yield quoted - 1
    if window is None or place.stack[-1][0].run.frame != frame.number:
        yield place.at
        yield from (i for i in steps if i >= place.at)
        yield from (i for i in reversed(steps) if i < place.at)
    elif quoted is None:
        inside = [i for i in steps if window.start <= i <= window.end]
        if not after:
            yield place.at
        yield from sorted(inside, key=lambda i: i < place.at)
        if not (after and any(i > window.start or len(inside) == 1 for i in inside)):
            targets = names_of(code) & set(place.stack[-1][0].loop.targets)
            yield window.start if targets else window.start - 1
        if not name and (later := _quoting(place, code)) is not None:
            # code that stands nowhere in this iteration: the text has gone on without saying so
            yield from (i for i in steps if i >= later - 1)


def _quoting(place: Place, code: str, window: Pass | None = None) -> int | None:
    """The next visit (in an iteration: the visit) of a line whose source contains the code."""
    syntax, short = place.history.syntax, squeezed(code)
    if syntax is None or len(short) < 4:
        return None
    start = place.at - 1 if window is None else window.start - 1
    visits = [
        place.history.next_visit(line, start, window.end if window else None)
        for line in syntax.statements
        if short in squeezed(syntax.text(line))
    ]
    return min((v for v in visits if v is not None), default=None)


def _tests_here(place: Place) -> list[tuple[str, bool]]:
    """The latest test of an `if` or `while` and the next one, in this iteration where there is one,
    with how they come out."""
    history, window = place.history, place.window
    here = place.at if place.visit is None else place.visit
    low, high = (window.start, window.end + 1) if window else (0, len(history.steps))
    found = []
    for indices in (range(here, low - 1, -1), range(here + 1, high)):
        for index in indices:
            test = history.syntax.test(history.line(index)) if history.syntax else None
            if test is not None and history.steps[index].event == "line":
                found.append((ast.unparse(test), history.before(index)))
                break
    outcomes = [(test, _evaluated(test, state, bool)[0]) for test, state in found]
    return [(test, outcome) for test, outcome in outcomes if outcome is not None]


def comprehension_domain(place: Place, name: str) -> list[Any] | None:
    """What a comprehension's variable goes through, wherever the program ran one; or None."""
    found: list[Any] | None = None
    if not name.isidentifier() or name in place.history.variables:
        return None
    for line, statement in place.history.syntax.statements.items() if place.history.syntax else ():
        for node in (g for n in ast.walk(statement) for g in getattr(n, "generators", ())):
            bound = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
            for visit in place.history.visits.get(line, ())[:_VISITS] if name in bound else ():
                try:
                    through = f"list({ast.unparse(node.iter)})"
                    items = evaluate(through, place.history.before(visit))
                    at = bound.index(name)
                    found = (found or []) + [i if len(bound) == 1 else tuple(i)[at] for i in items]
                except (Cannot, Raises, TypeError, IndexError):
                    continue
    return found
