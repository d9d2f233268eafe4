"""Smaller arguments that may still fail: the candidates of greedy shrinking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semcoder_lib.core import values


def size(arguments: tuple[Any, ...]) -> tuple[int, int, str]:
    """What "smaller" means: fewer characters, then smaller numbers, then text order."""
    text = values.encode(arguments)
    return len(text), _magnitude(arguments), text


def smaller(arguments: tuple[Any, ...], *, limit: int = 24) -> list[tuple[Any, ...]]:
    """At most `limit` variants of the arguments that are smaller than they are, the boldest first.

    Types are kept, tuples keep their length (they are records), and only one argument changes at a
    time. Whether a variant is a sensible input is for the right program to say.
    """
    bound = size(arguments)
    found: dict[str, tuple[Any, ...]] = {}
    columns = [list(_smaller(value)) for value in arguments]
    for row in range(max((len(c) for c in columns), default=0)):
        for i, column in enumerate(columns):
            if row < len(column):
                variant = (*arguments[:i], column[row], *arguments[i + 1 :])
                key = values.encode(variant)
                if size(variant) < bound and key not in found:
                    found[key] = variant
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def _magnitude(value: Any) -> int:
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return min(abs(value), 10**9) * 2 + (value < 0)
    if isinstance(value, float):
        whole = value == value and abs(value) < 10**9
        return int(abs(value)) * 2 + (value < 0) + 1 if whole else 10**9
    if isinstance(value, list | tuple | set | frozenset):
        return sum(_magnitude(v) for v in value)
    if isinstance(value, dict):
        return sum(_magnitude(k) + _magnitude(v) for k, v in value.items())
    return 0


def _smaller(value: Any) -> Iterator[Any]:
    kind = type(value)
    if kind is int:
        yield from _numbers(value)
    elif kind is float:
        if value == value and abs(value) < 10**9:
            yield from (float(n) for n in (0, int(value) // 2, int(value)) if float(n) != value)
    elif kind in (str, bytes):
        yield from _parts(value)
    elif kind is list:
        yield from _parts(value)
        for i, item in enumerate(value[:6]):
            for less in _few(item):
                yield [*value[:i], less, *value[i + 1 :]]
    elif kind is tuple:
        for i, item in enumerate(value):
            for less in _few(item):
                yield (*value[:i], less, *value[i + 1 :])
    elif kind in (set, frozenset):
        items = sorted(value, key=values.encode)
        for part in _parts(items):
            yield kind(part)
    elif kind is dict:
        items = list(value.items())
        for part in _parts(items):
            yield dict(part)
        for key, item in items[:4]:
            for less in _few(item):
                yield {**value, key: less}


def _few(value: Any) -> Iterator[Any]:
    for count, less in enumerate(_smaller(value)):
        if count == 3:
            return
        yield less


def _numbers(value: int) -> Iterator[int]:
    seen = {value}
    for n in (0, 1, 2, abs(value), value // 2, value - 1 if value > 0 else value + 1):
        if n not in seen:
            seen.add(n)
            yield n


def _parts(value: Any) -> Iterator[Any]:
    n = len(value)
    if n == 0:
        return
    yield value[:0]
    if n > 2:
        yield value[: n // 2]
        yield value[n // 2 :]
    if n > 1:
        for i in range(min(n, 8)):
            yield value[:i] + value[i + 1 :]
