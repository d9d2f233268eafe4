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
import operator
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

from semcoder_lib import values

# A snapshot is what `unchanged` compares a value with: None for "describe it again".
Snapshot = Any

_SMALL = 1 << 63
_ELEMENT_BYTES = 1_700  # sys.getsizeof of an int that is short enough for decimal text
_is_not = operator.is_not

SCALARS = frozenset({int, str, float, bool, type(None)})
# Immutable through and through: while the object is the same, so is its text.
ATOMS = SCALARS | {
    bytes, complex, range, type(...), decimal.Decimal, fractions.Fraction,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
}  # fmt: skip
_SCALAR_IDS = frozenset(map(id, SCALARS))
_SEQUENCES = frozenset({list, tuple, set, frozenset, collections.deque})
_MAPPINGS = frozenset({dict, collections.Counter, collections.OrderedDict, collections.defaultdict})
_UNORDERED = frozenset({set, frozenset})

_mro = type.__dict__["__mro__"].__get__
_type_name = type.__dict__["__name__"].__get__
_type_flags = type.__dict__["__flags__"].__get__
_type_dict = type.__dict__["__dict__"].__get__


class _Cut(Exception):
    """The budget of the value is used up."""


class Describer:
    """Writes values within `nodes` elements and `size` characters each."""

    def __init__(self, nodes: int = 256, size: int = 2_048) -> None:
        self.nodes = nodes
        self.size = size
        self._left = 0
        self._bytes = 0
        self._exact = True
        self._open: list[int] = []

    def describe(self, value: Any) -> tuple[str, bool, Snapshot]:
        """(text, exact, snapshot) of any value."""
        kind = type(value)
        if type(kind) is not type:  # a metaclass could run code when its class is looked up
            return self._slow(value)
        if kind in SCALARS:
            text = self._scalar(value, kind)
            if text is not None:
                return text, True, None
        elif kind is list or kind is tuple:
            flat = self._flat(value)
            if flat is not None:
                text = repr(value)
                if len(text) <= self.size:
                    return text, True, flat
        elif kind is dict:
            text_and_snapshot = self._flat_dict(value)
            if text_and_snapshot is not None:
                return text_and_snapshot[0], True, text_and_snapshot[1]
        return self._slow(value)

    # --- the quick ways: scalars, and lists and dicts of scalars -----------------------------

    def _scalar(self, value: Any, kind: type) -> str | None:
        if kind is int:
            if -_SMALL < value < _SMALL:
                return repr(value)
            if value.bit_length() > 3 * self.size:
                return None
            text = values.encode(value)
            return text if len(text) <= self.size else None
        if kind is str:
            if len(value) > self.size:
                return None
            text = repr(value)
            return text if len(text) <= self.size else None
        return repr(value)

    def _flat(self, value: Any) -> list[Any] | None:
        """A copy of a short list or tuple that holds nothing but short scalars."""
        if len(value) > self.nodes:
            return None
        copy = list(value)
        if not copy:
            return copy
        if not _SCALAR_IDS.issuperset(map(id, map(type, copy))):
            return None
        if max(map(sys.getsizeof, copy)) >= _ELEMENT_BYTES:
            return None
        return copy

    def _flat_dict(self, value: dict[Any, Any]) -> tuple[str, Snapshot] | None:
        if 2 * len(value) > self.nodes:
            return None
        both = [*value, *value.values()]
        if both and (
            not _SCALAR_IDS.issuperset(map(id, map(type, both)))
            or max(map(sys.getsizeof, both)) >= _ELEMENT_BYTES
        ):
            return None
        text = repr(value)
        return (text, both) if len(text) <= self.size else None

    # --- everything else ---------------------------------------------------------------------

    def _slow(self, value: Any) -> tuple[str, bool, Snapshot]:
        self._left = self.nodes
        self._bytes = self.size
        self._exact = True
        self._open.clear()
        try:
            text = self._write(value, 0)
        except _Cut:
            self._exact = False
            text = self._shortened(value)
        if len(text) > self.size:
            self._exact = False
            text = self._shortened(value)
        return text, self._exact, None

    def _take(self, text: str) -> str:
        self._left -= 1
        self._bytes -= len(text)
        if self._left < 0 or self._bytes < 0:
            raise _Cut
        return text

    def _write(self, value: Any, depth: int) -> str:
        kind = type(value)
        if type(kind) is not type:
            self._exact = False
            return self._take(self._other(value, kind, depth))
        if kind in ATOMS:
            return self._take(self._atom(value, kind))
        if kind in _SEQUENCES or kind in _MAPPINGS:
            if id(value) in self._open or depth > values.MAX_DEPTH // 2:
                self._exact = False
                return self._take("<…>")
            self._open.append(id(value))
            self._left -= 1
            text = self._container(value, kind, depth + 1)
            self._open.pop()
            return text
        self._exact = self._exact and kind in _EXACT_OTHERS
        return self._take(self._other(value, kind, depth))

    def _atom(self, value: Any, kind: type) -> str:
        if kind in SCALARS:
            text = self._scalar(value, kind)
            if text is None:
                raise _Cut
            return text
        if kind is bytes and len(value) > self.size:
            raise _Cut
        try:
            return values.encode(value, max_bytes=self.size)
        except values.Unserializable:
            self._exact = False
            return f"<{kind.__name__}>"

    def _container(self, value: Any, kind: type, depth: int) -> str:
        if len(value) > self._left:
            raise _Cut
        if kind in _MAPPINGS:
            items = list(value.items())
            pairs = [f"{self._write(k, depth)}: {self._write(v, depth)}" for k, v in items]
            if kind is collections.OrderedDict:
                pairs = [f"({self._write(k, depth)}, {self._write(v, depth)})" for k, v in items]
                return f"OrderedDict([{', '.join(pairs)}])"
            inside = "{" + ", ".join(pairs) + "}"
            if kind is dict:
                return inside
            if kind is collections.Counter:
                return f"Counter({inside})" if pairs else "Counter()"
            return f"defaultdict({self._factory(value)}, {inside})"
        parts = [self._write(part, depth) for part in list(value)]
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

    def _factory(self, value: collections.defaultdict[Any, Any]) -> str:
        factory = value.default_factory
        if factory is None:
            return "None"
        if any(factory is known for known in values._FACTORIES.values()):
            return str(factory.__name__)
        self._exact = False
        named = _named(factory, type(factory))
        return named + ">" if named else f"<{self._cropped(_type_name(type(factory)))}>"

    # --- things without an exact text --------------------------------------------------------

    def _other(self, value: Any, kind: type, depth: int) -> str:
        if kind is bytearray:
            if len(value) > self.size:
                raise _Cut
            return values.encode(value, max_bytes=4 * self.size)
        named = _named(value, kind)
        if named is not None:
            return self._cropped(named) + ">"
        name = self._cropped(_type_name(kind))
        if id(value) in self._open or depth > 4:
            return f"<{name} …>"
        self._open.append(id(value))
        inside = self._inside(value, kind, depth + 1)
        self._open.pop()
        return f"<{name}{inside}>"

    def _inside(self, value: Any, kind: type, depth: int) -> str:
        """What a description shows of an object: the built-in part, then the attributes."""
        text = ""
        for base in _mro(kind):
            reader = _BUILT_IN_PARTS.get(id(base))
            if reader is not None:
                part = reader(value, self.nodes)
                if part is not None:
                    text = " " + self._write(part, depth)
                break
        for name, attribute in _attributes(value, kind, self.nodes):
            text += f" {self._cropped(name)}={self._write(attribute, depth)}"
        return text

    def _cropped(self, name: str) -> str:
        return name if len(name) <= 80 else name[:80] + "…"

    def _shortened(self, value: Any) -> str:
        """A description of a value that is too large: type, size, beginning."""
        kind = type(value)
        name = self._cropped(_type_name(kind))
        if kind is int:
            return f"<int of {value.bit_length()} bits>"
        if kind is str or kind is bytes or kind is bytearray:
            half = max(self.size // 8, 8)
            head = bytes(value[:half]) if kind is bytearray else value[:half]
            return f"<{name} of {len(value)}: {head!r}…>"
        if kind in _SEQUENCES or kind in _MAPPINGS:
            return f"<{name} of {len(value)}: {self._beginning(value, kind)}…>"
        return f"<{name} …>"

    def _beginning(self, value: Any, kind: type) -> str:
        if kind in _UNORDERED:
            return ""  # the first elements of a large set are an accident of hashing
        self._open.clear()
        self._bytes = self.size // 4
        self._left = max(self.nodes // 8, 4)
        source: Iterable[Any] = value.items() if kind in _MAPPINGS else value
        text = ""
        try:
            for part in itertools.islice(source, self._left):
                if kind in _MAPPINGS:
                    text += f"{self._write(part[0], 1)}: {self._write(part[1], 1)}, "
                else:
                    text += self._write(part, 1) + ", "
        except _Cut:
            pass
        return text


def unchanged(value: Any, snapshot: list[Any]) -> bool:
    """Whether a list, tuple or dict that had this snapshot still holds the very same scalars."""
    if type(value) is dict:
        size = len(value)
        return (
            2 * size == len(snapshot)
            and not any(map(_is_not, value, snapshot))
            and not any(map(_is_not, value.values(), snapshot[size:]))
        )
    return len(value) == len(snapshot) and not any(map(_is_not, value, snapshot))


_EXACT_OTHERS = frozenset({bytearray})
_NAMED: dict[int, str] = {
    id(types.FunctionType): "function",
    id(types.BuiltinFunctionType): "function",
    id(types.MethodType): "method",
    id(types.ModuleType): "module",
    id(types.GeneratorType): "generator",
    id(types.CoroutineType): "coroutine",
}


def _named(value: Any, kind: type) -> str | None:
    """`<function g`, for the things that are best described by their name; else None."""
    word = _NAMED.get(id(kind))
    if word is None:
        if any(base is type for base in _mro(kind)):
            return f"<class {_type_name(value)}"
        return None
    if kind is types.MethodType:
        value = value.__func__
        if id(type(value)) not in _NAMED:
            return "<method"
    name = value.__dict__.get("__name__") if kind is types.ModuleType else value.__name__
    return f"<{word} {name}" if type(name) is str else f"<{word}"


_READERS: dict[type, Callable[[Any, int], Any]] = {
    tuple: lambda v, n: tuple(itertools.islice(tuple.__iter__(v), n)),
    list: lambda v, n: list(itertools.islice(list.__iter__(v), n)),
    set: lambda v, n: set(itertools.islice(set.__iter__(v), n)) if set.__len__(v) <= n else None,
    frozenset: lambda v, n: frozenset(frozenset.__iter__(v)) if frozenset.__len__(v) <= n else None,
    dict: lambda v, n: dict(itertools.islice(dict.items(v), n)),
    collections.deque: lambda v, n: list(itertools.islice(collections.deque.__iter__(v), n)),
    bool: lambda v, n: v,
    int: lambda v, n: int.__int__(v) if int.bit_length(v) < 8 * n else None,
    float: lambda v, n: float.__float__(v),
    str: lambda v, n: str.__getitem__(v, slice(0, 8 * n)),
    bytes: lambda v, n: bytes.__getitem__(v, slice(0, 8 * n)),
    BaseException: lambda v, n: _exception_part(v, n),
}
_BUILT_IN_PARTS = {id(base): reader for base, reader in _READERS.items()}
_exception_args = BaseException.__dict__["args"].__get__


def _exception_part(value: BaseException, nodes: int) -> Any:
    arguments = _exception_args(value)
    return arguments[0] if len(arguments) == 1 else arguments[:nodes] or None


_HEAP_TYPE = 1 << 9
_slots_of: dict[int, tuple[type, Any, list[tuple[str, Any]]]] = {}


def _attributes(value: Any, kind: type, limit: int) -> list[tuple[str, Any]]:
    """Instance attributes, read through the interpreter's own descriptors only."""
    known = _slots_of.get(id(kind))
    if known is None:
        known = _slots_of[id(kind)] = (kind, *_descriptors(kind))
    _, dictionary, slots = known
    found: list[tuple[str, Any]] = []
    for name, member in slots[:limit]:
        try:
            found.append((name, member.__get__(value, kind)))
        except AttributeError:
            continue
    if dictionary is not None:
        held = dictionary.__get__(value, kind)
        if type(held) is dict:
            pairs = itertools.islice(held.items(), limit)
            found.extend((n, v) for n, v in list(pairs) if type(n) is str)
    return found


def _descriptors(kind: type) -> tuple[Any, list[tuple[str, Any]]]:
    dictionary = None
    slots: list[tuple[str, Any]] = []
    for base in _mro(kind):
        if not _type_flags(base) & _HEAP_TYPE:
            continue
        for name, member in list(_type_dict(base).items()):
            if type(member) is types.MemberDescriptorType:
                slots.append((name, member))
            elif name == "__dict__" and type(member) is types.GetSetDescriptorType:
                dictionary = dictionary or member
    return dictionary, slots
