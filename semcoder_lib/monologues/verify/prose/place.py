"""Where in the trace free prose is: at a label's visit, in an iteration, or from here on; and what
the text has named, for the sentences that refer back."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any, NamedTuple

from semcoder_lib.monologues.evaluator import parse_expression
from semcoder_lib.monologues.syntax import Loop
from semcoder_lib.monologues.verify import text as sections
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.history import Frame, Pass, Run
from semcoder_lib.monologues.verify.prose.tokens import Sentence, Token


class Iteration(NamedTuple):
    """One iteration, its number counted from 1, with its steps."""

    number: int
    loop: Loop
    run: Run
    steps: Pass


class Place:
    """What reading a text has come to. `output` is what the function returns in it."""

    def __init__(self, cursor: Cursor, entry_point: str, output: Any, backward: bool) -> None:
        self.cursor, self.history, self.ledger = cursor, cursor.history, cursor.ledger
        self.entry_point, self.output, self.backward = entry_point, output, backward
        self.loops = tuple(self.history.syntax.loops.values()) if self.history.syntax else ()
        self.functions = tuple(self.history.syntax.functions) if self.history.syntax else ()
        self.loop_names = frozenset(name for loop in self.loops for name in names_of_loop(loop))
        self.kind = sections.SIMULATION
        self.subject: Token | None = None  # the code that was named last
        self.zero_based: bool | None = None  # how the text counts iterations, once it is known
        self.anytime = False  # what is said may be about any moment
        self.visit: int | None = None  # of the line that was named last
        self.stack: list[tuple[Iteration, int]] = []  # with the indent of its heading
        self.bound: dict[str, Any] = {}  # variables of a comprehension
        self.at = 0  # the step that the text has come to
        self.indent = 0  # of the current line

    def begin(self, kind: str) -> None:
        """Start a section: outside the simulation, what is said may be about any moment."""
        self.kind = kind or sections.SIMULATION
        self.anytime = self.kind in (sections.FUNCTION, sections.CONCLUSION)
        self.stack, self.visit, self.bound, self.at = [], None, {}, 0
        self.subject = None

    @property
    def window(self) -> Pass | None:
        """The steps of the current iteration."""
        return self.stack[-1][0].steps if self.stack else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that may stand in prose without backticks: the program's."""
        known = set(self.history.variables)
        for node in ast.walk(self.history.syntax.tree) if self.history.syntax else ():
            known.add(getattr(node, "id", getattr(node, "arg", None)) or "")
        return frozenset(n for n in known if n.isidentifier())

    def enter(self, found: Iteration) -> None:
        """Go to the start of an iteration, out of those that it is not inside of."""
        start = found.steps.start
        self.stack = [
            (outer, indent)
            for outer, indent in self.stack
            if outer.loop is not found.loop and outer.steps.start <= start <= outer.steps.end
        ]
        self.stack.append((found, self.indent))
        self.at, self.visit, self.bound = start, None, {}
        self.ledger.covered.add(found.loop.header)

    def leave(self, line: int | None = None) -> None:
        """Leave the iterations of loops that a line does not belong to, or the innermost."""
        while self.stack:
            loop, run, steps = self.stack[-1][0][1:]
            if line is not None and loop.header <= line <= loop.last:
                break
            self.stack.pop()
            ended = steps.end if line is not None or run.exit is None else run.exit
            self.at, self.visit = max(self.at, ended), None
            if line is None:
                break

    def frame(self) -> Frame | None:
        """The call that the text is in."""
        if self.stack and self.visit is None:
            return self.history.frames[self.stack[-1][0].run.frame]
        at = self.at if self.visit is None else self.visit
        steps = self.history.steps
        return self.history.frames[steps[at].frame] if at < len(steps) else self.history.entry

    def mark(self, s: Sentence, start: int, end: int) -> None:
        """The claims that follow are about these words."""
        self.ledger.place = s.place(start, end)

    def record(
        self, kind: str, subject: str, value: str, verdict: bool | None, evidence: str = ""
    ) -> None:
        """Enter a claim of this place. A deduction tries out inputs that it drops again, so that it
        is not contradicted about names."""
        if verdict is False and self.backward and kind in ("value", "branch", "iterations"):
            verdict = None if names_of(subject) or not parse_expression(subject) else False
        window, steps = self.window, self.history.steps
        visit = self.visit if self.visit is not None else window.start if window else None
        line = self.history.line(visit) if visit is not None else None
        self.ledger.add(kind, subject, value, verdict, evidence, line=line, visit=visit)
        if verdict and not self.anytime and 0 <= self.at < len(steps):
            changes = steps[self.at].changes if steps[self.at].event == "line" else ()
            if any(c.name == subject for c in changes):
                self.ledger.covered.add(self.history.line(self.at))


def names_of(code: str) -> set[str]:
    """The names in a piece of code; none in what is no expression."""
    node = parse_expression(code)
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


def names_of_loop(loop: Loop) -> tuple[str, ...]:
    """The targets of a `for`, or the names in the test of a `while`."""
    if isinstance(loop.node, ast.For):
        return loop.targets
    return tuple(n.id for n in ast.walk(loop.node.test) if isinstance(n, ast.Name))
