"""Events from `sys.settrace`, for Python 3.11."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from opcode import opmap
from typing import Any

from semcoder_lib.tracing.recorder import FILENAME, Code, Frame, Recorder, Stop

_YIELD = opmap["YIELD_VALUE"]
_RETURNS = frozenset({opmap["RETURN_VALUE"], _YIELD})


def run(recorder: Recorder, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls the function with tracing on, whatever it does; tracing is off again afterwards."""

    def on_call(frame: types.FrameType, event: str, arg: Any) -> Any:
        raw = frame.f_code
        if raw.co_filename != FILENAME:
            return None
        code = recorder.code(raw)
        if not code.shown:
            return None
        if code.suspends and frame.f_trace is not None:  # it goes on after a yield
            recorder.resume()
            return frame.f_trace
        try:
            state = recorder.enter(code, frame, frame.f_lineno)
        except Stop:
            sys.settrace(None)
            return None
        except RecursionError:
            sys.settrace(None)
            recorder.no_stack()
            return None
        return _local(recorder, code, state)

    sys.settrace(on_call)
    try:
        return function(*arguments)
    finally:
        if sys.gettrace() is not on_call and not recorder.cut:
            recorder.flags.append("tampered")
        sys.settrace(None)


def _local(recorder: Recorder, code: Code, state: Frame) -> Any:
    """The local trace function of one frame."""
    at = entered_at = -1
    failing = False
    advance = state.advance

    def on_event(frame: types.FrameType, event: str, arg: Any) -> Any:
        nonlocal at, entered_at, failing
        try:
            if event == "line":
                failing = False
                line = frame.f_lineno
                # The same line again is a new visit only if it is entered at its beginning.
                if line != at or frame.f_lasti == entered_at:
                    at = line
                    entered_at = frame.f_lasti
                    advance(frame, line)
            elif event == "return":
                ended(frame, arg)
            elif event == "exception":
                error, entry = arg[1], arg[2]
                # a StopIteration that ends a loop comes without an entry for this frame
                if entry is not None and entry.tb_frame is frame:
                    failing = True
                    recorder.raised(state, frame, frame.f_lineno, error, entry)
        except Stop:
            sys.settrace(None)
        except RecursionError:
            sys.settrace(None)
            recorder.no_stack()
        return frame.f_trace  # itself; its own name would keep it alive

    def ended(frame: types.FrameType, value: Any) -> None:
        operation = -1
        if value is None or code.suspends:  # None is also told of a frame that an exception ends
            operation = frame.f_code.co_code[frame.f_lasti]
        # an exception thrown in at a yield ends the frame there
        if value is None and (operation not in _RETURNS or (failing and operation == _YIELD)):
            recorder.unwind(state, frame)
        elif operation == _YIELD:
            recorder.suspend(state, frame, frame.f_lineno, value)
        else:
            recorder.leave(state, frame, frame.f_lineno, value)

    return on_event
