"""What a reader of a format can know of a trace: the steps that `parse` gives back."""

from __future__ import annotations

from collections.abc import Sequence

from semcoder_lib.core.records import Change, Step, Trace
from semcoder_lib.tracing.formats.lines import printable
from semcoder_lib.tracing.formats.parsing import _is_literal


def ends_here(steps: Sequence[Step], place: int) -> bool:
    """Whether the line step at `place` returns without calling anything of the program."""
    if place + 1 >= len(steps):
        return False
    step, after = steps[place], steps[place + 1]
    return after.event == "return" and (after.frame, after.line) == (step.frame, step.line)


def expected(trace: Trace, format: str) -> list[Step]:
    """The steps of `trace` as the clean `format` tells them: without frames and functions, and
    without what the format leaves out (lines that change nothing in `scratchpad` and `next`, the
    middle states of a line in `next`, the visit of a line that returns in `concise`)."""
    if format == "json":
        return list(trace.steps)
    if format == "concise":
        return _concise(trace)
    return _inline(trace, numbered=format == "next")


def bare(step: Step) -> Step:
    """A step with what the text formats carry, and no more."""
    changes = tuple(
        Change(c.name, text := shown(c.text), text is None or _is_literal(text))
        for c in step.changes
    )
    value = None if step.event == "line" else shown(step.value)
    exact = step.event != "exception" and (value is None or _is_literal(value))
    return Step(step.line, step.event, changes, value=value, exact=exact)


def shown(text: str | None) -> str | None:
    return None if text is None else printable(text)


def _concise(trace: Trace) -> list[Step]:
    steps = []
    for place, step in enumerate(trace.steps):
        if step.event == "line" and not step.changes and ends_here(trace.steps, place):
            continue
        steps.append(bare(step))
    return steps


def _inline(trace: Trace, *, numbered: bool) -> list[Step]:
    by_line: dict[int, list[tuple[int, Step]]] = {}
    count = 0
    for place, step in enumerate(trace.steps):
        if step.event == "line" and not step.changes:
            continue
        by_line.setdefault(step.line, []).append((count if numbered else place, bare(step)))
        count += step.event == "line"
    steps: list[Step] = []
    states: list[tuple[int, Step]] = []
    for line in sorted(by_line):
        found = by_line[line]
        if numbered:
            own = [item for item in found if item[1].event == "line"]
            states.extend(own if len(own) <= 3 else [*own[:2], own[-1]])
            found = [item for item in found if item[1].event != "line"]
        steps.extend(step for _, step in found)
    return steps + [step for _, step in sorted(states, key=lambda item: item[0])]
