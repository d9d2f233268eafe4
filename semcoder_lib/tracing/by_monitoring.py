"""Events from `sys.monitoring`, for Python 3.12 and newer.

Line, return and yield events are switched on for the program's own code objects only. Where these
can all be found from the called function, nothing else is instrumented; otherwise every function
start of the process is looked at until the program's have been found.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

from semcoder_lib.tracing import compiled
from semcoder_lib.tracing.codes import code_objects
from semcoder_lib.tracing.recorder import FILENAME, Recorder, Stop

_TOOL = 4
_NAME = "semcoder"
_frame_at = sys._getframe
_traceback_of = BaseException.__dict__["__traceback__"].__get__
_installed: list[_Source] = []


def run(recorder: Recorder, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls the function with tracing on, whatever it does.

    The callbacks stay registered in this process (switching them is dear) and do nothing while no
    call is traced. A call inside a traced call is not traced anew.
    """
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    if not _installed:
        _installed.append(_Source(monitoring))
    source = _installed[0]
    source.start(recorder, function)
    try:
        return function(*arguments)
    finally:
        source.finish()


class _Source:
    """The callbacks, and the stack of the program's frames that they keep."""

    def __init__(self, monitoring: Any) -> None:
        events = monitoring.events
        self.monitoring = monitoring
        self.always = events.RAISE | events.PY_UNWIND | events.PY_THROW
        self.starts = self.always | events.PY_START
        self.local = (
            events.PY_START | events.LINE | events.PY_RETURN | events.PY_YIELD | events.PY_RESUME
        )
        self.recorder: Any = None
        self.active = 0
        # the frame that runs: its code, itself, its state, the line and the instruction it is at,
        # and what is called for each line
        self.stack: list[list[Any]] = []
        self.suspended: dict[int, list[Any]] = {}
        on_line, on_start = self._closures()
        self.compiled = False  # which of the two are registered
        self.compiled_callbacks: dict[int, Any] = {}
        if compiled.native is not None:
            stops = (Stop, RecursionError)
            self.compiled_callbacks = {
                events.PY_START: compiled.start_callback(on_start, self),
                events.LINE: compiled.line_callback(self.stack, self.halt, stops),
            }
        self.callbacks = {
            events.PY_START: on_start,
            events.LINE: on_line,
            events.PY_RETURN: self.on_return,
            events.PY_YIELD: self.on_yield,
            events.PY_RESUME: self.on_resume,
            events.PY_THROW: self.on_resume,
            events.RAISE: self.on_raise,
            events.PY_UNWIND: self.on_unwind,
        }

    def start(self, recorder: Recorder, function: Callable[..., Any]) -> None:
        monitoring = self.monitoring
        ours = monitoring.get_tool(_TOOL) == _NAME
        if not ours or monitoring.get_events(_TOOL) != self.active:  # as a program may leave it
            if not ours:
                monitoring.use_tool_id(_TOOL, _NAME)
            for event, callback in self.callbacks.items():
                monitoring.register_callback(_TOOL, event, callback)
            self.active = 0
            self.compiled = False
        if self.compiled != recorder.compiled:
            self.compiled = recorder.compiled
            for event, callback in self.compiled_callbacks.items():
                monitoring.register_callback(
                    _TOOL, event, callback if self.compiled else self.callbacks[event]
                )
        self.recorder = recorder
        wanted = self.always
        for raw in code_objects(function, FILENAME):
            if raw is None:
                wanted = self.starts
            elif recorder.code(raw).shown:
                monitoring.set_local_events(_TOOL, raw, self.local)
        if self.active != wanted:
            monitoring.set_events(_TOOL, wanted)
            self.active = wanted

    def finish(self) -> None:
        if not self.recorder.cut:
            if (
                self.monitoring.get_tool(_TOOL) != _NAME
                or self.monitoring.get_events(_TOOL) != self.active
            ):
                self.recorder.flags.append("tampered")
            if self.active != self.always:
                self._off()
        self.stack.clear()
        self.suspended.clear()

    def halt(self) -> None:
        """A bound was reached: the program runs on at its full speed."""
        self.recorder.no_stack()
        self._off()

    def _off(self) -> None:
        self.monitoring.set_events(_TOOL, 0)
        self.active = 0
        for code in list(self.recorder.codes.values()):
            if code.shown:
                self.monitoring.set_local_events(_TOOL, code.code, 0)
        self.stack.clear()
        self.suspended.clear()

    def _closures(self) -> tuple[Any, Any]:
        """The callbacks that run most often."""
        stack, halt = self.stack, self.halt
        disable = self.monitoring.DISABLE
        set_local = self.monitoring.set_local_events

        def on_start(raw: types.CodeType, offset: int) -> Any:
            recorder = self.recorder
            if recorder.cut:
                return None
            code = recorder.codes.get(id(raw))
            if code is None:
                if raw.co_filename != FILENAME:
                    return disable
                code = recorder.code(raw)
                if code.shown:
                    set_local(_TOOL, raw, self.local)
            if not code.shown:
                return disable
            frame = _frame_at(1)
            try:
                state = recorder.enter(code, frame, frame.f_lineno)
            except (Stop, RecursionError):
                halt()
            else:
                stack.append([raw, frame, state, -1, -1, state.advance])
            return None

        def on_line(raw: types.CodeType, line: int) -> Any:
            if not stack:
                return
            top = stack[-1]
            if top[0] is not raw:
                return
            frame = top[1]
            at = frame.f_lasti
            # The same line again is a new visit only if it is entered at its beginning.
            if line != top[3] or at == top[4]:
                top[3] = line
                top[4] = at
                try:
                    top[5](frame, line)
                except (Stop, RecursionError):
                    halt()

        return on_line, on_start

    def _top(self, raw: types.CodeType) -> list[Any] | None:
        return self.stack[-1] if self.stack and self.stack[-1][0] is raw else None

    def on_return(self, raw: types.CodeType, offset: int, value: Any) -> Any:
        if top := self._top(raw):
            self.stack.pop()
            try:
                self.recorder.leave(top[2], top[1], top[1].f_lineno, value)
            except (Stop, RecursionError):
                self.halt()

    def on_yield(self, raw: types.CodeType, offset: int, value: Any) -> Any:
        if top := self._top(raw):
            self.stack.pop()
            frame: types.FrameType = top[1]
            # The frame itself is not kept: it would keep the generator's locals alive.
            self.suspended[id(frame)] = [raw, None, *top[2:]]
            try:
                self.recorder.suspend(top[2], frame, frame.f_lineno, value)
            except (Stop, RecursionError):
                self.halt()

    def on_resume(self, raw: types.CodeType, offset: int, *rest: Any) -> Any:
        if not self.suspended:
            return
        frame = _frame_at(1)
        if frame.f_code is not raw or id(frame) not in self.suspended:
            return
        entry = self.suspended.pop(id(frame))
        if entry[0] is raw:
            entry[1] = frame
            self.recorder.resume()
            self.stack.append(entry)

    def on_raise(self, raw: types.CodeType, offset: int, error: BaseException) -> Any:
        if top := self._top(raw):
            frame: types.FrameType = top[1]
            entry = _traceback_of(error)
            if entry is not None and entry.tb_frame is frame:
                try:
                    self.recorder.raised(top[2], frame, frame.f_lineno, error, entry)
                except (Stop, RecursionError):
                    self.halt()

    def on_unwind(self, raw: types.CodeType, offset: int, error: BaseException) -> Any:
        if top := self._top(raw):
            self.stack.pop()
            try:
                self.recorder.unwind(top[2], top[1])
            except (Stop, RecursionError):
                self.halt()
