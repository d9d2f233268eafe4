"""The one way to spell and list values in a text, to compare with what it says."""

from __future__ import annotations

from typing import Any

from semcoder_lib.monologues.evaluator import equal
from semcoder_lib.monologues.show import NotShown, show

_LONG = 1_000  # characters of a value that a text may have to match


def tables(items: Any, last: int) -> tuple[str, ...]:
    """The ways to list a sequence by place up to `last`: `0:h 1:e`, densely `0h1e`."""
    part = items[: last + 1]
    if isinstance(items, str):
        wide = " ".join(f"{i}:{c if c.isalnum() else repr(c)}" for i, c in enumerate(part))
        return wide, "".join(f"{i}{c if c.isalpha() else repr(c)}" for i, c in enumerate(part))
    return (" ".join(f"{i}:{x}" for i, x in enumerate(map(text_of, part))),)


def spelling(items: Any) -> str:
    """`h e l l o` of a string, `4, 7` of a list."""
    if isinstance(items, str):
        return " ".join(c if c.isalnum() else repr(c) for c in items)
    return listing(items)


def listing(items: Any) -> str:
    """Values in order, `4, 7`."""
    return ", ".join(map(text_of, items))


def text_of(value: Any) -> str:
    try:
        return show(value, _LONG)
    except NotShown:
        return "?"


def places_of(box: Any, part: Any) -> list[int]:
    if not isinstance(box, str):
        return [i for i, x in enumerate(box) if equal(x, part)]
    places, at = [], box.find(part) if part else -1
    while at >= 0:
        places.append(at)
        at = box.find(part, at + len(part))
    return places
