"""Values a little different from known ones, of the same type: for searches and for fresh tests."""

from __future__ import annotations

from random import Random
from typing import Any

MAX_INT = 10**6


def mutated(value: Any, pool: list[Any], rng: Random, depth: int = 0) -> Any:
    """A value of the same type, a little different; pieces come from `pool`."""
    kind = type(value)
    if kind is bool:
        return not value
    if kind is int:
        others = [v for v in pool if type(v) is int and abs(v) <= MAX_INT]
        choice = rng.randrange(7)
        if choice == 0 and others:
            return rng.choice(others)
        if choice == 1 and others:
            return max(-MAX_INT, min(MAX_INT, value + rng.choice(others)))
        return max(
            -MAX_INT,
            min(MAX_INT, (value + 1, value - 1, value * 2, value // 2, -value)[choice - 2]),
        )
    if kind is float:
        return rng.choice(
            [value + 1, value - 1, value / 2, value * 2, float(round(value)), -value, value + 0.5]
        )
    if kind is str:
        return _mutated_text(value, pool, rng)
    if kind is list or kind is tuple:
        return kind(_mutated_items(list(value), pool, rng, depth))
    if kind is set:
        items = _mutated_items(sorted(value, key=repr), pool, rng, depth)
        return {x for x in items if _hashable(x)}
    if kind is dict:
        return _mutated_dict(value, pool, rng, depth)
    if value is None:
        return rng.choice(pool) if pool else 0
    return value


def _mutated_text(value: str, pool: list[Any], rng: Random) -> str:
    texts = [v for v in pool if isinstance(v, str) and len(v) <= 40] or ["a", "b", " "]
    piece = rng.choice(texts)
    at = rng.randrange(len(value) + 1)
    ways = [
        value[:at] + piece + value[at:],
        piece,
        value + piece,
        piece + value,
        value.swapcase(),
        value[::-1],
    ]
    if value:
        at = rng.randrange(len(value))
        ways += [
            value[:at] + value[at + 1 :],
            value[:at] + piece[:1] + value[at + 1 :],
            value[:at],
            value[at:],
        ]
    return rng.choice(ways)[:200]


def _mutated_items(items: list[Any], pool: list[Any], rng: Random, depth: int) -> list[Any]:
    choice = rng.randrange(7)
    like = [v for v in pool if items and type(v) is type(items[0])] or pool or [1]
    if choice == 0 or not items:
        return [*items, rng.choice(like)]
    at = rng.randrange(len(items))
    if choice == 1:
        return items[:at] + items[at + 1 :]
    if choice == 2:
        return items[: at + 1] + items[at:]
    if choice == 3:
        other = rng.randrange(len(items))
        items[at], items[other] = items[other], items[at]
        return items
    if choice == 4:
        return [*items[:at], rng.choice(like), *items[at + 1 :]]
    if depth < 3:
        return [*items[:at], mutated(items[at], pool, rng, depth + 1), *items[at + 1 :]]
    return items[::-1]


def _mutated_dict(
    value: dict[Any, Any], pool: list[Any], rng: Random, depth: int
) -> dict[Any, Any]:
    items = list(value.items())
    keys = [v for v in pool if _hashable(v) and (not items or type(v) is type(items[0][0]))] or [
        "a"
    ]
    choice = rng.randrange(4)
    if choice == 0 or not items:
        like = [v for v in pool if items and type(v) is type(items[0][1])] or pool or [1]
        return {**value, rng.choice(keys): rng.choice(like)}
    at = rng.randrange(len(items))
    if choice == 1:
        return dict(items[:at] + items[at + 1 :])
    key, old = items[at]
    if choice == 2 or depth >= 3:
        return dict([*items[:at], (rng.choice(keys), old), *items[at + 1 :]])
    return {**value, key: mutated(old, pool, rng, depth + 1)}


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
