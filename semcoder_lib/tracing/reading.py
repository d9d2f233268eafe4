"""From the payload of a child to the steps of a `Trace`. The payload is the word of an untrusted
process, so everything in it is checked, and nothing in it is evaluated."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
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
        frames = [
            _Frame(index, str(name), int(depth), frozenset(map(str, free)))
            for index, (name, depth, free) in enumerate(data["frames"])
        ]
        steps = _steps(data["steps"], frames, source)
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return tuple(steps), cut, flags


@dataclass(slots=True)
class _Open:
    """A step whose statement may still run."""

    event: str
    line: int
    frame: _Frame
    value: str | None
    exact: bool
    changes: list[Change] = field(default_factory=list)

    def step(self) -> Step:
        """The step as it is now."""
        own = tuple(c for c in self.changes if not is_beyond(c))
        beyond = tuple(c for c in self.changes if is_beyond(c))
        f = self.frame
        return Step(
            self.line, self.event, own, f.depth, f.index, f.name, self.value, self.exact, beyond
        )


@dataclass(slots=True)
class _Frame:
    """`free` are the names that the frame shares with a function around it; `known` are the texts
    of its variables and of what is beyond them, by scope and name."""

    index: int
    name: str
    depth: int
    free: frozenset[str]
    known: dict[tuple[str, str], str] = field(default_factory=dict)
    open: _Open | None = None

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
            before = self.known.pop(key, None)
            if change.text is not None:
                self.known[key] = change.text
            if before != change.text or (change.text is None and is_beyond(change)):
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
    opened: list[_Open] = []
    failure: str | None = None
    for event, line, index, *rest in raw:
        if not (type(event) is type(line) is type(index) is int) or min(event, line, index) < 0:
            raise Malformed("step")
        line = shape.starts.get(line, line)
        frame = frames[index]
        if event == LINE:
            if frame.open is None or frame.open.line != line or line not in several:
                frame.close(shape.order)
                value = failure if line in shape.handlers else None
                frame.open = _Open("line", line, frame, value, value is None)
                opened.append(frame.open)
            frame.open.changes.extend(frame.changes(rest))
            continue
        value, exact = (None, True) if event == CALL else _text(*rest)
        step = _Open(EVENTS[event], line, frame, value, exact)
        opened.append(step)
        if event == CALL:
            step.changes = frame.changes(rest)
            known = ((c.scope, c.name, c.text) for c in step.changes)
            frame.known.update(
                {(scope, name): text for scope, name, text in known if text is not None}
            )
        elif event == EXCEPTION:
            failure = value
    for frame in frames:
        frame.close(shape.order)
    return [step.step() for step in opened]


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
