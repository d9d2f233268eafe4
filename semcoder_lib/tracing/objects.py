"""What can be seen of an object without running any code of its class."""

from __future__ import annotations

import collections
import contextlib
import itertools
import types
from collections.abc import Callable, Iterable
from typing import Any

_HEAP_TYPE = 1 << 9  # a class made by a `class` statement
_NAME_LENGTH = 80
_mro = type.__dict__["__mro__"].__get__
_name_of_type = type.__dict__["__name__"].__get__
_flags = type.__dict__["__flags__"].__get__
_namespace = type.__dict__["__dict__"].__get__
exception_arguments = BaseException.__dict__["args"].__get__

NOTHING = object()
_SCALARS = frozenset(map(id, (int, str, float, bool, type(None))))

_NAMED: dict[int, str] = {
    id(types.FunctionType): "function",
    id(types.BuiltinFunctionType): "function",
    id(types.MethodType): "method",
    id(types.ModuleType): "module",
    id(types.GeneratorType): "generator",
    id(types.CoroutineType): "coroutine",
}


def type_name(kind: type) -> str:
    """The class's name as the interpreter keeps it, cut to 80 characters."""
    return _cropped(_name_of_type(kind))


def named(value: Any) -> str | None:
    """`<function g>`, for what is best described by its name; None for everything else."""
    kind = type(value)
    word = _NAMED.get(id(kind))
    if word is None:
        if any(base is type for base in _mro(kind)):
            return f"<class {_cropped(_name_of_type(value))}>"
        return None
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
    (int, lambda v, n: int.__int__(v) if int.bit_length(v) < 8 * n else NOTHING),
    (float, lambda v, n: float.__float__(v)),
    (str, lambda v, n: str.__getitem__(v, slice(0, 8 * n))),
    (bytes, lambda v, n: bytes.__getitem__(v, slice(0, 8 * n))),
)


def built_in_part(value: Any, kind: type, limit: int) -> Any:
    """The list inside an instance of a subclass of list, and so on; or `NOTHING`. At most `limit`
    elements."""
    for base in _mro(kind):
        for known, read in _READERS:
            if base is known:
                return read(value, limit)
    return NOTHING


def _hashed(kind: type, parts: Any, limit: int) -> Any:
    """A set or dict of the first parts, if no hashing of the program's own is needed for it."""
    first = list(itertools.islice(parts, limit))
    keys = [part[0] for part in first] if kind is dict else first
    return kind(first) if are_scalars(keys) else NOTHING


def are_scalars(values: Iterable[Any]) -> bool:
    """Whether all are of the plainest types, exactly."""
    return _SCALARS.issuperset(map(id, map(type, values)))


_VIEWS = frozenset(map(id, (type({}.keys()), type({}.values()), type({}.items()))))


def written_like_a_call(value: Any, kind: type, limit: int) -> tuple[Any, ...] | None:
    """The arguments of `slice(0, 3, None)`, `dict_keys([1])` or `ValueError('no')`; None for other
    values."""
    if id(kind) in _VIEWS:
        return (list(value),) if len(value) <= limit else None
    if kind is slice:
        return value.start, value.stop, value.step
    if any(base is BaseException for base in _mro(kind)):
        arguments: tuple[Any, ...] = exception_arguments(value)
        return arguments[:limit]
    return None


def attributes(value: Any, kind: type, limit: int) -> list[tuple[str, Any]]:
    """Instance attributes (slots, then the instance dictionary), at most `limit` of each, read
    through the interpreter's own descriptors."""
    known = _layouts.get(id(kind))
    if known is None:
        known = _layouts[id(kind)] = _Layout(kind)
    pairs: list[tuple[str, Any]] = []
    for name, member in known.slots[:limit]:
        with contextlib.suppress(AttributeError):  # not set
            pairs.append((name, member.__get__(value, kind)))
    if known.dictionary is not None:
        held = known.dictionary.__get__(value, kind)
        if type(held) is dict:
            own = itertools.islice(held.items(), limit)
            pairs.extend((_cropped(name), part) for name, part in own if type(name) is str)
    return [pair for pair in pairs if not (known.threads and pair[0][:1] == "_")]


class _Layout:
    """How a class lays its instances out. `threads`: it is of the module threading, whose private
    attributes hold numbers that differ from run to run."""

    # members of classes written in C (functools.partial): offsets, and an address
    IGNORED = frozenset({"__vectorcalloffset__", "__weaklistoffset__", "__dictoffset__"})

    def __init__(self, kind: type) -> None:
        self.kind = kind  # kept, so that its id is not used again
        self.dictionary: Any = None
        self.slots: list[tuple[str, Any]] = []
        self.threads = False
        for base in _mro(kind):
            if not _flags(base) & _HEAP_TYPE:
                continue
            module = _namespace(base).get("__module__")
            self.threads = self.threads or (type(module) is str and module == "threading")
            for name, member in list(_namespace(base).items()):
                if type(member) is types.MemberDescriptorType and name not in self.IGNORED:
                    self.slots.append((name, member))
                elif name == "__dict__" and type(member) is types.GetSetDescriptorType:
                    self.dictionary = self.dictionary or member


_layouts: dict[int, _Layout] = {}
