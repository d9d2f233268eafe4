"""A flat trace as a tree: activations of functions, loops with their iterations, single lines."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass, field

from semcoder_lib.core.records import Change, Step, Trace
from semcoder_lib.monologues.reading import Reading


@dataclass(slots=True, eq=False)
class Leaf:
    """One run of one statement (or of the header of a compound one)."""

    line: int
    stmt: ast.stmt | None
    changes: list[Change]
    calls: list[Activation] = field(default_factory=list)
    raised: str = ""
    yielded: str | None = None
    next_line: int | None = None  # of the line that runs next in the same activation
    visit: int = 1


@dataclass(slots=True, eq=False)
class Turn:
    """One iteration: the visit of the header that began it, and what ran in the body."""

    head: Leaf
    body: list[Node]


@dataclass(slots=True, eq=False)
class Loop:
    """`end` is the visit of the header that ended the loop, or None when a `break`, a `return` or
    an exception in the body did."""

    stmt: ast.For | ast.While
    turns: list[Turn]
    end: Leaf | None
    next_line: int | None = None


@dataclass(slots=True, eq=False)
class Activation:
    """One call of a function; or, with `resumed`, what a generator does between two yields."""

    call: Step
    leaves: list[Leaf] = field(default_factory=list)
    body: list[Node] = field(default_factory=list)
    result: Step | None = None
    raised: str = ""
    cut: bool = False
    generator: bool = False
    resumed: bool = False


Node = Leaf | Loop


def plan(trace: Trace, reading: Reading) -> Activation | None:
    """The outermost activation of a trace, or None for an empty trace."""
    planner = _Planner(trace, reading)
    for step in trace.steps:
        planner.take(step)
    return planner.finished()


class _Planner:
    def __init__(self, trace: Trace, reading: Reading) -> None:
        self.trace = trace
        self.reading = reading
        self.root: Activation | None = None
        self.made: list[Activation] = []
        self.current: dict[int, Activation] = {}  # by frame
        self.by_frame: dict[int, list[Leaf]] = {}
        self.stack: list[Activation] = []
        self.visits: dict[int, int] = {}
        self.generators = {s.frame for s in trace.steps if s.event == "yield"}
        self.hidden: set[int] = set()

    def take(self, step: Step) -> None:
        if step.event == "call":
            self._call(step)
        if step.frame in self.hidden or step.event == "call":
            return
        activation = self.current.get(step.frame)
        if activation is None:
            return
        if activation not in self.stack:
            activation = self._resume(activation)
        if step.event == "line":
            self.visits[step.line] = self.visits.get(step.line, 0) + 1
            stmt = self.reading.statement(step.line)
            leaf = Leaf(step.line, stmt, list(step.changes), visit=self.visits[step.line])
            activation.leaves.append(leaf)
            self.by_frame[step.frame].append(leaf)
        elif step.event == "yield":
            if activation.leaves:
                activation.leaves[-1].yielded = step.value
            self._leave(activation)
        elif step.event == "return":
            activation.result = step
            self._leave(activation)
        elif step.event == "exception":
            activation.raised = step.value or "an exception"
            if activation.leaves:
                activation.leaves[-1].raised = activation.raised

    def _call(self, step: Step) -> None:
        if step.function == "<lambda>":  # told as part of the statement that it stands in
            self.hidden.add(step.frame)
            return
        self.by_frame[step.frame] = []
        self._attach(Activation(step, generator=step.frame in self.generators))

    def _attach(self, activation: Activation) -> None:
        if self.root is None:
            self.root = activation
        else:
            while self.stack and self._is_over(self.stack[-1], activation):
                self.stack.pop()
            if self.stack and self.stack[-1].leaves:
                self.stack[-1].leaves[-1].calls.append(activation)
        self.made.append(activation)
        self.current[activation.call.frame] = activation
        self.stack.append(activation)

    def _is_over(self, top: Activation, new: Activation) -> bool:
        """An activation that an exception ended leaves no step of its own."""
        return not new.resumed and top.call.depth >= new.call.depth

    def _resume(self, before: Activation) -> Activation:
        made = Activation(before.call, generator=True, resumed=True)
        self._attach(made)
        return made

    def _leave(self, activation: Activation) -> None:
        if activation in self.stack:
            del self.stack[self.stack.index(activation) :]

    def finished(self) -> Activation | None:
        for leaves in self.by_frame.values():
            for leaf, follower in itertools.pairwise(leaves):
                leaf.next_line = follower.line
        for activation in self.made:
            activation.cut = activation.result is None and bool(self.trace.cut)
            if activation.generator:  # its loops go on across activations
                activation.body = list(activation.leaves)
            else:
                activation.body = _Grouper(activation).block(None)
        return self.root


def _in_body(loop: ast.For | ast.While, leaf: Leaf) -> bool:
    last = loop.body[-1]
    return leaf.stmt is not loop and loop.body[0].lineno <= leaf.line <= (
        last.end_lineno or last.lineno
    )


class _Grouper:
    def __init__(self, activation: Activation) -> None:
        self.activation = activation
        self.leaves = activation.leaves
        self.at = 0

    def block(self, inside: ast.For | ast.While | None) -> list[Node]:
        out: list[Node] = []
        while self.at < len(self.leaves):
            leaf = self.leaves[self.at]
            if inside is not None and not _in_body(inside, leaf):
                break
            stmt = leaf.stmt
            if isinstance(stmt, ast.For | ast.While) and stmt.body[0].lineno > leaf.line:
                out.append(self.loop(stmt))
            else:
                out.append(leaf)
                self.at += 1
        return out

    def loop(self, stmt: ast.For | ast.While) -> Loop:
        turns: list[Turn] = []
        while True:
            head = self.leaves[self.at]
            self.at += 1
            here = self.leaves[self.at] if self.at < len(self.leaves) else None
            if here is None or not _in_body(stmt, here):
                if head.raised or (here is None and self.activation.cut):
                    return Loop(stmt, [*turns, Turn(head, [])], None, head.next_line)
                return Loop(stmt, turns, head, head.next_line)
            turns.append(Turn(head, self.block(stmt)))
            here = self.leaves[self.at] if self.at < len(self.leaves) else None
            if here is None or here.stmt is not stmt:
                return Loop(stmt, turns, None, here.line if here else None)
