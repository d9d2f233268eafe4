"""What a frame can change beyond its own variables: data globals of the program's module, cells of
functions it holds, attributes of instances of the program's own classes.

Runs inside the child, between two lines of an untrusted program: everything is read through the
interpreter's own descriptors, and no code of the program runs. The work is bounded by counts, not
by time, so that the same run gives the same trace.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any

from semcoder_lib.tracing.describe import attributes, mro, namespace

# A name beyond a frame's variables: the scope's letter, a colon, a path, as in `a:self.total`.
SCOPES = {"g": "global", "c": "cell", "a": "attribute"}

_MOST_NAMES = 100  # of one frame at one moment
_MOST_LOOKS = 200_000  # names looked at in a whole trace
_DEPTH = 4  # dots in a name

_LEAVES = frozenset(
    map(id, (int, str, float, bool, type(None), list, dict, tuple, set, frozenset, bytes, complex))
)
_OF_LIBRARIES = frozenset(
    {"_abc_impl", "_is_protocol", "_is_runtime_protocol", "_fields", "_field_defaults"}
)
_MISSING = object()


class Beyond:
    """Finds the names beyond a frame's variables, for one traced call. `names` are the globals that
    the program's functions use, `space` is its module. `cut` says that a bound hid something; once
    there was too much of it, `over`, nothing is looked at any more."""

    def __init__(self, names: Sequence[str], space: Mapping[str, Any], room: int) -> None:
        self.names = names
        self.space = space
        name = space.get("__name__")
        self.module = name if type(name) is str else ""
        self.room = room  # characters that the texts may still have
        self.looks = _MOST_LOOKS
        self.cut = self.over = False
        self.reached: dict[str, Any] = {}
        self.of_module: list[str] = []  # the names found last that start at a global

    def look(self, local: Mapping[str, Any]) -> dict[str, Any]:
        """Tagged names and their values, those of globals first; empty once a bound was met."""
        self.reached = reached = {}
        for name in self.names:
            value = self.space.get(name, _MISSING)
            if value is not _MISSING:
                if not _is_code(value):
                    reached[f"g:{name}"] = value
                if name not in local:
                    self._inside(name, value, ())
        self.of_module = [*reached]
        for name, value in local.items():
            self._inside(name, value, ())
        self.looks -= len(reached)
        if self.looks < 0 or self.room < 0 or len(reached) > _MOST_NAMES:
            self.cut = self.over = True
            self.reached = {}
        return self.reached

    def _inside(self, path: str, value: Any, above: tuple[int, ...]) -> None:
        """Adds what `value`, which is called `path`, holds and the program can change."""
        kind = type(value)
        if id(kind) in _LEAVES or id(value) in above or len(self.reached) > _MOST_NAMES:
            return
        parts = self._parts(value, kind)
        if parts and len(above) == _DEPTH:
            self.cut = True
            return
        for letter, name, content in parts:
            tagged = f"{letter}:{path}.{name}"
            if tagged not in self.reached:
                self.reached[tagged] = content
                self._inside(f"{path}.{name}", content, (*above, id(value)))

    def _parts(self, value: Any, kind: type) -> list[tuple[str, str, Any]]:
        """(scope's letter, name, value) of what hangs on a function, class or instance of the
        program; nothing for all other values. An instance also shows its class's data."""
        if kind is types.FunctionType:
            if value.__globals__ is not self.space:
                return []
            cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
            parts = [("c", name, content) for name, cell in cells for content in _contents(cell)]
            return parts + [("a", n, v) for n, v in value.__dict__.items() if _plain_name(n)]
        if any(base is type for base in mro(kind)):  # a class
            return [("a", n, v) for n, v in self._class_data(value)]
        ours = [base for base in reversed(mro(kind)) if self._is_ours(base)]
        if not ours or any("_member_map_" in namespace(base) for base in ours):  # an enumeration
            return []
        data = dict(pair for base in ours for pair in self._class_data(base))
        data.update(attributes(value, kind, _MOST_NAMES + 1))
        return [("a", n, v) for n, v in data.items() if _plain_name(n)]

    def _is_ours(self, kind: type) -> bool:
        module = namespace(kind).get("__module__")
        return type(module) is str and module == self.module

    def _class_data(self, kind: type) -> list[tuple[str, Any]]:
        """Data in a class of the program: neither methods nor other descriptors."""
        if not self._is_ours(kind) or "_member_map_" in namespace(kind):
            return []
        return [
            (name, value)
            for name, value in list(namespace(kind).items())
            if _plain_name(name) and not _is_code(value) and not _is_descriptor(value)
        ]


def _contents(cell: types.CellType) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # empty
        return []


def _plain_name(name: Any) -> bool:
    """Whether it is a name of the program's making: no `__dunder__`, no `_sunder_` of a library."""
    return type(name) is str and name[-1:] != "_" and name not in _OF_LIBRARIES


def _is_code(value: Any) -> bool:
    """What is called or looked into: functions, classes, modules."""
    kind = type(value)
    return kind is types.ModuleType or any("__call__" in namespace(b) for b in mro(kind))


def _is_descriptor(value: Any) -> bool:
    """A property, a static method, a slot, a named tuple's field."""
    return any("__get__" in namespace(base) for base in mro(type(value)))
