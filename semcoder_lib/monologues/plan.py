"""A flat trace as a tree (activations of functions, loops with their iterations, single steps), and
the state of an activation, as names that expressions are evaluated over."""

from __future__ import annotations

import ast
import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Change, Step, Trace
from semcoder_lib.monologues.evaluator import Cannot, equal
from semcoder_lib.monologues.show import decoded
from semcoder_lib.monologues.syntax import Loop as LoopSyntax
from semcoder_lib.monologues.syntax import Syntax, in_body

_DECODE_UP_TO = 4_000  # characters of a value's text


@dataclass(slots=True, eq=False)
class Leaf:
    """One run of one statement, of the header of a compound one, or of a line that holds several.
    `stmt` is None for the last."""

    line: int
    stmt: ast.stmt | ast.ExceptHandler | None
    changes: tuple[Change, ...]
    beyond: tuple[Change, ...]  # of globals, cells and attributes
    calls: list[Activation] = field(default_factory=list)
    raised: str = ""  # the exception's class
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
    """One call of a function."""

    call: Step
    leaves: list[Leaf] = field(default_factory=list)
    body: list[Node] = field(default_factory=list)
    result: Step | None = None
    raised: str = ""


Node = Leaf | Loop


def plan(trace: Trace, syntax: Syntax) -> Activation | None:
    """The outermost activation of a trace, or None for an empty one. Raises UserError where a
    function stops and goes on later: generators and threads are not told."""
    activations: dict[int, Activation] = {}  # by frame; none of a lambda, told with its statement
    stack: list[Activation] = []
    for step in trace.steps:
        if step.event == "call" and step.function != "<lambda>":
            # an activation that an exception ended leaves no step of its own
            while stack and stack[-1].call.depth >= step.depth:
                stack.pop()
            activation = activations[step.frame] = Activation(step)
            if stack and stack[-1].leaves:
                stack[-1].leaves[-1].calls.append(activation)
            stack.append(activation)
            continue
        if step.frame not in activations:
            continue
        activation = activations[step.frame]
        if step.event == "yield" or activation not in stack:
            raise UserError("a generator or a thread")
        if step.event == "line":
            line = syntax.start(step.line)
            leaf = Leaf(line, syntax.statement(line), step.changes, step.beyond)
            activation.leaves.append(leaf)
        elif step.event == "exception":
            kind = (step.value or "an exception").partition("(")[0].partition(":")[0]
            activation.raised = kind  # `KeyError` of "KeyError: 'a'"
            if activation.leaves:
                activation.leaves[-1].raised = kind
        elif step.event == "return":
            activation.result = step
            del stack[stack.index(activation) :]
    for activation in activations.values():
        for leaf, following in itertools.pairwise(activation.leaves):
            leaf.next_line = following.line
        for leaf in activation.leaves:
            if leaf.calls and leaf.calls[-1].result is None:
                leaf.raised = leaf.raised or leaf.calls[-1].raised  # it came through unrecorded
        activation.body = _block(deque(activation.leaves), syntax, None)
    return next(iter(activations.values()), None)


def _block(waiting: deque[Leaf], syntax: Syntax, inside: LoopSyntax | None) -> list[Node]:
    """The waiting steps that stand in a loop's body, or all, with the loops among them."""
    nodes: list[Node] = []
    while waiting and (inside is None or inside.first <= waiting[0].line <= inside.last):
        loop = syntax.loops.get(waiting[0].line)
        nodes.append(_loop(waiting, syntax, loop) if loop else waiting.popleft())
    return nodes


def _loop(waiting: deque[Leaf], syntax: Syntax, loop: LoopSyntax) -> Loop:
    turns: list[Turn] = []
    while True:
        head = waiting.popleft()
        if head.raised or not waiting or not in_body(loop.node, waiting[0].line):
            return Loop(loop, turns, head)
        turns.append(Turn(head, _block(waiting, syntax, loop)))
        if not waiting or waiting[0].line != loop.header:
            return Loop(loop, turns, None)


class Frame:
    """Names to recorded texts (`texts`), decoded when an expression asks. `outer` holds what the
    whole execution shares: the module's data. `calls` are those of the statement being told."""

    def __init__(self, syntax: Syntax, function: str, outer: dict[str, Change]) -> None:
        self.syntax, self.function, self.outer = syntax, function, outer
        self.texts: dict[str, Change] = {}
        self.calls: list[Activation] = []

    def apply(self, step: Step | Leaf) -> None:
        """The state after a step."""
        for change in (*step.changes, *step.beyond):
            known = self.outer if change.scope == "global" else self.texts
            if change.text is None:
                known.pop(change.name, None)
            else:
                known[change.name] = change

    def text(self, name: str) -> Change | None:
        return self.texts.get(name) or self.outer.get(name)

    def lookup(self, name: str) -> Any:
        """The value of a name or of a recorded attribute (`self.total`)."""
        change = self.text(name)
        if change is None:
            if name in self.syntax.constants:
                return self.syntax.constants[name]
            raise Cannot(f"no value of {name}")
        if not change.exact or change.text is None or len(change.text) > _DECODE_UP_TO:
            raise Cannot(f"{name} has no exact text")
        return _value(change.text)

    def defines(self, name: str) -> bool:
        return bool(self.text(name)) or name in self.syntax.constants or name in self.syntax.defined

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the statement's own call of `name` with these arguments returned. Raises Cannot
        where it made none, or several that returned different values."""
        results: list[Any] = []
        for activation in self.calls:
            called, result = activation.call, activation.result
            if called.function != name:
                continue
            if _is_called_with(called.changes, arguments, keywords):
                if result is None or not result.exact:
                    raise Cannot(f"no result of {name}")
                results.append(_value(result.value or "None"))
        if not results or not all(equal(results[0], r) for r in results[1:]):
            raise Cannot(f"no single result of {name}")
        return results[0]


def _is_called_with(
    changes: Iterable[Change], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> bool:
    given = [c for c in changes if c.scope == "local"]
    by_name = {c.name: c for c in given}
    pairs = [*zip(given, arguments, strict=False)]
    pairs += [(by_name[k], v) for k, v in keywords.items() if k in by_name]
    return len(given) >= len(arguments) and all(
        c.exact and c.text is not None and equal(_value(c.text), v) for c, v in pairs
    )


def _value(text: str) -> Any:
    try:
        return decoded(text)
    except values.NotALiteral:
        raise Cannot("a value without an exact text") from None
