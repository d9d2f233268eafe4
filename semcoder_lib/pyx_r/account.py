"""The words of a simulation: one line for each step of a run, and the state behind them."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass, field

from semcoder_lib.records import Step, Trace

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


def shown(changes: dict[str, str]) -> str:
    """`a = 1, b = [2]`; values longer than `LONGEST_VALUE` are left out."""
    return ", ".join(f"{k} = {v}" for k, v in changes.items() if len(v) <= LONGEST_VALUE)


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


def tell(trace: Trace, index: int, plan: Layout, states: States) -> str:
    """One line about one step, `[L4] total = 3`."""
    step = trace.steps[index]
    label = f"[L{step.line}]"
    exact = {c.name: c.text for c in step.changes if c.text is not None and c.exact}
    if step.event == "call":
        given = shown(exact)
        return f"{label} {step.function} is called" + (f" with {given}." if given else ".")
    if step.event in ("return", "yield"):
        verb = f"{label} {step.function} {step.event}s"
        if step.value is None or not step.exact or len(step.value) > LONGEST_VALUE:
            return f"{verb}."
        return f"{verb} {step.value}."
    if step.event == "exception":
        return f"{label} raises {step.value}."
    inside = enters(trace, index, plan)
    if step.line in plan.targets:
        if inside is False:
            return f"{label} the loop ends."
        target = plan.targets[step.line]
        state = states.after(index)
        if not exact and target in state:
            exact = {target: state[target]}
    elif step.line in plan.tests and inside is not None:
        return f"{label} {plan.tests[step.line]} is {inside}."
    said = shown(exact)
    if said:
        return f"{label} {said}"
    return f"{label} runs {plan.text(step.line)}"
