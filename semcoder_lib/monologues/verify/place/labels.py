"""Moving to the line that a label names, and what naming it there claims."""

from __future__ import annotations

from semcoder_lib.monologues.verify.place.place import Place


def at_label(place: Place, line: int, *, leading: bool, skipped: bool, idle: bool) -> None:
    """The text names a line; at the start of a sentence that says the line runs now, unless it is
    said to be skipped. `idle`: the sentence says that nothing is done, as it may of either."""
    history = place.history
    if place.window is not None and leading and not place.within(line):
        place.step_out(line)
    start = place.at - 1 if place.at != place.visit else place.at
    current = place.visit is not None and history.line(place.visit) == line
    until = place.window.end if place.window else None
    found = place.visit if current else history.next_visit(line, start, until)
    if found is None and line == _definition(place):
        found = 0
        if not leading:
            return
    if skipped or (idle and found is None):
        if leading and found is None:
            label = place.cursor.label(line)
            place.ledger.add("order", label, "does not run", True, "", line=line)
    elif found is None:
        _no_visit_ahead(place, line, leading)
    else:
        place.visit = found
        if leading:
            if not current:
                label = place.cursor.label(line)
                place.ledger.add("order", label, "runs", True, "", line=line, visit=found)
            place.at = max(place.at, found)
        place.ledger.covered.add(line)


def _no_visit_ahead(place: Place, line: int, leading: bool) -> None:
    """The named line does not run at this place any more: it ran before, or not yet, or never."""
    history = place.history
    label = place.cursor.label(line)
    earlier = history.last_visit(line, place.at)
    if not leading:
        if earlier is not None:
            place.ledger.covered.add(line)
    elif earlier is None:
        ran = line in history.executed
        if line in (history.layout.statements if history.layout else {}) or ran:
            evidence = "runs only later" if ran else "never runs"
            place.ledger.add("order", label, "runs", False, evidence, line=line)
        place.visit = None
    else:
        if not any(loop.first <= line <= loop.last or loop.header == line for loop in place.loops):
            place.ledger.add(
                "order", label, "runs here", False, "it ran before", line=line, visit=earlier
            )
        place.visit = earlier
        place.ledger.covered.add(line)


def _definition(place: Place) -> int:
    return place.history.steps[0].line if place.history.steps else 1
