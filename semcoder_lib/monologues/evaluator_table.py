"""What the evaluator may do with values: its bounds, and the closed lists of functions and methods.

Every function here works on exact built-in values that nobody else holds, and refuses with `Cannot`
*before* it would make something large. Nothing here knows syntax; `evaluator` does.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import itertools
import math
import operator
import re
import string
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol


class Cannot(Exception):
    """Undecidable: outside the allow-list, a name without a value, or beyond a bound."""


class Names(Protocol):
    """Where an expression's free names get their values, for instance a moment of a trace."""

    def defines(self, name: str) -> bool:
        """Whether the program itself binds the name (by anything but an import of what it is
        commonly known as), so that a built-in of that name is not meant."""

    def lookup(self, name: str) -> Any:
        """The value, an exact built-in one that the evaluator never changes. Raises Cannot."""

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the program's own function gave. Raises Cannot, or Raises if it raised."""


class Budget:
    """What evaluations may cost: `steps` of work (a visited node, or some 16 items or characters
    made), `size` of one value in items and characters, `bits` of an int, `seconds` of the thread's
    processor time. May be shared by several evaluations; steps and seconds then count together."""

    __slots__ = ("_alarm", "_deadline", "bits", "seconds", "size", "steps")

    def __init__(
        self,
        steps: int = 200_000,
        size: int = 100_000,
        bits: int = 40_000,
        seconds: float = 0.5,
    ) -> None:
        self.steps, self.size, self.bits, self.seconds = steps, size, bits, seconds
        self._alarm = steps - _CLOCK_EVERY
        self._deadline = 0.0

    def charge(self, steps: int) -> None:
        """Counts work that is done or about to be done. Raises Cannot when it is too much."""
        self.steps -= steps
        if self.steps < self._alarm:
            now = time.thread_time()
            self._deadline = self._deadline or now + self.seconds
            if self.steps < 0 or now > self._deadline:
                self._alarm = self.steps + 1  # a spent budget stays spent
                raise Cannot("too much work")
            self._alarm = max(self.steps - _CLOCK_EVERY, 0)


_CLOCK_EVERY = 256
MAX_DEPTH = 60  # of values, and of lambdas called within lambdas

VIEWS = frozenset(map(type, ({}.keys(), {}.values(), {}.items())))
SETS = frozenset((set, frozenset))
DICTS = frozenset((dict, collections.Counter, collections.OrderedDict, collections.defaultdict))
CONTAINERS = DICTS | SETS | VIEWS | {list, tuple, collections.deque}
_DATES = frozenset((datetime.date, datetime.time, datetime.datetime, datetime.timedelta))
_PLAIN = frozenset((int, float, bool, str, type(None), complex, bytes, bytearray, type(...)))
SCALARS = _PLAIN | _DATES | {range, decimal.Decimal, fractions.Fraction}
_NUMBERS = frozenset((int, float, bool, complex))
_EXACT = frozenset((decimal.Decimal, fractions.Fraction))  # may be huge in a few characters
_SMALL = 1 << 64


class Once:
    """A one-shot iterator that counts what is taken from it."""

    __slots__ = ("charge", "cost", "items")

    def __init__(self, run: Run, items: Iterable[Any], cost: int = 1) -> None:
        self.charge, self.items, self.cost = run.budget.charge, iter(items), cost

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.charge(self.cost)
        return next(self.items)


class Function:
    """A lambda, a built-in or a bound method as a value. Anything that is called is one of these."""

    __slots__ = ("act", "cost", "run")

    def __init__(self, run: Run, act: Callable[..., Any], cost: int = 1) -> None:
        self.run, self.act, self.cost = run, act, cost

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        run = self.run
        run.budget.charge(self.cost)
        run.depth += 1
        if run.depth > MAX_DEPTH:
            raise Cannot("calls nested too deep")
        try:
            return run.keep(self.act(run, arguments, keywords))
        finally:
            run.depth -= 1


class Module:
    """A module of the closed list, as a value: its members by name."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    def function(self, name: str) -> Callable[..., Any]:
        member = self.members.get(name)
        if type(member) is type:
            return BUILTINS[name]
        if not callable(member):
            raise Cannot(f"no function {name}")
        return member


class Run:
    """One evaluation: where its names are, what it may still cost, what it has changed."""

    __slots__ = ("budget", "depth", "names", "own", "unordered", "values")

    def __init__(self, names: Names, budget: Budget, own: bool = False) -> None:
        self.names, self.budget = names, budget
        self.own = own  # the expression changes something: every value is copied first
        self.values: dict[str, Any] = {}  # of names, once copied or bound by `:=`
        self.unordered = False  # some set was gone through in an arbitrary order
        self.depth = 0

    def keep(self, value: Any) -> Any:
        """`value` itself, when it is small enough to go on with."""
        kind = type(value)
        budget = self.budget
        if kind is int:
            if not -_SMALL < value < _SMALL:
                if value.bit_length() > budget.bits:
                    raise Cannot("a number too long")
                budget.charge(value.bit_length() >> 6)
        elif kind is str or kind is bytes:
            if len(value) > 64:
                if len(value) > budget.size:
                    raise Cannot("a text too long")
                budget.charge(len(value) >> 4)
        elif kind in CONTAINERS:
            if value:
                budget.charge(weigh(value, budget.size) >> 4)
                if len(value) > CROWD and kind in SETS | DICTS:
                    if 2 * len(set(map(hash, value))) < len(value):
                        raise Cannot("equal hashes")
        elif kind is fractions.Fraction:
            self.keep(value.numerator), self.keep(value.denominator)
        elif kind is decimal.Decimal:
            raise Cannot("arithmetic of Decimal")  # depends on a context
        return value

    def items(self, value: Any, ordered: bool = True) -> Any:
        """`value` itself, when a loop may go through it; anything else raises as Python does."""
        kind = type(value)
        if kind is range:
            if _longer(value, self.budget.size):
                raise Cannot("a range too long")
            self.budget.charge(len(value) >> 4)
        elif kind in SETS and ordered and len(value) > 1:
            raise Cannot("the order of a set")
        elif kind in CONTAINERS or kind is str:
            self.budget.charge(len(value) >> 4)
        return value

    def free(self, value: Any) -> Any:
        """As `items`, for a use whose result does not depend on the order of a set."""
        if type(value) in SETS and len(value) > 1:
            self.unordered = True
            return Once(self, value)
        return value

    def function(self, value: Any) -> Any:
        """`value` as something that a built-in may call."""
        if type(value) is type:
            act = BUILTINS.get(value.__name__)
            if act is None:
                raise Cannot(f"calling {value.__name__}")
            return Function(self, act)
        return value

    def text(self, value: Any, write: Callable[[Any], str] = str) -> str:
        """`str`, `repr` or `ascii` of a value."""
        if type(value) is str and write is str:
            return value
        if type(value) is type:
            return write(value)
        size = measure(value)
        if size > self.budget.size:
            raise Cannot("a text too long")
        self.budget.charge(size >> 4)
        return write(value)


CROWD = 1000


def _longer(value: range, size: int) -> bool:
    try:
        return len(value) > size
    except OverflowError:
        return True


def parts_of(value: Any) -> Any:
    """What a container holds, keys and values alike."""
    return [*value, *value.values()] if type(value) in DICTS else value


def weigh(value: Any, room: int, depth: int = 0) -> int:
    """How many values a container holds, all the way down. Raises Cannot beyond `room`."""
    count = len(value)
    if count > room:
        raise Cannot("a value too large")
    if depth > MAX_DEPTH:
        raise Cannot("a value nested too deep")
    parts = parts_of(value)
    if not SCALARS.issuperset(map(type, parts)):
        for part in parts:
            if type(part) in CONTAINERS:
                count += weigh(part, room - count, depth + 1)
                if count > room:
                    raise Cannot("a value too large")
    return count


def measure(value: Any) -> int:
    """About how long the text of a value is. Raises Cannot where that depends on a set's order."""
    kind = type(value)
    if kind is str or kind is bytes or kind is bytearray:
        return len(value) + 2
    if kind is int:
        return (value.bit_length() >> 1) + 2
    if kind in CONTAINERS:
        if kind in SETS and len(value) > 1:
            raise Cannot("the order of a set")
        return 2 + sum([measure(part) + 2 for part in parts_of(value)])
    if kind in SCALARS:
        return 24
    raise Cannot("the text of a function or an iterator")


def copied(value: Any) -> Any:
    """A copy that shares nothing that can be changed."""
    kind = type(value)
    if kind is list:
        return [copied(v) if type(v) in CONTAINERS else v for v in value]
    if kind is tuple:
        return tuple([copied(v) for v in value])
    if kind is collections.deque:
        return collections.deque([copied(v) for v in value], value.maxlen)
    if kind in DICTS:
        out = value.copy()
        for key, part in out.items():
            if type(part) in CONTAINERS:
                out[key] = copied(part)
        return out
    return set(value) if kind is set else value


# ---- operators


def _times(run: Run, a: Any, b: Any) -> Any:
    for box, count in ((a, b), (b, a)):
        if type(count) is int and type(box) in _REPEATABLE and len(box) * count > run.budget.size:
            raise Cannot("a value too large")
    return a * b


_REPEATABLE = frozenset((str, bytes, bytearray, list, tuple, collections.deque))


def _power(run: Run, a: Any, b: Any) -> Any:
    if _EXACT & {type(a), type(b)}:
        raise Cannot("a power of no plain numbers")
    if type(a) is type(b) is int and b > 0 and (a.bit_length() - 1) * b > run.budget.bits:
        raise Cannot("a number too long")
    return a**b


def _shift(run: Run, a: Any, b: Any) -> Any:
    if type(b) is int and b > run.budget.bits:
        raise Cannot("a number too long")
    return a << b


def _modulo(run: Run, a: Any, b: Any) -> Any:
    if type(a) is bytes or type(a) is bytearray:
        raise Cannot("formatting of bytes")
    return percent(run, a, b) if type(a) is str else a % b


def _of_sets(act: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], Any]:
    def operate(run: Run, a: Any, b: Any) -> Any:
        if type(a) in VIEWS:  # takes any iterable
            run.items(b, ordered=False)
        elif type(b) in VIEWS:
            run.items(a, ordered=False)
        return act(a, b)

    return operate


def _direct(act: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], Any]:
    return lambda run, a, b: act(a, b)


BINARY: dict[str, Callable[[Run, Any, Any], Any]] = {
    "Add": _direct(operator.add),
    "Sub": _of_sets(operator.sub),
    "Mult": _times,
    "Div": _direct(operator.truediv),
    "FloorDiv": _direct(operator.floordiv),
    "Mod": _modulo,
    "Pow": _power,
    "LShift": _shift,
    "RShift": _direct(operator.rshift),
    "BitAnd": _of_sets(operator.and_),
    "BitOr": _of_sets(operator.or_),
    "BitXor": _of_sets(operator.xor),
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "USub": operator.neg,
    "UAdd": operator.pos,
    "Invert": operator.invert,
    "Not": operator.not_,
}


def _contains(run: Run, a: Any, b: Any) -> bool:
    if type(b) is not range or type(a) is not int:
        run.items(b, ordered=False)
    return a in b


def _identical(run: Run, a: Any, b: Any) -> bool:
    if not any(type(x) in _SINGLE for x in (a, b)):
        raise Cannot("identity of objects")
    return a is b


_SINGLE = frozenset((type(None), bool, type(...), type))


def _ordering(act: Callable[[Any, Any], Any]) -> Callable[[Run, Any, Any], Any]:
    def compare(run: Run, a: Any, b: Any) -> Any:
        if type(a) in CONTAINERS:
            run.budget.charge(16 + (len(a) >> 4))
        return act(a, b)

    return compare


COMPARISONS: dict[str, Callable[[Run, Any, Any], Any]] = {
    "Eq": _ordering(operator.eq),
    "NotEq": _ordering(operator.ne),
    "Lt": _ordering(operator.lt),
    "LtE": _ordering(operator.le),
    "Gt": _ordering(operator.gt),
    "GtE": _ordering(operator.ge),
    "In": _contains,
    "NotIn": lambda run, a, b: not _contains(run, a, b),
    "Is": _identical,
    "IsNot": lambda run, a, b: not _identical(run, a, b),
}

# ---- texts

_MAX_WIDTH = 1000
_SPECS = re.compile(r"%(?:\([^()]*\))?([-+ #0-9.*]*)")
_KEYS = re.compile(r"%\([^()]*\)")


def formatted(run: Run, value: Any, conversion: str | None, spec: str) -> str:
    """`format(value, spec)` after `!r`, `!s` or `!a`."""
    if conversion:
        value = run.text(value, {"r": repr, "s": str, "a": ascii}[conversion])
    if not spec:
        return run.text(value)
    if type(value) not in _PLAIN | CONTAINERS or "n" in spec or _widest(spec) > _MAX_WIDTH:
        raise Cannot("a format")  # `n` depends on the locale
    return format(value, spec)


def _widest(spec: str) -> int:
    if len(spec) > 100 or "*" in spec:
        raise Cannot("a format")
    return max([int(digits[:9]) for digits in re.findall(r"\d+", spec)], default=0)


def percent(run: Run, template: str, values: Any) -> str:
    """`template % values`."""
    specs, keys = _SPECS.findall(template), template.count("%(")
    width = max(map(_widest, specs), default=0)
    size = len(template) + measure(values) * max(1, keys) + width * len(specs)
    if width > _MAX_WIDTH or size > run.budget.size or keys != len(_KEYS.findall(template)):
        raise Cannot("a format")
    return template % values


class _Formatter(string.Formatter):
    """`str.format` without attributes and subscripts, each field bounded."""

    def __init__(self, run: Run) -> None:
        self.run, self.room = run, run.budget.size

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if "." in field_name or "[" in field_name:
            raise Cannot("a format that looks into a value")
        return super().get_field(field_name, args, kwargs)

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return formatted(self.run, value, conversion, "") if conversion else value

    def format_field(self, value: Any, format_spec: str) -> str:
        text = formatted(self.run, value, None, format_spec)
        self.room -= len(text)
        if self.room < 0:
            raise Cannot("a text too long")
        return text


def _format(run: Run, text: str, *arguments: Any, **keywords: Any) -> str:
    return _Formatter(run).vformat(text, arguments, keywords)


def _format_map(run: Run, text: str, mapping: Any) -> str:
    return _Formatter(run).vformat(text, (), mapping)


def _join(run: Run, text: Any, parts: Any) -> Any:
    parts = list(run.items(parts))
    if len(text) * len(parts) + sum(len(p) for p in parts if type(p) is str) > run.budget.size:
        raise Cannot("a text too long")
    return text.join(parts)


def _replace(run: Run, text: Any, old: Any, new: Any, *count: Any) -> Any:
    if type(old) is type(new) is type(text) and len(new) > len(old):
        if text.count(old) * (len(new) - len(old)) > run.budget.size:
            raise Cannot("a text too long")
    return text.replace(old, new, *count)


def _translate(run: Run, text: str, table: Any) -> str:
    longest = max([len(v) for v in parts_of(table) if type(v) is str], default=1)
    if len(text) * longest > run.budget.size:
        raise Cannot("a text too long")
    return text.translate(table)


def _encoded(name: str) -> Callable[..., Any]:
    def encode(run: Run, text: Any, encoding: Any = "utf-8", errors: Any = "strict") -> Any:
        if str(encoding).lower() not in _ENCODINGS or errors not in ("strict", "ignore", "replace"):
            raise Cannot("an encoding")
        return getattr(text, name)(encoding, errors)

    return encode


_ENCODINGS = ("utf-8", "utf8", "ascii", "latin-1", "latin1", "utf-16", "utf-32")


def _wide(name: str) -> Callable[..., Any]:
    def widen(run: Run, text: Any, *arguments: Any, **keywords: Any) -> Any:
        times = text.count("\t") if name == "expandtabs" else 1
        for width in (*arguments, *keywords.values()):
            if type(width) is int and width * times > run.budget.size:
                raise Cannot("a text too long")
        return getattr(text, name)(*arguments, **keywords)

    return widen


# ---- methods

_TEXT = """capitalize casefold center count encode endswith expandtabs find format format_map index
    isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace
    istitle isupper join ljust lower lstrip maketrans partition removeprefix removesuffix replace
    rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title
    translate upper zfill"""
_DICT = "clear copy fromkeys get items keys pop popitem setdefault update values"
_SET = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
_UPDATES = "difference_update intersection_update symmetric_difference_update update"
METHODS: dict[type, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        str: _TEXT,
        bytes: "count decode endswith find hex index isdigit lower startswith upper",
        list: "append clear copy count extend index insert pop remove reverse sort",
        tuple: "count index",
        range: "count index",
        dict: _DICT,
        collections.defaultdict: _DICT,
        collections.OrderedDict: f"{_DICT} move_to_end",
        collections.Counter: f"{_DICT} elements most_common subtract total",
        set: f"{_SET} {_UPDATES} add clear discard pop remove",
        frozenset: _SET,
        collections.deque: """append appendleft clear copy count extend extendleft index insert pop
            popleft remove reverse rotate""",
        int: "as_integer_ratio bit_count bit_length conjugate to_bytes",
        bool: "as_integer_ratio bit_count bit_length conjugate",
        float: "as_integer_ratio conjugate hex is_integer",
        complex: "conjugate",
    }.items()
}
MUTATING = frozenset(
    f"""{_UPDATES} add append appendleft clear discard extend extendleft insert move_to_end pop
    popitem popleft remove reverse rotate setdefault sort subtract""".split()
)


def _extend(name: str) -> Callable[..., Any]:
    return lambda run, box, items: getattr(box, name)(run.items(items))


def _keyed(name: str) -> Callable[..., Any]:
    """`update`, `subtract`, `fromkeys` of a dict."""

    def act(run: Run, box: Any, items: Any = (), *rest: Any, **keywords: Any) -> Any:
        if type(items) not in DICTS:
            pairs = name == "update" and type(box) is not collections.Counter
            items = _dict(run, items) if pairs else uncrowded(run, items)
        return getattr(box, name)(items, *rest, **keywords)

    return act


def _of_sets_of(name: str) -> Callable[..., Any]:
    def act(run: Run, box: Any, *others: Any) -> Any:
        ready = [o if type(o) in SETS else uncrowded(run, o) for o in others]
        return getattr(box, name)(*ready)

    return act


def _update(run: Run, box: Any, *others: Any, **keywords: Any) -> Any:
    act = _of_sets_of("update") if type(box) is set else _keyed("update")
    return act(run, box, *others, **keywords)


def _pop(run: Run, box: Any, *arguments: Any) -> Any:
    if type(box) is set and len(box) > 1:
        raise Cannot("the order of a set")
    return box.pop(*arguments)


def _sort(run: Run, box: list[Any], *, key: Any = None, reverse: Any = False) -> None:
    box.sort(key=run.function(key), reverse=reverse)


def _search(name: str) -> Callable[..., Any]:
    def act(run: Run, box: Any, *arguments: Any) -> Any:
        if type(box) is range and arguments and type(arguments[0]) is not int:
            run.items(box)  # goes through it
        return getattr(box, name)(*arguments)

    return act


def _to_bytes(run: Run, value: int, length: Any = 1, *rest: Any, **keywords: Any) -> bytes:
    if type(length) is int and length > run.budget.size:
        raise Cannot("a value too large")
    return value.to_bytes(length, *rest, **keywords)


_GUARDED: dict[str, Callable[..., Any]] = {
    "count": _search("count"),
    "decode": _encoded("decode"),
    "elements": lambda run, box: Once(run, box.elements()),
    "encode": _encoded("encode"),
    "format": _format,
    "format_map": _format_map,
    "index": _search("index"),
    "join": _join,
    "pop": _pop,
    "replace": _replace,
    "sort": _sort,
    "to_bytes": _to_bytes,
    "translate": _translate,
    "update": _update,
    **{n: _wide(n) for n in ("center", "expandtabs", "ljust", "rjust", "zfill")},
    **{n: _extend(n) for n in ("extend", "extendleft")},
    **{n: _keyed(n) for n in ("fromkeys", "subtract")},
    **{n: _of_sets_of(n) for n in f"{_SET} {_UPDATES}".split() if n not in ("copy", "update")},
}


def method(run: Run, receiver: Any, name: str) -> Callable[..., Any]:
    """The method `name` of `receiver`, to be called with the run, positional and named arguments.
    Raises Cannot, or AttributeError where Python does."""
    kind = type(receiver)
    if kind is Module:
        return receiver.function(name)
    if kind is type:
        return _unbound(receiver, name)
    if name not in METHODS.get(kind, ()):
        if kind in SCALARS | CONTAINERS and not hasattr(kind, name):
            raise AttributeError(name)
        raise Cannot(f"the method {name}")
    changes = name in MUTATING
    if changes and not run.own:
        raise Cannot("a change of a shared value")
    guarded = _GUARDED.get(name)

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        if kind in CONTAINERS or kind is str:
            run.budget.charge(1 + (len(receiver) >> 5))
        if guarded:
            result = guarded(run, receiver, *arguments, **keywords)
        else:
            result = getattr(receiver, name)(*arguments, **keywords)
        if changes:
            run.keep(receiver)
        return result

    return call


def _unbound(kind: type, name: str) -> Callable[..., Any]:
    """`str.lower`, `dict.fromkeys`."""
    if name not in METHODS.get(kind, ()):
        raise Cannot(f"the method {name} of {kind.__name__}")

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        if name in ("fromkeys", "maketrans"):
            return method(run, kind(), name)(run, arguments, keywords)
        if not arguments or type(arguments[0]) is not kind:
            raise TypeError(name)
        return method(run, arguments[0], name)(run, arguments[1:], keywords)

    return call


# ---- functions


def uncrowded(run: Run, items: Any) -> Any:
    """The items as a list (a string as it is), for a set or a dict to be made of them. Raises
    Cannot where many differ but have equal hashes, which would take time beyond measure."""
    items = run.items(items)
    if type(items) is str:
        return items
    items = list(items)
    if len(items) > CROWD:
        hashes = len(set(map(hash, items)))
        if 2 * hashes < len(items):
            if not _PLAIN.issuperset(map(type, items)):
                raise Cannot("equal hashes")
            if sum(1 for _ in itertools.groupby(sorted(items))) > 2 * hashes:
                raise Cannot("equal hashes")
    return items


def _plain(act: Callable[..., Any]) -> Callable[..., Any]:
    """A function of scalars, or one that does not look at items."""

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        if not _EXACT.isdisjoint(map(type, arguments)):
            raise Cannot("arithmetic of Decimal or Fraction")
        return act(*arguments, **keywords)

    return call


def _with_run(act: Callable[..., Any]) -> Callable[..., Any]:
    return lambda run, arguments, keywords: act(run, *arguments, **keywords)


def _lazy(act: Callable[..., Any], called: int = 0) -> Callable[..., Any]:
    """An iterator over its arguments, after the first `called`, which are functions."""

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        functions = [run.function(f) for f in arguments[:called]]
        loops = [run.items(a) for a in arguments[called:]]
        return Once(run, act(*functions, *loops, **keywords), 1 + (len(loops) >> 4))

    return call


def _enumerate(run: Run, iterable: Any, start: Any = 0) -> Once:
    return Once(run, enumerate(run.items(iterable), start))


def _reversed(run: Run, items: Any) -> Once:
    return Once(run, reversed(items))


def _iter(run: Run, items: Any) -> Once:
    return Once(run, run.items(items))


def _next(run: Run, items: Any, *default: Any) -> Any:
    return next(items, *default)


def _made(act: Callable[..., Any]) -> Callable[..., Any]:
    """A sequence made of the items of its first argument."""

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        return act(*[run.items(a) for a in arguments], **keywords)

    return call


def _hashed(act: Callable[..., Any]) -> Callable[..., Any]:
    """A set or a Counter made of the items of its first argument."""

    def call(run: Run, arguments: Any, keywords: Any) -> Any:
        direct = SETS if act in SETS else DICTS
        ready = [a if type(a) in direct else uncrowded(run, a) for a in arguments]
        return act(*ready, **keywords)

    return call


def _dict(run: Run, *arguments: Any, **keywords: Any) -> dict[Any, Any]:
    if arguments and type(arguments[0]) not in DICTS:
        pairs = list(run.items(arguments[0]))
        for pair in pairs:
            run.items(pair)
        uncrowded(run, [p[0] for p in pairs if type(p) in (tuple, list, str) and p])
        arguments = (pairs, *arguments[1:])
    return dict(*arguments, **keywords)


def _ordered_dict(run: Run, *arguments: Any, **keywords: Any) -> Any:
    return collections.OrderedDict(_dict(run, *arguments, **keywords))


def _defaultdict(run: Run, factory: Any = None, *arguments: Any) -> Any:
    if not (factory is None or factory in FACTORIES):
        raise Cannot("a factory")
    return collections.defaultdict(factory, _dict(run, *arguments))


FACTORIES = (int, float, str, list, dict, set, tuple, bool)


def _total(values: list[Any]) -> bool:
    """Whether every two of the values are ordered, and differ where they look different."""
    kinds = set(map(type, values))
    if kinds == {tuple}:
        return {type(part) for value in values for part in value} <= {int, str}
    return len(kinds) <= 1 and kinds <= {int, str, float} and all(v == v for v in values)


def _decided(values: list[Any], key: Any) -> list[Any]:
    """The values of a set, when sorting them does not depend on its order."""
    keys = values if key is None else list(map(key, values))
    if not _total(keys) or (key and len(set(keys)) < len(keys)):
        raise Cannot("the order of a set")
    return values


def _sorted(run: Run, items: Any, /, *, key: Any = None, reverse: Any = False) -> list[Any]:
    key, items = run.function(key), run.items(items)
    if run.unordered:
        items = _decided(list(items), key)
    return sorted(items, key=key, reverse=reverse)


def _extreme(act: Callable[..., Any]) -> Callable[..., Any]:
    def pick(run: Run, arguments: Any, keywords: Any) -> Any:
        key = keywords["key"] = run.function(keywords.get("key"))
        if len(arguments) == 1:
            items = run.items(arguments[0])
            if run.unordered and (items := list(items)):
                ranks = items if key is None else list(map(key, items))
                if not _total(ranks) or (key and ranks.count(act(ranks)) > 1):
                    raise Cannot("the order of a set")
            arguments = (items,)
        return act(*arguments, **keywords)

    return pick


def _sum(run: Run, items: Any, /, *rest: Any, **keywords: Any) -> Any:
    values = list(run.items(items))
    kinds = set(map(type, values))
    if run.unordered and not kinds <= {int, bool}:
        raise Cannot("the order of a set")
    if kinds <= _NUMBERS:
        return sum(values, *rest, **keywords)
    total = sum((), *rest, **keywords)
    for value in values:
        total = run.keep(total + value)
    return total


def _any_or_all(act: Callable[[Any], bool]) -> Callable[..., bool]:
    def decide(run: Run, items: Any) -> bool:
        items = run.items(items)
        return act([bool(x) for x in items] if run.unordered else items)

    return decide


def _round(run: Run, number: Any, ndigits: Any = None) -> Any:
    if type(number) in _EXACT or (type(ndigits) is int and abs(ndigits) > _MAX_WIDTH):
        raise Cannot("rounding")
    return round(number, ndigits)


def _pow(run: Run, base: Any, exp: Any, mod: Any = None) -> Any:
    if mod is None:
        return _power(run, base, exp)
    if type(base) is type(exp) is type(mod) is int:
        run.budget.charge(exp.bit_length() * (1 + (mod.bit_length() >> 10)) ** 2 >> 2)
    return pow(base, exp, mod)


def _text(write: Callable[[Any], str]) -> Callable[..., str]:
    def call(run: Run, *value: Any) -> str:
        if write is str and len(value) != 1:
            if value:
                raise Cannot("decoding")
            return ""
        (only,) = value or [write()]  # type: ignore[call-arg]
        return run.text(only, write)

    return call


def _type(run: Run, value: Any) -> type:
    if type(value) not in SCALARS | CONTAINERS:
        raise Cannot("the type of a function or an iterator")
    return type(value)


def _isinstance(run: Run, value: Any, kinds: Any) -> bool:
    _type(run, value)
    return isinstance(value, kinds)


def _bytes(run: Run, value: Any = b"") -> bytes:
    if type(value) is int:
        raise Cannot("bytes of a number")
    return bytes(run.items(value))


def _reduce(run: Run, act: Any, items: Any, *start: Any) -> Any:
    return functools.reduce(run.function(act), run.items(items), *start)


def _chain(run: Run, *loops: Any) -> Once:
    return Once(run, itertools.chain(*[run.items(x) for x in loops]))


def _factorial(run: Run, n: Any) -> int:
    if type(n) is int and n * n.bit_length() > run.budget.bits:
        raise Cannot("a number too long")
    return math.factorial(n)


def _choose(act: Callable[..., int]) -> Callable[..., int]:
    def call(run: Run, n: Any, *k: Any) -> int:
        if all(type(x) is int for x in (n, *k)):
            least = min([n, *k] if act is math.perm else [n - k[0], *k] if k else [0])
            if least * n.bit_length() > run.budget.bits:
                raise Cannot("a number too long")
        return act(n, *k)

    return call


def _product(run: Run, items: Any, /, *, start: Any = 1) -> Any:
    for item in run.items(items):
        start = run.keep(_times(run, start, item))
    return start


def _lcm(run: Run, *numbers: Any) -> int:
    out = 1
    for number in numbers:
        out = run.keep(math.lcm(out, number))
    return out if numbers else math.lcm()


MATH: dict[str, Any] = {
    **{n: getattr(math, n) for n in ("e", "inf", "nan", "pi", "tau")},
    **{
        n: _plain(getattr(math, n))
        for n in [
            "acos",
            "asin",
            "atan",
            "atan2",
            "ceil",
            "copysign",
            "cos",
            "cosh",
            "degrees",
            "dist",
            "exp",
            "expm1",
            "fabs",
            "floor",
            "fmod",
            "frexp",
            "gcd",
            "hypot",
            "isclose",
            "isfinite",
            "isinf",
            "isnan",
            "isqrt",
            "ldexp",
            "log",
            "log10",
            "log1p",
            "log2",
            "modf",
            "pow",
            "radians",
            "sin",
            "sinh",
            "sqrt",
            "tan",
            "tanh",
            "trunc",
        ]
    },
    "comb": _with_run(_choose(math.comb)),
    "factorial": _with_run(_factorial),
    "fsum": _made(math.fsum),
    "lcm": _with_run(_lcm),
    "perm": _with_run(_choose(math.perm)),
    "prod": _with_run(_product),
}
BUILTINS: dict[str, Callable[[Run, Any, Any], Any]] = {
    **{f.__name__: _plain(f) for f in (abs, bin, bool, chr, complex, divmod, float, hex, int, len,
                                       oct, ord, range)},
    **{f.__name__: _with_run(_text(f)) for f in (str, repr, ascii)},
    **{f.__name__: _made(f) for f in (list, tuple, collections.deque)},
    **{f.__name__: _hashed(f) for f in (collections.Counter, set, frozenset)},
    **{f.__name__: _extreme(f) for f in (min, max)},
    **{f.__name__: _with_run(_any_or_all(f)) for f in (any, all)},
    **{f.__name__[1:]: _with_run(f) for f in (_bytes, _chain, _defaultdict, _dict, _enumerate,
       _isinstance, _iter, _next, _pow, _reduce, _reversed, _round, _sorted, _sum, _type)},
    "OrderedDict": _with_run(_ordered_dict),
    "filter": _lazy(filter, 1),
    "format": _with_run(lambda run, value, spec="": formatted(run, value, None, spec)),
    "map": _lazy(map, 1),
    "zip": _lazy(zip),
    **{n: MATH[n] for n in ["ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "prod", "sqrt"]},
}  # fmt: skip
TYPES: dict[str, type] = {k.__name__: k for k in SCALARS | CONTAINERS if k.__name__ in BUILTINS}
MODULES: dict[str, Module] = {
    "collections": Module({n: TYPES[n] for n in ("Counter", "OrderedDict", "defaultdict", "deque")}),
    "functools": Module({"reduce": BUILTINS["reduce"]}),
    "itertools": Module({"chain": BUILTINS["chain"]}),
    "math": Module(MATH),
    "string": Module({n: getattr(string, n) for n in ["ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "punctuation"]}),
}  # fmt: skip
# the order in which these go through their argument does not matter, or they check it
ORDER_FREE = frozenset(["all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum"])
# and these hand it on
HAND_ON = frozenset(["filter", "iter", "list", "map", "tuple"])
