"""The states of the program that a place allows, the likeliest first.

A statement is supported when some of them agrees with it, contradicted when every one disagrees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from semcoder_lib.monologues.verify.evaluate import names_of
from semcoder_lib.monologues.verify.history import Frame, Pass, State
from semcoder_lib.monologues.verify.place.place import Place
from semcoder_lib.monologues.verify.scene import Scene, comprehension_values
from semcoder_lib.monologues.verify.source import squeezed

MAX_STATES = 160


def states(place: Place, code: str) -> Iterator[State]:
    """States that the place allows, the likeliest first, each set of values once."""
    history = place.history
    frame = place.frame()
    if frame is None:
        return
    names = names_of(code)
    seen: set[tuple[str | None, ...]] = set()
    for index in _indices(place, code, frame):
        state = State(history, frame, index, place.bound or None)
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
        yield history.settled(place.visit)
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
    layout = place.history.layout
    short = squeezed(code)
    if layout is None or len(short) < 4:
        return None
    after = place.at - 1 if window is None else window.start - 1
    best: int | None = None
    for line, text in layout.texts.items():
        if short in text:
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
    layout = place.history.layout
    if layout is None:
        return
    for visit in visits_here(place):
        statement = layout.statements.get(place.history.line(visit))
        if statement is None:
            continue
        state = State(
            place.history,
            place.history.frames[place.history.steps[visit].frame],
            visit - 1,
            place.bound or None,
        )
        yield from ((node, state) for node in _own_expressions(statement))


def comprehension_domain(place: Place, name: str) -> list[Any] | None:
    """What a comprehension's variable goes through, in the states that the place allows."""
    layout = place.history.layout
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
            state = place.history.before(visit)
            scene = Scene(state, state, line, visit, statement=statement)
            values = comprehension_values(name, scene)
            if values is not None:
                known = True
                found.extend(values)
    return found if known else None


def _own_expressions(statement: ast.stmt) -> list[ast.expr]:
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
