"""Values as they are written in a sentence."""

from __future__ import annotations

import functools
from typing import Any

from semcoder_lib.core import values


class NotShown(Exception):
    """The value has no short exact text."""


@functools.lru_cache(maxsize=8192)
def decoded(text: str) -> Any:
    """The value of a recorded text. The result is shared: never change it."""
    return values.decode(text)


def show(value: Any, limit: int = 160) -> str:
    """The exact text of `value`. Raises `NotShown` when it is longer than `limit` or has none."""
    kind = type(value)
    if kind is int and -1_000_000 < value < 1_000_000:
        return str(value)
    try:
        text = values.encode(value, max_bytes=4 * limit + 64, max_nodes=limit + 8)
    except values.Unserializable as error:
        raise NotShown(str(error)) from None
    if len(text) > limit:
        raise NotShown("too long")
    return text


_ARTICLES = {"int": "an int", "NoneType": "None", "OrderedDict": "an OrderedDict"}


def a_type(name: str) -> str:
    """`list` as "a list"."""
    return _ARTICLES.get(name, f"a {name}")


def long_text(text: str, limit: int) -> str:
    """A recorded text as it stands, or in words when it is longer than `limit`."""
    if len(text) <= limit:
        return text
    try:
        value = decoded(text)
    except values.NotALiteral:
        return f"a value starting {text[:24]}"
    name = type(value).__name__
    if isinstance(value, str):
        return f"a str of {len(value)} characters starting {value[:16]!r}"
    try:
        return f"{a_type(name)} of {len(value)} items starting {text[:24].rstrip(', ')}"
    except TypeError:
        return f"{a_type(name)} starting {text[:24]}"
