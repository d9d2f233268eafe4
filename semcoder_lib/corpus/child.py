"""Child-side plug-in: runs one program on many inputs in one process and records, per input, what
came out and which lines and jumps it executed. Nothing here is trusted by the parent, which takes
what is emitted as data (`execute`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from semcoder_lib.core import values

FILENAME = "<program>"
MAX_OUTPUT = 2_000  # bytes of one output's text

WARM = [  # see `sandbox.child.runner.warm`; the last input is there to raise
    (
        "def f(a, b):\n    for x in a:\n        b += 1 if x else 0\n    return [b], str(a)\n",
        "f",
        {"inputs": ["([1, 0], 2)", "('ab', 1)", "([], 1)", "({'a': 1}, 0.5)", "(1, 2)"]},
    )
]


class _TooLong(BaseException):
    """A call ran more lines than its budget."""


class _Recorder:
    __slots__ = ("arcs", "budget", "steps")

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.steps = 0
        self.arcs: set[tuple[int, int]] = set()

    def step(self) -> None:
        self.steps += 1
        if self.steps > self.budget:
            raise _TooLong

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != FILENAME:
            return None
        self.step()
        previous = -frame.f_code.co_firstlineno
        nested = frame.f_code.co_name[0] == "<"  # its jumps must not pass for its line's
        arcs = self.arcs

        def local(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal previous
            if event == "line":
                line = frame.f_lineno
                arcs.add((-line, line) if nested else (previous, line))
                previous = line
                self.step()
            elif event == "return" and not nested:
                arcs.add((previous, 0))
            elif event == "exception":
                previous = 0
            return local

        return local


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    emit: Callable[[str], None],
) -> int:
    """Runs `function` on every text of `options["inputs"]` (the text of an argument tuple) and
    emits one JSON list: per input `[status, text, steps, arcs]`, where text is the output or the
    exception's type. Options: `budget` (lines per call), `coverage` (record arcs)."""
    coverage = bool(options.get("coverage", True))
    rows: list[str] = []
    for text in options["inputs"]:
        recorder = _Recorder(int(options.get("budget", 20_000)))
        status, shown = _called(function, values.decode(text), recorder)
        arcs = sorted(recorder.arcs) if coverage else []
        rows.append(json.dumps([status, shown, recorder.steps, arcs], separators=(",", ":")))
    emit("[" + ",".join(rows) + "]")
    return len(rows)


def _called(
    function: Callable[..., Any], arguments: tuple[Any, ...], recorder: _Recorder
) -> tuple[str, str]:
    sys.settrace(recorder.trace)
    try:
        value = function(*arguments)
    except _TooLong:
        return "timeout", "too many steps"
    except Exception as error:
        return "exception", type(error).__name__
    finally:
        sys.settrace(None)
    try:
        return "ok", values.encode(value, max_bytes=MAX_OUTPUT)
    except values.Unserializable as error:
        return "unserializable", str(error)[:80]
