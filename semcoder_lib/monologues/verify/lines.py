"""Decides the sentences about one step, and about what is told together: a function for every row
of `forms.LINES`, of the reader, the source line that the label means, and the slots."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from semcoder_lib.monologues.forms import Match, Slot, split
from semcoder_lib.monologues.show import brief, loop_items
from semcoder_lib.monologues.syntax import in_body
from semcoder_lib.monologues.verify.history import Frame, History, Run, State
from semcoder_lib.monologues.verify.steps import DECIDERS, Steps
from semcoder_lib.monologues.verify.text import parse_binds, same_text

decides = DECIDERS
_ROW = re.compile(r"#(\d{1,18}) (.+)", re.S)
_LABELS = re.compile(r"L\d{1,9}")
_JUMPS = {"break": ast.Break, "continue": ast.Continue}


@decides("branch", "branch.bare", "jump", "onward", "raises", "raises.out", "returns",
         "returns.worked", "set", "set.onward", "set.returns", "set.worked")  # fmt: skip
def _step(r: Steps, line: int, m: Match) -> bool | None:
    syntax = r.history.syntax
    condition = "t" in m or ("w" in m and not {"b", "v"} & m.keys())
    tested = line not in syntax.groups and syntax.test(line)
    if "b" in m and (parse_binds(m["b"]) is None or ("to" in m and tested)):
        return False
    if condition and syntax.statements and syntax.test(line) is None:
        return False
    visit = r.visit(line)
    if visit is not None:
        if "j" in m:
            ok = isinstance(syntax.statement(line), _JUMPS[m["j"].text])
            r.claim("order", "jump", m["j"], ok, "another statement", visit)
        r.decide(visit, m)
    return None


def _kind(row: str, kind: str, test: Callable[[History, int], bool | None]) -> None:
    """Enters, for a row that says of what kind a step is, a test of it."""

    def decide(r: Steps, line: int, m: Match) -> None:
        visit = r.visit(line)
        if visit is not None:
            r.claim(kind, row, "", test(r.history, visit), "it is not so here", visit)
            r.decide(visit, m)

    decides(row)(decide)


def _takes(history: History, visit: int) -> bool | None:
    """Whether an `except` took the exception; None where the step is no `except`."""
    stmt, following = history.statement(visit), history.next_line(visit)
    ahead = None if following is None else history.line(following)
    return in_body(stmt, ahead) if isinstance(stmt, ast.ExceptHandler) else None


def _unchanged(history: History, visit: int) -> bool | None:
    unseen = None if "beyond:cut" in history.trace.flags else True
    return False if history.changed(visit) else unseen


_kind("pass", "order", lambda history, visit: isinstance(history.statement(visit), ast.Pass))
_kind("handler.takes", "branch", lambda history, visit: _takes(history, visit) is True)
_kind("handler.leaves", "branch", lambda history, visit: _takes(history, visit) is False)
_kind("unchanged", "value", _unchanged)


@decides("defined")
def _defined(r: Steps, line: int, m: Match) -> None:
    visit, stmt = r.visit(line), r.history.syntax.statement(line)
    name = stmt.name if isinstance(stmt, ast.FunctionDef | ast.ClassDef) else ""
    r.claim("value", "is defined", m["f"], m["f"].text == name, name or "nothing is", visit)


@decides("call", "call.with")
def _call(r: Steps, line: int, m: Match) -> None:
    history = r.history
    calls = (i for i in range(r.at + 1, len(history.steps)) if history.is_named(i, "call"))
    index = next(calls, None)
    if index is None:
        r.claim("order", "call", m["f"], False, "nothing is called")
        return
    step = history.steps[index]
    ok = not r.skips(index) and step.function == m["f"].text
    r.claim("order", "is called", m["f"], ok, f"{step.function} is called", index)
    r.claim("order", history.label(line), "is its line", history.line(index) == line, "", index)
    r.at = index
    given = frozenset(history.frame(index).given)
    pairs = (parse_binds(m["b"]) or []) if "b" in m else []
    if "b" in m:
        r.claim_binds(m["b"], history.state(index), index, given)
    if more := given - {name.text for name, _ in pairs}:
        also = f"also {', '.join(sorted(more))}"
        r.claim("value", "arguments", m.get("b", m["f"]), False, also, index)


@decides("calls")
def _calls(r: Steps, line: int, m: Match) -> None:
    visit = r.entered(line)
    if visit is not None:
        frames = r.history.calls_in(visit, r.history.call_end(visit))
        _named(r, m["g"], frames, visit, visit not in r.called)
        r.called.add(visit)


def _named(r: Steps, slot: Slot, frames: list[Frame], visit: int, ok: bool = True) -> None:
    """`calls g and h`: the functions that are called, in order."""
    names = " and ".join(dict.fromkeys(f.function for f in frames))
    r.claim("order", "calls", slot, ok and slot.text == names, names, visit)


@decides("back")
def _back(r: Steps, line: int, m: Match) -> None:
    visit = r.waits(line, m["f"].text)
    if visit is None:
        r.claim("order", "goes on", m["f"], False, "it made no call here")
        return
    end = r.history.call_end(visit)
    ok = not r.skips(end + 1) and visit not in r.over
    r.claim("order", "goes on", m["f"], ok, "calls go on, or it was said", visit)
    r.over.add(visit)
    r.jump(end)
    r.pinned = visit
    r.sentence(line, m["r"])


@decides("ends")
def _ends(r: Steps, line: int, m: Match) -> None:
    frames = [
        f
        for f in r.history.frames.values()
        if f.function == m["f"].text and f.first <= r.at < f.last
    ]
    if not frames:
        r.claim("return", "ends", m["f"], False, "it is not running")
        return
    lines = {
        f.number: [i for i in f.steps if r.history.steps[i].event == "line"] or [f.first]
        for f in frames
    }
    over = [f for f in frames if lines[f.number][-1] <= r.at]
    frame = (over or frames)[-1]
    ok = bool(over) and line == r.history.line(lines[frame.number][-1])
    r.claim("order", "ends", m["f"], ok, "more lines run", frame.last)
    verdict = same_text(m["v"].text, frame.returned)
    r.claim("return", "ends", m["v"], verdict, frame.returned or "it raised", frame.last)
    r.jump(frame.last)


# --- loops ----------------------------------------------------------------------------------------


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
    run, number = r.run_of(loop), int(m["k"].text)
    total = len(run.passes) if run else 0
    r.claim("iterations", "iteration", m["k"], 1 <= number <= total, f"{total} iterations")
    if run is None or not 1 <= number <= total:
        return None
    visit = run.passes[number - 1].start
    r.enter(line, visit)
    if "b" in m:
        r.claim_binds(m["b"], r.history.state(visit), visit, frozenset(loop.targets))
    else:
        r.pinned = visit
        r.sentence(line, m["r"])
    return None


@decides("loop.over", "loop.none", "while.over", "while.end")
def _over(r: Steps, line: int, m: Match) -> bool | None:
    """The loop ends, after as many iterations as are named, and where that leads."""
    loop = r.history.syntax.loops.get(line)
    if loop is None:
        return False
    run = r.run_of(loop)
    total = len(run.passes) if run else 0
    if run is None or run.exit is None:
        r.claim("order", r.history.label(line), "ends", False, "it does not")
    if "n" in m:
        ok = run is not None and run.exit is not None and int(m["n"].text) == total
        r.claim("iterations", "iterations", m["n"], ok, f"{total} iterations")
    elif run is not None and total:
        r.claim("iterations", "iterations", "0", False, f"{total}")
    if run is not None and run.exit is not None:
        r.enter(line, run.exit)
        if r.history.raised(run.exit):
            r.claim("exception", "the loop ends", "", False, "it raises")
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
    if visit == r.head:
        r.claim("order", "the loop", "", False, "that was said before", visit)
    r.head = visit
    run = next((x for x in r.history.runs(loop) if x.start <= visit <= x.end), None)
    if "n" not in m:
        ok = run is not None and run.start == visit
        r.claim("iterations", "starts", "", ok, "the loop goes on", visit)
        return None
    items = r.pieces.items(loop.node.iter, visit)
    count = len(items) if items is not None else len(run.passes) if run else 0
    complete = items is not None or (run is not None and run.exit is not None)
    verdict = int(m["n"].text) == count if complete else None
    r.claim("iterations", "items", m["n"], verdict, f"{count} items", visit)
    if "l" in m:
        listed = None if items is None else m["l"].text == loop_items(items, loop.node)
        r.claim("value", "items", m["l"], listed, brief(items), visit)
    return None


# --- what is told together ------------------------------------------------------------------------


@decides("rows", "rows.one", "elided", "elided.after")
def _together(r: Steps, line: int, m: Match) -> bool | None:
    """Iterations `a` to `z` went through these lines, together; how each of them or the last left
    the names that they changed."""
    loop = r.history.syntax.loops.get(line)
    if loop is None:
        return False
    run = r.run_of(loop)
    first, last = int(m["a"].text), int(m.get("z", m["a"]).text)
    total = len(run.passes) if run else 0
    ok = 1 <= first <= last <= total
    for name in [name for name in ("a", "z") if name in m]:
        r.claim("iterations", "iteration", m[name], ok, f"{total} iterations")
    if run is None or not ok:
        return None
    start, end = run.passes[first - 1].start, run.passes[last - 1].end
    if r.skips(start) or start <= r.at:
        r.claim("order", "iteration", m["a"], False, "not the next iteration", start)
    _labels(r, m["ls"], start + 1, end, run.frame)
    if "b" in m:
        r.claim_binds(m["b"], _left(r, run, last), None, _changed(r, run, first, last))
    if "r" in m:
        rows = split(m["r"].text, "; ", m["r"].start)
        if len(rows) != last - first + 1:
            r.claim("iterations", "rows", m["r"], False, f"{last - first + 1} iterations")
        for number, row in zip(range(first, last + 1), rows, strict=False):
            _row(r, row, number, run)
    r.jump(end)
    r.head = None
    return None


def _row(r: Steps, row: Slot, number: int, run: Run) -> None:
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
    r.claim_binds(binds, _left(r, run, number), None, changed)


def _left(r: Steps, run: Run, number: int) -> State:
    """The names of a loop's frame after an iteration."""
    return State(r.history, r.history.frames[run.frame], run.passes[number - 1].end)


def _changed(r: Steps, run: Run, first: int, last: int) -> frozenset[str]:
    """Names of the loop's frame that iterations `first` to `last` changed."""
    indices = range(run.passes[first - 1].start, run.passes[last - 1].end + 1)
    own = [r.history.changed(i) for i in indices if r.history.steps[i].frame == run.frame]
    return frozenset().union(*own)


def _labels(r: Steps, slot: Slot, start: int, end: int, frame: int | None = None) -> None:
    """`[L3], [L4]`: just the lines that ran between two steps, in order; those of the header that
    the sentence is about, in its `frame`, aside."""
    history = r.history
    aside = None if frame is None else (history.line(start - 1), frame)
    steps = [i for i in range(start, end + 1) if history.is_named(i, "line")]
    ran = {history.line(i) for i in steps if (history.line(i), history.steps[i].frame) != aside}
    named = list(map(history.labelled, _LABELS.findall(slot.text)))
    r.claim("order", "run in them", slot, named == sorted(ran), str(sorted(ran)))
    r.ledger.covered |= ran


@decides("calls.one", "calls.one.gave", "calls.same", "calls.same.gave")
def _skipped(r: Steps, line: int, m: Match) -> None:
    """Calls that the waiting line made went through these lines, and returned these values."""
    visit = r.waits(line)
    if visit is None:
        r.claim("order", "calls", m["g"], False, "it makes no calls")
        return
    end = r.history.call_end(visit)
    frames = r.history.calls_in(r.at, end)
    ok = len(frames) == (int(m["n"].text) if "n" in m else 1)
    r.claim("order", "calls", m.get("n", m["g"]), ok, f"{len(frames)} calls", visit)
    _named(r, m["g"], frames, visit)
    _labels(r, m["ls"], r.at + 1, end)
    values = split(m["vs"].text, ", ", m["vs"].start) if "vs" in m else [m["v"]] if "v" in m else []
    if values and len(values) != len(frames):
        r.claim("return", "returned", values[-1], False, f"{len(frames)} results", visit)
    for value, frame in zip(values, frames, strict=False):
        verdict = same_text(value.text, frame.returned)
        r.claim("return", frame.function, value, verdict, frame.returned or "", visit)
    r.jump(end)
