"""Events from `sys.settrace`, for Python 3.11."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from opcode import opmap
from typing import Any

from semcoder_lib.tracing.recorder import FILENAME, Code, Frame, Recorder, Stop

_YIELD = opmap["YIELD_VALUE"]
_RETURNS = frozenset(
    opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST", "YIELD_VALUE") if name in opmap
)


def run(recorder: Recorder, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls the function with tracing on, whatever it does; tracing is off again afterwards."""

    def on_call(frame: types.FrameType, event: str, arg: Any) -> Any:
        raw = frame.f_code
        if raw.co_filename != FILENAME:
            return None
        code = recorder.code(raw)
        if not code.shown:
            return None
        try:
            if code.suspends and frame.f_trace is not None:
                local: Any = frame.f_trace
                local(frame, "resume", None)
                return local
            state = recorder.enter(code, frame.f_locals, frame.f_lineno)
        except Stop:
            sys.settrace(None)
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
    at = offset = -1
    record_line = recorder.line
    bytecode = b""
    failing = False

    def on_event(frame: types.FrameType, event: str, arg: Any) -> Any:
        nonlocal at, offset, bytecode, failing
        try:
            if event == "line":
                line = frame.f_lineno
                if line != at or frame.f_lasti == offset:
                    at = line
                    offset = frame.f_lasti
                    record_line(state, frame.f_locals, line)
                failing = False
            elif event == "return":
                operation = -1
                if failing or code.suspends:
                    bytecode = bytecode or frame.f_code.co_code
                    operation = bytecode[frame.f_lasti]
                if failing and operation not in _RETURNS:
                    recorder.unwind(state, frame.f_locals)
                elif operation == _YIELD:
                    recorder.suspend(state, frame.f_locals, frame.f_lineno, arg)
                else:
                    recorder.leave(state, frame.f_locals, frame.f_lineno, arg)
            elif event == "exception":
                error, entry = arg[1], arg[2]
                if entry is not None and entry.tb_frame is frame:
                    failing = True
                    recorder.raised(state, frame.f_locals, frame.f_lineno, error, entry)
            elif event == "resume":
                recorder.resume(state)
        except Stop:
            sys.settrace(None)
        return on_event

    return on_event
