"""The text of a value, bounded, and a way to see cheaply that it has not changed since.

Runs inside the child, between two lines of an untrusted program. Everything is decided by the exact
type; no method, attribute or comparison of the program's own classes is ever run, and the cost of
one value is bounded whatever its size. Where a value has an exact text it is that of
`values.encode`; otherwise the text is a description in angle brackets, such as `<Node value=3>`.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import itertools
import sys
from collections.abc import Iterable
from itertools import compress
from operator import is_not
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.tracing import objects

# Each container inside a value, with its size and copies of its elements (or keys) and of its
# mapped values. While they are the same objects, so is the text.
Watch = list[tuple[Any, int, list[Any], list[Any] | None]]
# (text, exact, watch). The watch is empty if the value can never change, and None if only a new
# description can tell.
Described = tuple[str, bool, Watch | None]

SMALL = 1 << 63
_FEW = 6  # elements that are checked one by one
_ELEMENT_BYTES = 1_700  # sys.getsizeof of an int that is short enough for decimal text
_HEAD = 32  # elements that are shown of a container that is too large

_SCALARS = frozenset({int, str, float, bool, type(None)})
_SCALAR_IDS = frozenset(map(id, _SCALARS))
_ONLY_INT, _ONLY_STR = {id(int)}, {id(str)}
_ATOMS = _SCALARS | {
    bytes, complex, range, type(...), decimal.Decimal, fractions.Fraction,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
}  # fmt: skip
_MAPPINGS = frozenset({dict, collections.Counter, collections.OrderedDict, collections.defaultdict})
_CONTAINERS = _MAPPINGS | {list, tuple, set, frozenset, collections.deque}
_UNORDERED = frozenset({set, frozenset})
_CONSTANT = frozenset({tuple, frozenset})


def unchanged(watch: Watch) -> bool:
    """Whether every container still holds the very same elements."""
    for container, size, copy, held in watch:
        if len(container) != size or any(map(is_not, container, copy)):
            return False
        if held is not None and any(map(is_not, container.values(), held)):
            return False
    return True


class _Cut(Exception):
    """The budget of the value is used up."""


class Describer:
    """Writes values within `nodes` elements and `size` characters each."""

    def __init__(self, nodes: int = 256, size: int = 2_048) -> None:
        self.nodes = nodes
        self.size = size
        self.short = (
            size // 12
        )  # a string that fits whatever it holds: ten characters for one at most
        self._left = 0
        self._bytes = 0
        self._exact = True
        self._open: list[int] = []
        self._watch: Watch | None = []

    def describe(self, value: Any) -> Described:
        """The text of any value. The watch of a value keeps hold of built-in containers of
        built-in values only, so that no object of the program lives longer for being traced."""
        kind = type(value)
        # the commonest cases, short containers of short plain values, at the speed of repr
        if kind is list:
            if len(value) <= self.nodes:
                copy = value[:]
                if self._plain(copy):
                    text = repr(copy)
                    if len(text) <= self.size:
                        return text, True, [(value, len(copy), copy, None)]
        elif kind is dict:
            if 2 * len(value) <= self.nodes:
                keys, held = [*value], [*value.values()]
                if self._plain(keys) and self._plain(held):
                    text = repr(value)
                    if len(text) <= self.size:
                        return text, True, [(value, len(keys), keys, held)]
        elif kind is str:
            if len(value) < self.short:
                return repr(value), True, []
        elif (
            (kind is int and -SMALL < value < SMALL)
            or kind is bool
            or kind is float
            or value is None
        ):
            return repr(value), True, []
        elif kind is tuple and len(value) <= self.nodes and self._plain(value):
            text = repr(value)
            if len(text) <= self.size:
                return text, True, []
        return self._any(value)

    def again(self, value: Any, watch: Watch, text: Any) -> Described:
        """A new description of a value that is no longer what `watch` says; `text` is the former
        one. In a flat list or dict of plain values only what is new can be anything else, so only
        that is looked at, and a list that has grown keeps its text."""
        container, size, copy, held = watch[0]
        if len(watch) == 1 and container is value and 2 * len(value) <= self.nodes:
            kind = type(value)
            if kind is list:
                if (
                    len(value) == size + 1
                    and size == len(copy) > 0
                    and type(text) is str
                    and not any(map(is_not, copy, value))
                ):
                    last = value[-1]
                    if self._plain_few((last,)):
                        text = f"{text[:-1]}, {last!r}]"
                        if len(text) <= self.size:
                            copy.append(last)  # nobody else has this list
                            return text, True, [(value, size + 1, copy, None)]
                fresh = [*compress(value, map(is_not, value, copy))]
                tail = value[size:]
                if self._plain_few(fresh) and self._plain_few(tail):
                    if fresh or not tail or not copy or type(text) is not str:
                        text = repr(value)
                    else:
                        text = f"{text[:-1]}, {repr(tail)[1:]}"
                    if len(text) <= self.size:
                        return text, True, [(value, len(value), value[:], None)]
            elif kind is dict and held is not None:
                keys, mapped = [*value], [*value.values()]
                fresh = [*compress(keys, map(is_not, keys, copy)), *keys[size:]]
                fresh += compress(mapped, map(is_not, mapped, held))
                if self._plain_few(fresh) and self._plain_few(mapped[size:]):
                    text = repr(value)
                    if len(text) <= self.size:
                        return text, True, [(value, len(keys), keys, mapped)]
        return self.describe(value)

    def _plain_few(self, items: list[Any] | tuple[Any, ...]) -> bool:
        short = self.short
        for item in items:
            kind = type(item)
            if kind is int:
                if not -SMALL < item < SMALL:
                    return False
            elif kind is str:
                if len(item) >= short:
                    return False
            elif not (kind is float or kind is bool or item is None):
                return False
        return True

    def _plain(self, items: list[Any] | tuple[Any, ...]) -> bool:
        """Whether there are only scalars, each short enough that writing it costs little."""
        if len(items) <= _FEW:
            return self._plain_few(items)
        kinds = {*map(id, map(type, items))}
        if kinds == _ONLY_INT:
            return max(items) < SMALL and min(items) > -SMALL
        if kinds == _ONLY_STR:
            return max(map(len, items)) < self.short
        return kinds <= _SCALAR_IDS and max(map(sys.getsizeof, items)) < _ELEMENT_BYTES

    def _any(self, value: Any) -> Described:
        self._start(self.nodes, self.size)
        try:
            text = self._write(value, 0)
            if len(text) <= self.size:
                return text, self._exact, self._watch
        except _Cut:
            pass
        self._start(self.nodes // 8, self.size // 4)
        text = self._shortened(value)
        return text, False, self._watch

    def _start(self, nodes: int, size: int) -> None:
        self._left = max(nodes, 4)
        self._bytes = size
        self._exact = True
        self._open.clear()
        self._watch = []

    def _take(self, text: str) -> str:
        self._left -= 1
        self._bytes -= len(text)
        if self._left < 0 or self._bytes < 0:
            raise _Cut
        return text

    def _write(self, value: Any, depth: int) -> str:
        kind = type(value)
        if type(kind) is type:  # else: a metaclass, which could run code when kind is looked up
            if kind in _ATOMS:
                return self._take(self._atom(value, kind))
            if kind in _CONTAINERS:
                return self._nested(value, kind, depth)
            if kind is bytearray:
                self._watch = None
                if len(value) > self.size:
                    raise _Cut
                return self._take(values.encode(value, max_bytes=4 * self.size))
        self._exact = False
        self._watch = None
        return self._take(self._object(value, kind, depth))

    def _atom(self, value: Any, kind: type) -> str:
        if kind is int:
            if -SMALL < value < SMALL:
                return repr(value)
            if value.bit_length() > 4 * self.size:
                raise _Cut
        elif kind is str or kind is bytes:
            if len(value) > self.size:
                raise _Cut
            return repr(value)
        elif kind in _SCALARS:
            return repr(value)
        try:
            return values.encode(value, max_bytes=self.size)
        except values.Unserializable:
            if kind is int:
                raise _Cut from None
            self._exact = False
            return f"<{kind.__name__}>"

    def _nested(self, value: Any, kind: type, depth: int) -> str:
        if id(value) in self._open or depth > values.MAX_DEPTH // 2:
            self._exact = False
            return self._take("<…>")
        if len(value) > self._left:
            raise _Cut
        self._left -= 1
        if (kind is list or kind is tuple) and self._plain(value):
            if kind is list:
                self._watched(value, value[:], None)
            text = repr(value)
            self._left -= len(value)
            self._bytes -= len(text)
            if self._bytes < 0:
                raise _Cut
            return text
        self._open.append(id(value))
        items = list(value)
        if kind in _MAPPINGS:
            held = list(value.values())
            self._watched(value, items, held)
            text = self._mapping(value, kind, items, held, depth + 1)
        else:
            if kind not in _CONSTANT:
                self._watched(value, items, None)
            text = self._sequence(value, kind, [self._write(part, depth + 1) for part in items])
        self._open.pop()
        return text

    def _watched(self, value: Any, items: list[Any], held: list[Any] | None) -> None:
        if self._watch is not None:
            self._watch.append((value, len(value), items, held))

    def _sequence(self, value: Any, kind: type, parts: list[str]) -> str:
        if kind in _UNORDERED:
            parts.sort(key=values._set_order)
            inside = "{" + ", ".join(parts) + "}"
            if kind is set:
                return inside if parts else "set()"
            return f"frozenset({inside})" if parts else "frozenset()"
        if kind is list:
            return "[" + ", ".join(parts) + "]"
        if kind is tuple:
            return "(" + ", ".join(parts) + (",)" if len(parts) == 1 else ")")
        limit = "" if value.maxlen is None else f", {value.maxlen}"
        return f"deque([{', '.join(parts)}]{limit})"

    def _mapping(self, value: Any, kind: type, keys: list[Any], held: list[Any], depth: int) -> str:
        pairs = [
            (self._write(k, depth), self._write(v, depth)) for k, v in zip(keys, held, strict=True)
        ]
        if kind is collections.OrderedDict:
            return "OrderedDict([" + ", ".join(f"({k}, {v})" for k, v in pairs) + "])"
        inside = "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
        if kind is dict:
            return inside
        if kind is collections.Counter:
            return f"Counter({inside})" if pairs else "Counter()"
        return f"defaultdict({self._factory(value.default_factory)}, {inside})"

    def _factory(self, factory: Any) -> str:
        if factory is None:
            return "None"
        if any(factory is known for known in values._FACTORIES.values()):
            return str(factory.__name__)
        self._exact = False
        named = objects.named(factory)
        return named or f"<{objects.type_name(type(factory))}>"

    def _object(self, value: Any, kind: type, depth: int) -> str:
        """`<Node value=3>`: what is built in about an object, then its attributes."""
        named = objects.named(value)
        if named is not None:
            return named
        name = objects.type_name(kind)
        if id(value) in self._open or depth > 4:
            return f"<{name} …>"
        self._open.append(id(value))
        text = name
        arguments = objects.written_like_a_call(value, kind, self.nodes)
        if arguments is not None:
            text += f"({', '.join([self._write(each, depth + 1) for each in arguments])})"
        else:
            part = objects.built_in_part(value, kind, self.nodes)
            if part is not objects.NOTHING:
                text += f" {self._write(part, depth + 1)}"
        for attribute, held in objects.attributes(value, kind, self.nodes):
            text += f" {attribute}={self._write(held, depth + 1)}"
        self._open.pop()
        return f"<{text}>"

    # --- values that are too large -----------------------------------------------------------

    def _shortened(self, value: Any) -> str:
        """Type, size, beginning; the watch covers what is shown and the size."""
        kind = type(value)
        name = objects.type_name(kind)
        if kind is int:
            return f"<int of {value.bit_length()} bits>"
        if kind is str or kind is bytes or kind is bytearray:
            head = value[: max(self.size // 8, 8)]
            if kind is bytearray:
                self._watch = None
                head = bytes(head)
            return f"<{name} of {len(value)}: {head!r}…>"
        if type(kind) is type and kind in _CONTAINERS:
            return f"<{name} of {len(value)}: {self._beginning(value, kind)}…>"
        self._watch = None
        return f"<{name} …>"

    def _beginning(self, value: Any, kind: type) -> str:
        shown = min(_HEAD, self._left)
        if kind in _UNORDERED:  # the first elements of a large set are an accident of hashing
            self._watch = None
            return ""
        items = list(itertools.islice(value, shown))
        held: list[Any] | None = None
        parts: Iterable[tuple[Any, ...]] = zip(items, strict=True)
        if kind in _MAPPINGS:
            held = list(itertools.islice(value.values(), shown))
            parts = zip(items, held, strict=True)
        if kind not in _CONSTANT:
            self._watched(value, items, held)
        text = ""
        try:
            for part in parts:
                text += ": ".join([self._write(each, 1) for each in part]) + ", "
        except _Cut:
            pass
        return text
