"""What PySnooper would have logged of a run that we have a trace of.

PySnooper (default settings) follows the decorated function only, tells the changes of a line when
the next event of the same frame arrives, compares and shows values as `repr` cut to 100 characters,
and logs an `exception` event in every frame that an exception passes through.
"""

from __future__ import annotations

import collections
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Step, Trace

_CUT = 100
_CALL = re.compile(r"<\w+\(.*\)>$")  # slices, views, exceptions: as their repr, in brackets


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log. `kind` is `input`, `change`, `output` (with `name`, `text`), `error`
    (with `text`) or `at` (an event line, with `line`)."""

    kind: str
    line: int = 0
    name: str = ""
    text: str = ""


class _Frame:
    """A frame that PySnooper follows: what it logged of the locals, and what it has not yet."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.shown: dict[str, str] = {}
        self.pending: list[tuple[str, str | None]] = []

    def flush(self, kind: str = "change") -> Iterator[Event]:
        for name, text in self.pending:
            if text is None:
                self.shown.pop(name, None)
            elif self.shown.get(name) != text:
                self.shown[name] = text
                yield Event(kind, name=name, text=text)
        self.pending = []


def snooper_log(trace: Trace, offset: int = 0) -> Iterator[Event]:
    """The log of the entry function of `trace`; its line numbers are `offset` higher."""
    if not trace.steps:
        return
    entry = (trace.steps[0].line, trace.steps[0].function)
    stack: list[tuple[int, int]] = []  # (frame, depth) of every frame that runs
    followed: dict[int, _Frame] = {}
    error: str | None = None  # the exception that is in flight
    latest = ""
    for step in trace.steps:
        goes_on = step.event != "call" and any(frame == step.frame for frame, _ in stack)
        if error is None and goes_on and step.frame != stack[-1][0]:
            error = latest  # raised again, which is no step of its own
        if error is not None:
            yield from _unwound(stack, followed, step, error, offset)
            error = None
        if step.event == "call":
            stack.append((step.frame, step.depth))
            if (step.line, step.function) == entry:
                followed[step.frame] = frame = _Frame(step.line)
                frame.pending = _pending(step)
                yield from frame.flush("input")
                yield Event("at", step.line + offset)
            continue
        if not stack or stack[-1][0] != step.frame:  # a generator that goes on
            stack.append((step.frame, step.depth))
        if step.frame in followed:
            frame = followed[step.frame]
            frame.line = step.line
            yield from frame.flush()
            yield Event("at", step.line + offset)
            frame.pending = _pending(step)
            if step.event in ("return", "yield"):
                yield Event("output", text=logged(step.value or "", step.exact))
            elif step.event == "exception":
                yield Event("error", text=cut(step.value or ""))
        if step.event in ("return", "yield"):
            stack.pop()
        elif step.event == "exception":
            error = latest = step.value or ""
    if stack and not trace.cut:
        yield from _unwound(stack, followed, None, latest, offset)


def _unwound(
    stack: list[tuple[int, int]],
    followed: dict[int, _Frame],
    step: Step | None,
    error: str,
    offset: int,
) -> Iterator[Event]:
    """The exception leaves frames until the one that `step` runs in, or that calls its frame."""
    running = {frame for frame, _ in stack}
    left = False
    while stack:
        index, depth = stack[-1]
        frame = followed.get(index)
        if frame is not None:
            yield from frame.flush()
        if left and frame is not None:
            yield Event("at", frame.line + offset)
            yield Event("error", text=cut(error))
        if step is not None:
            if index == step.frame:
                return
            if step.event == "call" and depth < step.depth:
                return
            if step.frame not in running and step.event != "call":
                return
        stack.pop()
        left = True


def _pending(step: Step) -> list[tuple[str, str | None]]:
    return [(c.name, None if c.text is None else logged(c.text, c.exact)) for c in step.changes]


# --- values ----------------------------------------------------------------------------------


def logged(text: str, exact: bool) -> str:
    """The text of a value in the log: Python's `repr` on one line, cut to 100 characters."""
    if exact:
        with contextlib.suppress(values.NotALiteral):
            text = python_repr(values.decode(text))
    elif _CALL.match(text):
        text = text[1:-1]
    return cut(text.replace("\r", "").replace("\n", ""))


def cut(text: str) -> str:
    if len(text) <= _CUT:
        return text
    left = (_CUT - 3) // 2
    return f"{text[:left]}...{text[-(_CUT - 3 - left) :]}"


def python_repr(value: Any) -> str:
    """`repr` of a decoded value, with the elements of sets in a fixed order."""
    kind = type(value)
    if kind is list:
        return "[" + ", ".join(map(python_repr, value)) + "]"
    if kind is tuple:
        return "(" + ", ".join(map(python_repr, value)) + (",)" if len(value) == 1 else ")")
    if kind is dict:
        return (
            "{" + ", ".join(f"{python_repr(k)}: {python_repr(v)}" for k, v in value.items()) + "}"
        )
    if kind is set or kind is frozenset:
        return values.encode(value)
    if kind is collections.defaultdict:
        return f"defaultdict({value.default_factory!r}, {python_repr(dict(value))})"
    try:
        return repr(value)
    except ValueError:  # an int too long for decimal text
        return "REPR FAILED"
