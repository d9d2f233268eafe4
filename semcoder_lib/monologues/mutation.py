"""Values a little different from known ones, of the same type: for searches and for fresh tests."""

from __future__ import annotations

import math
from collections.abc import Hashable
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
        near = (value + 1, value - 1, value * 2, value // 2, -value)
        changed = value + rng.choice(others) if choice == 1 and others else near[choice - 2]
        return max(-MAX_INT, min(MAX_INT, changed))
    if kind is float and math.isfinite(value):
        halved = [value + 1, value - 1, value / 2, value * 2, float(round(value)), -value]
        return rng.choice([*halved, value + 0.5])
    if kind is str:
        return _text(value, pool, rng)
    if kind in (list, tuple):
        return kind(_items(list(value), pool, rng, depth))
    if kind is set:
        return {x for x in _items(sorted(value, key=repr), pool, rng, depth) if _hashable(x)}
    if kind is dict:
        return _dict(value, pool, rng, depth)
    return rng.choice(pool or [0]) if value is None else value


def _text(value: str, pool: list[Any], rng: Random) -> str:
    piece = rng.choice([v for v in pool if isinstance(v, str) and len(v) <= 40] or ["a", "b", " "])
    at = rng.randrange(len(value) + 1)
    ways = [value[:at] + piece + value[at:], piece, value + piece, piece + value]
    ways += [value.swapcase(), value[::-1]]
    if value:
        at = rng.randrange(len(value))
        head, tail = value[:at], value[at + 1 :]
        ways += [head + tail, head + piece[:1] + tail, head, value[at:]]
    return rng.choice(ways)[:200]


def _like(value: Any, pool: list[Any]) -> list[Any]:
    """What of the pool has the type of a value."""
    return [v for v in pool if type(v) is type(value)] or pool or [1]


def _items(items: list[Any], pool: list[Any], rng: Random, depth: int) -> list[Any]:
    choice = rng.randrange(7)
    if choice == 0 or not items:
        return [*items, rng.choice(_like(items[0], pool) if items else pool or [1])]
    at = rng.randrange(len(items))
    head, item, tail = items[:at], items[at], items[at + 1 :]
    if choice == 1:
        return head + tail
    if choice == 2:
        return [*head, item, item, *tail]
    if choice == 3:
        other = rng.randrange(len(items))
        items[at], items[other] = items[other], items[at]
        return items
    if choice == 4:
        return [*head, rng.choice(_like(items[0], pool)), *tail]
    return [*head, mutated(item, pool, rng, depth + 1), *tail] if depth < 3 else items[::-1]


def _dict(value: dict[Any, Any], pool: list[Any], rng: Random, depth: int) -> dict[Any, Any]:
    items = list(value.items())
    keys = [v for v in pool if _hashable(v) and (not items or type(v) is type(items[0][0]))] or [
        "a"
    ]
    choice = rng.randrange(4)
    if choice == 0 or not items:
        like = _like(items[0][1], pool) if items else pool or [1]
        return {**value, rng.choice(keys): rng.choice(like)}
    at = rng.randrange(len(items))
    key, old = items[at]
    if choice == 1:
        return dict(items[:at] + items[at + 1 :])
    if choice == 2 or depth >= 3:
        return dict([*items[:at], (rng.choice(keys), old), *items[at + 1 :]])
    return {**value, key: mutated(old, pool, rng, depth + 1)}


def _hashable(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_hashable, value))
    return isinstance(value, Hashable)
