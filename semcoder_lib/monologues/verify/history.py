"""A recorded trace, indexed for questions: a variable's value at a moment, the visits of a line,
the iterations of a loop, what a helper returned."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.monologues.verify.evaluate import Cannot, Raises, evaluate_node, literal
from semcoder_lib.monologues.verify.source import Layout, Loop


@dataclass(slots=True)
class Frame:
    """One call of a function: the indices of its steps, and its variables' changes."""

    number: int
    function: str
    steps: list[int]
    changes: dict[str, tuple[list[int], list[str | None]]]
    inexact: set[tuple[str, int]]
    returned: str | None = None


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
    """The variables of one frame after a step (`index` included), as `evaluate.Names`."""

    __slots__ = ("bound", "frame", "history", "index")

    def __init__(
        self, history: History, frame: Frame, index: int, bound: dict[str, Any] | None = None
    ) -> None:
        self.history = history
        self.frame = frame
        self.index = index
        self.bound = bound

    def text(self, name: str) -> str | None:
        """The recorded text of a variable, or None when it has no value then."""
        found = self.frame.changes.get(name)
        if found is None:
            return None
        at = bisect_right(found[0], self.index)
        return found[1][at - 1] if at else None

    def lookup(self, name: str) -> Any:
        """The decoded value; raises Cannot when the name has none or it was not kept exactly."""
        if self.bound is not None and name in self.bound:
            return self.bound[name]
        text = self.text(name)
        if text is None:
            return self.history.constant(name)
        value = literal(text)
        if value is None:
            raise Cannot(f"{name} was not kept exactly")
        return value[0]

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the program's own function returned for these arguments in this execution."""
        return self.history.returned(name, arguments)


class History:
    """See the module. `layout` may be None (source that does not parse): then no loops are known."""

    def __init__(self, trace: Trace, layout: Layout | None) -> None:
        self.trace = trace
        self.steps: tuple[Step, ...] = trace.steps
        self.layout = layout
        self.frames: dict[int, Frame] = {}
        self.visits: dict[int, list[int]] = {}
        self._runs: dict[int, list[Run]] = {}
        self._states: dict[int, State] = {}
        owner = layout.owner if layout else {}
        several = {start for line, start in owner.items() if line != start}
        self.several = several
        last_owner: dict[int, int] = {}
        for index, step in enumerate(self.steps):
            frame = self.frames.get(step.frame)
            if frame is None:
                frame = Frame(step.frame, step.function, [], {}, set())
                self.frames[step.frame] = frame
            frame.steps.append(index)
            for change in step.changes:
                entry = frame.changes.get(change.name)
                if entry is None:
                    entry = frame.changes[change.name] = ([], [])
                entry[0].append(index)
                entry[1].append(change.text)
            if step.event == "return":
                frame.returned = step.value
            elif step.event in ("line", "call"):
                line = owner.get(step.line, step.line)
                # the pieces of one statement over several lines are one visit
                if last_owner.get(step.frame) != line or line not in several:
                    self.visits.setdefault(line, []).append(index)
                last_owner[step.frame] = line

    @cached_property
    def entry(self) -> Frame | None:
        """The frame of the entry point: the first one."""
        return next(iter(self.frames.values()), None)

    @cached_property
    def executed(self) -> frozenset[int]:
        """Lines that ran, as first lines of their statements, the `def` line aside."""
        owner = self.layout.owner if self.layout else {}
        return frozenset(owner.get(s.line, s.line) for s in self.steps if s.event == "line")

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every name that some frame gave a value."""
        return frozenset(name for f in self.frames.values() for name in f.changes)

    def state(self, index: int, frame: int | None = None) -> State:
        """The variables after step `index`, of its own frame unless told otherwise."""
        if frame is None:
            found = self._states.get(index)
            if found is None:
                number = self.steps[index].frame
                found = self._states[index] = State(self, self.frames[number], index)
            return found
        return State(self, self.frames[frame], index)

    def before(self, index: int) -> State:
        """The variables of step `index`'s frame just before it."""
        return State(self, self.frames[self.steps[index].frame], index - 1)

    def constant(self, name: str) -> Any:
        """A constant of the module, where its source is an expression that can be evaluated."""
        node = self.layout.constants.get(name) if self.layout else None
        if node is None:
            raise Cannot(f"no value of {name}")
        try:
            return evaluate_node(node)
        except Raises:
            raise Cannot(f"no value of {name}") from None

    @cached_property
    def _calls(self) -> dict[str, list[tuple[list[Any], str]]]:
        calls: dict[str, list[tuple[list[Any], str]]] = {}
        for frame in self.frames.values():
            step = self.steps[frame.steps[0]]
            if step.event != "call" or frame.returned is None:
                continue
            given = [literal(c.text or "") for c in step.changes]
            if all(g is not None for g in given):
                calls.setdefault(frame.function, []).append(
                    ([g[0] for g in given if g is not None], frame.returned)
                )
        return calls

    def returned(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """What the program's own function `name` gave for these arguments; raises Cannot."""
        for given, text in self._calls.get(name, ()):
            if given == list(arguments):
                value = literal(text)
                if value is not None:
                    return value[0]
        raise Cannot(f"no call of {name}")

    def settled(self, index: int) -> int:
        """The last step of the statement that step `index` belongs to."""
        line = self.line(index)
        if line not in self.several:
            return index
        following = self.next_in_frame(index)
        while following is not None and self.line(following) == line:
            index, following = following, self.next_in_frame(following)
            if self.steps[index].event == "return":
                break
        return index

    def line(self, index: int) -> int:
        """The first line of the statement that step `index` is in."""
        line = self.steps[index].line
        return self.layout.owner.get(line, line) if self.layout else line

    def next_visit(self, line: int, after: int, until: int | None = None) -> int | None:
        """The first visit of a line later than step `after` (and not later than `until`)."""
        found = self.visits.get(line)
        if not found:
            return None
        at = bisect_right(found, after)
        if at == len(found) or (until is not None and found[at] > until):
            return None
        return found[at]

    def resumed(self, line: int, at: int) -> int | None:
        """The visit of `line` whose statement waits for the call that ended (or yielded) at step
        `at`."""
        if not 0 <= at < len(self.steps) or self.steps[at].event not in ("return", "yield"):
            return None
        found = self.last_visit(line, at)
        if found is None or self.steps[found].frame == self.steps[at].frame:
            return None
        following = self.next_in_frame(found)
        return found if following is None or following > at else None

    def last_visit(self, line: int, before: int) -> int | None:
        """The last visit of a line at or before step `before`."""
        found = self.visits.get(line)
        if not found:
            return None
        at = bisect_right(found, before)
        return found[at - 1] if at else None

    def next_in_frame(self, index: int) -> int | None:
        """The step that follows in the same frame."""
        steps = self.frames[self.steps[index].frame].steps
        at = bisect_left(steps, index) + 1
        return steps[at] if at < len(steps) else None

    def runs(self, loop: Loop) -> list[Run]:
        """Every time that the loop ran, in order."""
        found = self._runs.get(loop.header)
        if found is None:
            found = self._runs[loop.header] = self._find_runs(loop)
        return found

    def _find_runs(self, loop: Loop) -> list[Run]:
        runs: list[Run] = []
        if loop.first == loop.header:  # `for x in y: ...` on one line gives no events to tell apart
            return runs
        visited = {self.steps[i].frame for i in self.visits.get(loop.header, ())}
        for number in visited:
            runs.extend(self._runs_of(loop, self.frames[number]))
        runs.sort(key=lambda run: run.start)
        return runs

    def _runs_of(self, loop: Loop, frame: Frame) -> list[Run]:
        runs: list[Run] = []
        run: Run | None = None
        owner = self.layout.owner if self.layout else {}
        for at, index in enumerate(frame.steps):
            step = self.steps[index]
            line = owner.get(step.line, step.line)
            inside = step.event != "return" and loop.first <= line <= loop.last
            if line == loop.header and step.event == "line":
                if run is None:
                    run = Run(frame.number, index, index, [])
                    runs.append(run)
                following = frame.steps[at + 1] if at + 1 < len(frame.steps) else None
                if following is not None and self._in_body(loop, following):
                    run.passes.append(Pass(index, index))
                else:
                    run.exit = index
                    run.end = index
                    run = None
            elif run is not None and inside:
                last = frame.steps[at + 1] - 1 if at + 1 < len(frame.steps) else index
                run.end = run.passes[-1].end = last if run.passes else index
            elif run is not None:
                run = None
        return runs

    def _in_body(self, loop: Loop, index: int) -> bool:
        step = self.steps[index]
        return step.event == "line" and loop.first <= step.line <= loop.last
