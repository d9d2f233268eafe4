"""Fresh runs of a program, on inputs near known ones and on small ones: what a statement about all
runs is held against. Also how values are varied, for the search of an input."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.monologues.show import encoded
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox

FRESH, SMALL = 24, 100
_MAX_TEXT = 20_000  # characters of a fresh input
_LIMITS = Limits(cpu_seconds=0.5, wall_seconds=2.0)
Arguments = tuple[Any, ...]
Ran = tuple[Arguments, str, Any]  # arguments, status, value (or the exception's name)


class Trials:
    """Runs of one program, each call at most once. Cheap to make: nothing runs until asked, and
    without a box nothing ever does. `known` are inputs of the right kind."""

    def __init__(
        self, program: Program, box: Sandbox | None, known: Sequence[Arguments] = ()
    ) -> None:
        self.program, self.box, self.known = program, box, list(known)
        self._outcomes: dict[str, tuple[str, Any]] = {}

    def know(self, arguments: Arguments | None) -> None:
        """Remember an input that is known to be of the right kind."""
        if arguments is not None and arguments not in self.known:
            self.known.append(arguments)

    def trace(self, arguments: Arguments) -> Trace | None:
        """The trace of one call, or None without a box."""
        if self.box is None or not encoded(arguments):
            return None
        return tracing.trace(self.program, Case(arguments), self.box)

    def run(self, calls: Sequence[Arguments]) -> list[tuple[str, Any]]:
        """(status, value or name of the exception) of each call; "unknown" without a box."""
        keys = [values.encode(c) for c in calls]
        wanted = {k: c for k, c in zip(keys, calls, strict=True) if k not in self._outcomes}
        if wanted and self.box is not None:
            source, name = self.program.source, self.program.entry_point
            job = Job(source, name, list(wanted.values()), limits=_LIMITS, share=True)
            for outcomes in self.box.map([job]):
                self._outcomes |= dict(zip(wanted, map(_read, outcomes), strict=True))
        return [self._outcomes.get(k, ("unknown", None)) for k in keys]

    @cached_property
    def fresh(self) -> list[Ran]:
        """The known inputs, fresh ones near them, and small ones, with what the program gives for
        each. The same for every text about the same inputs."""
        calls = neighbours(self.known, FRESH) + small(self.known, self.program.source)
        runs = zip(calls, self.run(calls), strict=True)
        return [(arguments, *outcome) for arguments, outcome in runs if outcome[0] != "unknown"]


def _read(outcome: Outcome) -> tuple[str, Any]:
    try:
        if outcome.status is Status.OK:
            return "ok", outcome.value
    except values.NotALiteral:
        return "unknown", None
    if outcome.status is Status.EXCEPTION and outcome.exception is not None:
        return "exception", outcome.exception.type
    return "unknown", None


def neighbours(known: Sequence[Arguments], count: int) -> list[Arguments]:
    """The known inputs, then inputs made from them by small changes that keep every type."""
    inputs = {key: arguments for arguments in known[:8] if (key := encoded(arguments))}
    bases = list(inputs.values())
    if not bases:
        return []
    chance = random.Random("verify:" + encoded(bases[0])[:2000])
    for _ in range(count * 6):
        changed = list(chance.choice(bases))
        if not changed or len(inputs) >= len(bases) + count:
            break
        for place in chance.sample(range(len(changed)), chance.randint(1, len(changed))):
            changed[place] = mutated(changed[place], [], chance)
        if 0 < len(key := encoded(tuple(changed))) < _MAX_TEXT:
            inputs.setdefault(key, tuple(changed))
    return list(inputs.values())


def small(known: Sequence[Arguments], source: str) -> list[Arguments]:
    """Inputs of the known types that are small and made of few letters and numbers, with the signs
    in the program's own texts among them. Nearly every sentence about all runs that is false is so
    on one of them, as `f('aaa', 'a')` for a function that cuts one suffix off."""
    if not known:
        return []
    signs = sorted({c for c in "".join(_TEXTS.findall(source)) if not c.isalnum()} - set("'\""))
    chance = random.Random("small")
    inputs: dict[str, Arguments] = {}
    for _ in range(SMALL):
        letters = chance.choice(["a", "ab", ["a", "b", *signs[:2]]])
        arguments = tuple(_small(value, letters, chance) for value in chance.choice(known[:4]))
        if key := encoded(arguments):
            inputs.setdefault(key, arguments)
    return list(inputs.values())


_TEXTS = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


def _small(value: Any, letters: Sequence[str], chance: random.Random) -> Any:
    kind, size = type(value), chance.randrange(4)
    if kind is str:
        return "".join(chance.choices(letters, k=size))
    if kind is bool:
        return chance.random() < 0.5
    if kind is int:
        return chance.randrange(-1 if value < 0 else 0, 4)
    if kind in (list, tuple, set, frozenset) and value:
        items = sorted(value, key=repr) if kind in (set, frozenset) else value
        return kind(_small(chance.choice(items), letters, chance) for _ in range(size))
    if kind is dict and value:
        pairs = list(value.items())
        return {
            _small(k, letters, chance): _small(v, letters, chance)
            for k, v in chance.choices(pairs, k=size)
        }
    return value


# --- values a little different from known ones ---------------------------------------------------

_MAX_ITEMS = 200  # of a sequence


def mutated(value: Any, pool: list[Any], rng: random.Random) -> Any:
    """A value of the same type, a little different; pieces come from `pool`."""
    pieces = [v for v in pool if type(v) is type(value)]
    if isinstance(value, list | tuple):
        pieces = [v for v in pool if not value or type(v) is type(value[0])]
    if not pieces or rng.random() < 0.6:
        return _varied(value, rng)
    piece = rng.choice(pieces)
    if not isinstance(value, str | list | tuple):
        return piece
    at, more = rng.randrange(len(value) + 1), rng.randrange(2)
    part: Any = piece if isinstance(value, str) else type(value)([piece])
    whole: Any = value
    return (whole[:at] + part + whole[at + more :])[:_MAX_ITEMS]


def _varied(value: Any, rng: random.Random) -> Any:
    """A value near `value`, of the same type all the way down."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        low, high = (0, max(3, 2 * value)) if value >= 0 else (2 * value, 2)
        return rng.choice([value + 1, max(low, value - 1), rng.randint(low, high), 0, 1])
    if isinstance(value, float):
        return rng.choice([value + 1.0, value / 2, value // 1, 0.0])
    if isinstance(value, str):
        if value and rng.randrange(6) == 0:
            return value.swapcase() if value.swapcase() != value else value + value
        return "".join(_changed(list(value or "a"), rng))
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
        return type(value)(_changed(items, rng))
    if type(value) is dict:
        return dict(_changed(list(value.items()), rng, pairs=True))
    return value


def _changed(items: list[Any], rng: random.Random, *, pairs: bool = False) -> list[Any]:
    """One item less or more, another order, only the first ones, or one varied (of a pair the
    second part)."""
    if not items:
        return items
    how, at = rng.randrange(6), rng.randrange(len(items))
    item = items[at]
    if how == 0:
        return items[:at] + items[at + 1 :]
    if how == 1:
        items.insert(rng.randrange(len(items) + 1), item)
    elif how == 2:
        rng.shuffle(items)
    elif how == 3:
        return items[: rng.randrange(len(items) + 1)]
    elif isinstance(item, str) and len(item) == 1:
        items[at] = rng.choice("abcxyzABC019 ,.-")
    else:
        items[at] = (item[0], _varied(item[1], rng)) if pairs else _varied(item, rng)
    return items
