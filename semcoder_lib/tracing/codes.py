"""Which code objects a program can run, as far as that can be seen from one of its functions."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

_mro = type.__dict__["__mro__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_MANY = 2_000  # things to look at before giving up

# Kinds that hold no code of the program.
_LEAVES = frozenset(
    map(
        id,
        (
            int, float, complex, bool, str, bytes, range, type(None), type(...),
            types.ModuleType, types.BuiltinFunctionType, types.GetSetDescriptorType,
            types.MemberDescriptorType, types.WrapperDescriptorType, types.GenericAlias,
            types.UnionType,
        ),
    )
)  # fmt: skip
_SEQUENCES = frozenset(map(id, (list, tuple, set, frozenset)))
_CACHED = id(type(functools.lru_cache(lambda: None)))


def code_objects(function: Callable[..., Any], filename: str) -> Iterator[types.CodeType | None]:
    """Every code object with this file name that is found from `function` and its module; and None,
    once, if the search met something that it cannot see through, such as an instance. Runs no code
    of the program."""
    if type(function) is not types.FunctionType:
        yield None
        return
    space = function.__globals__
    module = space.get("__name__")
    waiting: list[Any] = [v for name, v in list(space.items()) if name != "__builtins__"]
    waiting.append(function)
    seen: set[int] = set()
    opaque = False
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if id(kind) in _LEAVES:
            continue
        if id(item) in seen:
            continue
        seen.add(id(item))
        if len(seen) > _MANY:
            opaque = True
            break
        if kind is types.CodeType:
            if item.co_filename == filename:
                yield item
                waiting.extend(part for part in item.co_consts if type(part) is types.CodeType)
        elif kind is types.FunctionType:
            waiting.append(item.__code__)
            waiting.extend(_held_by(item))
        elif id(kind) in _SEQUENCES:
            waiting.extend(item)
        elif kind is dict:
            waiting.extend(item.values())
        elif kind is staticmethod or kind is classmethod:
            waiting.append(item.__func__)
        elif kind is property:
            waiting.extend((item.fget, item.fset, item.fdel))
        elif id(kind) == _CACHED:
            waiting.append(item.__dict__.get("__wrapped__"))
        elif any(base is type for base in _mro(kind)):
            if _namespace(item).get("__module__") == module:
                waiting.extend(_namespace(item).values())
        elif type(kind) is not type or _namespace(kind).get("__module__") != "typing":
            opaque = True
    if opaque:
        yield None


def _held_by(function: types.FunctionType) -> Iterator[Any]:
    """What a function keeps: cells, defaults, attributes."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # empty
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from function.__dict__.values()
