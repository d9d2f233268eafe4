"""Fresh runs of a program: traces of calls that a text names, and outputs for inputs near the
known ones, to test what a text says of every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Status, Trace

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

FRESH = 24


class Trials:
    """Runs of one program, each call at most once. Cheap to make: nothing runs until asked."""

    def __init__(
        self, program: Program, box: Sandbox | None, known: Sequence[tuple[Any, ...]] = ()
    ) -> None:
        self.program = program
        self.box = box
        self.known: list[tuple[Any, ...]] = list(known)
        self.expected: tuple[object] | None = None
        self._traces: dict[str, Trace] = {}
        self._outcomes: dict[str, tuple[str, Any]] = {}
        self._fresh: list[tuple[tuple[Any, ...], str, Any]] | None = None
        self._edges: list[tuple[tuple[Any, ...], str, Any]] | None = None

    def know(self, arguments: tuple[Any, ...] | None) -> None:
        """Remember an input that is known to be of the right kind."""
        if arguments is not None and arguments not in self.known:
            self.known.append(arguments)

    def told(self, expected: tuple[object] | None) -> None:
        """The output that the current text is about."""
        self.expected = expected

    def keep(self, arguments: tuple[Any, ...], trace: Trace) -> None:
        """Put a trace that was made elsewhere (in a batch) where `trace` finds it."""
        self._traces[values.encode(arguments)] = trace

    def has(self, arguments: tuple[Any, ...]) -> bool:
        """Whether `trace` would find this call without running it."""
        try:
            return values.encode(arguments) in self._traces
        except values.Unserializable:
            return True

    def trace(self, arguments: tuple[Any, ...]) -> Trace | None:
        """The trace of one call, or None without a box."""
        try:
            key = values.encode(arguments)
        except values.Unserializable:
            return None
        if key not in self._traces:
            if self.box is None:
                return None
            from semcoder_lib import tracing

            self._traces[key] = tracing.trace(self.program, Case(arguments), self.box)
        return self._traces[key]

    def run(self, calls: Sequence[tuple[Any, ...]]) -> list[tuple[str, Any]]:
        """(status, value or name of the exception) of each call; "unknown" without a box."""
        keys = [values.encode(c) for c in calls]
        wanted = {k: c for k, c in zip(keys, calls, strict=True) if k not in self._outcomes}
        if wanted and self.box is not None:
            from semcoder_lib.sandbox import Job, Limits

            job = Job(
                self.program.source,
                self.program.entry_point,
                list(wanted.values()),
                limits=Limits(cpu_seconds=0.5, wall_seconds=2.0),
                share=True,
            )
            for outcomes in self.box.map([job]):
                for key, outcome in zip(wanted, outcomes, strict=True):
                    self._outcomes[key] = _read(outcome)
        return [self._outcomes.get(k, ("unknown", None)) for k in keys]

    def fresh(self) -> list[tuple[tuple[Any, ...], str, Any]]:
        """(arguments, status, value) of the known inputs and of fresh ones near them, with what
        the program gives for each. The same for every text about the same inputs."""
        if self._fresh is None:
            calls = neighbours(self.known, FRESH)
            self._fresh = [
                (arguments, status, value)
                for arguments, (status, value) in zip(calls, self.run(calls), strict=True)
                if status != "unknown"
            ]
        return self._fresh

    def edges(self) -> list[tuple[tuple[Any, ...], str, Any]]:
        """As `fresh`, for the known inputs with one argument made empty, zero or negative: what a
        text says about such a case is tested on them."""
        if self._edges is None:
            calls = []
            for arguments in self.known[:2]:
                for place, value in enumerate(arguments):
                    for edge in _edge_values(value):
                        calls.append((*arguments[:place], edge, *arguments[place + 1 :]))
            self._edges = [
                (arguments, status, value)
                for arguments, (status, value) in zip(calls, self.run(calls), strict=True)
                if status != "unknown"
            ]
        return self._edges


def _edge_values(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [0, 1, 2, -1]
    if isinstance(value, float):
        return [0.0, -1.0]
    if type(value) in (str, list, tuple, dict, set):
        return [type(value)()]
    return []


def _read(outcome: Any) -> tuple[str, Any]:
    if outcome.status == Status.OK:
        try:
            return "ok", outcome.value
        except values.NotALiteral:
            return "unknown", None
    if outcome.status == Status.EXCEPTION and outcome.exception is not None:
        return "exception", outcome.exception.type
    return "unknown", None


def neighbours(known: Sequence[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    """The known inputs, then inputs made from them by small changes that keep every type."""
    out: list[tuple[Any, ...]] = []
    seen: set[str] = set()

    def add(arguments: tuple[Any, ...]) -> None:
        try:
            key = values.encode(arguments, max_bytes=20_000)
        except values.Unserializable:
            return
        if key not in seen:
            seen.add(key)
            out.append(arguments)

    for arguments in known[:8]:
        add(arguments)
    first = len(out)
    if not first:
        return out
    chance = random.Random("verify:" + values.encode(out[0])[:2000])
    for _ in range(count * 6):
        if len(out) >= first + count:
            break
        base = out[chance.randrange(first)]
        if not base:
            break
        changed = list(base)
        for place in chance.sample(range(len(base)), chance.randint(1, len(base))):
            changed[place] = vary(changed[place], chance)
        add(tuple(changed))
    return out


def vary(value: Any, chance: random.Random) -> Any:
    """A value near `value`, of the same type all the way down."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        low, high = (0, max(3, 2 * value)) if value >= 0 else (2 * value, 2)
        return chance.choice([value + 1, max(low, value - 1), chance.randint(low, high), 0, 1])
    if isinstance(value, float):
        return chance.choice([value + 1.0, value / 2, float(round(value)), 0.0])
    if isinstance(value, str):
        return _vary_text(value, chance)
    if isinstance(value, list | tuple):
        return type(value)(_vary_items(list(value), chance))
    if isinstance(value, set | frozenset):
        return type(value)(_vary_items(sorted(value, key=repr), chance))
    if type(value) is dict:
        pairs = _vary_items(list(value.items()), chance, keep_first=True)
        return dict(pairs)
    return value


def _vary_text(value: str, chance: random.Random) -> str:
    letters = list(value) or ["a"]
    how = chance.randrange(6)
    if how == 0 and value:
        del letters[chance.randrange(len(letters))]
    elif how == 1:
        letters.insert(chance.randrange(len(letters) + 1), chance.choice(letters))
    elif how == 2:
        chance.shuffle(letters)
    elif how == 3:
        letters[chance.randrange(len(letters))] = chance.choice("abcxyzABC019 ,.-")
    elif how == 4:
        return value.swapcase() if value.swapcase() != value else value + value
    else:
        return value[: chance.randrange(len(value) + 1)]
    return "".join(letters)


def _vary_items(items: list[Any], chance: random.Random, *, keep_first: bool = False) -> list[Any]:
    how = chance.randrange(6)
    if not items:
        return items
    at = chance.randrange(len(items))
    if how == 0:
        del items[at]
    elif how == 1:
        items.insert(chance.randrange(len(items) + 1), items[at])
    elif how == 2:
        chance.shuffle(items)
    elif how == 3:
        items = items[: chance.randrange(len(items) + 1)]
    elif keep_first:
        key, value = items[at]
        items[at] = (key, vary(value, chance))
    else:
        items[at] = vary(items[at], chance)
    return items
