"""Where a buggy run parts from the right one: aligned differential tracing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.faults.mutate import line_map


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first step at which two traces differ.

    `index` counts the buggy trace's steps from 0 (it is the number of its steps when the buggy run
    ended too early), `fixed_index` the right trace's; both are None when the traces agree.
    `kind`: `value` (a variable), `path` (another line), `missing` (a change that the buggy run
    does not make), `extra` (one that it makes too many), `return` (of a function, or what it
    yields), `exception`, `end`, or `none`.
    `name`, `got`, `wanted` say which variable has which text; None where there is none.
    `line` and `fixed_line` are the lines of the two steps.
    """

    kind: str
    index: int | None = None
    fixed_index: int | None = None
    line: int | None = None
    fixed_line: int | None = None
    name: str = ""
    got: str | None = None
    wanted: str | None = None


def divergence(
    buggy: Trace,
    fixed: Trace,
    *,
    lines: Mapping[int, int] | None = None,
) -> Divergence:
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
    found = _first(buggy.steps, fixed.steps, lines, 0, 0)
    if found is None and (buggy.cut or fixed.cut or buggy.result == fixed.result):
        return Divergence("none")
    if found is None:
        found = _last_difference(buggy, fixed)
    return found


def _first(
    a: tuple[Step, ...], b: tuple[Step, ...], lines: Mapping[int, int], i: int, j: int
) -> Divergence | None:
    """The first difference from the steps `i` and `j` on. The states hold what each run has set
    so far, by frame."""
    partners = set(lines.values())
    ours: dict[int, dict[str, str | None]] = {}
    right_state: dict[int, dict[str, str | None]] = {}
    while i < len(a) or j < len(b):
        if i < len(a) and _alone(a[i], a[i].line in lines):
            clash = _shared_change(a[i], ours, right_state)
            if clash is not None:
                name, got, wanted = clash
                right = b[j].line if j < len(b) else None
                return Divergence("extra", i, j, a[i].line, right, name, got, wanted)
            _apply(a[i], ours)
            i += 1
            continue
        if j < len(b) and _alone(b[j], b[j].line in partners):
            clash = _shared_change(b[j], right_state, ours)
            if clash is not None:
                name, wanted, got = clash
                here = a[i].line if i < len(a) else None
                return Divergence("missing", i, j, here, b[j].line, name, got, wanted)
            _apply(b[j], right_state)
            j += 1
            continue
        if i >= len(a) or j >= len(b):
            here = a[i].line if i < len(a) else None
            there = b[j].line if j < len(b) else None
            return Divergence("end", i, j, here, there)
        found = _compare(a[i], b[j], i, j, lines)
        if found is not None:
            if found.kind == "value":
                return _inside(a, b, i, j, lines) or found
            return found
        _apply(a[i], ours)
        _apply(b[j], right_state)
        i += 1
        j += 1
    return None


def _alone(step: Step, has_partner: bool) -> bool:
    return not has_partner and step.event == "line"


def _apply(step: Step, states: dict[int, dict[str, str | None]]) -> None:
    state = states.setdefault(step.frame, {})
    for change in step.changes:
        state[change.name] = change.text


def _shared_change(
    step: Step,
    own: dict[int, dict[str, str | None]],
    other: dict[int, dict[str, str | None]],
) -> tuple[str, str | None, str | None] | None:
    """A change by a step without a partner that sets a variable of both runs to something else."""
    known = other.get(step.frame, {})
    for change in step.changes:
        if change.name in known and known[change.name] != change.text:
            return change.name, change.text, known[change.name]
    return None


def _compare(x: Step, y: Step, i: int, j: int, lines: Mapping[int, int]) -> Divergence | None:
    raised = "exception" in (x.event, y.event)
    if x.event != y.event or x.depth != y.depth or lines.get(x.line, -1) != y.line:
        if raised and x.event != y.event:
            return Divergence("exception", i, j, x.line, y.line, "", _said(x), _said(y))
        return Divergence("path", i, j, x.line, y.line)
    if raised and x.value != y.value:
        return Divergence("exception", i, j, x.line, y.line, "", x.value, y.value)
    if x.event in ("return", "yield") and x.value != y.value:
        return Divergence("return", i, j, x.line, y.line, "", x.value, y.value)
    got = {c.name: c.text for c in x.changes}
    wanted = {c.name: c.text for c in y.changes}
    if got == wanted:
        return None
    for name in [*got, *wanted]:
        if name not in got or name not in wanted or got[name] != wanted[name]:
            return Divergence("value", i, j, x.line, y.line, name, got.get(name), wanted.get(name))
    return None


def _said(step: Step) -> str | None:
    return step.value if step.event == "exception" else None


def _inside(
    a: tuple[Step, ...], b: tuple[Step, ...], i: int, j: int, lines: Mapping[int, int]
) -> Divergence | None:
    """The first difference inside the calls that the differing lines make."""
    inner_a, inner_b = _calls(a, i), _calls(b, j)
    found = _first(a[: i + 1 + inner_a], b[: j + 1 + inner_b], lines, i + 1, j + 1)
    if found is None or found.kind == "end":
        return None
    return found


def _calls(steps: tuple[Step, ...], index: int) -> int:
    """How many steps after `index` belong to calls that this step's line makes."""
    depth, count = steps[index].depth, 0
    for step in steps[index + 1 :]:
        if step.depth <= depth:
            break
        count += 1
    return count


ALIKE = 0.5


def parting(buggy: str, fixed: str, trace: Trace, right: Trace) -> Divergence:
    """The divergence of the runs of two programs; how they end, where so few lines have a partner
    that comparing step by step says nothing."""
    lines = line_map(buggy, fixed)
    if 2 * len(lines) < ALIKE * len((buggy + fixed).splitlines()):
        return _last_difference(trace, right)
    return divergence(trace, right, lines=lines)


def _last_difference(buggy: Trace, fixed: Trace) -> Divergence:
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
