"""From the payload of a child to a `Trace`. The payload is the word of an untrusted process, so
everything in it is checked, and nothing in it is evaluated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from semcoder_lib.core.records import Change, Program, Step, Trace
from semcoder_lib.sandbox import Outcome
from semcoder_lib.tracing.beyond import SCOPES
from semcoder_lib.tracing.recorder import CALL, EVENTS, EXCEPTION, INDEX_AT, LINE, LINE_AT
from semcoder_lib.tracing.statements import Layout, layout

_EVENT = (1 << LINE_AT) - 1
_LINE = (1 << (INDEX_AT - LINE_AT)) - 1


class Malformed(ValueError):
    """The payload is not one that the tracer writes."""


def read(program: Program, outcome: Outcome) -> Trace:
    """The trace of a traced call. A payload that the tracer did not write gives no steps and the
    flag `malformed`."""
    flags: tuple[str, ...] = tuple(outcome.flags)
    steps: tuple[Step, ...] = ()
    cut = ""
    if outcome.payload is not None:
        try:
            steps, cut, more = read_payload(outcome.payload, program.source)
            flags += more
        except Malformed:
            flags += ("malformed",)
    raised = outcome.exception
    return Trace(
        steps=steps,
        status=outcome.status,
        result=outcome.text,
        exception=None if raised is None else f"{raised.type}: {raised.message}",
        cut=cut,
        program_id=program.id,
        stdout=outcome.stdout,
        flags=flags,
    )


def read_payload(payload: str, source: str = "") -> tuple[tuple[Step, ...], str, tuple[str, ...]]:
    """(steps, cut, flags) from a payload; lines are those of whole statements of `source`.

    Raises `Malformed`.
    """
    try:
        data = json.loads(payload)
        frames = [
            (str(name), int(depth), frozenset(map(str, free)))
            for name, depth, free in data["frames"]
        ]
        cut, flags = data["cut"], tuple(data["flags"])
        if not isinstance(cut, str) or not all(isinstance(flag, str) for flag in flags):
            raise Malformed("cut or flags")
        steps = _Reader(frames, layout(source)).steps(data["steps"])
    except Malformed:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return tuple(steps), cut, flags


class _Reader:
    """Folds the lines of one statement into one step."""

    def __init__(self, frames: list[tuple[str, int, frozenset[str]]], shape: Layout) -> None:
        self.frames = frames
        self.starts = shape.starts
        # the child has folded the repeats within one line, so a repeat is a new visit, unless the
        # statement has several lines
        self.several = frozenset(shape.starts.values())
        self.handlers = shape.handlers
        self.ranks = shape.ranks
        self.known: list[dict[tuple[str, str], str]] = [{} for _ in frames]
        self.open: list[_Open | None] = [None for _ in frames]

    def steps(self, raw: list[Any]) -> list[Step]:
        made: list[_Open | Step] = []
        failure: str | None = None
        for head, rest in _split(raw):
            event, index = head & _EVENT, head >> INDEX_AT
            line = head >> LINE_AT & _LINE
            line = self.starts.get(line, line)
            name, depth, free = self.frames[index]
            read = _changes(rest, free) if event in (CALL, LINE) else []
            if event == LINE:
                current = self.open[index]
                if current is not None and current.line == line and line in self.several:
                    current.changes.extend(read)
                    continue
                self._close(index)
                self.open[index] = opened = _Open(line, index)
                opened.changes = read
                if line in self.handlers:
                    opened.value = failure
                made.append(opened)
                continue
            value, exact = (None, True) if event == CALL else _text(rest[0])
            if event != CALL and type(value) is not str:
                raise Malformed("value")
            if event == EXCEPTION:
                failure = value
            if event == CALL:
                for change in read:
                    if change.text is not None:
                        self.known[index][change.scope, change.name] = change.text
            own, beyond = _parted(read)
            made.append(Step(line, EVENTS[event], own, depth, index, name, value, exact, beyond))
        for index in range(len(self.frames)):
            self._close(index)
        return [step if isinstance(step, Step) else self._step(step) for step in made]

    def _close(self, index: int) -> None:
        """Keep of a statement's changes what is different after it from before it."""
        current = self.open[index]
        if current is None:
            return
        known = self.known[index]
        last = {(change.scope, change.name): change for change in current.changes}
        kept = []
        for key, change in last.items():
            if change.text is None and key not in known and key[0] in ("local", "cell"):
                continue
            if change.text is not None and known.get(key) == change.text:
                continue
            kept.append(change)
            if change.text is None:
                known.pop(key, None)
            else:
                known[key] = change.text
        if self.ranks and len(kept) > 1:
            last_place = len(self.ranks)
            kept.sort(key=lambda c: (c.text is None, self.ranks.get(c.name, last_place), c.name))
        current.kept = tuple(kept)

    def _step(self, done: _Open) -> Step:
        name, depth, _ = self.frames[done.index]
        exact = done.value is None
        own, beyond = _parted(done.kept)
        return Step(done.line, "line", own, depth, done.index, name, done.value, exact, beyond)


class _Open:
    """A statement that may still run."""

    __slots__ = ("changes", "index", "kept", "line", "value")

    def __init__(self, line: int, index: int) -> None:
        self.line = line
        self.index = index
        self.changes: list[Change] = []
        self.kept: tuple[Change, ...] = ()
        self.value: str | None = None


def _split(raw: list[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Each step's head, and what follows it."""
    heads = [place for place, part in enumerate(raw) if type(part) is int]
    if heads[:1] != [0] and raw:
        raise Malformed("no head")
    for place, end in pairwise([*heads, len(raw)]):
        if raw[place] < 0:
            raise Malformed("head")
        yield raw[place], raw[place + 1 : end]


def _text(part: Any) -> tuple[Any, bool]:
    """(text, whether it is exact)."""
    if type(part) is list:
        (part,) = part
        return part, False
    return part, True


def _changes(raw: list[Any], free: frozenset[str]) -> list[Change]:
    changes = []
    for name, part in zip(raw[::2], raw[1::2], strict=True):
        text, exact = _text(part)
        if type(name) is not str or not (text is None or type(text) is str):
            raise Malformed("change")
        scope = "cell" if name in free else "local"
        if name[1:2] == ":":
            scope, name = SCOPES[name[0]], name[2:]
        changes.append(Change(name, text, exact, scope))
    return changes


def _parted(changes: Iterable[Change]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """(of the frame's own variables, of what is beyond them). A dot, or a global, is beyond."""
    own: list[Change] = []
    beyond: list[Change] = []
    for change in changes:
        far = change.scope in ("global", "attribute") or "." in change.name
        (beyond if far else own).append(change)
    return tuple(own), tuple(beyond)
