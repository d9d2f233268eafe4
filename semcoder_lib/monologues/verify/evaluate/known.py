"""The functions and methods that the verifier's evaluator knows, each bounded in what it makes."""

from __future__ import annotations

import collections
import itertools
import math
import operator
import re
import string
from collections.abc import Callable, Iterable
from typing import Any

MAX_SIZE = 200_000
MAX_BITS = 100_000


class Cannot(Exception):
    """The evaluator does not know, or will not compute, this."""


def size(value: Any) -> int:
    """Characters or items of a value, bits of a number."""
    if isinstance(value, int):
        return value.bit_length()
    try:
        return len(value)
    except TypeError:
        return 1


def bounded(value: Any) -> Any:
    """The value, unless it is too large or an iterator (which becomes a list, bounded)."""
    if isinstance(value, str | list | tuple | dict | set | int | range):
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise Cannot("number too long")
        if not isinstance(value, int | range) and len(value) > MAX_SIZE:
            raise Cannot("value too large")
        return value
    if isinstance(value, float | bytes | bool) or value is None:
        return value
    if hasattr(value, "__next__"):
        return list(itertools.islice(value, MAX_SIZE))
    return value


def items(value: Any) -> Iterable[Any]:
    """What a loop over the value goes through."""
    if isinstance(value, range) and len(value) > MAX_SIZE:
        raise Cannot("range too long")
    return list(value)


def times(a: Any, b: Any) -> Any:
    """`a * b`, refused where it would be large."""
    if isinstance(a, int) and isinstance(b, int):
        if a.bit_length() + b.bit_length() > MAX_BITS:
            raise Cannot("number too long")
    elif not isinstance(a, float) and not isinstance(b, float):
        count, other = (a, b) if isinstance(a, int) else (b, a)
        if isinstance(count, int) and count * max(1, size(other)) > MAX_SIZE:
            raise Cannot("value too large")
    return a * b


def power(a: Any, b: Any) -> Any:
    """`a ** b`, refused where it would be large."""
    if isinstance(a, int) and isinstance(b, int) and a.bit_length() * abs(b) > MAX_BITS:
        raise Cannot("number too long")
    return a**b


def shift_left(a: Any, b: Any) -> Any:
    """`a << b`, refused where it would be large."""
    if not isinstance(b, int) or b > MAX_BITS:
        raise Cannot("number too long")
    return a << b


_LONG_WIDTH = re.compile(r"\d{5,}|\*")


def modulo(a: Any, b: Any) -> Any:
    """`a % b`, with a bound on the widths of a format."""
    if isinstance(a, str | bytes) and _LONG_WIDTH.search(
        a if isinstance(a, str) else a.decode("latin1")
    ):
        raise Cannot("format width")
    return a % b


def formatted(value: Any, spec: str) -> str:
    """`format(value, spec)`, with a bound on the width."""
    if _LONG_WIDTH.search(spec):
        raise Cannot("format width")
    return format(value, spec)


def _same_type(value: Any) -> Any:
    return type(value)


def _range(*arguments: int) -> range:
    return range(*arguments)


def _round(value: Any, digits: Any = None) -> Any:
    return round(value) if digits is None else round(value, digits)


def _int(*arguments: Any) -> int:
    if arguments and isinstance(arguments[0], str) and len(arguments[0]) > 4000:
        raise Cannot("number too long")
    return int(*arguments)


def _isinstance(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds)


def _pow(a: Any, b: Any, modulus: Any = None) -> Any:
    return power(a, b) if modulus is None else pow(a, b, modulus)


def _map(act: Any, *lists: Any) -> list[Any]:
    return [act(*row) for row in zip(*lists, strict=False)]


def _filter(act: Any, values: Any) -> list[Any]:
    return [v for v in values if (v if act is None else act(v))]


def _zip(*lists: Any) -> list[Any]:
    return list(zip(*lists, strict=False))


def _enumerate(values: Any, start: int = 0) -> list[Any]:
    return list(enumerate(values, start))


def _next(values: Any, *default: Any) -> Any:
    return next(iter(values), *default)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        f.__name__: f
        for f in (
            abs, all, any, ascii, bin, bool, bytes, chr, complex, dict, divmod, float, frozenset,
            hash, hex, len, list, max, min, oct, ord, repr, reversed, set, sorted, str, sum, tuple,
        )
    },
    "enumerate": _enumerate, "filter": _filter, "int": _int, "isinstance": _isinstance,
    "iter": list, "map": _map, "next": _next, "pow": _pow, "range": _range, "round": _round,
    "type": _same_type, "zip": _zip, "Counter": collections.Counter,
    "defaultdict": collections.defaultdict, "OrderedDict": collections.OrderedDict,
    "deque": collections.deque,
}  # fmt: skip
del FUNCTIONS["hash"]  # differs from run to run

DOTTED: dict[str, Callable[..., Any]] = {
    **{
        f"math.{name}": getattr(math, name)
        for name in (
            "ceil", "floor", "sqrt", "gcd", "lcm", "isqrt", "log", "log2", "log10", "exp", "fabs",
            "hypot", "sin", "cos", "tan", "atan", "atan2", "degrees", "radians", "trunc", "isnan",
            "isinf", "isclose", "prod", "fsum", "copysign", "fmod", "modf",
        )
    },
    **{f"str.{n}": getattr(str, n) for n in ("lower", "upper", "strip", "isdigit", "isalpha")},
    "str.maketrans": str.maketrans,
    "dict.fromkeys": dict.fromkeys,
    "collections.Counter": collections.Counter,
    "collections.defaultdict": collections.defaultdict,
    "collections.OrderedDict": collections.OrderedDict,
    "collections.deque": collections.deque,
    "itertools.chain": lambda *a: list(itertools.chain(*a)),
    "operator.itemgetter": operator.itemgetter,
}  # fmt: skip
CONSTANTS: dict[str, Any] = {
    "math.pi": math.pi, "math.e": math.e, "math.inf": math.inf,
    **{f"string.{n}": getattr(string, n) for n in (
        "ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "punctuation",
        "whitespace", "hexdigits",
    )},
}  # fmt: skip
MUTATORS = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
        "add",
        "discard",
        "appendleft",
        "popleft",
        "extendleft",
        "rotate",
        "subtract",
        "move_to_end",
        "intersection_update",
        "difference_update",
        "symmetric_difference_update",
    ]
)
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(n for n in dir(str) if not n.startswith("_")) - {"format_map"},
    list: frozenset(n for n in dir(list) if not n.startswith("_")),
    tuple: frozenset(("count", "index")),
    range: frozenset(("count", "index")),
    dict: frozenset(n for n in dir(dict) if not n.startswith("_")),
    set: frozenset(n for n in dir(set) if not n.startswith("_")),
    frozenset: frozenset(n for n in dir(frozenset) if not n.startswith("_")),
    bytes: frozenset(n for n in dir(bytes) if not n.startswith("_")),
    int: frozenset(("bit_length", "bit_count", "conjugate")),
    float: frozenset(("is_integer", "hex", "conjugate")),
    collections.Counter: frozenset(n for n in dir(collections.Counter) if not n.startswith("_")),
    collections.deque: frozenset(n for n in dir(collections.deque) if not n.startswith("_")),
    collections.defaultdict: frozenset(n for n in dir(dict) if not n.startswith("_")),
    collections.OrderedDict: frozenset(
        n for n in dir(collections.OrderedDict) if not n.startswith("_")
    ),
}
_WIDE = frozenset(("ljust", "rjust", "center", "zfill", "expandtabs"))


def call_method(owner: Any, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """A method of an exact built-in value, from the closed list."""
    known = _METHODS.get(type(owner))
    if known is None or name not in known:
        raise Cannot(f"no method {name} of {type(owner).__name__}")
    if name in _WIDE and any(isinstance(a, int) and a > 10_000 for a in arguments):
        raise Cannot("too wide")
    if name == "format" and (_LONG_WIDTH.search(owner) or re.search(r"\{[^{}]*[.\[]", owner)):
        raise Cannot("format with attributes")
    if name in ("replace", "join", "translate"):
        _check_growth(owner, arguments)
    return getattr(owner, name)(*arguments, **named)


def _check_growth(owner: Any, arguments: list[Any]) -> None:
    longest = max((size(a) for a in arguments), default=0)
    if longest > 50 and size(owner) * longest > 10 * MAX_SIZE:
        raise Cannot("value too large")


def call_function(name: str, act: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """A built-in function, with bounds on what it would make."""
    for argument in arguments:
        if isinstance(argument, range) and len(argument) > MAX_SIZE:
            raise Cannot("range too long")
    if name in ("bytes", "bytearray") and arguments and isinstance(arguments[0], int):
        raise Cannot("size")
    return act(*arguments, **named)
