"""The clean mode: typed values, `name = value` in Python's notation, every function's lines."""

from __future__ import annotations

from semcoder_lib.core.records import Step, Trace
from semcoder_lib.tracing.formats.lines import commented, labelled

_TAGS = {"call": "INPUT", "line": "STATE", "return": "OUTPUT", "yield": "YIELD",
         "exception": "EXCEPTION"}  # fmt: skip
_KEPT = 3  # states that NExT keeps of a line: the first ones and the last


def render(trace: Trace, source: str, format: str) -> str:
    if format == "concise":
        lines = labelled(trace.steps, _words)
        return "\n".join([*lines, f"[CUT] {trace.cut} [/CUT]"] if trace.cut else lines)
    text = _inline(trace, source.rstrip("\n"), numbered=format == "next")
    return f"{text}\n# [CUT] {trace.cut} [/CUT]" if trace.cut else text


def _words(step: Step) -> str:
    return _changes(step) if step.event == "line" else _tagged(step)


def _changes(step: Step) -> str:
    """`x = [1, 2], del e`."""
    return ", ".join(
        f"del {c.name}" if c.text is None else f"{c.name} = {c.text}" for c in step.changes
    )


def _tagged(step: Step, number: int | None = None) -> str:
    name = _TAGS[step.event] if number is None else f"{_TAGS[step.event]}-{number}"
    text = _changes(step) if step.event in ("call", "line") else step.value or ""
    return f"[{name}] {text} [/{name}]" if text else f"[{name}] [/{name}]"


def _inline(trace: Trace, source: str, *, numbered: bool) -> str:
    notes: dict[int, list[tuple[str, str]]] = {}  # by line: (event, text)
    count = 0
    for step in trace.steps:
        if step.event == "line":
            if not step.changes:
                continue
            text = _tagged(step, count if numbered else None)
            count += 1
        else:
            text = _tagged(step)
        notes.setdefault(step.line, []).append((step.event, text))
    texts = {
        line: _shortened(found) if numbered else [text for _, text in found]
        for line, found in notes.items()
    }
    return commented(source, {line: "  # " + " ".join(text) for line, text in texts.items()})


def _shortened(notes: list[tuple[str, str]]) -> list[str]:
    """The first two states and the last; everything that is not a state."""
    states = [place for place, (event, _) in enumerate(notes) if event == "line"]
    dropped = set(states[_KEPT - 1 : -1])
    return [
        "..." if place == min(dropped, default=-1) else text
        for place, (_, text) in enumerate(notes)
        if place not in dropped or place == min(dropped)
    ]
