"""The text of a value, bounded, and a way to see cheaply that it has not changed since.

Runs inside the child, between two lines of an untrusted program. Everything is decided by the exact
type and read through the interpreter's own descriptors; no method, attribute or comparison of the
program's own classes is ever run, and the cost of one value is bounded whatever its size. Where a
value has an exact text it is that of `values.encode`; otherwise the text is a description in angle
brackets, such as `<Node value=3>`.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import sys
import types
from collections.abc import Callable
from operator import is_not
from typing import Any

from semcoder_lib.core.values.writing import FACTORIES, Unserializable, Writer

CONSTANT = object()

_HEAD = 32  # elements that are shown of a container that is too large
_DEEP = 40  # containers around one that is written
_DEPTH = 4  # likewise, for objects
_ELEMENT_BYTES = 1_700  # sys.getsizeof of an int that is short enough for decimal text
_SMALL = 1 << 63
_NAME_LENGTH = 80
_HEAP_TYPE = 1 << 9  # a class made by a `class` statement
_NOTHING = object()
_MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
_CONTAINERS = (*_MAPPINGS, list, tuple, set, frozenset, collections.deque)
_SCALARS = frozenset(map(id, (int, str, float, bool, type(None))))

mro = type.__dict__["__mro__"].__get__
namespace = type.__dict__["__dict__"].__get__
arguments_of = BaseException.__dict__["args"].__get__
_name_of_type = type.__dict__["__name__"].__get__
_flags = type.__dict__["__flags__"].__get__


def type_name(kind: type) -> str:
    """The class's name as the interpreter keeps it, cut to 80 characters."""
    return _cropped(_name_of_type(kind))


def is_unchanged(value: Any, flat: list[Any]) -> bool:
    """Whether a list or dict of scalars, `flat` when it was described, holds the same objects."""
    if type(value) is dict:
        value = [*value, *value.values()]
    return len(value) == len(flat) and not any(map(is_not, value, flat))


class Describer:
    """Writes values within `nodes` elements and `size` characters each."""

    def __init__(self, nodes: int = 256, size: int = 2_048) -> None:
        self.nodes = nodes
        self.size = size

    def describe(self, value: Any) -> tuple[str, bool, Any]:
        """(text, whether it is exact, flat). `flat` is CONSTANT for a value that can never change,
        the elements of a list or dict of scalars, and None for all others."""
        kind = type(value)
        if (kind is int and -_SMALL < value < _SMALL) or kind is float or kind is bool:
            return repr(value), True, CONSTANT
        if kind is list or kind is dict or kind is tuple:
            flat = _scalars(value, kind, self.nodes)
            if flat is not None:
                text = repr(value)
                if len(text) <= self.size:
                    return text, True, CONSTANT if kind is tuple else flat
        elif kind is str and len(value) <= self.size // 12:
            return repr(value), True, CONSTANT
        writer = _Writer(self.nodes, self.size)
        try:
            text = writer.write(value, 0, 0)
            if len(text) <= self.size:
                constant = kind is str or kind is int or value is None
                return text, writer.exact, CONSTANT if constant else None
        except Unserializable:  # too much of it
            pass
        return self._shortened(value, kind), False, None

    def _shortened(self, value: Any, kind: type) -> str:
        """Type, size, beginning."""
        name = type_name(kind)
        if kind is int:
            return f"<int of {value.bit_length()} bits>"
        if kind is str or kind is bytes or kind is bytearray:
            head = value[: max(self.size // 8, 8)]
            return f"<{name} of {len(value)}: {bytes(head) if kind is bytearray else head!r}…>"
        if not _is_one_of(kind, _CONTAINERS):
            return f"<{name} …>"
        text = ""
        # the first elements of a large set are an accident of hashing
        if kind is not set and kind is not frozenset:
            parts = value.items() if _is_one_of(kind, _MAPPINGS) else ((part,) for part in value)
            left = self.size // 4
            writer = _Writer(self.nodes // 8, left)
            with contextlib.suppress(Unserializable):
                for part in itertools.islice(parts, _HEAD):
                    words = ": ".join([writer.write(each, 1, 1) for each in part])
                    left -= len(words)
                    if left < 0:
                        break
                    text += words + ", "
        return f"<{name} of {len(value)}: {text}…>"


def _is_one_of(kind: type, kinds: tuple[type, ...]) -> bool:
    """By identity: a metaclass can make its classes equal to others."""
    return any(kind is known for known in kinds)


def _scalars(value: Any, kind: type, most: int) -> list[Any] | None:
    """The elements of a list, tuple or dict (keys, then values), if all are short scalars."""
    if len(value) > most:
        return None
    flat = [*value, *value.values()] if kind is dict else [*value]
    if not _are_scalars(flat) or max(map(sys.getsizeof, flat), default=0) > _ELEMENT_BYTES:
        return None
    return flat


def _are_scalars(values: list[Any]) -> bool:
    return _SCALARS.issuperset(map(id, map(type, values)))


class _Writer(Writer):
    """Writes what has no exact text, too; `exact` says whether that was needed."""

    __slots__ = ("exact", "most")

    def __init__(self, nodes: int, size: int) -> None:
        super().__init__(max(nodes, 4), size + 2 * nodes)  # it counts two for what separates
        self.exact = True
        self.most = nodes

    def container(self, v: Any, kind: type, depth: int, brackets: int) -> str:
        if not _is_one_of(kind, _CONTAINERS):
            return self.other(v, kind)
        if id(v) in self.within or depth > _DEEP:
            self.exact = False
            return "<…>"
        if len(v) > self.nodes:
            raise Unserializable("too many elements")
        if kind in (list, tuple, dict) and _scalars(v, kind, self.nodes) is not None:
            text = repr(v)
            self.nodes -= len(v)
            self.room -= len(text)
            return text
        factory = v.default_factory if kind is collections.defaultdict else None
        if factory is None or any(factory is known for known in FACTORIES.values()):
            return super().container(v, kind, depth, brackets)
        self.exact = False
        self.within.add(id(v))
        name = _named(factory) or f"<{type_name(type(factory))}>"
        text = f"defaultdict({name}, {self.pairs(v, depth + 1, brackets)})"
        self.within.discard(id(v))
        return text

    def other(self, v: Any, kind: type) -> str:
        try:
            return super().other(v, kind)
        except Unserializable:
            self.exact = False
            text = self._object(v, kind)
            self.room -= len(text)
            return text

    def _object(self, v: Any, kind: type) -> str:
        """`<Node value=3>`: what is built in about an object, then its attributes."""
        named = _named(v)
        if named is not None:
            return named
        text = name = type_name(kind)
        if id(v) in self.within or len(self.within) > _DEPTH:
            return f"<{name} …>"
        self.within.add(id(v))
        depth = len(self.within)
        arguments = _written_like_a_call(v, kind, self.most)
        if arguments is not None:
            text += f"({', '.join([self.write(each, depth, depth) for each in arguments])})"
        else:
            part = _built_in_part(v, kind, self.most)
            if part is not _NOTHING:
                text += f" {self.write(part, depth, depth)}"
        for attribute, content in attributes(v, kind, self.most):
            text += f" {attribute}={self.write(content, depth, depth)}"
        self.within.discard(id(v))
        return f"<{text}>"


# --- what can be seen of an object without running any code of its class ------------------------

_NAMED: dict[int, str] = {
    id(types.FunctionType): "function",
    id(types.BuiltinFunctionType): "function",
    id(types.MethodType): "method",
    id(types.ModuleType): "module",
    id(types.GeneratorType): "generator",
    id(types.CoroutineType): "coroutine",
}


def _named(value: Any) -> str | None:
    """`<function g>`, for what is best described by its name; None for everything else."""
    kind = type(value)
    word = _NAMED.get(id(kind))
    if word is None:
        return f"<class {type_name(value)}>" if _is_one_of(type, mro(kind)) else None
    if kind is types.MethodType:
        value = value.__func__
        if id(type(value)) not in _NAMED:
            return "<method>"
    name = value.__dict__.get("__name__") if kind is types.ModuleType else value.__name__
    return f"<{word} {_cropped(name)}>" if type(name) is str else f"<{word}>"


def _cropped(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else name[:_NAME_LENGTH] + "…"


# The value inside an object whose class derives from a built-in one, read by the base's methods.
_READERS: tuple[tuple[type, Callable[[Any, int], Any]], ...] = (
    (tuple, lambda v, n: tuple(itertools.islice(tuple.__iter__(v), n))),
    (list, lambda v, n: list(itertools.islice(list.__iter__(v), n))),
    (set, lambda v, n: _hashed(set, set.__iter__(v), n)),
    (frozenset, lambda v, n: _hashed(frozenset, frozenset.__iter__(v), n)),
    (dict, lambda v, n: _hashed(dict, dict.items(v), n)),
    (collections.deque, lambda v, n: list(itertools.islice(collections.deque.__iter__(v), n))),
    (int, lambda v, n: int.__int__(v) if int.bit_length(v) < 8 * n else _NOTHING),
    (float, lambda v, n: float.__float__(v)),
    (str, lambda v, n: str.__getitem__(v, slice(0, 8 * n))),
    (bytes, lambda v, n: bytes.__getitem__(v, slice(0, 8 * n))),
)


def _built_in_part(value: Any, kind: type, limit: int) -> Any:
    """The list inside an instance of a subclass of list, and so on; or `_NOTHING`. At most `limit`
    elements."""
    for base in mro(kind):
        for known, read in _READERS:
            if base is known:
                return read(value, limit)
    return _NOTHING


def _hashed(kind: type, parts: Any, limit: int) -> Any:
    """A set or dict of the first parts, if no hashing of the program's own is needed for it."""
    first = list(itertools.islice(parts, limit))
    keys = [part[0] for part in first] if kind is dict else first
    return kind(first) if _are_scalars(keys) else _NOTHING


_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))


def _written_like_a_call(value: Any, kind: type, limit: int) -> tuple[Any, ...] | None:
    """The arguments of `slice(0, 3, None)`, `dict_keys([1])` or `ValueError('no')`; None for other
    values."""
    if _is_one_of(kind, _VIEWS):
        return (list(value),) if len(value) <= limit else None
    if kind is slice:
        return value.start, value.stop, value.step
    if _is_one_of(BaseException, mro(kind)):
        arguments: tuple[Any, ...] = arguments_of(value)
        return arguments[:limit]
    return None


def attributes(value: Any, kind: type, limit: int) -> list[tuple[str, Any]]:
    """Instance attributes (slots, then the instance dictionary), at most `limit` of each."""
    slots, dictionary, threads = _layout(kind)
    pairs: list[tuple[str, Any]] = []
    for name, member in slots[:limit]:
        with contextlib.suppress(AttributeError):  # not set
            pairs.append((name, member.__get__(value, kind)))
    instance_dict = None if dictionary is None else dictionary.__get__(value, kind)
    if type(instance_dict) is dict:
        own = itertools.islice(instance_dict.items(), limit)
        pairs.extend((_cropped(name), part) for name, part in own if type(name) is str)
    return [pair for pair in pairs if not (threads and pair[0][:1] == "_")]


# members of classes written in C (functools.partial): offsets, and an address
_IGNORED = frozenset({"__vectorcalloffset__", "__weaklistoffset__", "__dictoffset__"})
_layouts: dict[int, tuple[Any, ...]] = {}  # with the class itself, so that its id is not used again


def _layout(kind: type) -> tuple[list[tuple[str, Any]], Any, bool]:
    """The slots of a class's instances, their dictionary, and whether the class is of the module
    threading, whose private attributes hold numbers that differ from run to run."""
    if id(kind) not in _layouts:
        slots, dictionary, threads = [], None, False
        for base in mro(kind):
            if not _flags(base) & _HEAP_TYPE:
                continue
            module = namespace(base).get("__module__")
            threads = threads or (type(module) is str and module == "threading")
            for name, member in list(namespace(base).items()):
                if type(member) is types.MemberDescriptorType and name not in _IGNORED:
                    slots.append((name, member))
                elif name == "__dict__" and type(member) is types.GetSetDescriptorType:
                    dictionary = dictionary or member
        _layouts[id(kind)] = slots, dictionary, threads, kind
    return _layouts[id(kind)][:3]
