"""The record of one call: frames, the changes of each statement, bounds, the payload.

Runs inside the child. A line's changes are known only when the next event of its frame arrives, so
a step is appended when its line starts and is filled when the line is over.
"""

from __future__ import annotations

import json
import time
import types
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.tracing.beyond import Beyond
from semcoder_lib.tracing.describe import CONSTANT, Describer, unchanged
from semcoder_lib.tracing.objects import exception_arguments, type_name

FILENAME = "<program>"
CALL, LINE, RETURN, EXCEPTION, YIELD = range(5)
EVENTS = ("call", "line", "return", "exception", "yield")

# Frames that are part of one statement: shown as that statement alone (3.12 inlines some of them).
_PARTS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>"})
_CLASS_NAMES = frozenset(
    {
        "__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__class__",
        "__classcell__", "__classdict__", "__classdictcell__", "__annotations__",
        "__conditional_annotations__", "__type_params__",
    }
)  # fmt: skip
_FUNCTION = 0x1 | 0x2  # CO_OPTIMIZED, CO_NEWLOCALS: what a class body lacks
_SUSPENDS = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator
_CLOCK_EVERY = 256  # steps between two looks at the clock


class Stop(Exception):
    """A bound was reached: nothing is recorded any more."""


class Code:
    """What the recorder needs to know of a code object."""

    __slots__ = ("body", "code", "hides", "order", "shown", "suspends")

    def __init__(self, code: types.CodeType) -> None:
        self.code = code  # kept, so that its id is not used again
        name, flags = code.co_name, code.co_flags
        self.suspends = flags & _SUSPENDS != 0
        self.body = flags & _FUNCTION != _FUNCTION
        self.hides = self.body or "__class__" in code.co_freevars
        # Up to 3.12 the interpreter deletes `__class__` from the names of such a body when it is
        # traced: the cell of that name, which is still empty, stands for it.
        fragile = self.body and "__class__" in code.co_cellvars and "__class__" in code.co_names
        part = name in _PARTS or name.startswith("<generic parameters")
        self.shown = code.co_filename == FILENAME and not part and not fragile
        # the order in which frames list their variables differs between versions
        names = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        self.order = {name: place for place, name in enumerate(names)}


class Frame:
    """A frame of the program: its step that is not over, what is known of its variables (`seen`:
    the value and how to see that it is unchanged; `texts`)."""

    __slots__ = ("code", "index", "seen", "step", "texts")

    def __init__(self, code: Code, index: int, texts: dict[str, Any]) -> None:
        self.code = code
        self.index = index
        self.step: list[Any] = []
        self.seen: dict[str, tuple[Any, Any]] = {}
        self.texts = texts


class Recorder:
    """Collects the steps of one call and emits them, once. `options` are the fields of
    `TraceLimits`, `values` (false: steps without values) and `beyond` (see `Beyond`; None: nothing
    beyond variables is looked at).

    A step is a list: event, line, frame, then for `call` and `line` the changes, name and text in
    turn (None: the name vanished), for the others a text. An inexact text stands in a list.
    """

    def __init__(self, options: Mapping[str, Any], emit: Callable[[str], None]) -> None:
        self.options = options
        self.emit = emit
        self.describer = Describer(options["value_nodes"], options["value_bytes"])
        self.values = options.get("values", True)
        self.room = options["bytes"]
        self.next_check = min(options["steps"], _CLOCK_EVERY)
        self.deadline = 0.0
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

    # --- events ------------------------------------------------------------------------------

    def enter(self, code: Code, running: types.FrameType) -> Frame:
        """A frame starts: its arguments are the changes of its `call` step."""
        self.depth += 1
        first = not self.frames
        if first and self.values and self.options.get("beyond") is not None:
            room = self.options["bytes"] // 2
            self.beyond = Beyond(self.options["beyond"], running.f_globals, room)
        frame = Frame(code, len(self.frames), dict(self.begun))
        self.frames.append((code.code.co_name, self.depth, code.code.co_freevars))
        self.append(frame, CALL, running.f_lineno)
        self.over(frame, running)
        if first and self.beyond is not None:
            self.begun = {n: frame.texts[n] for n in self.beyond.of_module if n in frame.texts}
        return frame

    def line(self, frame: Frame, running: types.FrameType) -> None:
        self.over(frame, running)
        self.append(frame, LINE, running.f_lineno)

    def leave(self, frame: Frame, running: types.FrameType, event: int, value: Any) -> None:
        """The frame returns (`RETURN`) or is suspended (`YIELD`)."""
        self.over(frame, running)
        self.depth -= 1
        entry = None
        if self.values:
            text, exact, _ = self.describer.describe(value)
            entry = text if exact else [text]
        self.append(frame, event, running.f_lineno, entry)

    def unwind(self, frame: Frame, running: types.FrameType, looks: bool) -> None:
        """An exception ends the frame; without `looks` nothing has happened in it."""
        if looks:
            self.over(frame, running)
        self.depth -= 1

    def raised(
        self,
        frame: Frame,
        running: types.FrameType,
        error: BaseException,
        entry: types.TracebackType,
    ) -> None:
        """An exception passes through `frame`, whose entry in the traceback is `entry`; a step is
        recorded only if it rises there: no deeper frame of the traceback is a shown one."""
        self.over(frame, running)
        deeper = entry.tb_next
        while deeper is not None:
            if self.code(deeper.tb_frame.f_code).shown:
                return
            deeper = deeper.tb_next
        self.append(frame, EXCEPTION, running.f_lineno, [self._exception_text(error)])

    def _exception_text(self, error: BaseException) -> str:
        """`ValueError: message`, from the exact built-in arguments alone."""
        name = type_name(type(error))
        arguments = exception_arguments(error)
        if not arguments:
            return name
        first = arguments[0] if len(arguments) == 1 else arguments
        if type(first) is str and type(error) is not KeyError:
            return f"{name}: {first if len(first) <= 500 else first[:500] + '…'}"
        return f"{name}: {self.describer.describe(first)[0]}"

    # --- changes -----------------------------------------------------------------------------

    def over(self, frame: Frame, running: types.FrameType) -> None:
        """What changed since the frame's last event goes into its current step."""
        if not self.values:
            return
        present: Mapping[str, Any] = running.f_locals
        if frame.code.hides:
            items = [item for item in present.items() if type(item[0]) is str]
            present = {name: value for name, value in items if name not in _CLASS_NAMES}
        if self.beyond is not None and not self.beyond.over:
            present = {**present, **self.beyond.look(present)}
        seen, texts = frame.seen, frame.texts
        changes: list[tuple[str, Any]] = []
        for name, value in present.items():
            known = seen.get(name)
            if known is not None and known[0] is value:
                flat = known[1]
                if flat is CONSTANT or unchanged(value, flat):
                    continue
            text, exact, flat = self.describer.describe(value)
            if flat is None:  # not kept: no object lives longer for being traced
                seen.pop(name, None)
            else:
                seen[name] = value, flat
            entry = text if exact else [text]
            if texts.get(name) != entry:
                texts[name] = entry
                changes.append((name, entry))
        if len(texts) != len(present):
            for name in [name for name in texts if name not in present]:
                del texts[name]
                seen.pop(name, None)
                changes.append((name, None))
        if not changes:
            return
        # a program may add names of other types; and where looking ends, nothing vanishes
        blind = self.beyond is not None and self.beyond.over
        changes = [
            (name, text)
            for name, text in changes
            if type(name) is str and not (blind and text is None and name[1:2] == ":")
        ]
        if len(changes) > 1:
            order, last = frame.code.order, len(frame.code.order)
            changes.sort(key=lambda change: (change[1] is None, order.get(change[0], last)))
        for name, text in changes:
            frame.step += name, text
            size = 0 if text is None else len(text if type(text) is str else text[0])
            if self.beyond is not None and name[1:2] == ":":
                self.beyond.room -= size
            else:
                self.room -= size

    # --- bounds and payload ------------------------------------------------------------------

    def append(self, frame: Frame, event: int, line: int, text: Any = None) -> None:
        """Starts a step. Raises `Stop` where a bound is reached."""
        if len(self.steps) >= self.next_check or self.room < 0:
            self._look()
        step = [event, line or 0, frame.index]
        self.steps.append(step)
        if event in (CALL, LINE):
            frame.step = step
        else:
            step.append(text)
            self.room -= len(text or "") if type(text) is not list else len(text[0])

    def _look(self) -> None:
        """Is there room, is there time?"""
        count = len(self.steps)
        now = time.process_time()
        self.deadline = self.deadline or now + self.options["seconds"]
        if count >= self.options["steps"]:
            self.cut = "steps"
        elif self.room < 0:
            self.cut = "bytes"
        elif now > self.deadline:
            self.cut = "seconds"
        if self.cut:
            self.finish()
            raise Stop
        self.next_check = min(self.options["steps"], count + _CLOCK_EVERY)

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
