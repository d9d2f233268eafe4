"""Lines about a loop's header: the next iteration, the items, the end of the loop."""

from __future__ import annotations

import ast
import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.evaluate import Cannot, Raises, equals, evaluate, literal
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.lockstep.statements import read_workings, without_head
from semcoder_lib.monologues.verify.lockstep.summaries import read_elided, read_repeated
from semcoder_lib.monologues.verify.scene import MISSING, Scene
from semcoder_lib.monologues.verify.source import Loop

_ITERATION = re.compile(r"iteration #?(\d+)(?::\s*(.*))?$", re.S)
_NO_ITEMS = re.compile(r"no items are left(?: after (\d+) iterations?)?$")
_AFTER = re.compile(r" (?:is|evaluates to|counts as) (True|False) after (\d+) iterations?$")
_ITEMS = re.compile(r"(\d+) items?(?:, (.*))?$", re.S)
_REPEAT = re.compile(
    r"iterations? #?(\d+)(?: to #?(\d+))? repeats? ((?:\[L\d+\](?:, | and )?)+):\s*(.*)$", re.S
)
_ELIDED = re.compile(
    r"iterations? #?(\d+)(?: to #?(\d+))? goe?s? the same way through ((?:\[L\d+\](?:, | and )?)+)"
    r"(?:; after (?:them|it) (.*))?$",
    re.S,
)


def read_loop_line(cursor: Cursor, loop: Loop, line: int, text: str) -> object:
    """A line about a loop's header; MISSING when it reads like an ordinary statement."""
    match = _ITERATION.match(text)
    if match:
        return _iteration(cursor, loop, line, int(match.group(1)), match.group(2) or "")
    match = _REPEAT.match(text)
    if match:
        return read_repeated(cursor, loop, line, match)
    match = _ELIDED.match(text)
    if match:
        return read_elided(cursor, loop, line, match)
    match = _NO_ITEMS.match(text)
    if match:
        return _exhausted(cursor, loop, line, int(match.group(1)) if match.group(1) else None)
    match = _AFTER.search(text)
    if match:
        visit = _exhausted(cursor, loop, line, int(match.group(2)))
        if visit is not None:
            scene = cursor.scene(line, visit)
            read_workings(cursor, without_head(cursor, line, text[: match.end(1)]), scene)
        return visit
    if loop.is_for:
        return _for_head(cursor, loop, line, text)
    return MISSING


def _enter(cursor: Cursor, loop: Loop, line: int, visit: int | None, evidence: str) -> int | None:
    ok = visit is not None and visit > cursor.at and not cursor.jumps(visit)
    if visit is not None and (
        visit == cursor.at or cursor.history.resumed(line, cursor.at) == visit
    ):
        ok = True  # the head line told this step already, or the call in it came back
    cursor.ledger.add(
        "order", cursor.label(line), "runs next", ok, "" if ok else evidence, line=line, visit=visit
    )
    if visit is not None:
        cursor.ledger.covered.add(line)
        cursor.at = max(cursor.at, visit)
    return visit


def _iteration(cursor: Cursor, loop: Loop, line: int, number: int, rest: str) -> int | None:
    run, visit = cursor.run_of(loop, number)
    total = len(run.passes) if run else 0
    cursor.ledger.add(
        "iterations",
        f"iteration {number}",
        f"of {cursor.label(line)}",
        visit is not None,
        f"{total} iterations",
        line=line,
        visit=visit,
    )
    if visit is None:
        return None
    _enter(cursor, loop, line, visit, "not the next iteration")
    scene = cursor.scene(line, visit)
    rest = without_head(cursor, line, rest)
    if loop.is_for:
        cursor.workings.read(rest, scene, final_after=True)
    else:
        read_workings(cursor, rest, scene)
    return visit


def _exhausted(cursor: Cursor, loop: Loop, line: int, number: int | None) -> int | None:
    run, _ = cursor.run_of(loop, 0)
    done = len(run.passes) if run else 0
    ok = run is not None and number in (None, done) and run.exit is not None
    cursor.ledger.add(
        "iterations",
        cursor.label(line),
        str(number),
        ok,
        f"{done} iterations",
        line=line,
        visit=run.exit if run else None,
    )
    if run is None or run.exit is None:
        return None
    return _enter(cursor, loop, line, run.exit, "the loop goes on here")


def _for_head(cursor: Cursor, loop: Loop, line: int, text: str) -> int | None:
    visit = cursor.advance(line)
    if visit is None:
        return None
    scene = cursor.scene(line, visit)
    rest = without_head(cursor, line, text)
    run = next((r for r in cursor.history.runs(loop) if r.start <= visit <= r.end), None)
    sequence = _sequence(loop, scene)
    if rest.endswith("so the body never runs"):
        rest = rest.removesuffix("so the body never runs").rstrip(", ")
        cursor.ledger.add(
            "branch",
            cursor.label(line),
            "never runs",
            run is None or not run.passes,
            "",
            line=line,
            visit=visit,
        )
    match = _ITEMS.match(rest)
    if match:
        count = int(match.group(1))
        actual = len(sequence) if sequence is not None else None
        if actual is None and run is not None and run.exit is not None:
            actual = len(run.passes)
        verdict = None if actual is None else actual == count
        cursor.ledger.add(
            "iterations",
            cursor.label(line),
            f"{count} items",
            verdict,
            "" if actual is None else f"{actual} items",
            line=line,
            visit=visit,
        )
        _listed(cursor, match.group(2) or "", sequence, line, visit)
    elif rest and rest != "the loop starts":
        read_workings(cursor, rest, scene)
    return visit


def _sequence(loop: Loop, scene: Scene) -> list[object] | None:
    if not isinstance(loop.node, ast.For):
        return None
    try:
        found = evaluate(ast.unparse(loop.node.iter), scene.before)
        return list(found)
    except (Cannot, Raises, TypeError):
        return None


def _listed(
    cursor: Cursor, text: str, sequence: list[object] | None, line: int, visit: int
) -> None:
    if not text:
        return
    position: int | None = 0
    verdict: bool | None = True if sequence is not None else None
    evidence = ""
    for part in pieces.split(text, ", "):
        if part in ("...", "…"):
            position = None
            continue
        match = re.match(r"#(\d+) (.*)$", part, re.S)
        if match:
            position, part = int(match.group(1)) - 1, match.group(2)
        if sequence is None:
            continue
        if position is None:  # a bare value after a gap is the last one
            position = len(sequence) - 1
        said = literal(part)
        if said is None:
            verdict = None if verdict else verdict
            continue
        if position >= len(sequence) or not equals(said[0], sequence[position], part):
            verdict, evidence = False, f"item {position + 1}"
            break
        position += 1
    cursor.ledger.add("value", "items", text[:80], verdict, evidence, line=line, visit=visit)
