"""Decides the sentences about loops and about what is told together (`forms.LINES`)."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Loop
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.history import Frame, Run, State
from semcoder_lib.monologues.verify.lines import decides, entered
from semcoder_lib.monologues.verify.stated import parse_binds, same_text

if TYPE_CHECKING:
    from semcoder_lib.monologues.verify.steps import Steps

_ROW = re.compile(r"#(\d{1,18}) (.+)", re.S)
_LABELS = re.compile(r"L(\d{1,9})")


def _iteration(r: Steps, loop: Loop, m: Match) -> tuple[Run, int] | None:
    """The run of the loop and the header's visit that begins the iteration named."""
    run, number = r.cursor.run_of(loop), int(m["k"].text)
    total = len(run.passes) if run else 0
    ok = run is not None and 1 <= number <= total
    r.claim("iterations", "iteration", m["k"], ok, f"{total} iterations", None)
    if run is None or not ok:
        return None
    visit = r.cursor.enter(loop.header, run.passes[number - 1].start, "not the next iteration")
    return (run, visit) if visit is not None else None


@decides("loop.turn")
def _turn(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or not loop.is_for or parse_binds(m["b"]) is None:
        return False
    entered = _iteration(r, loop, m)
    if entered is not None:
        state = r.history.state(entered[1])
        r.claim_binds(m["b"], state, entered[1], frozenset(loop.targets))
    return True


@decides("while.turn")
def _while_turn(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or loop.is_for:
        return False
    entered = _iteration(r, loop, m)
    if entered is not None:
        r.pinned = entered[1]
        r.sentence(line, m["r"].text, m["r"].start)
    return True


def _over(r: Steps, loop: Loop | None, line: int, m: Match) -> int | None:
    """The header's visit that ends the loop after as many iterations as are named."""
    run = r.cursor.run_of(loop) if loop is not None else None
    total = len(run.passes) if run else 0
    ends = run is not None and run.exit is not None
    if "n" in m:
        ok = ends and int(m["n"].text) == total
        r.claim("iterations", "iterations", m["n"], ok, f"{total} iterations", None)
    if run is None or run.exit is None:
        r.ledger.add(
            "order", r.cursor.label(line), "the loop ends", False, "it does not", line=line
        )
        return None
    return r.cursor.enter(line, run.exit, "the loop goes on here")


@decides("loop.over", "loop.none", "loop.left", "while.over", "while.end")
def _loop_over(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None:
        return False
    if "n" not in m and "w" not in m and "t" not in m:  # `0 items`, `no items are left`
        run = r.cursor.run_of(loop)
        generator = (
            run is not None and r.cursor.history.frames[run.frame].steps and _is_generator(r, run)
        )
        if run is not None and run.passes and not generator:
            r.ledger.add("iterations", "iterations", "0", False, f"{len(run.passes)}", line=line)
    visit = _over(r, loop, line, m)
    if visit is None:
        return True
    if r.history.raised(visit):
        r.ledger.add("exception", "the loop ends", "", False, "it raises", line=line, visit=visit)
    if "w" in m:
        r.claim_outcome(m["w"], r.pieces.read(m["w"], visit), visit)
    elif "t" in m:
        r.claim_truth(visit, m["t"])
    r.claim_next(visit, m["to"])
    return True


def _is_generator(r: Steps, run: Run) -> bool:
    steps = r.history.frames[run.frame].steps
    return any(r.history.steps[i].event == "yield" for i in steps)


@decides("loop.items", "loop.count", "loop.start")
def _items(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None or not isinstance(loop.node, ast.For):
        return False
    visit = entered(r, line)
    if visit is None:
        return True
    r.cursor.head = visit
    run = next((x for x in r.history.runs(loop) if x.start <= visit <= x.end), None)
    if "n" not in m:
        ok = run is not None and run.start == visit
        r.ledger.add("iterations", "starts", "", ok, "the loop goes on", line=line, visit=visit)
        return True
    items = r.pieces.items(loop.node.iter, visit)
    passes = len(run.passes) if run else 0
    if items is None:
        complete = run is not None and run.exit is not None
        verdict = int(m["n"].text) == passes if complete else None
        r.claim("iterations", "items", m["n"], verdict, f"{passes} iterations", visit)
    else:
        ok = len(items) == int(m["n"].text)
        r.claim("iterations", "items", m["n"], ok, f"{len(items)} items", visit)
    if "l" in m:
        _listing(r, m["l"], items, visit)
    return True


def _listing(r: Steps, slot: Slot, items: list[object] | None, visit: int) -> None:
    """`#1 'a', #2 'b', ..., #9 'z'`, of a range `0, 1, ..., 9`: each item at its place."""
    parts = split(slot.text, ", ", slot.start)
    if len({p.text.startswith("#") for p in parts if p.text != "..."}) > 1:
        r.claim("value", "items", slot, False, "numbered here and not there", visit)
    for number, part in enumerate(parts, 1):
        if part.text == "...":
            ok = number not in (1, len(parts)) and items is not None and len(items) > len(parts) - 1
            r.claim("value", "items", part, ok, "no items are left out", visit)
            continue
        match = _ROW.fullmatch(part.text)
        place = int(match[1]) if match else number
        if number == len(parts) and not match and any(p.text == "..." for p in parts):
            place = len(items or [])
        elif match and "..." not in [p.text for p in parts[: number - 1]] and place != number:
            r.claim("value", "item", part, False, f"this is item {number}", visit)
            continue
        stated = literal(match[2] if match else part.text)
        if stated is None or items is None:
            r.claim("value", "item", part, None, "no such value", visit)
            continue
        ok = 1 <= place <= len(items) and equal(items[place - 1], stated[0])
        last = number == len(parts) and "..." in [p.text for p in parts]
        if ok and last and place != len(items):
            ok = False
        r.claim("value", f"item {place}", part, ok, brief(items), visit)


# --- what is told together -----------------------------------------------------------------------


@decides("rows", "rows.one", "same", "same.after")
def _together(r: Steps, line: int, m: Match) -> bool:
    loop = r.cursor.loop_at(line)
    if loop is None:
        return False
    run = r.cursor.run_of(loop)
    first, last = int(m["a"].text), int(m["z"].text if "z" in m else m["a"].text)
    total = len(run.passes) if run else 0
    ok = run is not None and 1 <= first <= last <= total
    for slot in (m["a"], m.get("z")):
        if slot is not None:
            r.claim("iterations", "iteration", slot, ok, f"{total} iterations", None)
    if run is None or not ok:
        return True
    start = run.passes[first - 1].start
    if r.cursor.skips(start) or start <= r.cursor.at:
        r.claim("order", "iteration", m["a"], False, "not the next iteration", start)
    _labels(r, m["ls"], run.passes[first - 1].start + 1, run.passes[last - 1].end, run.frame)
    frame = r.history.frames[run.frame]
    if "b" in m:
        state = State(r.history, frame, run.passes[last - 1].end)
        changed = _changed_in(r, run, first, last)
        if not r.claim_binds(m["b"], state, None, changed):
            r.claim("value", "state", m["b"], None, "not read", None)
    for row, number in (
        zip(split(m["r"].text, "; ", m["r"].start), range(first, last + 2), strict=False)
        if "r" in m
        else ()
    ):
        _row(r, row, number, run, frame, first, last)
    if "r" in m and len(split(m["r"].text, "; ")) != last - first + 1:
        r.claim("iterations", "rows", m["r"], False, f"{last - first + 1} iterations", None)
    r.cursor.at = max(r.cursor.at, run.passes[last - 1].end)
    r.cursor.head = None
    return True


def _row(r: Steps, row: Slot, number: int, run: Run, frame: Frame, first: int, last: int) -> None:
    match = _ROW.fullmatch(row.text)
    if match is None or int(match[1]) != number or not first <= number <= last:
        verdict = None if match is None else False
        r.claim("iterations", "row", row, verdict, f"this is iteration {number}", None)
        return
    changed = _changed_in(r, run, number, number)
    if match[2] in ("no change", "goes on"):
        ok = not changed or match[2] == "goes on"
        r.claim("value", "no change", row, ok, f"changed: {', '.join(sorted(changed))}", None)
        return
    state = State(r.history, frame, run.passes[number - 1].end)
    binds = Slot(match[2], row.start + match.start(2), row.end)
    if not r.claim_binds(binds, state, None, changed):
        r.claim("value", "state", row, None, "not read", None)


def _changed_in(r: Steps, run: Run, first: int, last: int) -> frozenset[str]:
    """Names of the loop's frame that iterations `first` to `last` changed."""
    names: set[str] = set()
    for one in run.passes[first - 1 : last]:
        for index in range(one.start, one.end + 1):
            if r.history.steps[index].frame == run.frame:
                names |= r.history.changed(index)
    return frozenset(names)


def _labels(r: Steps, slot: Slot, start: int, end: int, frame: int | None = None) -> None:
    """`[L3], [L4]`: just the lines that ran between two steps, in order; those of the header that
    the sentence is about, in its `frame`, aside."""
    header = r.history.line(start - 1) if frame is not None else -1
    named = [r.history.start(int(n) - r.cursor.offset) for n in _LABELS.findall(slot.text)]
    ran = {
        r.history.line(i)
        for i in range(start, end + 1)
        if r.history.steps[i].event == "line"
        and not r.history.steps[i].function.startswith("<")
        and not (r.history.line(i) == header and r.history.steps[i].frame == frame)
    }
    ok = named == sorted(ran)
    r.claim("order", "run in them", slot, ok, str(sorted(ran)), None)
    r.ledger.covered |= ran


@decides("calls.one", "calls.one.gave", "calls.same", "calls.same.gave")
def _skipped(r: Steps, line: int, m: Match) -> bool:
    visit = r.cursor.waits(line)
    if visit is None:
        r.claim("order", "calls", m["g"], False, "it makes no calls", None)
        return True
    end = r.history.call_end(visit)
    frames = r.history.calls_in(r.cursor.at, end)
    count = int(m["n"].text) if "n" in m else 1
    names = " and ".join(dict.fromkeys(f.function for f in frames))
    place = m.get("n", m["g"])
    r.claim("order", "calls", place, len(frames) == count, f"{len(frames)} calls", visit)
    r.claim("order", "calls", m["g"], names == m["g"].text, names, visit)
    _labels(r, m["ls"], r.cursor.at + 1, end)
    values = split(m["vs"].text, ", ", m["vs"].start) if "vs" in m else [m["v"]] if "v" in m else []
    if values and len(values) != len(frames):
        r.claim("return", "returned", values[-1], False, f"{len(frames)} results", visit)
    for value, frame in zip(values, frames, strict=False):
        verdict = same_text(value.text, frame.returned)
        r.claim("return", frame.function, value, verdict, frame.returned or "", visit)
    r.cursor.at = max(r.cursor.at, end)
    return True


@decides("resumed.same")
def _resumed_same(r: Steps, line: int, m: Match) -> bool:
    visit = r.cursor.waits(line)
    if visit is None or r.cursor.told(visit):  # the line that asks it is told later
        visit = r.history.next_visit(line, r.cursor.at)
        if visit is not None and r.cursor.skips(visit):
            visit = None
    if visit is None:
        r.claim("order", "goes on", m["g"], False, "it is not running", None)
        return True
    end, start = r.history.call_end(visit), max(r.cursor.at, visit) + 1
    ran = [
        s
        for s in r.history.steps[start : end + 1]
        if s.event == "line" and not s.function.startswith("<")
    ]
    depth = min((s.depth for s in ran), default=0)
    names = {s.function for s in ran if s.depth == depth}
    ok = names == set(m["g"].text.split(" and "))
    r.claim("order", "goes on", m["g"], ok, ", ".join(sorted(names)), visit)
    _labels(r, m["ls"], start, end)
    r.cursor.at = max(r.cursor.at, end)
    return True
