"""Coverage as a plug-in of the sandbox: which lines ran, and which line followed which."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.tracing.recorder import FILENAME, HIDDEN

ENTRY, EXIT = 0, -1


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Calls the function and emits the pairs of lines that followed one another in a frame, as
    `3:4 4:5`; 0 stands before a frame's first line and -1 behind its last. After
    `options["events"]` events the recording stops and the program goes on."""
    arcs: set[tuple[int, int]] = set()
    left = options.get("events", 1_000_000)
    # the state of generators lives in the frame's own trace function

    def on_call(frame: types.FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        if code.co_filename != FILENAME or code.co_name in HIDDEN:
            return None
        return frame.f_trace or local()

    def local() -> Any:
        at = ENTRY

        def on_event(frame: types.FrameType, event: str, arg: Any) -> Any:
            nonlocal at, left
            if event == "line":
                line = frame.f_lineno
                if line != at:
                    arcs.add((at, line))
                    at = line
                left -= 1
                if left < 0:
                    sys.settrace(None)
            elif event == "return":
                arcs.add((at, EXIT))
            return on_event

        return on_event

    sys.settrace(on_call)
    try:
        return function(*arguments)
    finally:
        sys.settrace(None)
        emit(" ".join(f"{a}:{b}" for a, b in sorted(arcs)))
