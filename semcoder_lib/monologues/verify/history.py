"""What is known of a run. A `History` is a recorded trace, indexed for questions: the
visits of a line, the iterations of a loop, what a call returned; a `State` is one moment of it,
where it is decided for every reader whether code has a stated value."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from operator import itemgetter
from typing import Any

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.monologues.evaluator import (
    Cannot,
    Moved,
    Raises,
    equal,
    evaluate,
    known,
    literal,
    mutates,
)
from semcoder_lib.monologues.show import brief
from semcoder_lib.monologues.syntax import Loop, Syntax
from semcoder_lib.monologues.verify.report import Verdict
from semcoder_lib.monologues.verify.text import same_text

Series = list[tuple[int, str | None]]  # the texts that one name had, each from a step on


@dataclass(slots=True)
class Frame:
    """One call of a function: what it was given, the indices of its steps, its variables."""

    number: int
    function: str
    given: dict[str, str | None]
    steps: list[int] = field(default_factory=list)
    names: dict[str, Series] = field(default_factory=dict)
    returned: str | None = None
    raised: str = ""

    @property
    def first(self) -> int:
        return self.steps[0]

    @property
    def last(self) -> int:
        return self.steps[-1]


@dataclass(slots=True)
class Pass:
    """One iteration: steps `start` (the header) to `end` inclusive, of the loop's own frame and
    everything called from it."""

    start: int
    end: int


@dataclass(slots=True)
class Run:
    """One time that a loop ran: its iterations, and the header visit that ended it (or None)."""

    frame: int
    start: int
    end: int
    passes: list[Pass]
    exit: int | None = None


class State:
    """The names of one frame after a step (`index` included), as an evaluator's names. `until` is
    the step up to which calls count as made here."""

    __slots__ = ("frame", "history", "index", "until")

    def __init__(self, history: History, frame: Frame, index: int, until: int = -1) -> None:
        self.history, self.frame, self.index, self.until = history, frame, index, until

    def text(self, name: str) -> str | None:
        """The recorded text of a variable, or None when it has no value then."""
        series = self.frame.names.get(name) or self.history.shared.get(name)
        moment: Any = (self.index + 1,)
        place = bisect_left(series, moment) if series else 0
        return series[place - 1][1] if series and place else None

    def defines(self, name: str) -> bool:
        """Whether the record or the program gives the name a meaning."""
        syntax = self.history.syntax
        own = name in syntax.constants or name in syntax.defined
        return own or self.text(name) is not None

    def lookup(self, name: str) -> Any:
        """The value of a name. Raises Cannot when it has none or it was not kept exactly."""
        text = self.text(name)
        if text is None and name in self.history.syntax.constants:
            return self.history.syntax.constants[name]
        value = literal(text) if text is not None else None
        if value is None:
            raise Cannot(f"no exact value of {name}")
        return value[0]

    def moved(self, name: str) -> bool:
        """Whether the step after this moment changes the value without binding the name."""
        return self.until > self.index and name in self.history.moved(self.index + 1)

    def unsettled(self) -> bool:
        """Whether the step after this moment asks for what it changes itself. What it evaluates has
        then other values than before it."""
        step, history = self.index + 1, self.history
        nodes = history.syntax.evaluated(history.line(step))
        acts = history.call_end(step) > step or any(map(mutates, nodes))
        if not acts or not history.moved(step):
            return False
        try:
            evaluate(ast.Tuple([*nodes], ast.Load()), self)
        except (Cannot, Raises) as error:
            return isinstance(error, Moved)
        return False

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the program's own function returned for these arguments, in this step's calls where
        it made one, else in the whole execution, if that is unambiguous. Raises Cannot, also where
        a variable of that name is another function."""
        if self.text(name) not in (None, f"<function {name}>"):
            raise Cannot(f"another function {name}")
        frames = [f for f in self.history.frames.values() if f.function == name]
        inside = [f for f in frames if self.index < f.first <= self.until]
        if self.history.syntax.is_wrapped(name):
            inside, frames = self.history.calls_in(self.index + 1, self.until), []
        results = [
            literal(frame.returned)
            for frame in inside or frames
            if frame.returned is not None and self.history.called_with(frame, arguments, keywords)
        ]
        first = results[0] if results else None
        if first is None or not all(r is not None and equal(first[0], r[0]) for r in results):
            raise Cannot(f"no single result of {name}")
        return first[0]

    def fact(self, code: str, stated: str) -> Verdict:
        """Whether code (a variable, or an expression over the variables) has the stated value at
        this moment, with what it has."""
        recorded = self.text(code)
        if recorded is not None:
            return same_text(stated, recorded), recorded
        meant = literal(stated)
        try:
            value = evaluate(code, self)
        except Cannot:
            return None, "cannot be evaluated"
        except Raises as error:
            return None, f"raises {error.kind}"
        return (equal(meant[0], value) if meant else None), brief(value)

    def holds(self, condition: str, stated: bool) -> Verdict:
        """Whether a condition comes out as stated at this moment."""
        value = known(condition, self)
        if value is None:
            return None, "cannot be evaluated"
        return bool(value[0]) is stated, str(not stated)


class History:
    """See the module. `offset` is what a text's labels are ahead of the source's lines. Without a
    `syntax` (of source that does not parse) that of no code."""

    def __init__(self, trace: Trace, syntax: Syntax | None, offset: int = 0) -> None:
        self.trace = trace
        self.syntax = syntax or Syntax("")
        calls = [step for step in trace.steps if step.event == "call"]  # a class's body is none
        bodies = {s.frame for s in calls if isinstance(self.syntax.statement(s.line), ast.ClassDef)}
        self.steps: tuple[Step, ...] = trace.steps
        if bodies:
            self.steps = tuple(step for step in trace.steps if step.frame not in bodies)
        self.offset = offset
        self.frames: dict[int, Frame] = {}
        self.shared: dict[str, Series] = {}  # the module's data
        shared: list[tuple[int, Any]] = []
        self.visits: dict[int, list[int]] = {}
        self._runs: dict[int, list[Run]] = {}
        self._lines = [self.start(step.line) for step in self.steps]
        for index, step in enumerate(self.steps):
            if step.frame not in self.frames:
                given = {c.name: c.text for c in step.changes if c.scope == "local"}
                self.frames[step.frame] = Frame(step.frame, step.function, given)
            frame = self.frames[step.frame]
            frame.steps.append(index)
            for change in (*step.changes, *step.beyond):
                if change.scope == "global":
                    shared.append((index, change))
                else:
                    frame.names.setdefault(change.name, []).append((index, change.text))
            if step.event == "return":
                frame.returned = step.value
            elif step.event == "exception":
                frame.raised = kind_of(step.value)
            elif step.event in ("line", "call"):
                self.visits.setdefault(self._lines[index], []).append(index)
        self._calls = [i for i in range(len(self.steps)) if self.is_named(i, "call")]
        self._following = dict(p for f in self.frames.values() for p in pairwise(f.steps))
        ends = [(self.call_end(i) if self.steps[i].event == "line" else i, c) for i, c in shared]
        for end, change in sorted(ends, key=itemgetter(0)):  # after what its calls leave
            self.shared.setdefault(change.name, []).append((end, change.text))

    @cached_property
    def executed(self) -> frozenset[int]:
        """Lines that ran, as first lines of their statements, the `def` line aside."""
        steps = range(len(self.steps))
        return frozenset(self.line(i) for i in steps if self.is_named(i, "line"))

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every name that some frame or the module gave a value."""
        return frozenset(self.shared).union(*(f.names for f in self.frames.values()))

    # --- lines and steps ----------------------------------------------------------------------

    def start(self, line: int) -> int:
        """The first line of the statement that a line belongs to."""
        return self.syntax.start(line)

    def labelled(self, label: str) -> int:
        """The source line (first of its statement) that a label of the text means."""
        return self.start(int(label.strip("[]L")) - self.offset)

    def label(self, line: int) -> str:
        """A source line as the text would name it."""
        return f"[L{line + self.offset}]"

    def line(self, index: int) -> int:
        """The first line of the statement that step `index` is in."""
        return self._lines[index]

    def statement(self, index: int) -> Any:
        """The statement that step `index` is in; None for a line with several."""
        return self.syntax.statement(self.steps[index].line)

    def frame(self, index: int) -> Frame:
        """The call that step `index` is in."""
        return self.frames[self.steps[index].frame]

    def is_named(self, index: int, *events: str) -> bool:
        """Whether step `index` is one of these events, in a named function or the module."""
        step = self.steps[index]
        return step.event in events and not step.function.startswith("<")

    def state(self, index: int) -> State:
        """The names of step `index`'s frame after it."""
        return State(self, self.frame(index), index)

    def before(self, index: int) -> State:
        """The names of step `index`'s frame just before it, with the calls that it makes."""
        return State(self, self.frame(index), index - 1, self.call_end(index))

    def after(self, index: int) -> State:
        """The names of step `index`'s frame once its statement and the calls that it made are
        over."""
        return State(self, self.frame(index), self.call_end(index))

    def call_end(self, index: int) -> int:
        """The last step before the frame of step `index` goes on: the end of the calls it made."""
        following = self.next_in_frame(index)
        return len(self.steps) - 1 if following is None else following - 1

    def next_in_frame(self, index: int) -> int | None:
        """The step that follows in the same frame."""
        return self._following.get(index)

    def next_line(self, index: int) -> int | None:
        """The step of the line that the same frame runs after step `index`; None when it ends."""
        following = self.next_in_frame(index)
        while following is not None and self.steps[following].event in ("exception", "yield"):
            following = self.next_in_frame(following)
        if following is None or self.steps[following].event != "line":
            return None
        return following

    def next_visit(self, line: int, after: int, until: int | None = None) -> int | None:
        """The first visit of a line later than step `after` (and not later than `until`)."""
        visits = self.visits.get(line, [])
        at = bisect_right(visits, after)
        inside = at < len(visits) and (until is None or visits[at] <= until)
        return visits[at] if inside else None

    def last_visit(self, line: int, before: int) -> int | None:
        """The last visit of a line at or before step `before`."""
        visits = self.visits.get(line, [])
        at = bisect_right(visits, before)
        return visits[at - 1] if at else None

    def raised(self, index: int) -> str:
        """The exception that step `index` or a call that it made ended in, or nothing."""
        frame, following, end = self.frame(index), self.next_in_frame(index), self.call_end(index)
        if following is not None and self.steps[following].event == "exception":
            return kind_of(self.steps[following].value)
        if end > index and self.steps[end].event == "exception" and self._passes(index, following):
            return kind_of(self.steps[end].value)
        if self.steps[index].event == "line" and index == frame.last and frame.returned is None:
            return frame.raised or kind_of(self.trace.exception)
        return ""

    def _passes(self, index: int, following: int | None) -> bool:
        """Whether an exception that a call of step `index` ended in left the step, too: `getattr`,
        or a loop over an iterator, keeps it. The record has it only where it rises."""
        if following is None or self.steps[following].event != "line":
            return following is None
        if self.changed(index) & self.syntax.stored(self.line(index)):
            return False
        step, line = self.steps[following], self.line(following)
        return step.value is not None or line in self.syntax.cleanups

    def changed(self, index: int) -> frozenset[str]:
        """Names that step `index` changed, of its frame or beyond."""
        step = self.steps[index]
        return frozenset(c.name for c in (*step.changes, *step.beyond))

    def moved(self, index: int) -> frozenset[str]:
        """Names whose values step `index` changed without binding them."""
        return self.changed(index) - self.syntax.stored(self.line(index))

    # --- calls --------------------------------------------------------------------------------

    def calls_in(self, start: int, end: int) -> list[Frame]:
        """The calls of named functions that were made after step `start` up to step `end`, those
        that those made aside."""
        calls = self._calls[bisect_right(self._calls, start) : bisect_right(self._calls, end)]
        depth = min((self.steps[i].depth for i in calls), default=0)
        return [self.frame(i) for i in calls if self.steps[i].depth == depth]

    def called_with(
        self, frame: Frame, arguments: tuple[Any, ...], named: dict[str, Any] | None = None
    ) -> bool:
        """Whether a call was given these arguments, whatever it was given besides."""
        given = frame.given
        if len(given) < len(arguments):
            return False
        pairs = [*zip(given.values(), arguments, strict=False)]
        pairs += [(given.get(name), value) for name, value in (named or {}).items()]
        both = ((literal(text or ""), value) for text, value in pairs)
        return all(held is not None and equal(held[0], value) for held, value in both)

    # --- loops --------------------------------------------------------------------------------

    def runs(self, loop: Loop) -> list[Run]:
        """Every time that the loop ran, in order."""
        runs = self._runs.get(loop.header)
        if runs is None:
            numbers = dict.fromkeys(self.steps[i].frame for i in self.visits.get(loop.header, ()))
            runs = [run for n in numbers for run in self._runs_of(loop, self.frames[n])]
            runs.sort(key=lambda run: run.start)
            self._runs[loop.header] = runs
        return runs

    def _runs_of(self, loop: Loop, frame: Frame) -> list[Run]:
        runs: list[Run] = []
        run: Run | None = None
        for index, following in zip(frame.steps, [*frame.steps[1:], len(self.steps)], strict=True):
            step, line, last = self.steps[index], self.line(index), following - 1
            if step.event == "line" and line == loop.header:
                if run is None:
                    run = Run(frame.number, index, index, [])
                    runs.append(run)
                ahead = self.next_line(index)
                if ahead is not None and loop.first <= self.line(ahead) <= loop.last:
                    run.passes.append(Pass(index, last))
                    run.end = last
                else:
                    run.exit = run.end = index
                    run = None
            elif run is not None and step.event != "return" and loop.first <= line <= loop.last:
                run.end = last
                if run.passes:
                    run.passes[-1].end = last
            elif run is not None and step.event not in ("exception", "yield"):
                run = None
        return runs


def kind_of(value: str | None) -> str:
    """`KeyError` of a recorded "KeyError: 'a'"."""
    return (value or "").partition("(")[0].partition(":")[0].strip()
