# ruff: noqa: C409
"""Typed inputs: drawn at random in the sizes of everyday calls, and mutated within their types
(the idea of EvalPlus's type-aware mutation)."""

from __future__ import annotations

import collections
import random
from collections.abc import Iterable, Sequence
from typing import Any

from semcoder_lib.corpus import types
from semcoder_lib.corpus.types import Type

WORDS = tuple(
    [
        "apple",
        "bread",
        "cat",
        "dog",
        "echo",
        "fig",
        "grape",
        "hello",
        "ink",
        "jam",
        "kite",
        "lemon",
        "moon",
        "nest",
        "orange",
        "pear",
        "quiz",
        "river",
        "sun",
        "tree",
        "umbrella",
        "violet",
        "wind",
        "box",
        "year",
        "zebra",
        "data",
        "code",
        "test",
        "value",
        "key",
        "name",
        "red",
        "green",
        "blue",
        "one",
        "two",
        "three",
        "a",
        "b",
        "c",
        "ab",
        "abc",
        "aa",
        "bb",
        "xyz",
        "level",
        "noon",
        "radar",
        "Python",
        "World",
        "Alpha",
        "Beta",
        "north",
        "south",
        "east",
        "west",
        "cold",
        "warm",
        "fast",
        "slow",
        "note",
        "item",
        "left",
        "right",
        "open",
        "plan",
        "road",
    ]
)
_LETTERS = "aabbccddeeffghijklmnopqrstuvwxyz"
_EXTRA = "ABCDEXYZ0123456789 .,-_!?:"
MAX_TEXT = 14
MAX_ITEMS = 8


def generate(
    argument_types: Sequence[str],
    rng: random.Random,
    *,
    constants: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """One tuple of positional arguments, a value for each type.

    Sizes are those of everyday calls: numbers mostly below 20, strings up to 14 characters,
    containers up to 8 elements. `constants` (values that occur in a program) are mixed in, so that
    its comparisons come out both ways. The same `rng` state gives the same arguments.
    """
    pool = _Pool(constants)
    arguments = tuple(_value(types.parse(t), rng, pool, 0) for t in argument_types)
    if len(arguments) > 1 and rng.random() < 0.25:
        arguments = _related(arguments, rng)
    return arguments


def mutate(
    arguments: tuple[Any, ...],
    argument_types: Sequence[str],
    rng: random.Random,
    *,
    constants: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """A changed copy of known arguments: one or two places altered, types kept."""
    pool = _Pool(constants)
    out = list(arguments)
    for _ in range(1 if rng.random() < 0.75 else 2):
        place = rng.randrange(len(out)) if out else 0
        if out:
            kind = types.parse(argument_types[place]) if place < len(argument_types) else _ANY
            out[place] = _mutated(out[place], kind, rng, pool)
    return tuple(out)


_ANY = Type("any")


class _Pool:
    """A program's own constants by type."""

    __slots__ = ("floats", "ints", "strings")

    def __init__(self, constants: Iterable[Any]) -> None:
        self.ints: list[int] = []
        self.strings: list[str] = []
        self.floats: list[float] = []
        for c in constants:
            if type(c) is int and abs(c) <= 10_000:
                self.ints.append(c)
            elif type(c) is str and 0 < len(c) <= 20:
                self.strings.append(c)
            elif type(c) is float:
                self.floats.append(c)


def _related(arguments: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    """Lets arguments have to do with each other: a value that occurs inside another, equal ends."""
    out = list(arguments)
    source = rng.randrange(len(out))
    inside = _parts(out[source])
    for place, value in enumerate(out):
        fitting = [p for p in inside if type(p) is type(value)]
        if place != source and fitting and rng.random() < 0.8:
            out[place] = rng.choice(fitting)
        elif place != source and type(value) is type(out[source]) and rng.random() < 0.3:
            out[place] = _copy(out[source])
    return tuple(out)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, str):
        if not value:
            return []
        return [value[0], value[-1], value[len(value) // 2], value[:2], value[-2:]]
    if isinstance(value, dict):
        return list(value.keys()) + list(value.values())
    if isinstance(value, list | tuple):
        return [*value, len(value), max(0, len(value) - 1)]
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return [value + 1, value - 1] if type(value) is int else []


def _value(kind: Type, rng: random.Random, pool: _Pool, depth: int) -> Any:
    name = kind.name
    if name == "int":
        return _int(rng, pool, depth)
    if name == "str":
        return text(rng, pool.strings, depth)
    if name == "float":
        return _float(rng, pool)
    if name == "bool":
        return rng.random() < 0.5
    if name == "None":
        return None
    if name == "bytes":
        return bytes(rng.randrange(97, 123) for _ in range(rng.randrange(0, 9)))
    if name == "range":
        start = rng.randrange(0, 4)
        return range(start, start + rng.randrange(0, 9))
    if name == "any":
        other = rng.choice(("int", "str", "float", "int", "str"))
        return _value(Type(other), rng, pool, depth)
    return _container(kind, rng, pool, depth)


def _container(kind: Type, rng: random.Random, pool: _Pool, depth: int) -> Any:
    name, inner = kind.name, kind.inner or (Type("int"),)
    if name == "tuple" and kind.inner and not kind.many:
        return tuple(_value(t, rng, pool, depth + 1) for t in inner)
    size = _size(rng, depth)
    if name in ("dict", "OrderedDict", "Counter", "defaultdict"):
        key = inner[0] if inner else Type("str")
        held = inner[1] if len(inner) > 1 else Type("int")
        pairs = {}
        for _ in range(size):
            k = _value(key, rng, pool, depth + 1)
            pairs[k] = _value(held, rng, pool, depth + 1)
        if held.inner and held.inner[0] == key and rng.random() < 0.6:
            pairs = _graph(pairs, held, rng, pool)
        return _dict_of(name, pairs)
    item = inner[0]
    if item.name in ("list", "tuple") and rng.random() < 0.35:
        items = _grid(item, size, rng, pool, depth)
    else:
        items = [_value(item, rng, pool, depth + 1) for _ in range(size)]
    if len(items) > 2 and rng.random() < 0.3:
        items[rng.randrange(len(items))] = _copy(items[rng.randrange(len(items))])
    if item.name in ("int", "float") and rng.random() < 0.2:
        items.sort()
    return _sequence_of(name, items)


def _grid(item: Type, size: int, rng: random.Random, pool: _Pool, depth: int) -> list[Any]:
    """Rows of one length, often as many as there are columns."""
    width = size if rng.random() < 0.6 else rng.randrange(1, 5)
    rows = []
    for _ in range(size):
        if item.name == "tuple" and item.inner and not item.many:
            rows.append(_value(item, rng, pool, depth + 1))
        else:
            cell = item.inner[0] if item.inner else Type("int")
            row = [_value(cell, rng, pool, depth + 2) for _ in range(width)]
            rows.append(_sequence_of(item.name, row))
    return rows


def _graph(pairs: dict[Any, Any], held: Type, rng: random.Random, pool: _Pool) -> dict[Any, Any]:
    """The same keys, each with some of the others as its neighbours."""
    nodes = list(pairs)
    made: dict[Any, Any] = {}
    for node in nodes:
        others = [n for n in nodes if n != node and rng.random() < 0.45]
        if held.name == "dict":
            kind = held.inner[1] if len(held.inner) > 1 else Type("int")
            made[node] = {
                n: abs(v) if type(v := _value(kind, rng, pool, 2)) is int else v for n in others
            }
        else:
            made[node] = _sequence_of(held.name, others)
    return made


def _dict_of(name: str, pairs: dict[Any, Any]) -> Any:
    if name == "OrderedDict":
        return collections.OrderedDict(pairs)
    if name == "Counter":
        return collections.Counter(pairs)
    if name == "defaultdict":
        return collections.defaultdict(int, pairs)
    return pairs


def _sequence_of(name: str, items: list[Any]) -> Any:
    if name == "tuple":
        return tuple(items)
    if name == "set":
        return set(items)
    if name == "frozenset":
        return frozenset(items)
    if name == "deque":
        return collections.deque(items)
    return items


def _size(rng: random.Random, depth: int) -> int:
    roll = rng.random()
    if depth == 0:
        if roll < 0.05:
            return 0
        if roll < 0.12:
            return 1
        return rng.randrange(2, MAX_ITEMS if roll > 0.8 else 6)
    return rng.randrange(0, 2) if roll < 0.12 else rng.randrange(1, 4)


def _int(rng: random.Random, pool: _Pool, depth: int) -> int:
    roll = rng.random()
    if pool.ints and roll < 0.2:
        return rng.choice(pool.ints) + rng.choice((-1, 0, 0, 1))
    if roll < 0.62:
        return rng.randrange(0, 11)
    if roll < 0.82:
        return rng.randrange(1, 31)
    if roll < 0.93:
        return rng.randrange(-12, 0)
    return rng.randrange(20, 1000 if depth == 0 else 120)


def _float(rng: random.Random, pool: _Pool) -> float:
    roll = rng.random()
    if pool.floats and roll < 0.15:
        return rng.choice(pool.floats)
    if roll < 0.7:
        return rng.randrange(0, 200) / 10
    if roll < 0.85:
        return rng.randrange(-2000, 20000) / 100
    return float(rng.randrange(-5, 20))


def text(rng: random.Random, constants: Sequence[str] = (), depth: int = 0) -> str:
    """A string as people pass them: a word, several, letters, digits, with some of the program's
    own string constants mixed in."""
    roll = rng.random()
    if depth > 0:
        made = rng.choice(WORDS) if roll < 0.75 else _letters(rng, 1, 5)
    elif roll < 0.3:
        made = rng.choice(WORDS)
    elif roll < 0.55:
        made = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(2, 4)))[:MAX_TEXT]
    elif roll < 0.8:
        made = _letters(rng, 2, 9)
    elif roll < 0.9:
        made = "".join(rng.choice(_LETTERS + _EXTRA) for _ in range(rng.randrange(1, 11)))
    elif roll < 0.96:
        made = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 7)))
    else:
        made = ""
    if rng.random() < 0.15:
        made = made.title() if rng.random() < 0.6 else made.upper()
    if constants and rng.random() < 0.35:
        piece = rng.choice(constants)
        where = rng.choice((0, len(made), len(made) // 2))
        made = piece if rng.random() < 0.15 else (made[:where] + piece + made[where:])
        made = made[: MAX_TEXT + len(piece)]
    return made


def _letters(rng: random.Random, low: int, high: int) -> str:
    some = [rng.choice(_LETTERS) for _ in range(rng.randrange(1, 5))]
    return "".join(rng.choice(some) for _ in range(rng.randrange(low, high)))


def _mutated(value: Any, kind: Type, rng: random.Random, pool: _Pool) -> Any:
    if rng.random() < 0.15:
        return _value(kind, rng, pool, 0)
    name = type(value)
    if name is bool:
        return not value
    if name is int:
        return value + rng.choice((-2, -1, 1, 2, 10)) if rng.random() < 0.7 else value * 2
    if name is float:
        return round(value + rng.choice((-1.5, -0.1, 0.1, 1.0, 10.0)), 4)
    if name is str:
        return _mutated_text(value, rng, pool)
    if name in (list, tuple):
        return _mutated_items(value, kind, rng, pool)
    if name in (set, frozenset):
        items = sorted(value, key=repr)
        return name(_mutated_items(items, kind, rng, pool))
    if name is dict and value:
        return _mutated_dict(value, kind, rng, pool)
    return _value(kind if kind.name != "any" else Type(name.__name__), rng, pool, 0)


def _mutated_text(value: str, rng: random.Random, pool: _Pool) -> str:
    if not value:
        return text(rng, pool.strings)
    where = rng.randrange(len(value))
    roll = rng.randrange(6)
    if roll == 0:
        return value[:where] + value[where + 1 :]
    if roll == 1:
        return value[:where] + rng.choice(value) + value[where:]
    if roll == 2:
        return value[:where] + rng.choice(_LETTERS + _EXTRA) + value[where + 1 :]
    if roll == 3:
        return value[where:] + value[:where]
    if roll == 4:
        return value.swapcase() if rng.random() < 0.5 else value[::-1]
    piece = rng.choice(pool.strings) if pool.strings else rng.choice(value)
    return value[:where] + piece + value[where:]


def _mutated_items(value: Any, kind: Type, rng: random.Random, pool: _Pool) -> Any:
    items = list(value)
    fixed = kind.name == "tuple" and kind.inner and not kind.many
    if fixed and len(kind.inner) == len(items):
        where = rng.randrange(len(items))
        items[where] = _mutated(items[where], kind.inner[where], rng, pool)
        return tuple(items)
    item = kind.inner[0] if kind.inner else _type_from(items)
    roll = rng.randrange(6)
    if not items or roll == 0:
        items.insert(rng.randrange(len(items) + 1), _value(item, rng, pool, 1))
    elif roll == 1:
        items.pop(rng.randrange(len(items)))
    elif roll == 2:
        items.insert(rng.randrange(len(items) + 1), _copy(rng.choice(items)))
    elif roll == 3:
        rng.shuffle(items)
    else:
        where = rng.randrange(len(items))
        items[where] = _mutated(items[where], item, rng, pool)
    return tuple(items) if type(value) is tuple else items


def _mutated_dict(
    value: dict[Any, Any], kind: Type, rng: random.Random, pool: _Pool
) -> dict[Any, Any]:
    out = dict(value)
    key = rng.choice(list(out))
    held = kind.inner[1] if len(kind.inner) > 1 else _type_from([out[key]])
    roll = rng.randrange(3)
    if roll == 0:
        del out[key]
    elif roll == 1:
        new = _value(kind.inner[0] if kind.inner else _type_from([key]), rng, pool, 1)
        out[new] = _value(held, rng, pool, 1)
    else:
        out[key] = _mutated(out[key], held, rng, pool)
    return out


def _type_from(items: list[Any]) -> Type:
    """A type for new elements beside the ones there are."""
    kind = type(items[0]) if items else int
    if kind in (list, tuple, set):
        return Type(kind.__name__, (_type_from(list(items[0])),), many=kind is tuple)
    return Type(kind.__name__) if kind.__name__ in types.PLAIN else _ANY


def _copy(value: Any) -> Any:
    if isinstance(value, list):
        return [_copy(v) for v in value]
    if isinstance(value, dict):
        return {k: _copy(v) for k, v in value.items()}
    return set(value) if isinstance(value, set) else value
