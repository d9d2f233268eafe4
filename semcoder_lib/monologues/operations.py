"""What the evaluator knows: values, operators, methods, functions, in closed lists, each bounded.

Nothing here walks syntax; `evaluator` does. What can make more than it is given is measured first.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
import re
import string
import time
from collections.abc import Callable, Iterable, Iterator
from types import GeneratorType
from typing import Any, Protocol


class Cannot(Exception):
    """Undecidable: outside the closed lists, a name without a value, or beyond a bound."""


class Names(Protocol):
    """Where an expression's free names get their values, for instance a moment of a trace."""

    def defines(self, name: str) -> bool:
        """Whether the program binds the name, other than by importing what commonly has it; a
        built-in of that name is then not meant."""

    def lookup(self, name: str) -> Any:
        """The value, an exact built-in one; it is never changed. Raises Cannot."""

    def moved(self, name: str) -> bool:
        """Whether what is done at this moment changes the value without binding the name."""

    def call(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """What the program's own function gave. Raises Cannot, or Raises where it raised."""


class Budget:
    """What evaluations may cost. `steps`: visited nodes, and some 16 items or characters made each;
    `size` of one value in items, characters or bits; `seconds` of the thread's processor time from
    some 256 steps on. Shared by several evaluations, it is for all of them together. `acted` says
    that something was done which may have changed values."""

    __slots__ = ("_alarm", "_deadline", "acted", "seconds", "size", "steps")

    def __init__(self, steps: int = 200_000, size: int = 25_000, seconds: float = 0.3) -> None:
        self.steps, self.size, self.seconds = steps, size, seconds
        self._alarm, self._deadline, self.acted = steps - 256, 0.0, False

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

    def keep(self, value: Any) -> Any:
        """`value` itself, when it is small enough to go on with."""
        kind, size = type(value), 0
        if kind is int:
            if -(1 << 64) < value < 1 << 64:
                return value
            size = value.bit_length()
        elif kind is str:
            size = len(value)
        elif kind in CONTAINERS:
            size = weigh(value, self.size)
        elif kind not in KNOWN:
            raise Cannot(f"a {kind.__name__}")
        if size > 64:
            if size > self.size:
                raise Cannot("a value too large")
            self.charge(size >> 4)
        return value

    def items(self, value: Any, ordered: bool = True, hashed: bool = False) -> Any:
        """`value` itself, when a loop may go through it (else Python raises, in the loop)."""
        kind = type(value)
        if kind is range:
            if value[self.size :]:
                raise Cannot("a range too long")
        elif kind in SETS:
            if ordered and len(value) > 1:
                raise Cannot("the order of a set")
        elif kind not in CONTAINERS and kind is not str:
            return value
        if hashed and len(value) > _MAX_HASHED:
            raise Cannot("a value too large")
        self.charge(len(value) >> 4)
        return value

    def once(self, items: Iterable[Any], cost: int = 1) -> Iterator[Any]:
        """A one-shot iterator that counts what is taken from it."""
        for item in items:
            self.charge(cost)
            yield item

    def text(self, value: Any, write: Callable[[Any], str] = str) -> str:
        """`str` or `repr` of a value."""
        if type(value) is not str or write is not str:
            size = 0 if type(value) is type else measure(value)
            if size > self.size:
                raise Cannot("a text too long")
            self.charge(size >> 4)
        return write(value)


class Function(functools.partial[Any]):
    """A lambda, a built-in or a bound method as a value: the only things that are ever called."""


VIEWS = frozenset((type({}.keys()), type({}.values()), type({}.items())))
SETS = frozenset((set, frozenset))
CONTAINERS: frozenset[type] = SETS | VIEWS | {list, tuple, dict}
NUMBERS: frozenset[type] = frozenset((int, float, bool))
SCALARS: frozenset[type] = NUMBERS | {str, range, type(None)}
VALUES: frozenset[type] = SCALARS | CONTAINERS
KNOWN: frozenset[type] = VALUES | {Function, GeneratorType, type}
_MAX_DEPTH = 60  # of values
_MAX_HASHED = 1000  # items of a set or keys that are made: their hashes may all be equal
_MAX_WIDTH = 1000  # of a formatted text


def parts_of(value: Any) -> Any:
    """What a container holds, keys and values alike."""
    return [*value, *value.values()] if type(value) is dict else value


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
    if kind is str:
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


# ---- operators

BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
    ast.Not: operator.not_,
}  # fmt: skip
COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_SINGLE = frozenset((type(None), bool, type))  # kinds whose values have an identity


def operate(budget: Budget, kind: type, a: Any, b: Any) -> Any:
    """`a` and `b` under a binary operator."""
    kinds = {type(a), type(b)}
    if not kinds <= KNOWN or range in kinds:
        raise Cannot("arithmetic of other values")
    if kind is ast.Mod and type(a) is str:
        raise Cannot("a format")
    size = 0
    if kind is ast.Pow:
        size = (a.bit_length() - 1) * b if kinds <= {int, bool} else 0
    elif kind is ast.LShift:
        size = b if kinds <= {int, bool} and a else 0
    elif kind is ast.Mult and kinds & {int, bool} and kinds & {str, list, tuple}:
        size = len(a) * b if type(b) in NUMBERS else len(b) * a
    if size > budget.size:
        raise Cannot("a value too large")
    return budget.keep(BINARY[kind](a, b))


def compare(budget: Budget, kind: type, a: Any, b: Any) -> Any:
    """`a` and `b` under a comparison."""
    if kind is ast.In or kind is ast.NotIn:
        if type(b) is not range or type(a) is not int:
            budget.items(b, ordered=False)  # goes through it
    elif kind is ast.Is or kind is ast.IsNot:
        if type(a) not in _SINGLE and type(b) not in _SINGLE:
            raise Cannot("the identity of objects")
    elif type(a) in CONTAINERS:
        budget.charge(16 + (len(a) >> 4))
    return COMPARISONS[kind](a, b)


# ---- texts


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}
_FIELD = re.compile(r"\{\{|\}\}|\{\w*(?:![rs])?(?::[^{}]*)?\}")


def _narrow(spec: str) -> str:
    """A format that depends on no locale, and pads to no great width."""
    if "n" in spec or any(int(width[:9]) > _MAX_WIDTH for width in re.findall(r"\d+", spec)):
        raise Cannot("a format")
    return spec


def formatted(budget: Budget, value: Any, spec: str, conversion: int = -1) -> str:
    """`format(value, spec)` after `!r` or `!s`."""
    if conversion > 0:
        value = budget.text(value, _CONVERSIONS[chr(conversion)])
    if spec == "":
        return budget.text(value)
    if type(value) not in VALUES:
        raise Cannot("a format")
    return format(value, _narrow(spec))


_GROWING = _words("center expandtabs format format_map join ljust replace rjust translate zfill")


def _grown(budget: Budget, text: str, name: str, /, *arguments: Any, **named: Any) -> str:
    """What a method of a text gives that can be much longer than it and its arguments together,
    though not than their product."""
    formats = name in ("format", "format_map")
    if formats:
        rest = _FIELD.sub(lambda field: _narrow(field[0]) and "", text)
        if "{" in rest or "}" in rest:
            raise Cannot("a format that looks into a value")
    if name == "translate" and any(type(table) is not dict for table in arguments):
        raise Cannot("a table that is no dict")
    if name == "join" and len(arguments) == 1:
        arguments = (list(budget.items(arguments[0])),)
    given = [a for a in (*arguments, *named.values()) if formats or type(a) not in SETS]
    size = sum(abs(a) if type(a) is int else measure(a) for a in given)
    if (len(text) + 1) * (size + 1) > budget.size:
        raise Cannot("a text too long")
    return budget.keep(getattr(text, name)(*arguments, **named))


# ---- methods

_LEFT_OUT = _words("encode")
METHODS: dict[type, frozenset[str]] = {
    kind: frozenset(n for n in dir(kind) if n[0] != "_" and callable(getattr(kind, n))) - _LEFT_OUT
    for kind in (str, list, tuple, range, dict, set, frozenset)
} | {int: _words("bit_count bit_length"), float: _words("is_integer")}
_UPDATES = "difference_update intersection_update symmetric_difference_update update"
_GATHERING = _words(f"""{_UPDATES} difference extend fromkeys intersection isdisjoint issubset
    issuperset symmetric_difference union""")
MUTATING = _words(f"""{_UPDATES} add append appendleft clear discard extend extendleft insert
    pop popitem popleft remove reverse rotate setdefault sort subtract""")


def method(budget: Budget, receiver: Any, name: str) -> Function:
    """The method `name` of a value or a type. Raises Cannot, or AttributeError as Python does."""
    kind = receiver if type(receiver) is type else type(receiver)
    if name not in METHODS.get(kind, ()):
        if receiver is not kind and kind in VALUES and not hasattr(kind, name):
            raise AttributeError(name)
        raise Cannot(f"the method {name} of {kind.__name__}")
    if receiver is kind and name not in ("fromkeys", "maketrans"):
        raise Cannot("a method of a type")
    return Function(_call_method, budget, receiver, name)


def _call_method(budget: Budget, box: Any, name: str, /, *arguments: Any, **named: Any) -> Any:
    kind = type(box)
    if kind is str or kind in CONTAINERS:
        budget.charge(1 + (len(box) >> 5))
    if kind is range or (kind is set and name == "pop"):
        budget.items(box)
    if kind is str and name in _GROWING:
        return _grown(budget, box, name, *arguments, **named)
    if name == "update" and kind is dict:
        arguments = tuple(pairs(budget, a) for a in arguments)
    elif name in _GATHERING:
        arguments = tuple(
            budget.items(a, ordered=kind not in SETS, hashed=name != "extend") for a in arguments
        )
    elif name == "sort":
        named = {k: as_function(budget, v) for k, v in named.items()}
    result = getattr(box, name)(*arguments, **named)
    if name in MUTATING:
        budget.keep(box)
    return budget.keep(result)


# ---- functions


def pairs(budget: Budget, value: Any) -> Any:
    """`value` for a dict to be made of it: a mapping, or pairs of which none is a set."""
    if type(value) is dict:
        return value
    return budget.once(map(budget.items, budget.items(value, hashed=True)))


def _sum(budget: Budget, items: Any, /, start: Any = 0) -> Any:
    values = list(budget.items(items))
    if not NUMBERS.issuperset(map(type, values)):
        raise Cannot("a sum of what are no numbers")
    return sum(values, start)


def _str(budget: Budget, *value: Any) -> str:
    if len(value) > 1:
        raise Cannot("decoding")
    return budget.text(*value) if value else ""


def _type(budget: Budget, value: Any) -> type:
    if type(value) not in VALUES:
        raise Cannot("the type of what is not a value")
    return type(value)


def _round(budget: Budget, number: Any, ndigits: Any = None) -> Any:
    if type(ndigits) is int and abs(ndigits) > 1000:
        raise Cannot("a number too large")
    return round(number, ndigits)


_MATH = {name: getattr(math, name) for name in _words("""acos asin atan atan2 ceil copysign cos
    degrees dist e exp fabs floor fmod gcd hypot inf isclose isfinite isinf isnan isqrt log log10
    log2 modf nan pi pow radians sin sqrt tan tau trunc""")}  # fmt: skip
_DIRECT: dict[str, Callable[..., Any]] = {
    **{f.__name__: f for f in (
        abs, all, any, bin, bool, chr, divmod, enumerate, filter, float, frozenset, hex, int, iter,
        len, list, map, max, min, next, oct, ord, range, reversed, set, sorted, tuple, zip)},
    **{n: _MATH[n] for n in _words("ceil floor gcd isqrt sqrt")},
    **{f"math.{n}": f for n, f in _MATH.items() if callable(f)},
}  # fmt: skip
_WITH_RUN: dict[str, Callable[..., Any]] = {
    "dict": lambda budget, *a, **k: dict(*[pairs(budget, x) for x in a], **k),
    "isinstance": lambda budget, value, kinds: issubclass(_type(budget, value), kinds),
    "repr": lambda budget, value: budget.text(value, repr),
    "round": _round,
    "str": _str,
    "sum": _sum,
    "type": _type,
}
BUILTINS = frozenset(_DIRECT) | frozenset(_WITH_RUN)
TYPES: dict[str, type] = {k.__name__: k for k in VALUES if k.__name__ in BUILTINS}
CONSTANTS: dict[str, Any] = {
    **{f"math.{n}": v for n, v in _MATH.items() if not callable(v)},
    **{f"string.{n}": getattr(string, n) for n in _words(
        "ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation")},
}  # fmt: skip
MODULES = frozenset(("math", "string"))
# functions whose result is the same in any order of what they go through, where no two items that
# differ are equal or of one rank; and those that do not go through a container
_ORDER_FREE = _words("all any frozenset len max min set sorted sum")
_NO_LOOP = _words("bool len next range reversed")


def _order_free(name: str, items: Any, keywords: dict[str, Any]) -> bool:
    if type(items) not in SETS or name not in _ORDER_FREE or "key" in keywords:
        return False
    kinds = set(map(type, items))
    return name in ("all", "any", "frozenset", "set") or (
        kinds == {int} or (kinds == {str} and name != "sum")
    )


def as_function(budget: Budget, value: Any) -> Any:
    """`value` as something that may be called."""
    if type(value) is type:
        return Function(lambda *a, **k: call(budget, value.__name__, list(a), k))
    return value


def call(budget: Budget, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """What a function of the closed list gives."""
    if name not in BUILTINS:
        raise Cannot(f"the function {name}")
    if not KNOWN.issuperset(map(type, arguments)):
        raise Cannot(f"{name} of what is not a value")
    if len(arguments) == 1 and _order_free(name, arguments[0], keywords):
        arguments = [list(arguments[0])]
    if name in _WITH_RUN:
        return budget.keep(_WITH_RUN[name](budget, *arguments, **keywords))
    act = _DIRECT[name]
    if "key" in keywords:
        keywords["key"] = as_function(budget, keywords["key"])
    if name in ("filter", "map"):
        arguments[:1] = [as_function(budget, f) for f in arguments[:1]]
    if name not in _NO_LOOP:
        arguments = [budget.items(a, hashed=act in SETS) for a in arguments]
    result = act(*arguments, **keywords)
    if hasattr(result, "__next__") and type(result) is not GeneratorType and name != "next":
        return budget.once(result, 1 + (len(arguments) >> 4))
    return budget.keep(result)
