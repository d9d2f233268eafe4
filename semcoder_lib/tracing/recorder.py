"""What both event sources share: frames, the changes of a line, bounds, the payload.

An event source calls `enter`, `line`, `leave`, `suspend`, `resume` and `raised`; the recorder keeps
the steps. A line's changes are known only when the next event of its frame arrives, so a step is
appended when its line starts and is filled when it is over.
"""

from __future__ import annotations

import json
import time
import types
from collections.abc import Callable, Mapping
from typing import Any

from semcoder_lib.tracing.describe import ATOMS, SCALARS, Describer, unchanged

FILENAME = "<program>"
CALL, LINE, RETURN, EXCEPTION, YIELD = range(5)
EVENTS = ("call", "line", "return", "exception", "yield")

# Frames that are part of one statement: shown as that statement alone (3.12 inlines some of them).
_HIDDEN = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>"})
_CLASS_NAMES = frozenset(
    {
        "__module__", "__qualname__", "__firstlineno__", "__static_attributes__", "__class__",
        "__classcell__", "__classdict__", "__classdictcell__", "__annotations__",
        "__conditional_annotations__", "__type_params__",
    }
)  # fmt: skip
_FUNCTION = 0x1 | 0x2  # CO_OPTIMIZED, CO_NEWLOCALS: what a class body lacks
_SUSPENDS = 0x20 | 0x80 | 0x200  # generator, coroutine, async generator


class Stop(Exception):
    """A bound was reached: the event source stops."""


class Code:
    """What the recorder needs to know of a code object."""

    __slots__ = ("code", "hides_names", "order", "shown", "suspends")

    def __init__(self, code: types.CodeType) -> None:
        self.code = code  # kept, so that its id is not used again
        name = code.co_name
        self.shown = (
            code.co_filename == FILENAME
            and name not in _HIDDEN
            and not name.startswith("<generic parameters")
        )
        self.suspends = bool(code.co_flags & _SUSPENDS)
        self.hides_names = code.co_flags & _FUNCTION != _FUNCTION or "__class__" in code.co_freevars
        names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        self.order = {name: place for place, name in enumerate(names)}


class Frame:
    """The state of one frame: its number, its current line, what its locals were last."""

    __slots__ = ("at", "at_offset", "changes", "code", "depth", "index", "seen")

    def __init__(self, index: int, code: Code, depth: int) -> None:
        self.index = index
        self.code = code
        self.depth = depth
        self.at = -1  # the line that runs, and the instruction at which it was entered
        self.at_offset = -1
        self.changes: list[Any] = []
        self.seen: dict[str, Any] = {}


class Recorder:
    """Collects the steps of one call. `limits` are the fields of `TraceLimits`, as a dict."""

    def __init__(self, limits: Mapping[str, Any], emit: Callable[[str], None]) -> None:
        self.emit = emit
        self.describe = Describer(limits["value_nodes"], limits["value_bytes"]).describe
        self.max_steps = limits["steps"]
        self.max_bytes = limits["bytes"]
        self.deadline = time.process_time() + limits["seconds"]
        self.steps: list[list[Any]] = []
        self.frames: list[tuple[str, int, int]] = []
        self.codes: dict[int, Code] = {}
        self.depth = -1
        self.bytes = 0
        self.cut = ""
        self.flags: list[str] = []

    def code(self, code: types.CodeType) -> Code:
        known = self.codes.get(id(code))
        if known is None:
            known = self.codes[id(code)] = Code(code)
        return known

    # --- events ------------------------------------------------------------------------------

    def enter(self, code: Code, names: Mapping[str, Any], line: int) -> Frame:
        self.depth += 1
        frame = Frame(len(self.frames), code, self.depth)
        self.frames.append((code.code.co_name, self.depth, line))
        step = [CALL, line, frame.index, frame.changes]
        self.collect(frame, names)
        self.append(step)
        return frame

    def line(self, frame: Frame, names: Mapping[str, Any], line: int) -> None:
        """A new line starts, so the one before is over."""
        self.collect(frame, names)
        frame.at = line
        changes: list[Any] = []
        frame.changes = changes
        self.append([LINE, line, frame.index, changes])

    def leave(self, frame: Frame, names: Mapping[str, Any], line: int, value: Any) -> None:
        self.collect(frame, names)
        self.depth = frame.depth - 1
        text, exact, _ = self.describe(value)
        self.bytes += len(text)
        self.append([RETURN, line, frame.index, [], text, exact])

    def unwind(self, frame: Frame, names: Mapping[str, Any]) -> None:
        self.collect(frame, names)
        self.depth = frame.depth - 1

    def suspend(self, frame: Frame, names: Mapping[str, Any], line: int, value: Any) -> None:
        self.collect(frame, names)
        self.depth -= 1
        text, exact, _ = self.describe(value)
        self.bytes += len(text)
        self.append([YIELD, line, frame.index, [], text, exact])

    def resume(self, frame: Frame) -> None:
        self.depth += 1

    def raised(
        self,
        frame: Frame,
        names: Mapping[str, Any],
        line: int,
        error: BaseException,
        entry: types.TracebackType,
    ) -> None:
        """An exception passes through `frame`, whose entry in the traceback is `entry`; a step is
        recorded only if it rises there."""
        self.collect(frame, names)
        if type(error) is GeneratorExit or not self._rises(entry):
            return
        text = self.describe_exception(error)
        self.bytes += len(text)
        self.append([EXCEPTION, line, frame.index, [], text, False])

    def _rises(self, entry: types.TracebackType) -> bool:
        """No deeper frame of the traceback is a shown one."""
        deeper = entry.tb_next
        while deeper is not None:
            if self.code(deeper.tb_frame.f_code).shown:
                return False
            deeper = deeper.tb_next
        return True

    def describe_exception(self, error: BaseException) -> str:
        """`ValueError: message`, from the exact built-in arguments alone."""
        name = _type_name(type(error))[:80]
        arguments = _arguments_of(error)
        if not arguments:
            return str(name)
        if len(arguments) == 1:
            first = arguments[0]
            if type(first) is str and type(error) is not KeyError:
                text = first if len(first) <= 500 else first[:500] + "…"
            else:
                text = self.describe(first)[0]
        else:
            text = self.describe(arguments)[0]
        return f"{name}: {text}"

    # --- changes -----------------------------------------------------------------------------

    def collect(self, frame: Frame, names: Mapping[str, Any]) -> None:
        """Puts what changed since the last event of this frame into its current step."""
        seen = frame.seen
        changes = frame.changes
        before = len(changes)
        hides = frame.code.hides_names
        count = 0
        for name, value in names.items():
            kind = type(value)
            old = seen.get(name)
            if old is not None and type(kind) is type and old[0] is kind:
                if kind in SCALARS:
                    if old[1] is value:
                        count += 1
                        continue
                elif (old[2] is not None and unchanged(value, old[2])) or (
                    old[1] is value and kind in ATOMS
                ):
                    count += 1
                    continue
            if hides and name in _CLASS_NAMES:
                continue
            count += 1
            text, exact, snapshot = self.describe(value)
            held = value if type(kind) is type and kind in ATOMS else None
            seen[name] = (kind, held, snapshot, text)
            if old is None or old[3] != text:
                changes.append((name, text) if exact else (name, text, 0))
                self.bytes += len(text)
        if count < len(seen):
            for name in [name for name in seen if name not in names]:
                del seen[name]
                changes.append((name, None))
        if len(changes) - before > 1:
            order = frame.code.order
            changes[before:] = sorted(
                changes[before:], key=lambda c: (c[1] is None, order.get(c[0], 1 << 30))
            )

    # --- bounds and payload ------------------------------------------------------------------

    def append(self, step: list[Any]) -> None:
        steps = self.steps
        if len(steps) >= self.max_steps:
            self.stop("steps")
        steps.append(step)
        if self.bytes > self.max_bytes:
            self.stop("bytes")
        if not len(steps) & 255 and time.process_time() > self.deadline:
            self.stop("seconds")

    def stop(self, reason: str) -> None:
        self.cut = reason
        self._send()
        self.steps = []
        raise Stop

    def finish(self) -> None:
        """The call is over: emit the trace, unless a bound did that already."""
        if not self.cut:
            self._send()

    def _send(self) -> None:
        data = {
            "frames": self.frames,
            "steps": self.steps,
            "cut": self.cut,
            "flags": self.flags,
        }
        self.emit(_dumps(data))


# Made once: json.dumps with options builds a new encoder each time.
_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
_type_name = type.__dict__["__name__"].__get__
_arguments_of = BaseException.__dict__["args"].__get__
