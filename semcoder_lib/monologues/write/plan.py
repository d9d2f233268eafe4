"""A flat trace as a tree: activations of functions, loops with their iterations, single steps."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass, field

from semcoder_lib.core.records import Change, Step, Trace
from semcoder_lib.monologues.syntax import Loop as LoopSyntax
from semcoder_lib.monologues.syntax import Syntax, in_body


@dataclass(slots=True, eq=False)
class Leaf:
    """One run of one statement, of the header of a compound one, or of a line that holds several.
    `stmt` is None for the last."""

    line: int
    stmt: ast.stmt | ast.ExceptHandler | None
    changes: list[Change]
    beyond: list[Change] = field(default_factory=list)  # of globals, cells and attributes
    calls: list[Activation] = field(default_factory=list)
    raised: str = ""  # the exception's class
    yielded: str | None = None
    next_line: int | None = None  # of the line that runs next in the same activation


@dataclass(slots=True, eq=False)
class Turn:
    """One iteration: the visit of the header that began it, and what ran in the body."""

    head: Leaf
    body: list[Node]


@dataclass(slots=True, eq=False)
class Loop:
    """`end` is the visit of the header that ended the loop (or raised), or None when a `break`, a
    `return` or an exception in the body did."""

    syntax: LoopSyntax
    turns: list[Turn]
    end: Leaf | None


@dataclass(slots=True, eq=False)
class Activation:
    """One call of a function; or, with `resumed`, what a generator does between two yields."""

    call: Step
    leaves: list[Leaf] = field(default_factory=list)
    body: list[Node] = field(default_factory=list)
    result: Step | None = None
    raised: str = ""
    generator: bool = False
    resumed: bool = False


Node = Leaf | Loop


def plan(trace: Trace, syntax: Syntax) -> Activation | None:
    """The outermost activation of a trace, or None for an empty one."""
    planner = _Planner(trace, syntax)
    for step in trace.steps:
        planner.take(step)
    return planner.finished()


class _Planner:
    def __init__(self, trace: Trace, syntax: Syntax) -> None:
        self.syntax = syntax
        self.root: Activation | None = None
        self.activations: list[Activation] = []
        self.current: dict[int, Activation] = {}  # by frame
        self.leaves: dict[int, list[Leaf]] = {}  # by frame
        self.stack: list[Activation] = []
        self.generators = {s.frame for s in trace.steps if s.event == "yield"}
        self.hidden: set[int] = set()

    def take(self, step: Step) -> None:
        if step.event == "call":
            self._call(step)
            return
        activation = self.current.get(step.frame)
        if step.frame in self.hidden or activation is None:
            return
        if activation not in self.stack:
            activation = Activation(activation.call, generator=True, resumed=True)
            self._attach(activation)
        if step.event == "line":
            line = self.syntax.start(step.line)
            leaf = Leaf(line, self.syntax.statement(line), list(step.changes), list(step.beyond))
            activation.leaves.append(leaf)
            self.leaves[step.frame].append(leaf)
        elif step.event == "yield":
            if activation.leaves:
                activation.leaves[-1].yielded = step.value
            self._leave(activation)
        elif step.event == "return":
            activation.result = step
            self._leave(activation)
        elif step.event == "exception":
            activation.raised = exception_kind(step.value)
            if activation.leaves:
                activation.leaves[-1].raised = activation.raised

    def _call(self, step: Step) -> None:
        if step.function == "<lambda>":  # told as part of the statement that it stands in
            self.hidden.add(step.frame)
            return
        self.leaves[step.frame] = []
        self._attach(Activation(step, generator=step.frame in self.generators))

    def _attach(self, activation: Activation) -> None:
        if self.root is None:
            self.root = activation
        else:
            # an activation that an exception ended leaves no step of its own
            while (
                self.stack
                and not activation.resumed
                and self.stack[-1].call.depth >= activation.call.depth
            ):
                self.stack.pop()
            if self.stack and self.stack[-1].leaves:
                self.stack[-1].leaves[-1].calls.append(activation)
        self.activations.append(activation)
        self.current[activation.call.frame] = activation
        self.stack.append(activation)

    def _leave(self, activation: Activation) -> None:
        del self.stack[self.stack.index(activation) :]

    def finished(self) -> Activation | None:
        for leaves in self.leaves.values():
            for leaf, following in itertools.pairwise(leaves):
                leaf.next_line = following.line
            for leaf in leaves:
                last = leaf.calls[-1] if leaf.calls else None
                if last is not None and last.raised and last.result is None:
                    leaf.raised = leaf.raised or last.raised  # it came through unrecorded
        for activation in self.activations:
            if activation.generator:  # its loops go on across activations
                activation.body = list(activation.leaves)
            else:
                activation.body = _Grouper(activation.leaves, self.syntax).block(None)
        return self.root


def exception_kind(value: str | None) -> str:
    """`KeyError` of a recorded "KeyError: 'a'"."""
    return (value or "an exception").partition("(")[0].partition(":")[0]


class _Grouper:
    def __init__(self, leaves: list[Leaf], syntax: Syntax) -> None:
        self.leaves = leaves
        self.syntax = syntax
        self.at = 0

    def here(self) -> Leaf | None:
        return self.leaves[self.at] if self.at < len(self.leaves) else None

    def block(self, inside: LoopSyntax | None) -> list[Node]:
        nodes: list[Node] = []
        while (leaf := self.here()) is not None:
            if inside is not None and not inside.first <= leaf.line <= inside.last:
                break
            loop = self.syntax.loops.get(leaf.line)
            if loop is not None:
                nodes.append(self.loop(loop))
            else:
                nodes.append(leaf)
                self.at += 1
        return nodes

    def loop(self, syntax: LoopSyntax) -> Loop:
        turns: list[Turn] = []
        while True:
            head = self.leaves[self.at]
            self.at += 1
            following = self.here()
            if head.raised or following is None or not in_body(syntax.node, following.line):
                return Loop(syntax, turns, head)
            turns.append(Turn(head, self.block(syntax)))
            following = self.here()
            if following is None or following.line != syntax.header:
                return Loop(syntax, turns, None)
