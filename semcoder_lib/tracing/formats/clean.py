"""The clean mode: typed values, `name = value` in Python's notation, every function's lines."""

from __future__ import annotations

from collections.abc import Sequence

from semcoder_lib.core.records import Change, Program, Step, Trace

_KEPT = 3  # states that NExT keeps of a line: the first ones and the last


def render(trace: Trace, program: Program, format: str) -> str:
    if format == "concise":
        return _concise(trace)
    return _inline(trace, program.source, numbered=format == "next")


def shown(changes: Sequence[Change]) -> str:
    """`x = [1, 2], del e`."""
    return ", ".join(f"del {c.name}" if c.text is None else f"{c.name} = {c.text}" for c in changes)


def _tagged(tag: str, text: str, number: int | None = None) -> str:
    name = tag if number is None else f"{tag}-{number}"
    return f"[{name}] {text} [/{name}]" if text else f"[{name}] [/{name}]"


def _inline(trace: Trace, source: str, *, numbered: bool) -> str:
    lines = source.rstrip("\n").split("\n")
    notes: dict[int, list[tuple[str, str]]] = {}
    count = 0
    for step in trace.steps:
        at = notes.setdefault(step.line, [])
        if step.event == "call":
            at.append(("INPUT", _tagged("INPUT", shown(step.changes))))
        elif step.event == "line":
            if step.changes:
                number = count if numbered else None
                at.append(("STATE", _tagged("STATE", shown(step.changes), number)))
                count += 1
        else:
            tag = {"return": "OUTPUT", "yield": "YIELD", "exception": "EXCEPTION"}[step.event]
            at.append((tag, _tagged(tag, step.value or "")))
    for number, found in notes.items():
        if found and 0 < number <= len(lines):
            texts = _shortened(found) if numbered else [text for _, text in found]
            lines[number - 1] += "  # " + " ".join(texts)
    if trace.cut:
        lines.append(f"# [CUT] {trace.cut} [/CUT]")
    return "\n".join(lines)


def _shortened(found: list[tuple[str, str]]) -> list[str]:
    """The first two states and the last; everything that is not a state."""
    states = [i for i, (tag, _) in enumerate(found) if tag == "STATE"]
    if len(states) <= _KEPT:
        return [text for _, text in found]
    dropped = set(states[_KEPT - 1 : -1])
    texts = []
    for place, (_, text) in enumerate(found):
        if place == states[_KEPT - 1]:
            texts.append("...")
        if place not in dropped:
            texts.append(text)
    return texts


def _concise(trace: Trace) -> str:
    lines = []
    steps = trace.steps
    skip = False
    for place, step in enumerate(steps):
        if skip:
            skip = False
            continue
        parts = []
        if step.event == "call":
            parts.append(_tagged("INPUT", shown(step.changes)))
        elif step.event == "line":
            if step.changes:
                parts.append(shown(step.changes))
            if ends_here(steps, place):
                skip = True
                parts.append(_tagged("OUTPUT", steps[place + 1].value or ""))
        else:
            tag = {"return": "OUTPUT", "yield": "YIELD", "exception": "EXCEPTION"}[step.event]
            parts.append(_tagged(tag, step.value or ""))
        lines.append(" ".join([f"[L{step.line}]", *parts, f"[/L{step.line}]"]))
    if trace.cut:
        lines.append(f"[CUT] {trace.cut} [/CUT]")
    return "\n".join(lines)


def ends_here(steps: Sequence[Step], place: int) -> bool:
    """Whether the line step at `place` returns without calling anything of the program."""
    if place + 1 >= len(steps):
        return False
    step, after = steps[place], steps[place + 1]
    return after.event == "return" and (after.frame, after.line) == (step.frame, step.line)
