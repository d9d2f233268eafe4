"""Values as they are written in a sentence."""

from __future__ import annotations

import ast
from typing import Any

from semcoder_lib.core import values

SPELL_UP_TO = 20  # items
VALUE_CHARS = 160  # of a value in a working


class NotShown(Exception):
    """The value has no short exact text."""


def show(value: Any, limit: int = VALUE_CHARS) -> str:
    """The exact text of `value`. Raises `NotShown` when it is longer than `limit` or has none."""
    if type(value) is int and -1_000_000 < value < 1_000_000:
        return str(value)
    try:
        text = values.encode(value, max_bytes=4 * limit + 64, max_nodes=limit + 8)
    except values.Unserializable as error:
        raise NotShown(str(error)) from None
    if len(text) > limit:
        raise NotShown("too long")
    return text


def encoded(value: Any) -> str:
    """The text of a value as the record has it; empty where it has none."""
    try:
        return values.encode(value)
    except values.Unserializable:
        return ""


def brief(value: Any, limit: int = 200) -> str:
    """A value for a reader of evidence: its text where it is short, else its type. Never raises."""
    try:
        return show(value, limit)
    except NotShown:
        return f"a {type(value).__name__}"


_ITEM_CHARS = 60  # of a loop


def wrapped(text: str) -> str:
    """A negative number in brackets."""
    return f"({text})" if text.startswith("-") else text


def many(count: int) -> dict[str, str]:
    """A count and its plural, as slots."""
    return {"n": str(count), "s": "" if count == 1 else "s"}


def listing(items: Any) -> str:
    """`1, 2, 3`: values in order. Raises `NotShown` where there are many."""
    if len(items) > SPELL_UP_TO:
        raise NotShown("too long")
    return ", ".join(map(show, items))


def _parts(items: Any) -> list[str]:
    if not 0 < len(items) <= SPELL_UP_TO:
        raise NotShown("too long or empty")
    letters = isinstance(items, str)
    return [x if letters and x.isalnum() else show(x) for x in items]


def spelling(items: Any) -> str:
    """`h e l l o` of a string, `4, 7` of a list. Raises `NotShown` where there are none or many."""
    return (" " if isinstance(items, str) else ", ").join(_parts(items))


def tables(items: Any) -> tuple[str, str]:
    """A sequence by place, `0:h 1:e 2:l`, `0:4 1:7`, and densely, `0h1e2l` of a string. Raises
    `NotShown` as `spelling` does."""
    wide = " ".join(f"{at}:{part}" for at, part in enumerate(_parts(items)))
    if not isinstance(items, str):
        return wide, wide
    return wide, "".join(f"{at}{c if c.isalpha() else show(c)}" for at, c in enumerate(items))


def loop_items(items: list[Any], loop: ast.For) -> str:
    """`#1 'a', #2 'b'`, of a range `0, 1, 2`; many as the first three and the last. Empty where
    there are none or one is long."""
    number = "" if ast.unparse(loop.iter).startswith("range(") else "#{} "
    places = [*enumerate(items[: SPELL_UP_TO + 1], 1)]
    if len(places) > SPELL_UP_TO:
        places[3:] = [(len(items), items[-1])]
    try:
        texts = [number.format(at) + show(item, _ITEM_CHARS) for at, item in places]
    except NotShown:
        return ""
    return ", ".join([*texts[:3], "...", texts[3]] if len(items) > SPELL_UP_TO else texts)
