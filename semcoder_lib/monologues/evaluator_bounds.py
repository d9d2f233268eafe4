"""The values that the evaluator knows, and what an evaluation may cost."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import time
from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import Any, Protocol


class Cannot(Exception):
    """Undecidable: outside the allow-list, a name without a value, or beyond a bound."""


class Names(Protocol):
    """Where an expression's free names get their values, for instance a moment of a trace."""

    def defines(self, name: str) -> bool:
        """Whether the program binds the name, other than by importing what commonly has it; a
        built-in of that name is then not meant."""

    def lookup(self, name: str) -> Any:
        """The value, an exact built-in one; it is never changed. Raises Cannot."""

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the program's own function gave. Raises Cannot, or Raises where it raised."""


class Budget:
    """What evaluations may cost. `steps`: visited nodes, and some 16 items or characters made each;
    `size` of one value in items, characters or bits; `seconds` of the thread's processor time from
    some 256 steps on. Shared by several evaluations, it is for all of them together."""

    __slots__ = ("_alarm", "_deadline", "seconds", "size", "steps")

    def __init__(self, steps: int = 200_000, size: int = 25_000, seconds: float = 0.3) -> None:
        self.steps, self.size, self.seconds = steps, size, seconds
        self._alarm, self._deadline = steps - 256, 0.0

    def charge(self, steps: int) -> None:
        """Counts work. Raises Cannot when it is too much."""
        self.steps -= steps
        if self.steps < self._alarm:  # some 256 steps later: look at the clock
            now = time.thread_time()
            self._deadline = self._deadline or now + self.seconds
            self._alarm = max(self.steps - 256, 0)
            if self.steps < 0 or now > self._deadline:
                self.steps = -1
                raise Cannot("too much work")


class Function(functools.partial[Any]):
    """A lambda, a built-in or a bound method as a value: the only things that are ever called."""


_EMPTY: tuple[dict[Any, Any], ...] = ({}, collections.OrderedDict())
VIEWS = frozenset(type(v) for d in _EMPTY for v in (d.keys(), d.values(), d.items()))
SETS = frozenset((set, frozenset))
DICTS = frozenset((dict, collections.Counter, collections.OrderedDict, collections.defaultdict))
CONTAINERS: frozenset[type] = DICTS | SETS | VIEWS | {list, tuple, collections.deque}
NUMBERS: frozenset[type] = frozenset((int, float, bool, complex))
SCALARS: frozenset[type] = NUMBERS | {str, bytes, bytearray, range, type(None), type(...)}
VALUES: frozenset[type] = SCALARS | CONTAINERS
# values that are looked up, compared and handed out, no more: some are huge in a few characters
OTHERS = frozenset((decimal.Decimal, fractions.Fraction, datetime.date, datetime.time,
                    datetime.datetime, datetime.timedelta))  # fmt: skip
KNOWN: frozenset[type] = VALUES | {Function, GeneratorType, type}
_MAX_DEPTH = 60  # of values
_CROWD = 1000  # items beyond which hashing them is counted one by one: their hashes may be equal


class Run:
    """One evaluation: where its names are, what it may still cost, what it has changed."""

    __slots__ = ("budget", "names", "own", "unordered", "values")

    def __init__(self, names: Names, budget: Budget, own: bool = False) -> None:
        self.names, self.budget = names, budget
        self.own = own  # the expression changes values, so it gets copies of them
        self.values: dict[str, Any] = {}  # of names that were copied, or bound by `:=`
        self.unordered = False  # a set is being gone through in an arbitrary order

    def keep(self, value: Any) -> Any:
        """`value` itself, when it is small enough to go on with."""
        kind, size = type(value), 0
        if kind is int:
            if -(1 << 64) < value < 1 << 64:
                return value
            size = value.bit_length()
        elif kind is str or kind is bytes:
            size = len(value)
        elif kind in CONTAINERS:
            size = weigh(value, self.budget.size)
        elif kind not in KNOWN and kind not in OTHERS:
            raise Cannot(f"a {kind.__name__}")
        if size > 64:
            if size > self.budget.size:
                raise Cannot("a value too large")
            self.budget.charge(size >> 4)
        return value

    def items(self, value: Any, ordered: bool = True, hashed: bool = False) -> Any:
        """`value` itself, when a loop may go through it (else Python raises, in the loop)."""
        kind = type(value)
        if kind is range:
            if value[self.budget.size :]:
                raise Cannot("a range too long")
        elif kind in SETS:
            if ordered and len(value) > 1:
                raise Cannot("the order of a set")
        elif kind not in CONTAINERS and kind is not str:
            return value
        self.budget.charge(len(value) >> 4)
        large = hashed and len(value) > _CROWD and kind not in DICTS
        return self.once(value) if large else value

    def once(self, items: Iterable[Any], cost: int = 1) -> Iterator[Any]:
        """A one-shot iterator that counts what is taken from it."""
        for item in items:
            self.budget.charge(cost)
            yield item

    def free(self, value: Any) -> Any:
        """`value` for a loop whose result does not depend on the order of a set."""
        if type(value) in SETS and len(value) > 1:
            self.unordered = True
            return self.once(value)
        return value

    def change(self, value: Any) -> None:
        """Announces a change of `value`. Raises Cannot when it is shared, or in any order."""
        if not self.own and all(value is not copy for copy in self.values.values()):
            raise Cannot("a change of a shared value")
        if self.unordered:
            raise Cannot("the order of a set")

    def text(self, value: Any, write: Callable[[Any], str] = str) -> str:
        """`str`, `repr` or `ascii` of a value."""
        if type(value) is not str or write is not str:
            size = 0 if type(value) is type else measure(value)
            if size > self.budget.size:
                raise Cannot("a text too long")
            self.budget.charge(size >> 4)
        return write(value)


def parts_of(value: Any) -> Any:
    """What a container holds, keys and values alike."""
    return [*value, *value.values()] if type(value) in DICTS else value


def weigh(value: Any, room: int, depth: int = 0) -> int:
    """How many values a container holds, all the way down. Raises Cannot beyond `room`."""
    count = len(value)
    if count <= room and not SCALARS.issuperset(map(type, parts := parts_of(value))):
        if depth > _MAX_DEPTH:
            raise Cannot("a value nested too deep")
        for part in parts:
            if type(part) in CONTAINERS and count <= room:
                count += weigh(part, room - count, depth + 1)
    if count > room:
        raise Cannot("a value too large")
    return count


def measure(value: Any) -> int:
    """About how long the text of a value is. Raises Cannot where that depends on a set's order."""
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return len(value) + 2
    if kind is int:
        return (value.bit_length() >> 1) + 2
    if kind in CONTAINERS:
        if kind in SETS and len(value) > 1:
            raise Cannot("the order of a set")
        return 2 + sum([measure(part) + 2 for part in parts_of(value)])
    if kind not in SCALARS:
        raise Cannot("the text of what is not a value")
    return 24


def equal(a: Any, b: Any) -> bool:
    """Python's `==` on values, except that at every depth bool is apart from int and nan is itself.
    False for values that are nested too deep to compare. Never raises."""
    try:
        return _equal(a, b)
    except Exception:
        return False


def _equal(a: Any, b: Any) -> bool:
    if (type(a) is bool) is not (type(b) is bool):
        return False
    if type(a) is type(b) and type(a) in (list, tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    if (type(a) in DICTS and type(b) in DICTS) or (type(a) in SETS and type(b) in SETS):
        if len(a) != len(b) or _bools(a) != _bools(b):
            return False
        return a == b if type(a) in SETS else all(k in b and _equal(a[k], b[k]) for k in a)
    return bool(a == b) or (a != a and b != b and type(a) is type(b))


def _bools(keys: Any) -> set[Any]:
    return {key for key in keys if type(key) is bool}
