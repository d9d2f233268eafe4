"""What is decided at a place: in the states of the program that it allows, the likeliest first.

A statement is supported when some of them agrees with it, contradicted when every one disagrees."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from semcoder_lib.monologues.evaluator import (
    Cannot,
    Raises,
    equal,
    evaluate,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.verify.history import Frame, Pass, State
from semcoder_lib.monologues.verify.prose.place import Place, names_of, squeezed
from semcoder_lib.monologues.verify.stated import same_text

MAX_STATES = 160
MISSING = object()


def value_of(text: str, state: State | None) -> Any:
    """The value of an expression, MISSING when it cannot be decided, or what it raises."""
    known = literal(text)
    if known is not None:
        return known[0]
    try:
        return evaluate(text, state) if state is not None else evaluate(text)
    except Cannot:
        return MISSING
    except Raises as error:
        return error


def comprehension_values(name: str, statement: ast.AST, state: State) -> list[Any] | None:
    """Every value that a comprehension of the statement gives to `name`."""
    for node in ast.walk(statement):
        for generator in getattr(node, "generators", ()):
            bound = [n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
            if name not in bound:
                continue
            through = value_of(f"list({ast.unparse(generator.iter)})", state)
            if not isinstance(through, list):
                return None
            if len(bound) == 1:
                return through
            place = bound.index(name)
            try:
                return [tuple(item)[place] for item in through]
            except (TypeError, IndexError):
                return None
    return None


def states(place: Place, code: str) -> Iterator[State]:
    """States that the place allows, the likeliest first, each set of values once."""
    history = place.history
    frame = place.frame()
    if frame is None:
        return
    names = names_of(code)
    seen: set[tuple[str | None, ...]] = set()
    for index in _indices(place, code, frame):
        state = State(history, frame, index).binding(place.bound)
        key = tuple(state.text(n) for n in sorted(names))
        if key not in seen:
            seen.add(key)
            yield state
            if len(seen) >= MAX_STATES:
                return


def _indices(place: Place, code: str, frame: Frame) -> Iterator[int]:
    history = place.history
    if place.visit is not None and history.steps[place.visit].frame == frame.number:
        yield place.visit - 1
        yield place.visit
        if place.window is None or not place.window.start <= place.visit <= place.window.end:
            return
    window = place.window
    if window is not None:
        quoted = _quoting(place, code, window)
        if quoted is not None:
            yield quoted - 1
            if not place.changed:
                return
        yield place.at
        if not names_of(code) & set(place.stack[-1][0].targets):
            yield window.start - 1
        for index in frame.steps:
            if window.start <= index <= window.end:
                yield index
        # code that stands nowhere in this iteration: the text has gone on without saying so
        later = _quoting(place, code) if quoted is None else None
        if later is not None:
            yield from (index for index in frame.steps if index >= later - 1)
        return
    if place.final:
        yield from reversed(frame.steps)
        return
    quoted = _quoting(place, code)
    if quoted is not None and not place.anytime:
        yield quoted - 1
    if not place.anytime:
        yield place.at
    for index in frame.steps:
        if index >= place.at:
            yield index
    for index in frame.steps:
        yield index


def _quoting(place: Place, code: str, window: Pass | None = None) -> int | None:
    """The next visit (in an iteration: the visit) of a line whose source contains the code."""
    layout = place.history.syntax
    short = squeezed(code)
    if layout is None or len(short) < 4:
        return None
    after = place.at - 1 if window is None else window.start - 1
    best: int | None = None
    for line in layout.statements:
        if short in squeezed(layout.text(line)):
            found = place.history.next_visit(line, after, window.end if window else None)
            if found is not None and (best is None or found < best):
                best = found
    return best


def visits_here(place: Place) -> list[int]:
    """The steps at this place that begin a line, bounded."""
    steps = place.history.steps
    if place.visit is not None:
        return [place.visit]
    window = place.window
    if window is not None:
        return [i for i in range(window.start, window.end + 1) if steps[i].event == "line"][:30]
    if place.anytime:
        return [i for i, s in enumerate(steps) if s.event == "line"][:40]
    return [i for i in range(max(0, place.at - 1), len(steps)) if steps[i].event == "line"][:8]


def expressions_here(place: Place) -> Iterator[tuple[ast.expr, State]]:
    """Every sub-expression of the statements at this place, with the state before them."""
    layout = place.history.syntax
    if layout is None:
        return
    for visit in visits_here(place):
        statement = layout.statement(place.history.line(visit))
        if statement is None:
            continue
        state = place.history.before(visit).binding(place.bound)
        yield from ((node, state) for node in _own_expressions(statement))


def comprehension_domain(place: Place, name: str) -> list[Any] | None:
    """What a comprehension's variable goes through, in the states that the place allows."""
    layout = place.history.syntax
    if layout is None:
        return None
    found: list[Any] = []
    known = False
    for line, statement in layout.statements.items():
        if line not in place.history.executed:
            continue
        if not any(isinstance(n, ast.comprehension) for n in ast.walk(statement)):
            continue
        for visit in place.history.visits.get(line, ())[:20]:
            values = comprehension_values(name, statement, place.history.before(visit))
            if values is not None:
                known = True
                found.extend(values)
    return found if known else None


def _own_expressions(statement: ast.AST) -> list[ast.expr]:
    """The expressions of a statement's own line, those of a body left out."""
    found: list[ast.expr] = []
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                found += [
                    n
                    for n in ast.walk(node)
                    if isinstance(n, ast.expr) and not isinstance(n, ast.Constant)
                ]
    return found[:40]


def claim_value(place: Place, name: str, text: str, *, after: bool) -> None:
    """`name` is `text` here; `after` when the text says that it becomes so."""
    if name in place.bound:
        if _bound_is(place, name, text) is not False:
            place.record("value", name, text, _bound_is(place, name, text), "")
        else:  # on to another of the comprehension's items
            _unknown_name(place, name, text)
        return
    frames = _frames(place, name)
    if not frames:
        _unknown_name(place, name, text)
        return
    verdict: bool | None = None
    evidence = ""
    for frame in frames[:4]:
        verdict, evidence = value_in(place, frame, name, text, after)
        if verdict:
            break
    place.record("value", name, text, verdict, evidence)


def _frames(place: Place, name: str) -> list[Frame]:
    here = place.frame()
    out = [here] if here is not None and name in here.names else []
    out += [f for f in place.history.frames.values() if name in f.names and f is not here]
    return out


def _bound_is(place: Place, name: str, text: str) -> bool | None:
    found = literal(text)
    return None if found is None else equal(found[0], place.bound[name])


def _unknown_name(place: Place, name: str, text: str) -> None:
    found = literal(text)
    domain = comprehension_domain(place, name)
    if found is not None and domain is not None:
        ok = any(equal(found[0], v) for v in domain)
        if ok:
            place.bound[name] = found[0]
        place.record("value", name, text, ok, brief(domain))
        return
    actual = value_of(name, State(place.history, frame, 0)) if (frame := place.frame()) else MISSING
    if actual is not MISSING and not isinstance(actual, Raises) and found is not None:
        place.record("value", name, text, equal(found[0], actual), brief(actual))
        return
    place.record("value", name, text, None, "no such variable")


def value_in(
    place: Place, frame: Frame, name: str, text: str, after: bool
) -> tuple[bool | None, str]:
    """Whether a frame's variable is `text` here, with what it was."""
    series = frame.names[name]
    indices, texts = series.steps, series.texts
    if place.anytime:
        return _among([t for t in texts if t is not None], text)
    if place.visit is not None and place.history.steps[place.visit].frame == frame.number:
        done = State(place.history, frame, place.visit).text(name)
        if same_text(text, done):
            place.at = max(place.at, place.visit)
            return True, done or ""
        if not after:
            first = State(place.history, frame, place.visit - 1).text(name)
            if same_text(text, first):
                return True, first or ""
    window = place.window
    if window is not None and place.stack[-1][1].frame == frame.number:
        return _value_in_pass(place, frame, name, text, after, window)
    return _value_onward(place, indices, texts, text)


def _value_in_pass(
    place: Place, frame: Frame, name: str, text: str, after: bool, window: Pass
) -> tuple[bool | None, str]:
    series = frame.names[name]
    indices, texts = series.steps, series.texts
    low = bisect_left(indices, window.start)
    high = bisect_right(indices, window.end)
    inside = list(zip(indices[low:high], texts[low:high], strict=True))
    entry = texts[low - 1] if low else None
    for index, recorded in sorted(inside, key=lambda c: c[0] < place.at):
        if same_text(text, recorded):
            place.at = max(place.at, index)
            return True, recorded or ""
    if name in place.stack[-1][0].targets:
        entry = State(place.history, frame, window.start).text(name)
    fresh = after and any(i > window.start or len(inside) == 1 for i, _ in inside)
    if not fresh and same_text(text, entry):
        return True, entry or ""
    known = [t for t in ([entry] if not fresh else []) + [t for _, t in inside] if t is not None]
    return _among(known, text)


def _value_onward(
    place: Place, indices: list[int], texts: list[str | None], text: str
) -> tuple[bool | None, str]:
    """Without an iteration: the value now, or the next one that the variable takes."""
    if place.final and texts and same_text(text, texts[-1]):
        return True, texts[-1] or ""
    here = bisect_right(indices, place.at)
    now = texts[here - 1] if here else None
    if same_text(text, now):
        return True, now or ""
    for step, number in enumerate(range(here, len(indices))):
        if same_text(text, texts[number]):
            place.at = indices[number]
            soon = step <= 1 or not _looping(place, indices[number])
            return True, (texts[number] or "") if soon else f"later: {texts[number]}"
    for number in range(here - 1, -1, -1):
        if same_text(text, texts[number]):
            return (
                True if not _looping(place, indices[number]) else None
            ), f"before: {texts[number]}"
    return _among([t for t in texts if t is not None], text)


def _looping(place: Place, index: int) -> bool:
    line = place.history.line(index)
    return any(loop.header <= line <= loop.last for loop in place.loops)


def _among(known: list[str], text: str) -> tuple[bool | None, str]:
    verdicts = [same_text(text, t) for t in known]
    if any(verdicts):
        return True, ""
    shown = ", ".join(known[-3:])[:200]
    if not verdicts or any(v is None for v in verdicts):
        return None, shown
    return False, shown


def claim_expression(place: Place, code: str, text: str) -> None:
    """`code` has the value `text` here."""
    stated = literal(text)
    if stated is None:
        place.record("value", code, text, None, "not a value")
        return
    verdict, evidence = agrees(place, code, lambda actual: equal(stated[0], actual))
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
    if stated is None or parse_expression(code) is None:
        return False
    return bool(agrees(place, code, lambda actual: equal(stated[0], actual))[0])


def agrees(place: Place, code: str, test: Any) -> tuple[bool | None, str]:
    """Whether the value of `code` passes the test in some state of the place, with that value."""
    node = parse_expression(code)
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
            return True, brief(actual)
        if first:
            last = actual
        first = False
        exact = True
    if last is MISSING:
        if not names_of(code):
            actual = value_of(code, None)
            if actual is not MISSING and not isinstance(actual, Raises):
                return test(actual), brief(actual)
        return None, "cannot be evaluated"
    if isinstance(last, Raises):
        return None, f"raises {last.kind}"
    return (False if exact else None), brief(last)


def _partial(place: Place, code: str, stated: Any, text: str) -> tuple[bool | None, str]:
    """`split()` or `any()`: a call named without what it is called on."""
    node = parse_expression(code)
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
                    if equal(stated, actual):
                        return True, brief(actual)
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
    place.record("return", code, text, equal(stated[0], actual), brief(actual))
    return True
