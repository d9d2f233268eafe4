"""From the payload of a child to the steps of a `Trace`. The payload is the word of an untrusted
process, so everything in it is checked, and nothing in it is evaluated."""

from __future__ import annotations

import json
from typing import Any

from semcoder_lib.core.records import Change, Step
from semcoder_lib.tracing.beyond import SCOPES
from semcoder_lib.tracing.recorder import CALL, EVENTS, EXCEPTION, LINE
from semcoder_lib.tracing.statements import layout


class Malformed(ValueError):
    """The payload is not one that the tracer writes."""


def read_payload(payload: str, source: str = "") -> tuple[tuple[Step, ...], str, tuple[str, ...]]:
    """(steps, cut, flags) from a payload; lines are those of whole statements of `source`.

    Raises `Malformed`.
    """
    try:
        data = json.loads(payload)
        cut, flags = data["cut"], tuple(data["flags"])
        if not all(isinstance(text, str) for text in (cut, *flags)):
            raise Malformed("cut or flags")
        frames = [_Frame(str(n), int(d), frozenset(map(str, f))) for n, d, f in data["frames"]]
        steps = _steps(data["steps"], frames, source)
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return tuple(steps), cut, flags


class _Open:
    """A statement that may still run."""

    def __init__(self, line: int, index: int, value: str | None) -> None:
        self.line = line
        self.index = index
        self.value = value
        self.changes: list[Change] = []


class _Frame:
    """`free` are the names that the frame shares with a function around it; `known` are the texts
    of its variables and of what is beyond them, by scope and name."""

    def __init__(self, name: str, depth: int, free: frozenset[str]) -> None:
        self.name = name
        self.depth = depth
        self.free = free
        self.known: dict[tuple[str, str], str] = {}
        self.open: _Open | None = None

    def changes(self, raw: list[Any]) -> list[Change]:
        changes = []
        for name, part in zip(raw[::2], raw[1::2], strict=True):
            text, exact = _text(part)
            if type(name) is not str:
                raise Malformed("name")
            scope = "cell" if name in self.free else "local"
            if name[1:2] == ":":
                scope, name = SCOPES[name[0]], name[2:]
            changes.append(Change(name, text, exact, scope))
        return changes

    def close(self, order: dict[str, int]) -> None:
        """Keep of a statement's changes what is different after it from before it."""
        if self.open is None:
            return
        kept = []
        for change in {(c.scope, c.name): c for c in self.open.changes}.values():
            key = change.scope, change.name
            if change.text is not None:
                if self.known.get(key) == change.text:
                    continue
                self.known[key] = change.text
            elif self.known.pop(key, None) is None and not is_beyond(change):
                continue
            kept.append(change)
        if order and len(kept) > 1:
            last = len(order)
            kept.sort(key=lambda c: (c.text is None, order.get(c.name, last), c.name))
        self.open.changes = kept


def _steps(raw: list[list[Any]], frames: list[_Frame], source: str) -> list[Step]:
    """Folds the lines of one statement into one step."""
    shape = layout(source)
    # the child has folded the repeats within one line, so a repeat is a new visit, unless the
    # statement has several lines
    several = frozenset(shape.starts.values())
    steps: list[_Open | Step] = []
    failure: str | None = None
    for event, line, index, *rest in raw:
        if not (type(event) is type(line) is type(index) is int) or min(event, line, index) < 0:
            raise Malformed("step")
        line = shape.starts.get(line, line)
        frame = frames[index]
        if event == LINE:
            if frame.open is None or frame.open.line != line or line not in several:
                frame.close(shape.order)
                frame.open = _Open(line, index, failure if line in shape.handlers else None)
                steps.append(frame.open)
            frame.open.changes.extend(frame.changes(rest))
            continue
        changes = frame.changes(rest) if event == CALL else []
        value, exact = (None, True) if event == CALL else _text(*rest)
        if event == EXCEPTION:
            failure = value
        for change in changes:
            if change.text is not None:
                frame.known[change.scope, change.name] = change.text
        steps.append(_step(EVENTS[event], line, index, frame, changes, value, exact))
    for frame in frames:
        frame.close(shape.order)
    return [step if isinstance(step, Step) else _line(step, frames[step.index]) for step in steps]


def _line(done: _Open, frame: _Frame) -> Step:
    return _step("line", done.line, done.index, frame, done.changes, done.value, done.value is None)


def _step(
    event: str,
    line: int,
    index: int,
    frame: _Frame,
    changes: list[Change],
    value: str | None,
    exact: bool,
) -> Step:
    own = tuple(c for c in changes if not is_beyond(c))
    beyond = tuple(c for c in changes if is_beyond(c))
    return Step(line, event, own, frame.depth, index, frame.name, value, exact, beyond)


def is_beyond(change: Change) -> bool:
    """Whether it is no variable of the frame itself."""
    return change.scope in ("global", "attribute") or "." in change.name


def _text(part: Any) -> tuple[str | None, bool]:
    """(text, whether it is exact)."""
    exact = type(part) is not list
    if not exact:
        (part,) = part
    if not (part is None or type(part) is str):
        raise Malformed("text")
    return part, exact
