"""The tracer as a plug-in of the sandbox: follows the program's frames with `sys.settrace` inside
the child and emits the record of one call as JSON text, once.

A line's changes are known only when the next event of its frame arrives, so a step is appended when
its statement starts and is filled when the statement is over. A step is a list: event, line, frame,
then for `call` and `line` the changes, name and text in turn (None: the name vanished), for the
others a text. An inexact text stands in a list.

Imports little, because every page of the sandbox's zygote makes each of its children dearer.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Mapping
from opcode import opmap
from typing import Any

from semcoder_lib.tracing.beyond import Beyond
from semcoder_lib.tracing.describe import CONSTANT, Describer, arguments_of, is_unchanged, type_name

FILENAME = "<program>"
CALL, LINE, RETURN, EXCEPTION, YIELD = range(5)

# The instruction at which a frame is when it returns, and when it yields (RESUME from 3.13 on).
_RETURNS = {opmap.get("RETURN_VALUE"), opmap.get("RETURN_CONST")}
_YIELDS = {opmap["YIELD_VALUE"], opmap["RESUME"]}
# Frames that are part of one statement: shown as that statement alone (3.12 inlines some of them).
_PARTS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>", "<generic parameters")
_CLASS_NAMES = frozenset(
    {
        "__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__class__",
        "__classcell__", "__classdict__", "__classdictcell__", "__annotations__",
        "__conditional_annotations__", "__type_params__",
    }
)  # fmt: skip
_FUNCTION = 0x1 | 0x2  # CO_OPTIMIZED, CO_NEWLOCALS: what a class body lacks
_SUSPENDS = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator

# A sample of what is traced, for the zygote to warm up on (`sandbox.child.runner.warm`); the
# options are those of `tracer.options`, whose module would weigh down every child.
LIMITS = {"steps": 10_000, "bytes": 1_000_000, "value_nodes": 512, "value_bytes": 4_096}
_SAMPLE = """
def f():
    out, seen = [], {}
    for i, word in enumerate(["a", "bc", "a"]):
        seen[word] = seen.get(word, 0) + (lambda x: x + 1)(i)
        out.append(i)
    return out, seen
"""
WARM: list[tuple[str, str, Any]] = [
    (_SAMPLE, "f", {**LIMITS, "beyond": None, "starts": {}, "order": {}})
]


def call(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    emit: Callable[[str], None],
) -> Any:
    """Calls the function, emits its trace, and returns or raises what it returned or raised.

    `options` are those of `tracer.options`. The trace of a call that outlives a bound is emitted
    when the bound is reached, so that it survives a later timeout. Threads are not traced.
    """
    recorder = Recorder(options, emit)
    hook = recorder.on_call
    sys.settrace(hook)
    try:
        return function(*arguments)
    finally:
        if sys.gettrace() is not hook and not recorder.cut:
            recorder.flags.append("tampered")
        sys.settrace(None)
        recorder.finish()


class Stop(Exception):
    """A bound was reached: nothing is recorded any more."""


class Code:
    """What the recorder needs to know of a code object."""

    __slots__ = ("body", "code", "hides", "order", "shown", "suspends")

    def __init__(self, code: types.CodeType) -> None:
        self.code = code  # kept, so that its id is not used again
        self.suspends = code.co_flags & _SUSPENDS != 0
        self.body = code.co_flags & _FUNCTION != _FUNCTION
        self.hides = self.body or "__class__" in code.co_freevars
        # Up to 3.12 the interpreter deletes `__class__` from the names of such a body when it is
        # traced: the cell of that name, which is still empty, stands for it.
        fragile = self.body and "__class__" in code.co_cellvars and "__class__" in code.co_names
        part = code.co_name.startswith(_PARTS)
        self.shown = code.co_filename == FILENAME and not part and not fragile
        # the order in which frames list their variables differs between versions
        names = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        self.order = {name: place for place, name in enumerate(names)}


class Recorder:
    """Collects the steps of one call, within the bounds of `options`, and emits them."""

    def __init__(self, options: Mapping[str, Any], emit: Callable[[str], None]) -> None:
        self.options = options
        self.emit = emit
        self.describer = Describer(options["value_nodes"], options["value_bytes"])
        self.starts: dict[int, int] = options["starts"]
        self.several = frozenset(self.starts.values())  # statements of several lines
        self.room = options["bytes"]
        self.most = options["steps"]
        self.steps: list[list[Any]] = []
        self.frames: list[tuple[str, int, tuple[str, ...]]] = []
        self.codes: dict[int, Code] = {}
        self.beyond: Beyond | None = None
        self.begun: dict[str, Any] = {}  # texts of what the module held at the first step
        self.depth = -1
        self.cut = ""
        self.sent = False
        self.flags: list[str] = []

    def code(self, code: types.CodeType) -> Code:
        known = self.codes.get(id(code))
        if known is None:
            known = self.codes[id(code)] = Code(code)
        return known

    def on_call(self, running: types.FrameType, event: str, arg: Any) -> Any:
        """The trace function of the interpreter: gives that of a new frame."""
        if running.f_code.co_filename != FILENAME:
            return None
        code = self.code(running.f_code)
        if not code.shown or (code.body and type(running.f_locals) is not dict):
            return None  # a namespace that a metaclass made runs the program's code when it is read
        if code.suspends and running.f_trace is not None:  # it goes on after a yield
            self.depth += 1
            return running.f_trace
        try:
            return self._enter(code, running).on_event
        except Exception as reason:
            self.halt(reason)
            return None

    def _enter(self, code: Code, running: types.FrameType) -> Frame:
        """A frame starts: its arguments are the changes of its `call` step."""
        self.depth += 1
        first = not self.frames
        if first and self.options["beyond"] is not None:
            room = self.options["bytes"] // 2
            self.beyond = Beyond(self.options["beyond"], running.f_globals, room)
        frame = Frame(self, code)
        self.frames.append((code.code.co_name, self.depth, code.code.co_freevars))
        frame.step = self.append(frame, CALL, running.f_lineno)
        frame.over(running)
        if first and self.beyond is not None:
            self.begun = {n: frame.texts[n] for n in self.beyond.of_module if n in frame.texts}
        return frame

    def append(self, frame: Frame, event: int, line: int, text: Any = None) -> list[Any]:
        """Starts a step. Raises `Stop` where a bound is reached."""
        if len(self.steps) >= self.most or self.room < 0:
            self.cut = "steps" if len(self.steps) >= self.most else "bytes"
            self.finish()
            raise Stop
        step: list[Any] = [event, self.starts.get(line, line or 0), frame.index]
        if event not in (CALL, LINE):
            step.append(text)
            self.room -= _size(text)
        self.steps.append(step)
        return step

    def halt(self, reason: Exception) -> None:
        """The program goes on alone: a bound was reached, or the tracer failed, near the
        interpreter's recursion limit (which the program meets itself if it goes deeper) or for want
        of memory."""
        sys.settrace(None)
        name = "recursion" if isinstance(reason, RecursionError) else "failure"
        self.cut = self.cut or name

    def finish(self) -> None:
        """Emits the trace, unless a bound did that already."""
        if self.sent:
            return
        self.sent = True
        if self.beyond is not None and self.beyond.cut:
            self.flags.append("beyond:cut")
        data = {"frames": self.frames, "steps": self.steps, "cut": self.cut, "flags": self.flags}
        self.emit(json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        self.steps = []


class Frame:
    """A frame of the program: its `step` that is not over, the `start` of that statement, its
    `changes` and what they changed (`before`); what is known of the frame's variables (`seen`: the
    value and how to see that it is unchanged; `texts`)."""

    __slots__ = (
        "before", "changes", "closing", "code", "entered_at", "failing", "index", "line",
        "recorder", "seen", "start", "step", "texts",
    )  # fmt: skip

    def __init__(self, recorder: Recorder, code: Code) -> None:
        self.recorder = recorder
        self.code = code
        self.index = len(recorder.frames)
        self.step: list[Any] = []
        self.changes: dict[str, Any] = {}
        self.before: dict[str, Any] = {}
        self.seen: dict[str, tuple[Any, Any]] = {}
        self.texts = dict(recorder.begun)
        self.start = self.line = self.entered_at = -1
        self.failing = self.closing = False

    def on_event(self, running: types.FrameType, event: str, arg: Any) -> Any:
        """The trace function of the frame."""
        try:
            if event == "line":
                self.failing = self.closing = False
                # The same line again is a new visit only if it is entered at its beginning.
                if running.f_lineno != self.line or running.f_lasti == self.entered_at:
                    self._entered(running)
            elif event == "return":
                self._ended(running, arg)
            # a StopIteration that ends a loop comes without an entry for this frame
            elif event == "exception" and arg[2] is not None and arg[2].tb_frame is running:
                self.failing = True
                # from 3.13 on, a generator that does nothing on being closed is just dropped
                self.closing = self.code.suspends and type(arg[1]) is GeneratorExit
                if not self.closing:
                    self._raised(running, arg[1], arg[2])
        except Exception as reason:
            self.recorder.halt(reason)
        return running.f_trace  # itself

    def _entered(self, running: types.FrameType) -> None:
        """A line starts, and with it a statement, unless that goes on over several lines."""
        recorder = self.recorder
        self.line, self.entered_at = running.f_lineno, running.f_lasti
        start = recorder.starts.get(self.line, self.line)
        if start != self.start or start not in recorder.several:
            self.start = start
            self.over(running)
            self.step = recorder.append(self, LINE, start)
            if self.changes:
                self.changes, self.before = {}, {}

    def _ended(self, running: types.FrameType, value: Any) -> None:
        """The frame returns, is suspended, or is left by an exception."""
        suspends = self.code.suspends
        at = running.f_code.co_code[running.f_lasti] if value is None or suspends else None
        yields = suspends and at in _YIELDS
        # None is also told of a frame that an exception ends, at a yield if it was thrown in there
        unwinds = value is None and (self.failing if yields else at not in _RETURNS)
        if not (unwinds and self.closing):  # else nothing has happened in it
            self.over(running)
        self.recorder.depth -= 1
        if unwinds:
            return
        text, exact, _ = self.recorder.describer.describe(value)
        entry = text if exact else [text]
        self.recorder.append(self, YIELD if yields else RETURN, running.f_lineno, entry)

    def _raised(
        self, running: types.FrameType, error: BaseException, entry: types.TracebackType
    ) -> None:
        """An exception passes through the frame, whose place in the traceback is `entry`; a step is
        recorded only if it rises there: no deeper frame of the traceback is a shown one."""
        self.over(running)
        deeper = entry.tb_next
        while deeper is not None:
            if self.recorder.code(deeper.tb_frame.f_code).shown:
                return
            deeper = deeper.tb_next
        text = type_name(type(error))
        arguments = arguments_of(error)
        if arguments:
            argument = arguments[0] if len(arguments) == 1 else arguments
            if type(argument) is str and type(error) is not KeyError:
                text += f": {argument if len(argument) <= 500 else argument[:500] + '…'}"
            else:
                text += f": {self.recorder.describer.describe(argument)[0]}"
        self.recorder.append(self, EXCEPTION, running.f_lineno, [text])

    def over(self, running: types.FrameType) -> None:
        """What changed since the last look goes into the current step."""
        recorder = self.recorder
        present: Mapping[str, Any] = running.f_locals
        if self.code.hides:
            items = [item for item in present.items() if type(item[0]) is str]
            present = {name: value for name, value in items if name not in _CLASS_NAMES}
        beyond = recorder.beyond
        if beyond is not None and not beyond.over:
            present = {**present, **beyond.look(present)}
        seen, texts, describe = self.seen, self.texts, recorder.describer.describe
        changes: list[tuple[str, Any]] = []
        described: dict[int, Any] = {}  # what several names share is described once
        for name, value in present.items():
            known = seen.get(name)
            if known is not None and known[0] is value:
                flat = known[1]
                if flat is CONSTANT or is_unchanged(value, flat):
                    continue
            text, exact, flat = described[id(value)] = described.get(id(value)) or describe(value)
            if flat is None:  # not kept: no object lives longer for being traced
                seen.pop(name, None)
            else:
                seen[name] = value, flat
            entry = text if exact else [text]
            if texts.get(name) != entry:
                self.before.setdefault(name, texts.get(name))
                texts[name] = entry
                changes.append((name, entry))
        if len(texts) != len(present):
            for name in [name for name in texts if name not in present]:
                self.before.setdefault(name, texts.pop(name))
                seen.pop(name, None)
                changes.append((name, None))
        if changes:
            self._fill(changes)

    def _fill(self, changes: list[tuple[str, Any]]) -> None:
        recorder, beyond = self.recorder, self.recorder.beyond
        if len(changes) > 1:
            shared = recorder.options["order"] if self.step[0] == LINE else None
            order, last = shared or self.code.order, 1 << 30
            changes.sort(
                key=lambda change: (
                    change[1] is None, order.get(change[0], last),
                    shared and str(change[0]).rpartition(":")[2],
                )
            )  # fmt: skip
        again = bool(self.changes)  # the statement was interrupted by an exception or a yield
        for name, text in changes:
            if type(name) is not str:  # of the program's making
                continue
            tagged = beyond if name[1:2] == ":" else None
            if tagged is not None and tagged.over and text is None:
                continue  # where looking ends, nothing vanishes
            self.changes[name] = text
            self.step += name, text
            (tagged or recorder).room -= _size(text)
        if again:  # only what is different after it from before it
            net = [(n, text) for n, text in self.changes.items() if text != self.before[n]]
            self.step[3:] = [part for change in net for part in change]


def _size(text: Any) -> int:
    return len(text or "") if type(text) is not list else len(text[0])
