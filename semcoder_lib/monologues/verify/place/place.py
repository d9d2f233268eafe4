"""Where in the trace free prose is: at a label's visit, in an iteration, or just "from here on"."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.monologues.verify.evaluate import names_of, parse
from semcoder_lib.monologues.verify.history import Frame, Pass, Run
from semcoder_lib.monologues.verify.lockstep.cursor import Cursor
from semcoder_lib.monologues.verify.source import Loop


class Place:
    """The place, how sentences move it, and the claims that are made there."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self.history = cursor.history
        self.ledger = cursor.ledger
        self.loops = self.history.layout.loops if self.history.layout else ()
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
        if self.musing and verdict is False and (names_of(subject) or not parse(subject)):
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


def test_names_of(loop: Loop) -> tuple[str, ...]:
    """The names in the test of a `while`."""
    if isinstance(loop.node, ast.While):
        return tuple(n.id for n in ast.walk(loop.node.test) if isinstance(n, ast.Name))
    return ()
