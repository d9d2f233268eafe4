"""Writes the rationale of a fault in the paper's form (section 3.3), derived from its evidence.

The text simulates the failing call up to shortly after the step where the run goes wrong, names
the root cause and the way from there to the wrong result, states the edit, and ends with the
whole fixed program. Nothing in it comes from anywhere but the two recorded runs and the edit;
`check` reads it back without knowing this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.faults.divergence import Divergence
from semcoder_lib.faults.mutate import altered
from semcoder_lib.faults.reading import LONGEST_VALUE, Layout, States, enters, folded, layout


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a rationale may speak about. `call` is `f(1)`, `expected` the text of the
    right value, `actual` the text of the wrong one or `raises TypeError: ...`. `cause` is the bug
    in words, and may be empty."""

    entry_point: str
    call: str
    expected: str
    actual: str
    buggy: str
    fixed: str
    buggy_trace: Trace
    fixed_trace: Trace
    divergence: Divergence
    cause: str = ""


class TooLong(ValueError):
    """The rationale does not fit, or a value in it cannot be written out."""


HEAD, BEFORE, AFTER = 10, 8, 3


def write(evidence: Evidence, *, max_characters: int = 10_000) -> str:
    """The completion that follows a prompt of `prompts.refine`: sections, `[/MONOLOGUE]`,
    `[Refined]`, the fixed program. Raises `TooLong`."""
    bodies = (evidence.expected, evidence.actual)
    if any(len(text) > 2 * LONGEST_VALUE for text in bodies):
        raise TooLong("the result is too long to write out")
    text = (
        "### Execution Simulation\n"
        + "\n".join(_simulation(evidence))
        + "\n### Root Cause Analysis\n"
        + "\n".join(_root_cause(evidence))
        + "\n### Bug Fixing\n"
        + _fixing(evidence.buggy, evidence.fixed)
        + "\n[/MONOLOGUE]\n[Refined]\n```python\n"
        + evidence.fixed.rstrip("\n")
        + "\n```\n[/Refined]"
    )
    if len(text) > max_characters:
        raise TooLong(f"{len(text)} characters")
    return text


def _simulation(e: Evidence) -> list[str]:
    plan = layout(e.buggy)
    states = States(e.buggy_trace)
    count = len(e.buggy_trace.steps)
    at = e.divergence.index
    at = count - 1 if at is None else min(at, count - 1)
    said = [f"{e.call} should give {e.expected}."]
    start = max(at - BEFORE, 0)
    if start <= HEAD + 2:
        start = 0
    else:
        said += _lines(e.buggy_trace, 0, HEAD, plan, states)
        told = max(i for i in range(HEAD) if not folded(e.buggy_trace, i))
        said.append(_skip(e.buggy_trace, told + 1, start, states))
    stop = min(at + AFTER + 1, count)
    if count - stop <= 2:
        stop = count
    said += _lines(e.buggy_trace, start, stop, plan, states)
    said.append(f"{e.call} {_wrong(e.actual)}, which is wrong.")
    return said


def _lines(trace: Trace, start: int, stop: int, plan: Layout, states: States) -> list[str]:
    shown_steps = [i for i in range(start, stop) if not folded(trace, i)]
    return [tell(trace, i, plan, states) for i in shown_steps]


def _wrong(actual: str) -> str:
    return actual if actual.startswith("raises ") else f"gives {actual}"


def _skip(trace: Trace, start: int, stop: int, states: States) -> str:
    """`... 14 steps later: i = 5, total = 10`, the locals of the frame that goes on."""
    frame = trace.steps[stop].frame
    last = next((i for i in range(stop - 1, -1, -1) if trace.steps[i].frame == frame), None)
    state = {} if last is None else states.after(last)
    said = shown(state)
    if len(said) > 3 * LONGEST_VALUE:
        raise TooLong("the state in the middle of the run is too long")
    return f"... {stop - start} steps later: {said or 'nothing is set yet'}"


def _root_cause(e: Evidence) -> list[str]:
    said = [_parting(e)]
    line, _, height, _ = altered(e.buggy, e.fixed)
    if e.cause:
        where = f"[L{line}]" if height else f"the place before [L{line}]"
        said.append(f"The cause is {where}: {e.cause}")
    chain = _chain(e)
    if chain:
        said.append(chain)
    said.append(f"So the call {_wrong(e.actual)} instead of {e.expected}.")
    return said


def _parting(e: Evidence) -> str:
    d = e.divergence
    if d.index is None or d.fixed_index is None:
        raise TooLong("the two runs do not differ in what was recorded")
    ours, right = _step(e.buggy_trace, d.index), _step(e.fixed_trace, d.fixed_index)
    here = f"[L{d.line}]"
    for text in (d.got, d.wanted):
        if text is not None and len(text) > LONGEST_VALUE:
            raise TooLong("a value at the divergence is too long to write out")
    if d.kind == "value":
        plan = layout(e.buggy)
        at_loop = d.got is None and d.line in plan.targets
        if at_loop and enters(e.buggy_trace, d.index, plan) is False:
            return f"At {here} the loop ends, but it should go on with {d.name} = {d.wanted}."
        got = f"{d.name} stays as it is" if d.got is None else f"{d.name} becomes {d.got}"
        wanted = "stay as it is" if d.wanted is None else f"become {d.wanted}"
        return f"At {here} {got}, but it should {wanted}."
    if d.kind == "extra":
        return f"At {here} {d.name} becomes {d.got}, but it should stay {d.wanted}."
    if d.kind == "missing":
        setter = layout(e.fixed).text(d.fixed_line or 0)
        after = f"Before {here}" if d.line else "Before the end"
        return f"{after} {d.name} is still {d.got}, but `{setter}` should make it {d.wanted}."
    before = e.buggy_trace.steps[d.index - 1].line if d.index else 1
    got = _does(ours, layout(e.buggy), own=True)
    wanted = _does(right, layout(e.fixed), own=False)
    return f"After [L{before}] the run {got}, but the right run {wanted}."


def _step(trace: Trace, index: int) -> Step | None:
    return trace.steps[index] if index < len(trace.steps) else None


def _does(step: Step | None, plan: Layout, *, own: bool) -> str:
    if step is None:
        return "ends"
    if step.event in ("return", "yield"):
        if step.value is not None and len(step.value) > LONGEST_VALUE:
            raise TooLong("a value at the divergence is too long to write out")
        return f"{step.event}s {step.value} from {step.function}"
    if step.event == "exception":
        return f"raises {step.value}"
    if step.event == "call":
        return f"calls {step.function}"
    return f"goes to [L{step.line}]" if own else f"goes to `{plan.text(step.line)}`"


def _chain(e: Evidence) -> str:
    """The last values of a variable on the way to the result: one that the entry point's return
    reads where there is one, else the one that went wrong first."""
    got, wanted = _last_values(e.buggy_trace), _last_values(e.fixed_trace)
    differing = [
        name
        for name in got
        if name in wanted
        and got[name] != wanted[name]
        and max(len(got[name]), len(wanted[name])) <= LONGEST_VALUE
    ]
    last = e.buggy_trace.steps[-1]
    read = layout(e.buggy).text(last.line) if last.event == "return" else ""
    returned = [name for name in differing if re.search(rf"\b{re.escape(name)}\b", read)]
    for name in (*returned, e.divergence.name):
        if name in differing:
            return f"In the end {name} is {got[name]} instead of {wanted[name]}."
    return ""


def _last_values(trace: Trace) -> dict[str, str]:
    """The exact locals of the entry point's frame when the run ended."""
    state: dict[str, str] = {}
    for step in trace.steps:
        if step.frame == trace.steps[0].frame:
            for change in step.changes:
                state.pop(change.name, None)
                if change.text is not None and change.exact:
                    state[change.name] = change.text
    return state


def _fixing(buggy: str, fixed: str) -> str:
    line, _, height, fixed_height = altered(buggy, fixed)
    new = [text.rstrip() for text in fixed.splitlines()[line - 1 : line - 1 + fixed_height]]
    old = [text.rstrip() for text in buggy.splitlines()[line - 1 : line - 1 + height]]
    if height == fixed_height == 1:
        return f"Replace [L{line}] `{old[0].strip()}` by `{new[0].strip()}`." + _indented(old, new)
    where = f"[L{line}]" if height == 1 else f"[L{line}] to [L{line + height - 1}]"
    block = "\n```python\n" + "\n".join(new) + "\n```"
    if not new:
        return f"Remove {where}."
    if not old:
        return f"Insert before [L{line}]:{block}"
    return f"Replace {where} by:{block}"


def _indented(old: list[str], new: list[str]) -> str:
    depth = [len(text[0]) - len(text[0].lstrip()) for text in (old, new)]
    if depth[0] == depth[1]:
        return ""
    return f" Indent it by {depth[1]} spaces."


def shown(changes: dict[str, str]) -> str:
    """`a = 1, b = [2]`; values longer than `LONGEST_VALUE` are left out."""
    return ", ".join(f"{k} = {v}" for k, v in changes.items() if len(v) <= LONGEST_VALUE)


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
