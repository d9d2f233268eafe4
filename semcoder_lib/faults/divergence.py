"""Where a buggy run parts from the right one: aligned differential tracing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.faults.mutate import line_map

ALIKE = 0.5  # share of lines with a partner that a comparison step by step needs
Steps = tuple[Step, ...]
States = dict[int, dict[str, str | None]]  # what a run has set so far, by frame


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first step at which two traces differ.

    `index` counts the buggy trace's steps from 0 (it is the number of its steps when the buggy run
    ended too early), `fixed_index` the right trace's; both are None when the traces agree.
    `kind`: `value` (a variable), `path` (another line), `missing` (a change that the buggy run
    does not make), `extra` (one that it makes too many), `return` (of a function, or what it
    yields), `exception`, `end`, or `none`.
    `name`, `actual`, `wanted` say which variable has which text; None where there is none.
    `line` and `fixed_line` are the lines of the two steps.
    """

    kind: str
    index: int | None = None
    fixed_index: int | None = None
    line: int | None = None
    fixed_line: int | None = None
    name: str = ""
    actual: str | None = None
    wanted: str | None = None


def divergence(buggy: Trace, fixed: Trace, *, lines: Mapping[int, int] | None = None) -> Divergence:
    """The first step of `buggy` that differs from its partner in `fixed`.

    `lines` maps lines of the buggy program to those of the fixed one (`mutate.line_map`); without
    it the line numbers are taken as they are. Steps are paired in order. A step on a line without a
    partner, and one that changes nothing, is passed over, so an inserted or removed line counts
    only where it has an effect: a variable that both runs have, a jump, an error. A line that
    calls a function carries its change at the line's own place in the order, before the steps of
    the call: then the place is looked for inside that call first, so that the answer is the cause
    and not the caller.

    Does not judge which difference matters: a harmless one counts too. Two texts that were cut
    alike count as equal.
    """
    if lines is None:
        lines = {step.line: step.line for step in (*buggy.steps, *fixed.steps)}
    parted = _first(buggy.steps, fixed.steps, lines, 0, 0)
    if parted is None and (buggy.cut or fixed.cut or buggy.result == fixed.result):
        return Divergence("none")
    return parted or _ends(buggy, fixed)


def parting(buggy: str, fixed: str, trace: Trace, right: Trace) -> Divergence:
    """The divergence of the runs of two programs; how they end, where so few lines have a partner
    that comparing step by step says nothing."""
    lines = line_map(buggy, fixed)
    if 2 * len(lines) < ALIKE * len((buggy + fixed).splitlines()):
        return _ends(trace, right)
    return divergence(trace, right, lines=lines)


def _first(a: Steps, b: Steps, lines: Mapping[int, int], i: int, j: int) -> Divergence | None:
    """The first difference from the steps `i` and `j` on."""
    partners = set(lines.values())
    ours: States = {}
    theirs: States = {}
    while i < len(a) or j < len(b):
        x = a[i] if i < len(a) else None
        y = b[j] if j < len(b) else None
        here, there = (step.line if step else None for step in (x, y))
        if x is not None and x.event == "line" and x.line not in lines:
            if clash := _clash(x, theirs):
                return Divergence("extra", i, j, here, there, *clash)
            _apply(x, ours)
            i += 1
        elif y is not None and y.event == "line" and y.line not in partners:
            if clash := _clash(y, ours):
                name, wanted, actual = clash
                return Divergence("missing", i, j, here, there, name, actual, wanted)
            _apply(y, theirs)
            j += 1
        elif x is None or y is None:
            return Divergence("end", i, j, here, there)
        elif difference := _difference(x, y, lines):
            inside = None
            if difference[0] == "value":
                inside = _first(a[: _over(a, i)], b[: _over(b, j)], lines, i + 1, j + 1)
            if inside is not None and inside.kind != "end":
                return inside
            return Divergence(difference[0], i, j, here, there, *difference[1:])
        else:
            _apply(x, ours)
            _apply(y, theirs)
            i += 1
            j += 1
    return None


def _apply(step: Step, states: States) -> None:
    states.setdefault(step.frame, {}).update((c.name, c.text) for c in step.changes)


def _clash(step: Step, other: States) -> tuple[str, str | None, str | None] | None:
    """A change by a step without a partner that sets a variable of both runs to something else:
    name, what it is set to, what the other run has."""
    state = other.get(step.frame, {})
    for change in step.changes:
        if change.name in state and state[change.name] != change.text:
            return change.name, change.text, state[change.name]
    return None


def _difference(
    x: Step, y: Step, lines: Mapping[int, int]
) -> tuple[str, str, str | None, str | None] | None:
    """Kind, name, got and wanted of what differs in two steps."""
    if x.event != y.event or x.depth != y.depth or lines.get(x.line, -1) != y.line:
        if "exception" in (x.event, y.event) and x.event != y.event:
            actual, wanted = (s.value if s.event == "exception" else None for s in (x, y))
            return "exception", "", actual, wanted
        return "path", "", None, None
    if x.event in ("exception", "return", "yield") and x.value != y.value:
        return "exception" if x.event == "exception" else "return", "", x.value, y.value
    ours, theirs = ({c.name: c.text for c in s.changes} for s in (x, y))
    for name in [*ours, *theirs]:
        if name not in ours or name not in theirs or ours[name] != theirs[name]:
            return "value", name, ours.get(name), theirs.get(name)
    return None


def _over(steps: Steps, index: int) -> int:
    """The first step after the calls that this step's line makes."""
    after = (k for k in range(index + 1, len(steps)) if steps[k].depth <= steps[index].depth)
    return next(after, len(steps))


def _ends(buggy: Trace, fixed: Trace) -> Divergence:
    """How the two runs end."""
    i, j = len(buggy.steps) - 1, len(fixed.steps) - 1
    if i < 0 or j < 0 or buggy.cut or fixed.cut:
        return Divergence("none")
    x, y = buggy.steps[i], fixed.steps[j]
    kind = "exception" if "exception" in (x.event, y.event) else "return"
    return Divergence(kind, i, j, x.line, y.line, "", x.value, y.value)


def last_values(trace: Trace) -> dict[str, str]:
    """The exact locals of the entry point's frame when the run ended."""
    state: dict[str, str] = {}
    for step in trace.steps:
        for change in step.changes if step.frame == trace.steps[0].frame else ():
            state.pop(change.name, None)
            if change.text is not None and change.exact:
                state[change.name] = change.text
    return state
