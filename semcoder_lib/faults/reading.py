"""Reading a run: what stands on a line, what was known after a step, where a branch went."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

from semcoder_lib.core.records import Step, Trace

LONGEST_VALUE = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands on which line (1-based) of a program in normal form."""

    lines: tuple[str, ...]
    bodies: dict[int, int]  # line of an `if`, `while`, `for` -> first line of its block
    tests: dict[int, str]  # line of an `if` or `while` -> its condition
    targets: dict[int, str]  # line of a `for` -> its target

    def text(self, line: int) -> str:
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""


@functools.lru_cache(maxsize=256)
def layout(source: str) -> Layout:
    """Raises SyntaxError."""
    bodies: dict[int, int] = {}
    tests: dict[int, str] = {}
    targets: dict[int, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If | ast.While | ast.For):
            bodies[node.lineno] = node.body[0].lineno
            if isinstance(node, ast.For):
                targets[node.lineno] = ast.unparse(node.target)
            else:
                tests[node.lineno] = ast.unparse(node.test)
    return Layout(tuple(source.splitlines()), bodies, tests, targets)


@dataclass(slots=True)
class States:
    """The locals of every frame of a trace after each step, replayed from the changes."""

    trace: Trace
    frames: dict[int, dict[str, str]] = field(default_factory=dict)
    at: int = 0

    def after(self, index: int) -> dict[str, str]:
        """The locals of the step's own frame once its line ran. Cheapest in rising order."""
        if index < self.at - 1:
            self.frames.clear()
            self.at = 0
        while self.at <= index:
            step = self.trace.steps[self.at]
            state = self.frames.setdefault(step.frame, {})
            for change in step.changes:
                if change.text is None:
                    state.pop(change.name, None)
                elif change.exact:
                    state[change.name] = change.text
                else:
                    state.pop(change.name, None)
            self.at += 1
        return self.frames[self.trace.steps[index].frame]


def goes_on_at(trace: Trace, index: int) -> Step | None:
    """The next step of the same frame."""
    frame = trace.steps[index].frame
    return next((s for s in trace.steps[index + 1 :] if s.frame == frame), None)


def enters(trace: Trace, index: int, plan: Layout) -> bool | None:
    """Whether the `if`, `while` or `for` at this step goes into its block; None elsewhere, and
    where the recording does not tell."""
    step = trace.steps[index]
    body = plan.bodies.get(step.line)
    following = goes_on_at(trace, index)
    if step.event != "line" or body is None or following is None or following.event == "exception":
        return None
    return following.event == "line" and following.line == body


def folded(trace: Trace, index: int) -> bool:
    """Whether the step needs no line of its own: a `return`, a `yield`, or a line that raises is
    told by the event that follows at once; a lambda's only line by its call and its return."""
    step = trace.steps[index]
    if step.event != "line" or index + 1 >= len(trace.steps):
        return False
    following = trace.steps[index + 1]
    if step.function == "<lambda>":
        return True
    at_once = following.frame == step.frame and following.line == step.line
    return at_once and not step.changes and following.event in ("return", "yield", "exception")
