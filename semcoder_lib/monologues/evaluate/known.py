"""What may be applied to recorded values: operators, built-ins and methods that change nothing,
each within bounds."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable
from typing import Any

MAX_ITEMS = 5_000
MAX_BITS = 20_000


class Unknown(Exception):
    """The value of the expression cannot be worked out from the recorded values."""


def bounded(value: Any) -> Any:
    """`value` itself, when it is small enough to go on with."""
    kind = type(value)
    if kind is int:
        if value.bit_length() > MAX_BITS:
            raise Unknown("too large")
    elif kind in _SIZED and len(value) > MAX_ITEMS:
        raise Unknown("too long")
    return value


_SIZED = frozenset((str, bytes, list, tuple, dict, set, frozenset))


def _times(a: Any, b: Any) -> Any:
    for x, n in ((a, b), (b, a)):
        if type(x) in _SIZED and type(n) is int and n > 0 and len(x) * n > MAX_ITEMS:
            raise Unknown("too long")
    return a * b


def _power(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int and (b > 4096 or abs(b) * a.bit_length() > MAX_BITS):
        raise Unknown("too large")
    return a**b


def _shift(a: Any, b: Any) -> Any:
    if type(b) is int and b > MAX_BITS:
        raise Unknown("too large")
    return a << b


OPERATORS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", _times),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", _power),
    ast.LShift: ("<<", _shift),
    ast.RShift: (">>", operator.rshift),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor),
}
COMPARISONS: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda a, b: a in b),
    ast.NotIn: ("not in", lambda a, b: a not in b),
    ast.Is: ("is", lambda a, b: _identical(a, b)),
    ast.IsNot: ("is not", lambda a, b: not _identical(a, b)),
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


def _identical(a: Any, b: Any) -> bool:
    """`is`, only where it does not depend on how the interpreter shares objects."""
    singletons = (type(None), bool, type(...))
    if type(a) in singletons or type(b) in singletons:
        return a is b
    if isinstance(a, type) and isinstance(b, type):
        return a is b
    raise Unknown("identity")


def ordered(items: Any) -> Any:
    """`items`, unless it is a set, whose order of iteration no recorded text tells."""
    if type(items) in (set, frozenset) and len(items) > 1:
        raise Unknown("the order of a set")
    return items


def drained(items: Iterable[Any]) -> list[Any]:
    out = []
    ordered(items)
    for item in items:
        out.append(item)
        if len(out) > MAX_ITEMS:
            raise Unknown("too long")
    return out


def _lazy(function: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """An iterator's values as a list. Iterators are used up only once in a program, so a list
    differs from them only where it is shown or measured, which `Once` forbids."""

    def run(*args: Any) -> Once:
        for arg in args:
            ordered(arg)
        return Once(drained(function(*args)))

    return run


class Once(list[Any]):
    """What an iterator gives. May be looped over; anything else with it is `Unknown`."""

    __slots__ = ()


def plain(value: Any) -> Any:
    if isinstance(value, Once):
        raise Unknown("an iterator")
    return value


def _sorted(items: Any, *, key: Any = None, reverse: Any = False) -> list[Any]:
    if type(items) in (set, frozenset) and key is None:
        return sorted(items, reverse=reverse)
    return sorted(drained(items), key=key, reverse=reverse)


def _extreme(pick: Callable[..., Any]) -> Callable[..., Any]:
    def run(*args: Any, **named: Any) -> Any:
        if named.get("key") is not None:
            for arg in args:
                ordered(arg)
        return pick(*args, **named)

    return run


def _shown(write: Callable[[Any], str]) -> Callable[..., str]:
    def run(value: Any = "") -> str:
        return write(showable(value))

    return run


def showable(value: Any) -> Any:
    """`value`, unless its text depends on the order of a set."""
    kind = type(value)
    if kind in (set, frozenset):
        ordered(value)
    parts: Iterable[Any] = ()
    if kind in (list, tuple):
        parts = value
    elif kind is dict:
        parts = value.values()
    for part in parts:
        showable(part)
    return value


def _range(*args: int) -> range:
    made = range(*args)
    if len(made) > MAX_ITEMS * 20:
        raise Unknown("too long")
    return made


def _pow(a: Any, b: Any, m: Any = None) -> Any:
    return _power(a, b) if m is None else pow(a, b, m)


def _instance(value: Any, kind: Any) -> bool:
    return isinstance(value, kind)


BUILTINS: dict[str, Any] = {
    "len": len, "sum": sum, "min": _extreme(min), "max": _extreme(max), "sorted": _sorted,
    "abs": abs, "round": round,
    "int": int, "str": _shown(str), "float": float, "bool": bool, "list": lambda x=(): drained(x),
    "tuple": lambda x=(): tuple(drained(x)), "set": lambda x=(): set(x),
    "frozenset": lambda x=(): frozenset(x), "dict": dict, "range": _range,
    "enumerate": _lazy(enumerate), "zip": _lazy(zip), "reversed": _lazy(reversed),
    "map": _lazy(map), "filter": _lazy(filter), "any": any, "all": all, "ord": ord, "chr": chr,
    "divmod": divmod, "pow": _pow, "bin": bin, "hex": hex, "oct": oct, "repr": _shown(repr),
    "isinstance": _instance,
}  # fmt: skip
TYPES: dict[str, type] = {
    k.__name__: k for k in (int, str, float, bool, list, tuple, set, dict, frozenset, bytes)
}

METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        [
            "capitalize",
            "casefold",
            "center",
            "count",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "zfill",
        ]
    ),
    list: frozenset(("count", "index", "copy")),
    tuple: frozenset(("count", "index")),
    dict: frozenset(("get", "keys", "values", "items", "copy")),
    set: frozenset(
        [
            "union",
            "intersection",
            "difference",
            "symmetric_difference",
            "issubset",
            "issuperset",
            "isdisjoint",
            "copy",
        ]
    ),
    frozenset: frozenset(("union", "intersection", "difference", "issubset", "issuperset")),
    int: frozenset(("bit_length", "bit_count")),
    float: frozenset(("is_integer",)),
}
_VIEWS = frozenset(("keys", "values", "items"))
MATH = {
    name: getattr(math, name)
    for name in [
        "sqrt",
        "floor",
        "ceil",
        "gcd",
        "isqrt",
        "fabs",
        "log",
        "log2",
        "log10",
        "sin",
        "cos",
        "tan",
        "pi",
        "e",
        "inf",
        "hypot",
    ]
}


def method(receiver: Any, name: str, args: list[Any], named: dict[str, Any]) -> Any:
    """The result of a method that changes nothing. Raises `Unknown` for every other."""
    kind = type(receiver)
    if name not in METHODS.get(kind, ()):
        raise Unknown(f"method {name}")
    if kind is str:
        if name == "join":
            ordered(args[0])
        _guard_width(receiver, name, args)
    result = getattr(receiver, name)(*args, **named)
    return Once(result) if name in _VIEWS and kind is dict else result


def _guard_width(text: str, name: str, args: list[Any]) -> None:
    if name in ("center", "ljust", "rjust", "zfill", "expandtabs"):
        if args and type(args[0]) is int and args[0] > MAX_ITEMS:
            raise Unknown("too long")
    elif name == "replace" and args and len(text) * max(len(str(a)) for a in args) > 20 * MAX_ITEMS:
        raise Unknown("too long")
    elif name == "format":
        raise Unknown("format")
