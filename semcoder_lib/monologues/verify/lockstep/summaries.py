"""Several iterations told in one line: which lines they ran and what they left behind."""

from __future__ import annotations

import re

from semcoder_lib.monologues.verify import pieces
from semcoder_lib.monologues.verify.history import Run, State
from semcoder_lib.monologues.verify.lockstep.calls import state_value
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.source import Loop

_LABELS = re.compile(r"\[L(\d+)\]")
_ROW = re.compile(r"#?(\d+) (.*)$", re.S)


def read_repeated(cursor: Cursor, loop: Loop, line: int, match: re.Match[str]) -> int | None:
    """`iterations #2 to #4 repeat [L3], [L4]: #2 x = 1; #3 x = 2; ...`."""
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    run, start = cursor.run_of(loop, first)
    stop = _passes(cursor, loop, line, run, first, last, match.group(3))
    if run is None or stop is None:
        return None
    for row in pieces.split(match.group(4), "; "):
        entry = _ROW.match(row)
        if not entry:
            cursor.ledger.add("value", row, "", None, line=line)
            continue
        number = int(entry.group(1))
        if not first <= number <= last or number > len(run.passes):
            cursor.ledger.add("iterations", f"iteration {number}", "", False, "outside", line=line)
            continue
        one = run.passes[number - 1]
        _after(cursor, entry.group(2), run, one.end, line)
    cursor.at = max(cursor.at, stop)
    return start


def read_elided(cursor: Cursor, loop: Loop, line: int, match: re.Match[str]) -> int | None:
    """`iterations #5 to #90 go the same way through [L3]; after them x = 7`."""
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    run, start = cursor.run_of(loop, first)
    stop = _passes(cursor, loop, line, run, first, last, match.group(3))
    if run is None or stop is None:
        return None
    if match.group(4):
        _after(cursor, match.group(4), run, stop, line)
    cursor.at = max(cursor.at, stop)
    return start


def _passes(
    cursor: Cursor, loop: Loop, line: int, run: Run | None, first: int, last: int, labels: str
) -> int | None:
    """Claims that iterations `first` to `last` happen and run exactly the named lines; gives
    the last step of the last one."""
    total = len(run.passes) if run else 0
    ok = run is not None and 1 <= first <= last <= total
    cursor.ledger.add(
        "iterations",
        f"iterations {first} to {last}",
        f"of {cursor.label(line)}",
        ok,
        f"{total} iterations",
        line=line,
    )
    if run is None or not ok:
        return None
    previous = run.passes[first - 2].end if first > 1 else run.start
    if cursor.at < previous and any(
        cursor.history.steps[i].frame == run.frame and cursor.history.steps[i].event == "line"
        for i in range(cursor.at + 1, previous + 1)
    ):
        cursor.ledger.add(
            "order",
            f"iteration {first}",
            "next",
            False,
            "earlier iterations were not told",
            line=line,
        )
    named = {cursor.resolve(int(n)) for n in _LABELS.findall(labels)}
    ran: set[int] = set()
    for one in run.passes[first - 1 : last]:
        for index in range(one.start + 1, one.end + 1):
            step = cursor.history.steps[index]
            if step.event == "line":
                ran.add(cursor.history.line(index))
    ran.discard(loop.header)
    named.discard(loop.header)
    within = {n for n in ran if loop.first <= n <= loop.last}
    verdict = named <= ran and within <= named
    cursor.ledger.add("order", labels, "run in them", verdict, str(sorted(ran)), line=line)
    cursor.ledger.covered |= ran | {line}
    return run.passes[last - 1].end


def _after(cursor: Cursor, text: str, run: Run, end: int, line: int) -> None:
    state = State(cursor.history, cursor.history.frames[run.frame], end)
    for part in pieces.split(text, ", "):
        cut = pieces.find(part, " = ")
        if cut > 0:
            state_value(cursor, part[:cut], part[cut + 3 :], state, line, None)
        elif not part.startswith(("[L", "so ")):
            cursor.ledger.add("value", part, "", None, line=line)
