"""The tracer as a plug-in of the sandbox: follows the program's frames with `sys.settrace` inside
the child and emits the trace as JSON text.

Imports little, because every page of the sandbox's zygote makes each of its children dearer.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from opcode import opmap
from typing import Any

from semcoder_lib.tracing.recorder import FILENAME, RETURN, YIELD, Code, Frame, Recorder

# The instruction at which a frame is when it returns, and when it yields (RESUME from 3.13 on).
_RETURNS = {opmap.get("RETURN_VALUE"), opmap.get("RETURN_CONST")}
_YIELDS = {opmap["YIELD_VALUE"], opmap["RESUME"]}

# A sample of what is traced, for the zygote to warm up on (`sandbox.child.runner.warm`); the
# options are those of `TraceLimits`, whose module would weigh down every child.
LIMITS = {
    "steps": 10_000, "bytes": 1_000_000, "seconds": 5.0, "value_nodes": 512, "value_bytes": 4_096,
}  # fmt: skip
_SAMPLE = """
def f():
    out, seen = [], {}
    for i, word in enumerate(["a", "bc", "a"]):
        seen[word] = seen.get(word, 0) + (lambda x: x + 1)(i)
        out.append(i)
    return out, seen
"""
WARM = [(_SAMPLE, "f", LIMITS)]


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Calls the function, emits its trace, and returns or raises what it returned or raised.

    `options` are those of `Recorder`. The trace of a call that outlives a bound is emitted when the
    bound is reached, so that it survives a later timeout. Threads are not traced.
    """
    recorder = Recorder(options, emit)

    def on_call(running: types.FrameType, event: str, arg: Any) -> Any:
        if running.f_code.co_filename != FILENAME:
            return None
        code = recorder.code(running.f_code)
        if not code.shown or (code.body and type(running.f_locals) is not dict):
            return None  # a namespace that a metaclass made runs the program's code when it is read
        if code.suspends and running.f_trace is not None:  # it goes on after a yield
            recorder.depth += 1
            return running.f_trace
        try:
            return _follow(recorder, code, recorder.enter(code, running))
        except Exception as reason:
            _halt(recorder, reason)
            return None

    sys.settrace(on_call)
    try:
        return function(*arguments)
    finally:
        if sys.gettrace() is not on_call and not recorder.cut:
            recorder.flags.append("tampered")
        sys.settrace(None)
        recorder.finish()


def _halt(recorder: Recorder, reason: Exception) -> None:
    """The program goes on alone: a bound was reached, or the tracer failed, near the interpreter's
    recursion limit (which the program meets itself if it goes deeper) or for want of memory."""
    sys.settrace(None)
    name = "recursion" if isinstance(reason, RecursionError) else "failure"
    recorder.cut = recorder.cut or name


def _follow(recorder: Recorder, code: Code, frame: Frame) -> Any:
    """The local trace function of one frame."""
    line = entered_at = -1
    failing = closing = False

    def on_event(running: types.FrameType, event: str, arg: Any) -> Any:
        nonlocal line, entered_at, failing, closing
        try:
            if event == "line":
                failing = closing = False
                # The same line again is a new visit only if it is entered at its beginning.
                if running.f_lineno != line or running.f_lasti == entered_at:
                    line, entered_at = running.f_lineno, running.f_lasti
                    recorder.line(frame, running)
            elif event == "return":
                ended(running, arg)
            elif event == "exception":
                error, entry = arg[1], arg[2]
                # a StopIteration that ends a loop comes without an entry for this frame
                if entry is not None and entry.tb_frame is running:
                    failing = True
                    # from 3.13 on, a generator that does nothing on being closed is just dropped
                    closing = code.suspends and type(error) is GeneratorExit
                    if not closing:
                        recorder.raised(frame, running, error, entry)
        except Exception as reason:
            _halt(recorder, reason)
        return running.f_trace  # itself; its own name would keep it alive

    def ended(running: types.FrameType, value: Any) -> None:
        at = running.f_code.co_code[running.f_lasti] if value is None or code.suspends else None
        yields = code.suspends and at in _YIELDS
        # None is also told of a frame that an exception ends, at a yield if it was thrown in there
        if value is None and (failing if yields else at not in _RETURNS):
            recorder.unwind(frame, running, looks=not closing)
        else:
            recorder.leave(frame, running, YIELD if yields else RETURN, value)

    return on_event
