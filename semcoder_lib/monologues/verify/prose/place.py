"""Where in the trace free prose is: at a label's visit, in an iteration, or just "from here on"; and
how sentences move that place."""

from __future__ import annotations

import ast
import re
from typing import Any

from semcoder_lib.monologues.evaluator import parse_expression
from semcoder_lib.monologues.syntax import Loop
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import Frame, Pass, Run
from semcoder_lib.monologues.verify.stated import same_text


class Place:
    """The place, how sentences move it, and the claims that are made there."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.loops = tuple(self.history.syntax.loops.values()) if self.history.syntax else ()
        self.loop_names = frozenset(
            name for loop in self.loops for name in (loop.targets or test_names_of(loop))
        )
        self.anytime = False  # what is said may be about any moment
        self.musing = False  # inputs are tried out and dropped again
        self.final = False  # the sentence speaks of the end
        self.changed = False  # the sentence speaks of what is so now
        self.visit: int | None = None  # of the line that was named last
        self.stack: list[tuple[Loop, Run, Pass, int]] = []  # with the indent of the heading
        self.entered: int | None = None  # the header step of the latest iteration
        self.bound: dict[str, Any] = {}  # variables of a comprehension
        self.at = 0  # the step that the text has come to
        self.indent = 0  # of the current line

    @property
    def window(self) -> Pass | None:
        """The steps of the current iteration."""
        return self.stack[-1][2] if self.stack else None

    def leave(self) -> None:
        """Forget the place: a new section starts."""
        self.stack.clear()
        self.visit = None
        self.bound = {}
        self.at = 0

    def enter(self, loop: Loop, run: Run, one: Pass) -> None:
        """Go to the start of an iteration, out of those that it is not inside of."""
        self.stack = [
            entry for entry in self.stack
            if entry[0] is not loop and entry[2].start <= one.start <= entry[2].end
        ]  # fmt: skip
        self.stack.append((loop, run, one, self.indent))
        self.at = one.start
        self.entered = one.start
        self.visit = None
        self.bound = {}
        self.ledger.covered.add(loop.header)

    def within(self, line: int) -> bool:
        """Whether a line belongs to the loop of the current iteration."""
        loop = self.stack[-1][0]
        return loop.header <= line <= loop.last

    def step_out(self, line: int) -> None:
        """Leave the iterations of loops that a line does not belong to."""
        while self.stack and not self.within(line):
            one = self.stack.pop()[2]
            self.at = max(self.at, one.end)
        self.visit = None

    def frame(self) -> Frame | None:
        """The call that the text is in."""
        if self.visit is not None:
            return self.history.frames[self.history.steps[self.visit].frame]
        if self.stack:
            return self.history.frames[self.stack[-1][1].frame]
        if self.history.steps and self.at < len(self.history.steps):
            return self.history.frames[self.history.steps[self.at].frame]
        return self.history.entry

    def record(
        self, kind: str, subject: str, value: str, verdict: bool | None, evidence: str
    ) -> None:
        """Enter a claim of this place."""
        visit = self.visit if self.visit is not None else self.entered if self.window else None
        line = self.history.line(visit) if visit is not None else None
        if (
            self.musing
            and verdict is False
            and (names_of(subject) or not parse_expression(subject))
        ):
            verdict = None  # a deduction tries out inputs that it drops again
        self.ledger.add(kind, subject, value, verdict, evidence, line=line, visit=visit)
        if (
            verdict
            and kind == "value"
            and not self.anytime
            and 0 <= self.at < len(self.history.steps)
        ):
            step = self.history.steps[self.at]
            if step.event == "line" and any(c.name == subject for c in step.changes):
                self.ledger.covered.add(self.history.line(self.at))


def names_of(code: str) -> set[str]:
    """The names in a piece of code; none in what is no expression."""
    node = parse_expression(code)
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


def squeezed(code: str) -> str:
    """Code without spaces and with one kind of quotes, to compare what two people typed."""
    return re.sub(r"\s+", "", code).replace('"', "'").rstrip(":;")


def test_names_of(loop: Loop) -> tuple[str, ...]:
    """The names in the test of a `while`."""
    if isinstance(loop.node, ast.While):
        return tuple(n.id for n in ast.walk(loop.node.test) if isinstance(n, ast.Name))
    return ()


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
        if line in (history.syntax.statements if history.syntax else {}) or ran:
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


def enter_iteration(
    place: Place, number: int, bound: list[tuple[str, str]], *, certain: bool
) -> None:
    """`Second iteration (n = 3)`: go there, and claim that it is so."""
    place.visit = None
    found = _find_pass(place, number, [name for name, _ in bound])
    if found is None:
        if _told_end(place, number, bound):
            return
        if certain and place.loops and any(place.history.runs(loop) for loop in place.loops):
            place.ledger.add(
                "iterations", f"iteration {number}", "", False, "there are fewer iterations"
            )
            place.stack = [e for e in place.stack if e[3] < place.indent]
        for name, text in bound:
            enter_by_value(place, name, text)
        return
    loop, run, one = found
    good = True
    for name, text in bound:
        recorded = place.history.state(one.start).text(name)
        verdict = same_text(text, recorded)
        if verdict is False:
            good = False
        place.ledger.add(
            "value",
            name,
            text,
            verdict,
            f"iteration {number}: {recorded}"[:200],
            line=loop.header,
            visit=one.start,
        )
    if (bound and good) or (not bound and certain):
        place.ledger.add(
            "iterations", f"iteration {number}", "", True, "", line=loop.header, visit=one.start
        )
    place.enter(loop, run, one)
    if not good:
        for name, text in bound:
            later = _pass_with(place, name, text, one.start - 1)
            if later is not None:
                place.enter(*later)


def _told_end(place: Place, number: int, bound: list[tuple[str, str]]) -> bool:
    """Whether "fourth iteration (i = 3)" can be the test that ends a loop after three of them: many
    count it. That it is an iteration stays open; what is said of it is decided there."""
    for loop in place.loops:
        for run in place.history.runs(loop):
            if run.exit is None or run.exit < place.at or len(run.passes) != number - 1:
                continue
            state = place.history.state(run.exit)
            if not all(same_text(t, state.text(n)) for n, t in bound):
                continue
            for name, text in bound:
                place.ledger.add("value", name, text, True, "the loop ends", visit=run.exit)
            subject = f"iteration {number}"
            place.ledger.add("iterations", subject, "", None, "the loop ends", visit=run.exit)
            place.stack = [e for e in place.stack if e[0] is not loop]
            place.at, place.visit = run.exit, None
            return True
    return False


def _find_pass(place: Place, number: int, names: list[str]) -> tuple[Loop, Run, Pass] | None:
    """The next iteration with that number (from 1; -1 is the last), of a loop that binds the
    names; one that was passed already when none follows."""
    loops = [
        loop
        for loop in place.loops
        if not names or set(names) & {*loop.targets, *test_names_of(loop)}
    ]
    exact = [loop for loop in loops if set(names) & set(loop.targets)]
    choices: list[tuple[int, Loop, Run, Pass]] = []
    for loop in exact or loops:
        for run in place.history.runs(loop):
            ordinal = len(run.passes) if number == -1 else number
            if 1 <= ordinal <= len(run.passes):
                one = run.passes[ordinal - 1]
                choices.append((one.start, loop, run, one))
    if not choices:
        return None
    choices.sort(key=lambda c: c[0])
    floor = place.window.start + 1 if place.window else place.at
    for start, loop, run, one in choices:
        if start >= floor:
            return loop, run, one
    for start, loop, run, one in reversed(choices):
        if start <= place.at:
            return loop, run, one
    return None


def enter_by_value(place: Place, name: str, text: str) -> bool | None:
    """Go to the next iteration where the loop's variable has the value. True when there is
    one (or this is it), False when it never has the value, None when only earlier."""
    window = place.window
    if (
        window is not None
        and name in (place.stack[-1][0].targets or ())
        and same_text(text, place.history.state(window.start).text(name))
        and place.entered == window.start
        and place.at == window.start
    ):
        return True
    found = _pass_with(place, name, text, window.start if window else place.at - 1)
    if found is not None:
        place.enter(*found)
        return True
    if _pass_with(place, name, text, -1) is not None:
        return True if window is None else None
    return False if any(name in loop.targets for loop in place.loops) else None


def _pass_with(place: Place, name: str, text: str, after: int) -> tuple[Loop, Run, Pass] | None:
    best: tuple[Loop, Run, Pass] | None = None
    for loop in place.loops:
        if name not in loop.targets and name not in test_names_of(loop):
            continue
        for run in place.history.runs(loop):
            for one in run.passes:
                if one.start > after and same_text(text, place.history.state(one.start).text(name)):
                    if best is None or one.start < best[2].start:
                        best = (loop, run, one)
                    break
    return best


def item_name(place: Place) -> str | None:
    """The variable of the `for` that a heading like `'a':` would be about."""
    singles = [loop for loop in place.loops if len(loop.targets) == 1]
    return singles[-1].targets[0] if len(singles) == 1 else None


def enter_nth(place: Place, number: int, name: str, text: str) -> bool:
    """Go to the iteration with that number of the loop over `name`, if it has the value there."""
    found = _find_pass(place, number, [name])
    if found is None or not same_text(text, place.history.state(found[2].start).text(name)):
        return False
    place.enter(*found)
    return True


def leave_loop(place: Place) -> None:
    """The loop that is being told is over."""
    place.visit = None
    if place.stack:
        _, run, _, _ = place.stack.pop()
        place.at = max(place.at, run.exit if run.exit is not None else run.end)
        return
    best: Run | None = None
    for loop in place.loops:
        for run in place.history.runs(loop):
            if run.start <= place.at <= run.end and (best is None or run.start > best.start):
                best = run
    if best is None:
        later = [r for loop in place.loops for r in place.history.runs(loop) if r.start >= place.at]
        best = min(later, key=lambda r: r.start, default=None)
    if best is not None:
        place.at = max(place.at, best.exit if best.exit is not None else best.end)
