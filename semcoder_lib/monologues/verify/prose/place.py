"""Where in the trace free prose is (at a label's visit, in an iteration, or from here on), and what
is so at the moments that the place allows: a statement is supported when it agrees with one of
them, contradicted when it disagrees with every one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from semcoder_lib.monologues.evaluator import (
    Cannot,
    Raises,
    equal,
    evaluate,
    literal,
    parse_expression,
)
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Loop, target_names
from semcoder_lib.monologues.verify import text as sections
from semcoder_lib.monologues.verify.history import Frame, History, Pass, Run, State
from semcoder_lib.monologues.verify.prose.tokens import Sentence
from semcoder_lib.monologues.verify.report import Ledger
from semcoder_lib.monologues.verify.text import same_text

_MAX_STATES = 160
_FRAMES = 4
Verdict = tuple[bool | None, str]  # with what was found
Look = Callable[[State], Verdict]


class Iteration(NamedTuple):
    """One iteration, its number counted from 1, with its steps."""

    number: int
    loop: Loop
    run: Run
    steps: Pass


class Place:
    """What reading a text has come to. `output` is what the function returns in it."""

    def __init__(
        self, history: History, ledger: Ledger, entry_point: str, output: Any, backward: bool
    ) -> None:
        self.history, self.ledger = history, ledger
        self.entry_point, self.output, self.backward = entry_point, output, backward
        self.loops = tuple(self.history.syntax.loops.values())
        self.zero_based: bool | None = None  # how the text counts iterations, once it is known
        self.begin("")

    def begin(self, kind: str) -> None:
        """Start a section: outside the simulation, what is said may be about any moment."""
        self.kind = kind or sections.SIMULATION
        self.anytime = self.kind in (sections.FUNCTION, sections.CONCLUSION)
        self.visit: int | None = None  # of the line that was named last
        self.stack: list[Iteration] = []
        self.called = False  # whether the last sentence spoke of another call
        self.at = 0  # the step that the text has come to

    @property
    def window(self) -> Pass | None:
        """The steps of the current iteration."""
        return self.stack[-1].steps if self.stack else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that may stand in prose without backticks: the program's."""
        known = set(self.history.variables)
        for node in ast.walk(self.history.syntax.tree):
            known.add(getattr(node, "id", getattr(node, "arg", None)) or "")
        return frozenset(n for n in known if n.isidentifier())

    def enter(self, found: Iteration) -> None:
        """Go to the start of an iteration, out of those that it is not inside of."""
        start = found.steps.start
        self.stack = [
            outer
            for outer in self.stack
            if outer.loop is not found.loop and outer.steps.start <= start <= outer.steps.end
        ]
        self.stack.append(found)
        self.at, self.visit = start, None
        self.ledger.covered.add(found.loop.header)

    def leave(self, line: int | None = None) -> None:
        """Leave the iterations of loops that a line does not belong to, or the innermost loop."""
        while self.stack:
            loop, run, steps = self.stack[-1][1:]
            if line is not None and loop.header <= line <= loop.last:
                break
            self.stack.pop()
            ended = steps.end if line is not None or run.exit is None else run.exit
            self.at, self.visit = max(self.at, ended), None
            if line is None:
                break

    def mark(self, s: Sentence, start: int, end: int) -> None:
        """The claims that follow are about these words."""
        self.ledger.place = s.place(start, end)

    # --- claims -------------------------------------------------------------------------------

    def record(
        self, kind: str, subject: str, value: str, verdict: bool | None, evidence: str = ""
    ) -> None:
        """Enter a claim of this place. A deduction tries out inputs that it drops again, so that it
        is not contradicted about names."""
        if verdict is False and self.backward and kind in ("value", "branch", "iterations"):
            verdict = None if names_of(subject) or not parse_expression(subject) else False
        visit = self.visit if self.visit is not None else self.window.start if self.window else None
        line = self.history.line(visit) if visit is not None else None
        self.ledger.add(kind, subject, value, verdict, evidence, line=line, visit=visit)
        if verdict and not self.anytime and 0 <= self.at < len(self.history.steps):
            step = self.history.steps[self.at]
            if step.event == "line" and any(c.name == subject for c in step.changes):
                self.ledger.covered.add(self.history.line(self.at))

    def claim_value(self, code: str, text: str, *, after: bool = False) -> None:
        """`code` is `text` here; `after` when the text says that it becomes so."""
        stated = literal(text)
        of_parts = re.search(r"\b(?:and|or)\b", code)  # whose value may be a part's
        if text in ("True", "False") and of_parts:
            code = f"bool({code})"

        def look(state: State) -> Verdict:
            recorded = state.text(code)
            if recorded is not None:
                return same_text(text, recorded), recorded
            return _evaluated(code, state, lambda v: equal(stated[0], v) if stated else None)

        self.record("value", code, text, *self.decide(code, look, after=after))

    def truth(self, code: str, stated: bool) -> Verdict:
        """Whether the condition `code` comes out as stated here."""
        return self.decide(code, lambda s: _evaluated(code, s, lambda v: bool(v) is stated))

    def claim_count(self, number: int) -> None:
        """The loop of this place runs `number` times."""
        here = [run for i in self.stack[-1:] for run in self.history.runs(i.loop)]
        runs = here or [run for loop in self.loops for run in self.history.runs(loop)]
        counts = {len(run.passes) for run in runs} or {0}
        verdict = number in counts or (False if runs and (here or len(counts) == 1) else None)
        self.record("iterations", "loop", str(number), verdict, f"iterations: {sorted(counts)[:6]}")

    def claim_returned(self, text: str) -> None:
        """The function (or a call that it made) returns the value."""
        stated, frames = literal(text), self.history.frames.values()
        results = [literal(f.returned or "") for f in frames] if len(frames) > 1 else []
        verdict = None
        if stated is not None:
            verdict = any(r and equal(stated[0], r[0]) for r in [(self.output,), *results])
        if self.history.trace.result is not None and literal(self.history.trace.result) is None:
            verdict = verdict or None  # what was returned was not kept exactly
        self.record("return", self.entry_point, text, verdict, brief(self.output))

    # --- moments ------------------------------------------------------------------------------

    def decide(self, code: str, look: Look, *, after: bool = False) -> Verdict:
        """What `look` finds at the moments that the place allows, the likeliest first: the first
        that agrees, else the first that disagrees, else none."""
        names = sorted(names_of(code))
        result: Verdict = (None, "cannot be decided")
        for frame in self._frames(code):
            seen: set[tuple[str | None, ...]] = set()
            for index in self._moments(code, frame, after):
                state = State(self.history, frame, index)
                key = tuple(state.text(n) for n in names)
                if key in seen or len(seen) >= _MAX_STATES:
                    continue
                seen.add(key)
                verdict, evidence = look(state)
                if verdict:
                    if code.isidentifier() and not self.anytime:
                        self.at = max(self.at, index)
                    return True, evidence
                if verdict is False and result[0] is None:
                    result = verdict, evidence
        return result

    def _frames(self, code: str) -> list[Frame]:
        """The calls that code may be about: a variable may be another's."""
        frames, at = self.history.frames, self.at if self.visit is None else self.visit
        here = frames[self.history.steps[at].frame]
        if self.stack and self.visit is None:
            here = frames[self.stack[-1].run.frame]
        others = [f for f in frames.values() if f is not here and code in f.names]
        if not others or code in here.names or not code.isidentifier():
            others.insert(0, here)
        return others[: _FRAMES if code.isidentifier() else 1]

    def _moments(self, code: str, frame: Frame, after: bool) -> Iterator[int]:
        """Steps of the call that what is said of code may hold after."""
        window, visit = self.window, self.visit
        name = code in frame.names
        steps = [i for i, _ in frame.names[code]] if name else frame.steps
        if self.anytime:
            yield from steps
            return
        if visit is not None and self.history.steps[visit].frame == frame.number:
            yield from (visit,) if after else (visit, visit - 1)
            if not name and (window is None or not window.start <= visit <= window.end):
                return
        quoted = None if name else self._quoting(code, window)
        if quoted is not None:
            yield quoted - 1
        if window is None or self.stack[-1].run.frame != frame.number:
            yield self.at
            yield from sorted(steps, key=lambda i: (i < self.at, abs(i - self.at)))
        elif quoted is None:
            inside = [i for i in steps if window.start <= i <= window.end]
            if not after:
                yield self.at
            yield from sorted(inside, key=lambda i: i < self.at)
            if not (after and any(i > window.start or len(inside) == 1 for i in inside)):
                targets = names_of(code) & set(self.stack[-1].loop.targets)
                yield window.start if targets else window.start - 1
            if not name and (later := self._quoting(code)) is not None:
                # code that stands nowhere in this iteration: the text has gone on
                yield from (i for i in steps if i >= later - 1)

    def _quoting(self, code: str, window: Pass | None = None) -> int | None:
        """The next visit (in an iteration: the visit) of a line whose source contains the code."""
        syntax, short = self.history.syntax, _squeezed(code)
        if len(short) < 4:
            return None
        start = self.at - 1 if window is None else window.start - 1
        visits = [
            self.history.next_visit(line, start, window.end if window else None)
            for line in syntax.statements
            if short in _squeezed(syntax.text(line))
        ]
        return min((v for v in visits if v is not None), default=None)


def _evaluated(code: str, state: State, test: Callable[[Any], bool | None]) -> Verdict:
    try:
        value = evaluate(code, state)
    except Cannot:
        return None, "cannot be evaluated"
    except Raises as error:
        return None, f"raises {error.kind}"
    return test(value), brief(value)


def _squeezed(code: str) -> str:
    """Code without spaces and with one kind of quotes, to compare what two people typed."""
    return re.sub(r"\s+", "", code).replace('"', "'").rstrip(":;")


def names_of(code: str) -> set[str]:
    """The names in a piece of code; none in what is no expression."""
    node = parse_expression(code)
    return set(target_names(node)) if node is not None else set()


def names_of_loop(loop: Loop) -> tuple[str, ...]:
    """The targets of a `for`, or the names in the test of a `while`."""
    return loop.targets if isinstance(loop.node, ast.For) else (*target_names(loop.node.test),)
