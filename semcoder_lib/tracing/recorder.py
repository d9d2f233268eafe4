"""What both event sources share: frames, the changes of a line, bounds, the payload.

An event source follows each frame of the program with a `Frame` and tells it of events. A line's
changes are known only when the next event of its frame arrives, so a step is appended when its line
starts and is filled when it is over.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import types
from collections.abc import Callable, Mapping
from itertools import chain
from json import encoder
from operator import is_not
from typing import Any

from semcoder_lib.tracing import compiled
from semcoder_lib.tracing.beyond import Beyond
from semcoder_lib.tracing.describe import Describer, Watch, unchanged

FILENAME = "<program>"
CALL, LINE, RETURN, EXCEPTION, YIELD = range(5)
EVENTS = ("call", "line", "return", "exception", "yield")
# The head of a step is one number, since each number costs time to encode: the event, from this
# bit on the line, from this one the frame.
LINE_AT, INDEX_AT = 3, 35
_LINES = 1 << LINE_AT

# Frames that are part of one statement: shown as that statement alone (3.12 inlines some of them).
HIDDEN = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>"})
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
_IN_ORDER = sys.version_info >= (3, 13)  # a frame lists its variables as its code does


_describer = functools.lru_cache(maxsize=4)(Describer)


class Stop(Exception):
    """A bound was reached: the event source stops."""


class Code:
    """What the recorder needs to know of a code object."""

    __slots__ = ("cells", "code", "hides_names", "order", "plain", "shown", "suspends")

    def __init__(self, code: types.CodeType) -> None:
        self.code = code  # kept, so that its id is not used again
        name = code.co_name
        self.shown = code.co_filename == FILENAME and not (
            name[:1] == "<" and (name in HIDDEN or name.startswith("<generic parameters"))
        )
        flags = code.co_flags
        self.suspends = flags & _SUSPENDS != 0
        self.order: dict[str, int] = {}  # of the variables; filled when it is first needed
        self.cells = bool(code.co_cellvars or code.co_freevars)
        self.hides_names = flags & _FUNCTION != _FUNCTION or "__class__" in code.co_freevars
        self.plain = compiled.is_plain(code)


class Frame:
    """One frame of the program. `advance(frame, number)` puts what changed since the last event
    into the current step and starts the step of the next line; with None, it starts none."""

    __slots__ = ("advance", "depth", "index")

    def __init__(
        self, index: int, depth: int, advance: Callable[[types.FrameType, int | None], None]
    ) -> None:
        self.index = index
        self.depth = depth
        self.advance = advance


class Recorder(compiled.Bounds):
    """Collects the steps of one call and emits them, once. `limits` are the fields of
    `TraceLimits`.

    A step is a list: its head, then what the event has: for `call` and `line` the changes, name and
    text in turn (None: the name vanished), for the others a text. An inexact text stands in a list.
    The payload has all steps in one list; a number starts the next step.
    """

    def __init__(self, limits: Mapping[str, Any], emit: Callable[[str], None]) -> None:
        self.emit = emit
        self.beyond: Beyond | None = None
        self.looks_beyond = limits.get("beyond")  # the globals to look at; None: look at nothing
        self.room_beyond = limits["bytes"] // 2
        self.begun: tuple[dict[str, Any], dict[str, Any]] | None = None
        describer = _describer(limits["value_nodes"], limits["value_bytes"])
        self.describe, self.again, self.short = describer.describe, describer.again, describer.short
        self.compiled = compiled.usable(limits)
        self.told = (
            (describer.describe, describer.again, unchanged),
            describer.nodes,
            describer.size,
            describer.short,
        )
        self.max_steps = limits["steps"]
        self.room = limits["bytes"]
        self.next_check = min(self.max_steps, _CLOCK_EVERY)
        self.seconds = limits["seconds"]
        self.deadline = 0.0
        self.steps: list[list[Any]] = []
        self.frames: list[tuple[str, int, tuple[str, ...]]] = []
        self.codes: dict[int, Code] = {}
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

    def enter(self, code: Code, running: types.FrameType, line: int) -> Frame:
        """A frame starts: its arguments are the changes of its `call` step."""
        self.depth += 1
        index = len(self.frames)
        if index == 0 and self.looks_beyond is not None:
            self.beyond = Beyond(self.looks_beyond, running.f_globals, self.room_beyond)
        self.frames.append((code.code.co_name, self.depth, code.code.co_freevars))
        step: list[Any] = [CALL | (line or 0) << LINE_AT | index << INDEX_AT]
        self.append(step)
        if code.plain and self.compiled and self.beyond is None:
            head = LINE | index << INDEX_AT
            advance = compiled.follow(
                self, code, index, head, step, code.code, self.steps, *self.told
            )
        else:
            # what a global was when the trace began is said once
            fixed, texts = self.begun or ({}, {})
            advance = self._follow(code, index, step, dict(fixed), {}, dict(texts), 1, False)
        frame = Frame(index, self.depth, advance)
        advance(running, None)
        return frame

    def leave(self, frame: Frame, running: types.FrameType, line: int, value: Any) -> None:
        frame.advance(running, None)
        self.depth = frame.depth - 1
        self._told(RETURN, frame, line, value)

    def unwind(self, frame: Frame, running: types.FrameType) -> None:
        frame.advance(running, None)
        self.depth = frame.depth - 1

    def suspend(self, frame: Frame, running: types.FrameType, line: int, value: Any) -> None:
        frame.advance(running, None)
        self.depth -= 1
        self._told(YIELD, frame, line, value)

    def resume(self) -> None:
        self.depth += 1

    def raised(
        self,
        frame: Frame,
        running: types.FrameType,
        line: int,
        error: BaseException,
        entry: types.TracebackType,
    ) -> None:
        """An exception passes through `frame`, whose entry in the traceback is `entry`; a step is
        recorded only if it rises there."""
        frame.advance(running, None)
        if type(error) is GeneratorExit or not self._rises(entry):
            return
        text = self._exception_text(error)
        self.room -= len(text)
        self.append([_head(EXCEPTION, frame, line), [text]])

    def _told(self, event: int, frame: Frame, line: int, value: Any) -> None:
        text, exact, _ = self.describe(value)
        self.room -= len(text)
        self.append([_head(event, frame, line), text if exact else [text]])

    def _rises(self, entry: types.TracebackType) -> bool:
        """No deeper frame of the traceback is a shown one."""
        deeper = entry.tb_next
        while deeper is not None:
            if self.code(deeper.tb_frame.f_code).shown:
                return False
            deeper = deeper.tb_next
        return True

    def _exception_text(self, error: BaseException) -> str:
        """`ValueError: message`, from the exact built-in arguments alone."""
        name = _type_name(type(error))[:80]
        arguments = _arguments_of(error)
        if not arguments:
            return str(name)
        if len(arguments) > 1:
            return f"{name}: {self.describe(arguments)[0]}"
        first = arguments[0]
        if type(first) is str and type(error) is not KeyError:
            return f"{name}: {first if len(first) <= 500 else first[:500] + '…'}"
        return f"{name}: {self.describe(first)[0]}"

    # --- changes -----------------------------------------------------------------------------

    def _follow(
        self,
        code: Code,
        index: int,
        step: list[Any],
        fixed: dict[str, Any],
        watched: dict[str, Any],
        texts: dict[str, Any],
        start: int,
        begun: bool,
    ) -> Callable[[types.FrameType, int | None], None]:
        """The function of a `Frame`: one closure, since it runs at every line.

        `fixed` are values that cannot change while they are the same object; `watched` the others:
        the value, what it holds if that is flat, watch; `texts` those of all names, None for short
        scalars, which are compared. They are empty, unless the frame was followed otherwise so far.
        """
        known, watch_of = fixed.get, watched.get
        short, same, slowly = self.short, unchanged, self._describe
        steps = self.steps
        head = LINE | index << INDEX_AT
        sorts = code.cells or (begun and not _IN_ORDER)  # else the arguments stand in order
        hides = code.hides_names
        beyond = self.beyond

        def advance(frame: types.FrameType, line: int | None) -> None:
            nonlocal step, start, sorts
            items: Any = frame.f_locals.items()
            if hides:
                items = {n: v for n, v in items if n not in _CLASS_NAMES}.items()
            if beyond is not None and not beyond.over:
                local = dict(items)
                items = {**local, **beyond.look(local)}.items()
            for name, value in items:
                if (old := known(name, fixed)) is value:
                    continue
                kind = type(value)
                text: Any
                if (
                    (kind is int and -999_999_999 < value < 999_999_999)
                    or (kind is str and len(value) < short)
                    or kind is bool
                    or value is None
                ):
                    fixed[name] = value
                    if type(old) is kind and old == value:
                        continue
                    texts[name] = None
                    if watched:
                        watched.pop(name, None)
                    text = f"{value!r}"
                else:
                    if (seen := watch_of(name)) is not None and seen[0] is value:
                        flat = seen[1]
                        if flat is not None:
                            if len(value) == len(flat) and not any(map(is_not, value, flat)):
                                continue
                        elif same(seen[2]):
                            continue
                        text = slowly(name, value, seen[2], fixed, watched, texts)
                    else:
                        text = slowly(name, value, None, fixed, watched, texts)
                    if text is None:
                        continue
                step += name, text
                if beyond is not None and name[1:2] == ":":
                    beyond.room -= len(text)
                    continue
                room = self.room = self.room - len(text)
                if room < 0:
                    self.next_check = 0
            if len(texts) != len(items):
                present = dict(items)
                for name in [name for name in texts if name not in present]:
                    del texts[name]
                    fixed.pop(name, None)
                    watched.pop(name, None)
                    if beyond is None or name[1:2] != ":" or not beyond.over:
                        step += name, None
                _sort_changes(code, step, start)
            elif sorts and len(step) - start > 2:
                _sort_changes(code, step, start)
            if line is not None:
                step = [head + line * _LINES]
                start = 1
                if len(steps) >= self.next_check:
                    self._look()
                steps.append(step)
            else:
                start = len(step)
                sorts = sorts or not _IN_ORDER
                if beyond is not None and self.begun is None:
                    names = [name for name in beyond.of_module if name in texts]
                    self.begun = (
                        {name: fixed[name] for name in names if name in fixed},
                        {name: texts[name] for name in names},
                    )

        return advance

    def _describe(
        self,
        name: str,
        value: Any,
        watch: Watch | None,
        fixed: dict[str, Any],
        watched: dict[str, Any],
        texts: dict[str, Any],
    ) -> Any:
        """The new text of a variable whose value is no short scalar, in a list if it is inexact;
        None if it is the former one. `watch` says what the very same value held before."""
        former = texts.get(name)
        if watch is None:
            text, exact, watch = self.describe(value)
        else:
            text, exact, watch = self.again(value, watch, former)
        found: Any = text
        if not exact:
            self.room -= len(text)
            found = [text]
        if watch:
            fixed.pop(name, None)
            # a flat list is compared here and now, everything else by a call
            _, size, flat, _ = watch[0]
            if type(value) is not list or len(watch) > 1 or len(flat) != size:
                watched[name] = value, None, watch
            else:
                watched[name] = value, flat, watch
        else:
            watched.pop(name, None)
            if watch is None:
                fixed.pop(name, None)
            else:
                fixed[name] = value
        if found == former:
            return None
        texts[name] = found
        return found

    # --- bounds and payload ------------------------------------------------------------------

    def append(self, step: list[Any]) -> None:
        if len(self.steps) >= self.next_check or self.room < 0:
            self._look()
        self.steps.append(step)

    def _look(self) -> None:
        """Before a step is appended: is there room, is there time?"""
        count = len(self.steps)
        if count >= self.max_steps:
            self._stop("steps")
        if self.room < 0:
            self._stop("bytes")
        now = time.process_time()
        self.deadline = self.deadline or now + self.seconds
        if now > self.deadline:
            self._stop("seconds")
        self.next_check = min(self.max_steps, count + _CLOCK_EVERY)

    def _stop(self, reason: str) -> None:
        self.cut = reason
        self._send()
        raise Stop

    def no_stack(self) -> None:
        """The interpreter's recursion limit was met in the recorder: the program goes on alone, and
        meets it itself if it goes deeper."""
        self.cut = self.cut or "recursion"

    def finish(self) -> None:
        """The call is over: emit the trace, unless a bound did that already."""
        if not self.sent:
            self._send()

    def _send(self) -> None:
        text = None
        if self.beyond is not None and self.beyond.cut:
            self.flags.append("beyond:cut")
        if self.compiled:
            text = compiled.payload(self.frames, self.steps, self.cut, self.flags)
        if text is None:
            steps = [*chain.from_iterable(self.steps)]
            data = {"frames": self.frames, "steps": steps, "cut": self.cut, "flags": self.flags}
            text = "".join(_encode(data, 0))
        self.emit(text)
        self.sent = True
        self.steps.clear()


def _head(event: int, frame: Frame, line: int) -> int:
    return event | (line or 0) << LINE_AT | frame.index << INDEX_AT


def _sort_changes(code: Code, step: list[Any], start: int) -> None:
    """Changes in the order in which the function's code names its variables, vanished names last:
    the order of a frame's locals differs between versions of the interpreter."""
    order = code.order
    if not order:
        raw = code.code
        for name in (*raw.co_varnames, *raw.co_cellvars, *raw.co_freevars):
            order.setdefault(name, len(order))  # 3.11 lists an argument that is a cell twice
    last = len(order)
    ranks = [order.get(name, last) for name in step[start::2]]
    if step[-1] is not None and ranks == sorted(ranks):
        return
    pairs = list(zip(step[start::2], step[start + 1 :: 2], strict=True))
    pairs.sort(key=lambda pair: (pair[1] is None, order.get(pair[0], last)))
    step[start:] = [part for pair in pairs for part in pair]


def _encoder() -> Callable[[Any, int], Any]:
    """The encoder inside `json`, made once instead of at every call."""
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:
        plain = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
        return lambda data, _: plain.encode(data)
    write = encoder.encode_basestring
    return make(None, None, write, None, ":", ",", False, False, True)


_encode = _encoder()
_type_name = type.__dict__["__name__"].__get__
_arguments_of = BaseException.__dict__["args"].__get__
