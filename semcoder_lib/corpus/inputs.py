"""Types and typed inputs: drawn at random in the sizes of everyday calls, and mutated within their
types (the idea of EvalPlus's type-aware mutation). Types are written as in `list[int]`,
`tuple[int, ...]`, `dict[str, list[int]]`, `any`."""

from __future__ import annotations

import ast
import copy
import functools
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").split()
MAX_TEXT = 14
MAX_ITEMS = 8
_LETTERS = "aabbccddeeffghijklmnopqrstuvwxyz"
_EXTRA = "ABCDEXYZ0123456789 .,-_!?:"
_SEQUENCES: dict[str, Callable[[list[Any]], Any]] = {
    kind.__name__: kind for kind in (list, tuple, set, frozenset)
}
_NAMES = {*_SEQUENCES, "dict", "int", "float", "str", "bool", "bytes", "None"}


@dataclass(frozen=True, slots=True)
class Type:
    """A type's name and the types inside; `many` marks `tuple[int, ...]`."""

    name: str
    inner: tuple[Type, ...] = ()
    many: bool = False

    @property
    def pair(self) -> bool:
        """Whether it is a tuple of a fixed length."""
        return self.name == "tuple" and bool(self.inner) and not self.many


INT, ANY = Type("int"), Type("any")


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Type:
    """The tree of a type's text; an unknown name becomes `any`. Raises SyntaxError for a text that
    is no expression."""
    return _type(ast.parse(text.strip(), mode="eval").body)


def _type(node: ast.expr) -> Type:
    outer = node.value if isinstance(node, ast.Subscript) else node
    name = "None" if isinstance(outer, ast.Constant) else getattr(outer, "id", "")
    if name not in _NAMES:
        return ANY
    if not isinstance(node, ast.Subscript):
        return Type(name)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    inner = [p for p in parts if not (isinstance(p, ast.Constant) and p.value is ...)]
    return Type(name, tuple(map(_type, inner)), many=len(inner) < len(parts))


def type_of(value: Any, depth: int = 0) -> str:
    """A value's type as the project writes it: `list[int]`, `dict[str, list[int]]`, `any` where
    the elements differ."""
    kind = type(value)
    if kind not in (dict, list, set, frozenset, tuple):
        return "None" if value is None else kind.__name__
    if depth > 3:
        return "any"
    if kind is dict:
        return f"dict[{_shared(value.keys(), depth)}, {_shared(value.values(), depth)}]"
    if kind is tuple and 0 < len(value) <= 3:
        return f"tuple[{', '.join(type_of(v, depth + 1) for v in value)}]"
    return f"{kind.__name__}[{_shared(value, depth)}{', ...' if kind is tuple else ''}]"


def join_types(types: Iterable[str]) -> str:
    """One type for several values: the same, or numbers widened to float, or `any`."""
    kinds = sorted(set(types))
    if len(kinds) == 1:
        return kinds[0]
    if set(kinds) <= {"int", "float", "bool"}:
        return "float" if "float" in kinds else "int"
    for outer in ("list", "set", "frozenset"):
        if all(k.startswith(f"{outer}[") for k in kinds):
            inner = [k[len(outer) + 1 : -1] for k in kinds if "[any]" not in k]
            return f"{outer}[{join_types(inner) if inner else 'any'}]"
    return "any"


def _shared(items: Iterable[Any], depth: int) -> str:
    kinds = [type_of(i, depth + 1) for i in items]
    return join_types(kinds) if kinds else "int"


class _Source:
    """Where values come from: a generator of random numbers, and a program's own constants."""

    def __init__(self, rng: random.Random, constants: Sequence[Any]) -> None:
        self.rng = rng
        self.ints = [c for c in constants if type(c) is int and abs(c) <= 10_000]
        self.strings = [c for c in constants if type(c) is str and 0 < len(c) <= 20]
        self.floats = [c for c in constants if type(c) is float]


def generate(
    argument_types: Sequence[str], rng: random.Random, *, constants: Sequence[Any] = ()
) -> tuple[Any, ...]:
    """One tuple of positional arguments, a value for each type.

    Numbers are mostly below 20, strings have up to 14 characters, containers up to 8 elements.
    `constants` (values that occur in a program) are mixed in, so that its comparisons come out both
    ways. The same `rng` state gives the same arguments.
    """
    source = _Source(rng, constants)
    arguments = [_value(parse(t), source, 0) for t in argument_types]
    if len(arguments) > 1 and rng.random() < 0.25:
        _relate(arguments, argument_types, rng)
    return tuple(arguments)


def mutate(
    arguments: tuple[Any, ...],
    argument_types: Sequence[str],
    rng: random.Random,
    *,
    constants: Sequence[Any] = (),
) -> tuple[Any, ...]:
    """A changed copy of known arguments: one or two places altered, types kept."""
    source, out = _Source(rng, constants), list(arguments)
    for _ in range(1 if rng.random() < 0.75 else 2):
        place = rng.randrange(len(out)) if out else 0
        if out:
            kind = parse(argument_types[place]) if place < len(argument_types) else ANY
            out[place] = _mutated(out[place], kind, source)
    return tuple(out)


def _relate(arguments: list[Any], types: Sequence[str], rng: random.Random) -> None:
    """Lets arguments have to do with each other: one that occurs inside another, equal ones."""
    origin = rng.randrange(len(arguments))
    inside = _parts(arguments[origin])
    for place, kind in enumerate(types):
        fitting = [p for p in inside if type_of(p) == kind]
        if place != origin and fitting and rng.random() < 0.8:
            arguments[place] = rng.choice(fitting)
        elif place != origin and kind == types[origin] and rng.random() < 0.3:
            arguments[place] = copy.deepcopy(arguments[origin])


def _parts(value: Any) -> list[Any]:
    match value:
        case str():
            middle = value[len(value) // 2 :][:1]
            return [value[:1], value[-1:], middle, value[:2], value[-2:]] if value else []
        case dict():
            return [*value.keys(), *value.values()]
        case list() | tuple():
            return [*value, len(value), max(0, len(value) - 1)]
        case set() | frozenset():
            return sorted(value, key=repr)
        case int() if type(value) is int:
            return [value + 1, value - 1]
    return []


def _value(kind: Type, source: _Source, depth: int) -> Any:
    """A fresh value; `depth` says how many containers it lies in."""
    rng = source.rng
    match kind.name:
        case "any":
            return _value(Type(rng.choice(("int", "str", "float", "int", "str"))), source, depth)
        case "None":
            return None
        case "bool":
            return rng.random() < 0.5
        case "int":
            return _int(source, depth)
        case "float":
            return _float(source)
        case "str":
            return _text(source, depth)
        case "bytes":
            return bytes(rng.randrange(97, 123) for _ in range(rng.randrange(0, 9)))
        case "dict":
            return _mapping(kind, source, depth)
        case "tuple" if kind.inner and not kind.many:
            return tuple(_value(t, source, depth + 1) for t in kind.inner)
    return _sequence(kind, source, depth)


def _sequence(kind: Type, source: _Source, depth: int) -> Any:
    rng, size = source.rng, _size(source.rng, depth)
    item = kind.inner[0] if kind.inner else INT
    if item.name in ("list", "tuple") and rng.random() < 0.35:
        items = _grid(item, size, source, depth)
    else:
        items = [_value(item, source, depth + 1) for _ in range(size)]
    if len(items) > 2 and rng.random() < 0.3:  # an element occurs twice
        items[rng.randrange(len(items))] = copy.deepcopy(items[rng.randrange(len(items))])
    if item.name in ("int", "float") and rng.random() < 0.2:
        items.sort()
    return _SEQUENCES[kind.name](items)


def _grid(item: Type, size: int, source: _Source, depth: int) -> list[Any]:
    """Rows of one length, often as many as there are columns."""
    width = size if source.rng.random() < 0.6 else source.rng.randrange(1, 5)
    if item.pair:
        return [_value(item, source, depth + 1) for _ in range(size)]
    cell = item.inner[0] if item.inner else INT
    rows = ([_value(cell, source, depth + 2) for _ in range(width)] for _ in range(size))
    return [_SEQUENCES[item.name](row) for row in rows]


def _mapping(kind: Type, source: _Source, depth: int) -> dict[Any, Any]:
    key, item = kind.inner if len(kind.inner) == 2 else (*kind.inner, INT, INT)[:2]
    pairs = {}
    for _ in range(_size(source.rng, depth)):
        k = _value(key, source, depth + 1)
        pairs[k] = _value(item, source, depth + 1)
    return pairs


def _size(rng: random.Random, depth: int) -> int:
    roll = rng.random()
    if depth:
        return rng.randrange(0, 2) if roll < 0.12 else rng.randrange(1, 4)
    if roll < 0.12:
        return 0 if roll < 0.05 else 1
    return rng.randrange(2, MAX_ITEMS if roll > 0.8 else 6)


def _int(source: _Source, depth: int) -> int:
    rng, roll = source.rng, source.rng.random()
    if source.ints and roll < 0.2:
        return rng.choice(source.ints) + rng.choice((-1, 0, 0, 1))
    for share, low, high in ((0.62, 0, 11), (0.82, 1, 31), (0.93, -12, 0)):
        if roll < share:
            return rng.randrange(low, high)
    return rng.randrange(20, 120 if depth else 1000)


def _float(source: _Source) -> float:
    rng, roll = source.rng, source.rng.random()
    if source.floats and roll < 0.15:
        return rng.choice(source.floats)
    if roll < 0.7:
        return rng.randrange(0, 200) / 10
    if roll < 0.85:
        return rng.randrange(-2000, 20000) / 100
    return float(rng.randrange(-5, 20))


def _text(source: _Source, depth: int) -> str:
    """A string as people pass them: a word, several, letters, digits, with some of the program's
    own string constants mixed in."""
    rng, roll = source.rng, source.rng.random()
    if roll < (0.75 if depth else 0.3):
        text = rng.choice(WORDS)
    elif depth:
        text = _letters(rng, 1, 5)
    elif roll < 0.55:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(2, 4)))[:MAX_TEXT]
    elif roll < 0.8:
        text = _letters(rng, 2, 9)
    elif roll < 0.9:
        text = "".join(rng.choice(_LETTERS + _EXTRA) for _ in range(rng.randrange(1, 11)))
    elif roll < 0.96:
        text = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 7)))
    else:
        text = ""
    if rng.random() < 0.15:
        text = text.title() if rng.random() < 0.6 else text.upper()
    if source.strings and rng.random() < 0.35:
        piece = rng.choice(source.strings)
        where = rng.choice((0, len(text), len(text) // 2))
        text = piece if rng.random() < 0.15 else text[:where] + piece + text[where:]
        text = text[: MAX_TEXT + len(piece)]
    return text


def _letters(rng: random.Random, low: int, high: int) -> str:
    alphabet = [rng.choice(_LETTERS) for _ in range(rng.randrange(1, 5))]
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(low, high)))


def _mutated(value: Any, kind: Type, source: _Source) -> Any:
    rng = source.rng
    if rng.random() < 0.15:
        return _value(kind, source, 0)
    match value:
        case bool():
            return not value
        case int():
            return value + rng.choice((-2, -1, 1, 2, 10)) if rng.random() < 0.7 else value * 2
        case float():
            return round(value + rng.choice((-1.5, -0.1, 0.1, 1.0, 10.0)), 4)
        case str() if value:
            return _mutated_text(value, source)
        case list() | tuple():
            return type(value)(_mutated_items(list(value), kind, source))
        case set() | frozenset():
            return type(value)(_mutated_items(sorted(value, key=repr), kind, source))
        case dict():
            mapping = kind if kind.name == "dict" and kind.inner else parse(type_of(value))
            pairs = Type("list", (Type("tuple", mapping.inner),))
            return dict(_mutated_items([*value.items()], pairs, source))
    return _value(kind if kind.name != "any" else parse(type_of(value)), source, 0)


def _mutated_text(value: str, source: _Source) -> str:
    rng = source.rng
    where, roll = rng.randrange(len(value)), rng.randrange(6)
    before, after = value[:where], value[where + 1 :]
    match roll:
        case 0:
            return before + after
        case 1:
            return before + rng.choice(value) + value[where:]
        case 2:
            return before + rng.choice(_LETTERS + _EXTRA) + after
        case 3:
            return value[where:] + before
        case 4:
            return value.swapcase() if rng.random() < 0.5 else value[::-1]
    return before + rng.choice(source.strings or value) + value[where:]


def _mutated_items(items: list[Any], kind: Type, source: _Source) -> list[Any]:
    rng = source.rng
    fixed = kind.pair and len(kind.inner) == len(items)
    item = kind.inner[0] if kind.inner else parse(type_of(items[0]) if items else "int")
    roll = 5 if fixed else rng.randrange(6)
    if not items or roll == 0:
        items.insert(rng.randrange(len(items) + 1), _value(item, source, 1))
    elif roll == 1:
        items.pop(rng.randrange(len(items)))
    elif roll == 2:
        items.insert(rng.randrange(len(items) + 1), copy.deepcopy(rng.choice(items)))
    elif roll == 3:
        rng.shuffle(items)
    else:
        where = rng.randrange(len(items))
        items[where] = _mutated(items[where], kind.inner[where] if fixed else item, source)
    return items
