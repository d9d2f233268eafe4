"""Events from `sys.monitoring`, for Python 3.12 and newer."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from semcoder_lib.tracing.recorder import FILENAME, Frame, Recorder, Stop

_TOOL = 4


def run(recorder: Recorder, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls the function with tracing on, whatever it does; tracing is off again afterwards."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    events = monitoring.events
    disable = monitoring.DISABLE
    frame_at = sys._getframe
    stack: list[tuple[Frame, types.FrameType]] = []
    suspended: dict[int, Frame] = {}
    local = events.LINE | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME

    def halt() -> None:
        monitoring.set_events(_TOOL, 0)
        for code in list(recorder.codes.values()):
            if code.shown:
                monitoring.set_local_events(_TOOL, code.code, 0)
        stack.clear()

    def on_start(raw: types.CodeType, offset: int) -> Any:
        if raw.co_filename != FILENAME:
            return disable
        new = id(raw) not in recorder.codes
        code = recorder.code(raw)
        if not code.shown:
            return disable
        if new:
            monitoring.set_local_events(_TOOL, raw, local)
        frame = frame_at(1)
        try:
            stack.append((recorder.enter(code, frame.f_locals, frame.f_lineno), frame))
        except Stop:
            halt()
        return None

    def on_line(raw: types.CodeType, line: int) -> Any:
        if stack:
            state, frame = stack[-1]
            if state.code.code is raw and (line != state.at or frame.f_lasti == state.at_offset):
                state.at_offset = frame.f_lasti
                try:
                    recorder.line(state, frame.f_locals, line)
                except Stop:
                    halt()

    def on_return(raw: types.CodeType, offset: int, value: Any) -> Any:
        if stack and stack[-1][0].code.code is raw:
            state, frame = stack.pop()
            try:
                recorder.leave(state, frame.f_locals, frame.f_lineno, value)
            except Stop:
                halt()

    def on_yield(raw: types.CodeType, offset: int, value: Any) -> Any:
        if stack and stack[-1][0].code.code is raw:
            state, frame = stack.pop()
            suspended[id(frame)] = state
            try:
                recorder.suspend(state, frame.f_locals, frame.f_lineno, value)
            except Stop:
                halt()

    def on_resume(raw: types.CodeType, offset: int, *rest: Any) -> Any:
        frame = frame_at(1)
        if frame.f_code is raw and id(frame) in suspended:
            state = suspended.pop(id(frame))
            recorder.resume(state)
            stack.append((state, frame))

    def on_raise(raw: types.CodeType, offset: int, error: BaseException) -> Any:
        if stack and stack[-1][0].code.code is raw:
            state, frame = stack[-1]
            entry = _traceback_of(error)
            if entry is not None and entry.tb_frame is frame:
                try:
                    recorder.raised(state, frame.f_locals, frame.f_lineno, error, entry)
                except Stop:
                    halt()

    def on_unwind(raw: types.CodeType, offset: int, error: BaseException) -> Any:
        if stack and stack[-1][0].code.code is raw:
            state, frame = stack.pop()
            recorder.unwind(state, frame.f_locals)

    callbacks = {
        events.PY_START: on_start,
        events.LINE: on_line,
        events.PY_RETURN: on_return,
        events.PY_YIELD: on_yield,
        events.PY_RESUME: on_resume,
        events.PY_THROW: on_resume,
        events.RAISE: on_raise,
        events.PY_UNWIND: on_unwind,
    }
    monitoring.use_tool_id(_TOOL, "semcoder")
    try:
        for event, callback in callbacks.items():
            monitoring.register_callback(_TOOL, event, callback)
        monitoring.set_events(
            _TOOL, events.PY_START | events.RAISE | events.PY_UNWIND | events.PY_THROW
        )
        return function(*arguments)
    finally:
        halt()
        for event in callbacks:
            monitoring.register_callback(_TOOL, event, None)
        monitoring.free_tool_id(_TOOL)


_traceback_of = BaseException.__dict__["__traceback__"].__get__
