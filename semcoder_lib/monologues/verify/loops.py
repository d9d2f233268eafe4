"""Decides the sentences about loops and about what is told together (`forms.LINES`)."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.template import Match, Slot, split
from semcoder_lib.monologues.verify.history import Frame, Run, State
from semcoder_lib.monologues.verify.stated import parse_binds, same_text
from semcoder_lib.monologues.verify.steps import decides

if TYPE_CHECKING:
    from semcoder_lib.monologues.verify.steps import Steps

_ROW = re.compile(r"#(\d{1,18}) (.+)", re.S)
_LABELS = re.compile(r"L(\d{1,9})")


@decides("loop.head")
def _head(r: Steps, line: int, m: Match) -> bool | None:
    if line not in r.history.syntax.loops:
        return False
    r.sentence(line, m["r"])
    return None


@decides("loop.turn", "while.turn")
def _turn(r: Steps, line: int, m: Match) -> bool | None:
    """The iteration named begins; of a `for` with these values of its variables."""
    loop = r.history.syntax.loops.get(line)
    if loop is None or loop.is_for is not ("b" in m) or ("b" in m and not parse_binds(m["b"])):
        return False
    run, number = r.cursor.run_of(loop), int(m["k"].text)
    total = len(run.passes) if run else 0
    r.claim("iterations", "iteration", m["k"], 1 <= number <= total, f"{total} iterations")
    if run is None or not 1 <= number <= total:
        return None
    visit = run.passes[number - 1].start
    r.cursor.enter(line, visit)
    if "b" in m:
        r.claim_binds(m["b"], r.history.state(visit), visit, frozenset(loop.targets))
    else:
        r.pinned = visit
        r.sentence(line, m["r"])
    return None


@decides("loop.over", "loop.none", "loop.left", "while.over", "while.end")
def _over(r: Steps, line: int, m: Match) -> bool | None:
    """The loop ends, after as many iterations as are named, and where that leads."""
    loop = r.history.syntax.loops.get(line)
    if loop is None:
        return False
    run = r.cursor.run_of(loop)
    total = len(run.passes) if run else 0
    if "n" in m:
        ok = run is not None and run.exit is not None and int(m["n"].text) == total
        r.claim("iterations", "iterations", m["n"], ok, f"{total} iterations")
    elif run is not None and total and not r.history.is_generator(run.frame):
        r.ledger.add("iterations", "iterations", "0", False, f"{total}", line=line)
    if run is None or run.exit is None:
        r.ledger.add("order", r.cursor.label(line), "ends", False, "it does not", line=line)
        return None
    r.cursor.enter(line, run.exit)
    if r.history.raised(run.exit):
        r.ledger.add("exception", "the loop ends", "", False, "it raises", line=line)
    r.decide(run.exit, m)
    return None


@decides("loop.items", "loop.count", "loop.start")
def _items(r: Steps, line: int, m: Match) -> bool | None:
    loop = r.history.syntax.loops.get(line)
    if loop is None or not isinstance(loop.node, ast.For):
        return False
    visit = r.entered(line)
    if visit is None:
        return None
    r.cursor.head = visit
    run = next((x for x in r.history.runs(loop) if x.start <= visit <= x.end), None)
    if "n" not in m:
        ok = run is not None and run.start == visit
        r.ledger.add("iterations", "starts", "", ok, "the loop goes on", line=line, visit=visit)
        return None
    items = r.pieces.items(loop.node.iter, visit)
    count = len(items) if items is not None else len(run.passes) if run else 0
    complete = items is not None or (run is not None and run.exit is not None)
    verdict = int(m["n"].text) == count if complete else None
    r.claim("iterations", "items", m["n"], verdict, f"{count} items", visit)
    if "l" in m:
        _listing(r, m["l"], items, visit)
    return None


def _listing(r: Steps, slot: Slot, items: list[Any] | None, visit: int) -> None:
    """`#1 'a', #2 'b', ..., #9 'z'`, of a range `0, 1, ..., 9`: each item at its place."""
    parts = split(slot.text, ", ", slot.start)
    if items is None:
        r.claim("value", "items", slot, None, "cannot be evaluated", visit)
        return
    texts = [part.text for part in parts]
    left_out = len(items) - len(parts) + 1 if "..." in texts else 0
    numbered = texts[0].startswith("#")
    place = 0
    for at, part in enumerate(parts):
        if part.text == "...":
            ok = at not in (0, len(parts) - 1) and left_out > 0
            r.claim("value", "items", part, ok, "no items are left out", visit)
            place, left_out = place + left_out, 0
            continue
        place += 1
        number, words = f"#{place} " if numbered else "", part.text
        stated = literal(words.removeprefix(number))
        verdict: bool | None = None
        if stated is not None:
            ok = words.startswith(number) and place <= len(items)
            verdict = ok and equal(items[place - 1], stated[0])
        r.claim("value", f"item {place}", part, verdict, brief(items), visit)


# --- what is told together -----------------------------------------------------------------------


@decides("rows", "rows.one", "same", "same.after")
def _together(r: Steps, line: int, m: Match) -> bool | None:
    """Iterations `a` to `z` went through the same lines; how each of them or the last left the
    names that they changed."""
    loop = r.history.syntax.loops.get(line)
    if loop is None:
        return False
    run = r.cursor.run_of(loop)
    first, last = int(m["a"].text), int(m.get("z", m["a"]).text)
    total = len(run.passes) if run else 0
    ok = 1 <= first <= last <= total
    for slot in (m["a"], m.get("z")):
        if slot is not None:
            r.claim("iterations", "iteration", slot, ok, f"{total} iterations")
    if run is None or not ok:
        return None
    start, end = run.passes[first - 1].start, run.passes[last - 1].end
    if r.cursor.skips(start) or start <= r.cursor.at:
        r.claim("order", "iteration", m["a"], False, "not the next iteration", start)
    _labels(r, m["ls"], start + 1, end, run.frame)
    frame = r.history.frames[run.frame]
    if "b" in m:
        r.claim_binds(m["b"], State(r.history, frame, end), None, _changed(r, run, first, last))
    if "r" in m:
        rows = split(m["r"].text, "; ", m["r"].start)
        if len(rows) != last - first + 1:
            r.claim("iterations", "rows", m["r"], False, f"{last - first + 1} iterations")
        for number, row in zip(range(first, last + 1), rows, strict=False):
            _row(r, row, number, run, frame)
    r.cursor.jump(end)
    r.cursor.head = None
    return None


def _row(r: Steps, row: Slot, number: int, run: Run, frame: Frame) -> None:
    """`#9 i = 8, total = 3`: names that the iteration changed, as they are after it."""
    match = _ROW.fullmatch(row.text)
    if match is None or int(match[1]) != number:
        r.claim("iterations", "row", row, False, f"this is iteration {number}")
        return
    changed = _changed(r, run, number, number)
    if match[2] in ("no change", "goes on"):
        ok = not changed or match[2] == "goes on"
        r.claim("value", "no change", row, ok, f"changed: {', '.join(sorted(changed))}")
        return
    binds = Slot(match[2], row.start + match.start(2), row.end)
    r.claim_binds(binds, State(r.history, frame, run.passes[number - 1].end), None, changed)


def _changed(r: Steps, run: Run, first: int, last: int) -> frozenset[str]:
    """Names of the loop's frame that iterations `first` to `last` changed."""
    indices = range(run.passes[first - 1].start, run.passes[last - 1].end + 1)
    own = [r.history.changed(i) for i in indices if r.history.steps[i].frame == run.frame]
    return frozenset().union(*own)


def _labels(r: Steps, slot: Slot, start: int, end: int, frame: int | None = None) -> None:
    """`[L3], [L4]`: just the lines that ran between two steps, in order; those of the header that
    the sentence is about, in its `frame`, aside."""
    history = r.history
    header = history.line(start - 1) if frame is not None else -1
    named = [history.start(int(n) - r.cursor.offset) for n in _LABELS.findall(slot.text)]
    ran = {
        history.line(i)
        for i in range(start, end + 1)
        if history.is_line(i)
        and not (history.line(i) == header and history.steps[i].frame == frame)
    }
    r.claim("order", "run in them", slot, named == sorted(ran), str(sorted(ran)))
    r.ledger.covered |= ran


@decides("calls.one", "calls.one.gave", "calls.same", "calls.same.gave")
def _skipped(r: Steps, line: int, m: Match) -> None:
    """Calls that the waiting line made went through these lines, and returned these values."""
    visit = r.cursor.waits(line)
    if visit is None:
        r.claim("order", "calls", m["g"], False, "it makes no calls")
        return
    end = r.history.call_end(visit)
    frames = r.history.calls_in(r.cursor.at, end)
    count = int(m["n"].text) if "n" in m else 1
    ok = len(frames) == count
    r.claim("order", "calls", m.get("n", m["g"]), ok, f"{len(frames)} calls", visit)
    names = " and ".join(dict.fromkeys(f.function for f in frames))
    r.claim("order", "calls", m["g"], names == m["g"].text, names, visit)
    _labels(r, m["ls"], r.cursor.at + 1, end)
    values = split(m["vs"].text, ", ", m["vs"].start) if "vs" in m else [m["v"]] if "v" in m else []
    if values and len(values) != len(frames):
        r.claim("return", "returned", values[-1], False, f"{len(frames)} results", visit)
    for value, frame in zip(values, frames, strict=False):
        verdict = same_text(value.text, frame.returned)
        r.claim("return", frame.function, value, verdict, frame.returned or "", visit)
    r.cursor.jump(end)


@decides("resumed.same")
def _resumed_same(r: Steps, line: int, m: Match) -> None:
    """A generator went on through these lines."""
    visit = r.cursor.waits(line)
    if visit is None or r.cursor.told(visit):  # the line that asks it is told later
        visit = r.history.next_visit(line, r.cursor.at)
    if visit is None or (visit > r.cursor.at and r.cursor.skips(visit)):
        r.claim("order", "goes on", m["g"], False, "it is not running")
        return
    end, start = r.history.call_end(visit), max(r.cursor.at, visit) + 1
    ran = [r.history.steps[i] for i in range(start, end + 1) if r.history.is_line(i)]
    depth = min((s.depth for s in ran), default=0)
    names = {s.function for s in ran if s.depth == depth}
    ok = names == set(m["g"].text.split(" and "))
    r.claim("order", "goes on", m["g"], ok, ", ".join(sorted(names)), visit)
    _labels(r, m["ls"], start, end)
    r.cursor.jump(end)
