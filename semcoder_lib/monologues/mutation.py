"""Values a little different from known ones, of the same type: for searches and for fresh tests."""

from __future__ import annotations

from random import Random
from typing import Any

_MAX_ITEMS = 200  # of a sequence


def mutated(value: Any, pool: list[Any], rng: Random) -> Any:
    """A value of the same type, a little different; pieces come from `pool`."""
    pieces = [v for v in pool if type(v) is type(value)]
    if isinstance(value, list | tuple):
        pieces = [v for v in pool if not value or type(v) is type(value[0])]
    if not pieces or rng.random() < 0.6:
        return _varied(value, rng)
    piece = rng.choice(pieces)
    if not isinstance(value, str | list | tuple):
        return piece
    at, more = rng.randrange(len(value) + 1), rng.randrange(2)
    part: Any = piece if isinstance(value, str) else type(value)([piece])
    whole: Any = value
    return (whole[:at] + part + whole[at + more :])[:_MAX_ITEMS]


def _varied(value: Any, rng: Random) -> Any:
    """A value near `value`, of the same type all the way down."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        low, high = (0, max(3, 2 * value)) if value >= 0 else (2 * value, 2)
        return rng.choice([value + 1, max(low, value - 1), rng.randint(low, high), 0, 1])
    if isinstance(value, float):
        return rng.choice([value + 1.0, value / 2, value // 1, 0.0])
    if isinstance(value, str):
        if value and rng.randrange(6) == 0:
            return value.swapcase() if value.swapcase() != value else value + value
        return "".join(_changed(list(value or "a"), rng))
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)
        return type(value)(_changed(items, rng))
    if type(value) is dict:
        return dict(_changed(list(value.items()), rng, pairs=True))
    return value


def _changed(items: list[Any], rng: Random, *, pairs: bool = False) -> list[Any]:
    """One item less or more, another order, only the first ones, or one varied (of a pair the
    second part)."""
    if not items:
        return items
    how, at = rng.randrange(6), rng.randrange(len(items))
    item = items[at]
    if how == 0:
        return items[:at] + items[at + 1 :]
    if how == 1:
        items.insert(rng.randrange(len(items) + 1), item)
    elif how == 2:
        rng.shuffle(items)
    elif how == 3:
        return items[: rng.randrange(len(items) + 1)]
    elif isinstance(item, str) and len(item) == 1:
        items[at] = rng.choice("abcxyzABC019 ,.-")
    else:
        items[at] = (item[0], _varied(item[1], rng)) if pairs else _varied(item, rng)
    return items
