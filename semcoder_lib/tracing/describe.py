"""The text of a value, bounded, and a way to see cheaply that it has not changed since.

Runs inside the child, between two lines of an untrusted program. Everything is decided by the exact
type; no method, attribute or comparison of the program's own classes is ever run, and the cost of
one value is bounded whatever its size. Where a value has an exact text it is that of
`values.encode`; otherwise the text is a description in angle brackets, such as `<Node value=3>`.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import sys
from operator import is_not
from typing import Any

from semcoder_lib.core.values.writing import FACTORIES, Unserializable, Writer
from semcoder_lib.tracing import objects

CONSTANT = object()

_HEAD = 32  # elements that are shown of a container that is too large
_DEEP = 40  # containers around one that is written
_DEPTH = 4  # likewise, for objects
_ELEMENT_BYTES = 1_700  # sys.getsizeof of an int that is short enough for decimal text
_SMALL = 1 << 63
_MAPPINGS = (dict, collections.Counter, collections.OrderedDict, collections.defaultdict)
_CONTAINERS = (*_MAPPINGS, list, tuple, set, frozenset, collections.deque)


def unchanged(value: Any, flat: list[Any]) -> bool:
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
            flat = scalars(value, kind, self.nodes)
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
        name = objects.type_name(kind)
        if kind is int:
            return f"<int of {value.bit_length()} bits>"
        if kind is str or kind is bytes or kind is bytearray:
            head = value[: max(self.size // 8, 8)]
            return f"<{name} of {len(value)}: {bytes(head) if kind is bytearray else head!r}…>"
        if not any(kind is known for known in _CONTAINERS):
            return f"<{name} …>"
        text = ""
        # the first elements of a large set are an accident of hashing
        if kind is not set and kind is not frozenset:
            writer = _Writer(self.nodes // 8, self.size // 4)
            left = self.size // 4
            mapping = any(kind is known for known in _MAPPINGS)
            with contextlib.suppress(Unserializable):
                for part in itertools.islice(
                    value.items() if mapping else ((each,) for each in value), _HEAD
                ):
                    words = [writer.write(each, 1, 1) for each in part]
                    left -= sum(map(len, words))
                    if left < 0:
                        break
                    text += ": ".join(words) + ", "
        return f"<{name} of {len(value)}: {text}…>"


def scalars(value: Any, kind: type, most: int) -> list[Any] | None:
    """The elements of a list, tuple or dict (keys, then values), if all are short scalars."""
    if len(value) > most:
        return None
    flat = [*value, *value.values()] if kind is dict else [*value]
    if not objects.are_scalars(flat) or max(map(sys.getsizeof, flat), default=0) > _ELEMENT_BYTES:
        return None
    return flat


class _Writer(Writer):
    """Writes what has no exact text, too; `exact` says whether that was needed."""

    __slots__ = ("exact", "most")

    def __init__(self, nodes: int, size: int) -> None:
        super().__init__(max(nodes, 4), size + 2 * nodes)  # it counts two for what separates
        self.exact = True
        self.most = nodes

    def container(self, v: Any, kind: type, depth: int, brackets: int) -> str:
        if not any(kind is known for known in _CONTAINERS):
            return self.other(v, kind)
        if id(v) in self.within or depth > _DEEP:
            self.exact = False
            return "<…>"
        if len(v) > self.nodes:
            raise Unserializable("too many elements")
        if kind in (list, tuple, dict) and scalars(v, kind, self.nodes) is not None:
            text = repr(v)
            self.nodes -= len(v)
            self.room -= len(text)
            return text
        factory = v.default_factory if kind is collections.defaultdict else None
        if factory is None or any(factory is known for known in FACTORIES.values()):
            return super().container(v, kind, depth, brackets)
        self.exact = False
        self.within.add(id(v))
        name = objects.named(factory) or f"<{objects.type_name(type(factory))}>"
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
        named = objects.named(v)
        if named is not None:
            return named
        text = name = objects.type_name(kind)
        if id(v) in self.within or len(self.within) > _DEPTH:
            return f"<{name} …>"
        self.within.add(id(v))
        depth = len(self.within)
        arguments = objects.written_like_a_call(v, kind, self.most)
        if arguments is not None:
            text += f"({', '.join([self.write(each, depth, depth) for each in arguments])})"
        else:
            part = objects.built_in_part(v, kind, self.most)
            if part is not objects.NOTHING:
                text += f" {self.write(part, depth, depth)}"
        for attribute, held in objects.attributes(v, kind, self.most):
            text += f" {attribute}={self.write(held, depth, depth)}"
        self.within.discard(id(v))
        return f"<{text}>"
