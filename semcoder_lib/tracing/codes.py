"""Which code objects a program can run, as far as that can be seen from one of its functions."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
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


def code_objects(function: Callable[..., Any], filename: str) -> list[types.CodeType | None]:
    """Every code object with this file name that is found from `function` and its module; and None,
    once, if the search met something that it cannot see through, such as an instance. Runs no code
    of the program."""
    if type(function) is not types.FunctionType:
        return [None]
    space = function.__globals__
    found: list[types.CodeType | None] = []
    waiting: list[Any] = [*space.values(), function]
    seen: set[int] = {id(space.get("__builtins__"))}
    opaque = False
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if id(kind) in _LEAVES or id(item) in seen:
            continue
        seen.add(id(item))
        if len(seen) > _MANY:
            opaque = True
            break
        if kind is types.FunctionType:
            waiting.append(item.__code__)
            _add_held(item, waiting)
        elif kind is types.CodeType:
            if item.co_filename == filename:
                found.append(item)
                waiting += [part for part in item.co_consts if type(part) is types.CodeType]
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
            if _namespace(item).get("__module__") == space.get("__name__"):
                waiting.extend(_namespace(item).values())
        elif type(kind) is not type or _namespace(kind).get("__module__") != "typing":
            opaque = True
    if opaque:
        found.append(None)
    return found


def _add_held(function: types.FunctionType, waiting: list[Any]) -> None:
    """What a function keeps: cells, defaults, attributes."""
    for cell in function.__closure__ or ():
        try:
            waiting.append(cell.cell_contents)
        except ValueError:  # empty
            continue
    if function.__defaults__:
        waiting.extend(function.__defaults__)
    if function.__kwdefaults__:
        waiting.extend(function.__kwdefaults__.values())
    if function.__dict__:
        waiting.extend(function.__dict__.values())
