"""From a value to its text."""

from __future__ import annotations

import collections
import sys
from collections.abc import Callable
from typing import Any

MAX_NODES = 100_000
MAX_BYTES = 2_000_000
MAX_DEPTH = 80
# Python's tokenizer takes 200 open brackets; `Counter({…})` opens two, `OrderedDict([(…)])` three.
MAX_BRACKETS = 160
# int -> decimal text is quadratic and refuses beyond 4,300 digits, so long ints are written in hex.
HEX_FROM_BITS = 13_000
MAX_BITS = 1 << 18  # 79,000 digits; beyond, comparing with a Decimal or a Fraction takes seconds
_SMALL = 1 << 62


class Unserializable(ValueError):
    """The value has no exact bounded text; the message says why."""


def encode(value: Any, *, max_nodes: int = MAX_NODES, max_bytes: int = MAX_BYTES) -> str:
    """The exact text of `value`; sets come out sorted, dicts in their own order. `decode` reads it
    back to a value of the same text, types and order, but for a defaultdict's factory that is no
    built-in type: it becomes None.

    Raises `Unserializable` and nothing else: for other types, subclasses, cycles, nesting beyond 80
    levels (or 160 brackets), integers beyond `MAX_BITS`, and values larger than the budgets (which
    count the whole value, not one container). Runs no method of the value.
    """
    try:
        text = Writer(max_nodes, max_bytes).write(value, 0, 0)
    except RecursionError:  # the caller itself is deep down
        raise Unserializable("nested too deep") from None
    if len(text) > max_bytes:
        raise Unserializable("too long")
    return text


def show_call(name: str, arguments: tuple[Any, ...]) -> str:
    """`f(1, [2])`, from a name and positional values."""
    return f"{name}({', '.join(encode(a) for a in arguments)})"


class Writer:
    """One value on its way; `nodes` and `room` are what is left of its budgets, `within` are the
    ids of the containers around it. `other` decides what becomes of types without a text."""

    __slots__ = ("nodes", "room", "within")

    def __init__(self, nodes: int, room: int) -> None:
        self.nodes = nodes
        self.room = room
        self.within: set[int] = set()

    def write(self, v: Any, depth: int, brackets: int) -> str:
        kind = type(v)
        self.nodes -= 1
        if self.nodes < 0:
            raise Unserializable("too many elements")
        if type(kind) is not type:  # a metaclass of the program, which looking it up could run
            return self.other(v, kind)
        atom = _ATOMS.get(kind)
        if atom is not None:
            text = atom(v)
            self.room -= len(text) + 2
        elif kind is str or kind is bytes or kind is bytearray:
            if len(v) > self.room:
                raise Unserializable("too long")
            text = repr(v)
            self.room -= len(text) + 2
        elif kind is int:
            if v.bit_length() > min(MAX_BITS, 4 * self.room):
                raise Unserializable("too long")
            text = _int(v)
            self.room -= len(text) + 2
        else:
            text = self.container(v, kind, depth, brackets)
        if self.room < 0:
            raise Unserializable("too long")
        return text

    def container(self, v: Any, kind: type, depth: int, brackets: int) -> str:
        entry = _CONTAINERS.get(kind)
        if entry is None:
            return self.other(v, kind)
        opened, write = entry
        brackets += opened
        if depth >= MAX_DEPTH or brackets > MAX_BRACKETS:
            raise Unserializable("nested too deep")
        key = id(v)
        if key in self.within:
            raise Unserializable("contains itself")
        self.within.add(key)
        self.room -= 2
        text = write(self, v, depth + 1, brackets)
        self.within.discard(key)
        return text

    def other(self, v: Any, kind: type) -> str:
        name = late(kind)
        if not name:
            name = type.__dict__["__name__"].__get__(kind)  # a metaclass may lie or run code
            raise Unserializable(f"no exact text for type {name}")
        parts = [repr(a) if type(a) is str else _int(a) for a in LATE[name][2](v)]
        if name in ("datetime", "time"):
            if v.tzinfo is not None:
                raise Unserializable("date or time with a time zone")
            parts += ["fold=1"] * v.fold
        text = f"{name}({', '.join(parts)})"
        self.room -= len(text) + 2
        return text

    def items(self, parts: Any, depth: int, brackets: int) -> list[str]:
        write, small = self.write, _SMALL
        texts = []
        for part in parts:
            if type(part) is int and -small < part < small:  # most of what programs compute
                text = repr(part)
                self.nodes -= 1
                self.room -= len(text) + 2
                if self.nodes < 0 or self.room < 0:
                    raise Unserializable("too many elements" if self.nodes < 0 else "too long")
                texts.append(text)
            else:
                texts.append(write(part, depth, brackets))
        return texts

    def pairs(self, v: Any, depth: int, brackets: int) -> str:
        write = self.write
        inside = [
            f"{write(k, depth, brackets)}: {write(x, depth, brackets)}" for k, x in dict.items(v)
        ]
        return "{" + ", ".join(inside) + "}"


def _int(v: int) -> str:
    return repr(v) if v.bit_length() <= HEX_FROM_BITS else hex(v)


def _tuple(w: Writer, v: tuple[Any, ...], d: int, b: int) -> str:
    inside = w.items(v, d, b)
    return "(" + ", ".join(inside) + (",)" if len(inside) == 1 else ")")


def _set(w: Writer, v: Any, d: int, b: int) -> str:
    return "{" + ", ".join(sorted(w.items(v, d, b), key=_set_order)) + "}" if v else "set()"


def _set_order(text: str) -> tuple[int, Any, str]:
    """Numbers by size, then everything else by text: an order that depends on the set alone."""
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return (1, 0.0, text)
    return (0, number, text) if number == number else (1, 0.0, text)


def _ordered(w: Writer, v: Any, d: int, b: int) -> str:
    inside = [
        f"({w.write(k, d, b)}, {w.write(x, d, b)})" for k, x in collections.OrderedDict.items(v)
    ]
    return f"OrderedDict([{', '.join(inside)}])"


def _deque(w: Writer, v: Any, d: int, b: int) -> str:
    limit = "" if v.maxlen is None else f", {v.maxlen}"
    return f"deque([{', '.join(w.items(v, d, b))}]{limit})"


FACTORIES: dict[str, Any] = {f.__name__: f for f in (int, float, str, list, dict, set, tuple, bool)}


def _defaultdict(w: Writer, v: Any, d: int, b: int) -> str:
    factory = v.default_factory
    name = next((name for name, known in FACTORIES.items() if known is factory), "None")
    return f"defaultdict({name}, {w.pairs(v, d, b)})"


def _range(v: range) -> str:
    step = "" if v.step == 1 else f", {_int(v.step)}"
    return f"range({_int(v.start)}, {_int(v.stop)}{step})"


def _clock(v: Any) -> tuple[int, ...]:
    return v.hour, v.minute, v.second, v.microsecond


_ATOMS: dict[type, Callable[[Any], str]] = {
    type(None): repr,
    bool: repr,
    float: repr,  # 'nan', 'inf' and '-inf' are names that `decode` knows
    type(...): lambda v: "...",
    complex: lambda v: f"complex({v.real!r}, {v.imag!r})",
    range: _range,
}
# type: (brackets it opens, how it is written)
_CONTAINERS: dict[type, tuple[int, Callable[..., str]]] = {
    list: (1, lambda w, v, d, b: f"[{', '.join(w.items(v, d, b))}]"),
    tuple: (1, _tuple),
    dict: (1, Writer.pairs),
    set: (1, _set),
    frozenset: (2, lambda w, v, d, b: f"frozenset({_set(w, v, d, b) if v else ''})"),
    collections.Counter: (2, lambda w, v, d, b: f"Counter({w.pairs(v, d, b) if v else ''})"),
    collections.OrderedDict: (3, _ordered),
    collections.deque: (2, _deque),
    collections.defaultdict: (2, _defaultdict),
}
# Of modules that are loaded only by programs that use them. Name: (module, what the arguments of a
# call that makes one may be, the arguments for a value)
LATE: dict[str, tuple[str, type, Callable[[Any], tuple[Any, ...]]]] = {
    "Decimal": ("decimal", str, lambda v: (str(v),)),
    "Fraction": ("fractions", int, lambda v: (v.numerator, v.denominator)),
    "datetime": ("datetime", int, lambda v: (v.year, v.month, v.day, *_clock(v))),
    "date": ("datetime", int, lambda v: (v.year, v.month, v.day)),
    "time": ("datetime", int, _clock),
    "timedelta": ("datetime", int, lambda v: (v.days, v.seconds, v.microseconds)),
}


def late(kind: type) -> str:
    """The name in `LATE` of a type; empty for all others."""
    for name, (module, _, _) in LATE.items():
        loaded = sys.modules.get(module)
        if loaded is not None and getattr(loaded, name, None) is kind:
            return name
    return ""
