"""What a text states: values, whole or shortened, and lists of names with their values."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.template import Slot, mask, split

_SHORT = re.compile(
    r"an? (\w+) of (\d[\d,]{0,18}) (?:items?|characters?|entries|pairs?)"
    r"(?: (?:starting|beginning)(?: with)? (.+))?$",
    re.S,
)
_LONG = re.compile(r"a value of (\d{1,18}) characters starting (\S+)$")
_SHOWN = re.compile(r"a value shown as ('.*'|\".*\")$", re.S)
_MORE = re.compile(r"(?:, )?\.{3}[\])}]?$|…$")


def encoded(value: Any) -> str:
    """The text of a value as the record has it, or words where it has none."""
    try:
        return values.encode(value)
    except values.Unserializable:
        return f"a {type(value).__name__}"


def same_text(stated: str, recorded: str | None) -> bool | None:
    """Whether a stated value is a recorded one; None when the stated text is no value."""
    if recorded is None:
        return None
    if stated == recorded:
        return True
    value, actual = literal(stated), literal(recorded)
    if actual is None:  # an object, which has only its words
        return shortened(stated, recorded) or False
    return shortened(stated, recorded) if value is None else equal(value[0], actual[0])


def shortened(stated: str, recorded: str) -> bool | None:
    """Decides `a list of 40 items starting [1, 2, ...]` and `a str of 300 characters starting
    'ab'`; None for other words."""
    if match := _LONG.match(stated):
        return len(recorded) == int(match[1]) and recorded.startswith(match[2])
    if match := _SHOWN.match(stated):
        begins = literal(match[1])
        return begins is not None and recorded.startswith(str(begins[0]))
    match = _SHORT.match(stated)
    actual = literal(recorded)
    if match is None or actual is None:
        return None
    kind, count, head = match[1], int(match[2].replace(",", "")), match[3]
    value = actual[0]
    if type(value).__name__ != kind and not (kind == "string" and isinstance(value, str)):
        return False
    try:
        if len(value) != count:
            return False
    except TypeError:
        return False
    if head is None:
        return True
    if isinstance(value, str):
        begins = literal(_MORE.sub("", head).rstrip())
        return isinstance(begins, tuple) and value.startswith(str(begins[0]))
    return recorded.startswith(_MORE.sub("", head).rstrip("]})"))


def parse_binds(slot: Slot) -> list[tuple[Slot, Slot | None]] | None:
    """`a = 1, b is gone` as names and values (None for gone); None for another text."""
    pairs: list[tuple[Slot, Slot | None]] = []
    for part in split(slot.text, ", ", slot.start):
        masked = mask(part.text) or ""
        cut = masked.find(" = ")
        if cut > 0 and _is_target(masked[:cut]):
            name = Slot(part.text[:cut], part.start, part.start + cut)
            pairs.append((name, Slot(part.text[cut + 3 :], part.start + cut + 3, part.end)))
        elif masked.endswith(" is gone") and masked[:-8].isidentifier():
            pairs.append((Slot(part.text[:-8], part.start, part.end), None))
        elif pairs and pairs[-1][1] is not None:  # a comma in a value's own words
            name, value = pairs[-1]
            joined = slot.text[value.start - slot.start : part.end - slot.start]  # type: ignore[union-attr]
            pairs[-1] = (name, Slot(joined, value.start, part.end))  # type: ignore[union-attr]
        else:
            return None
    return pairs or None


def _is_target(masked: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[\x00*\])*", masked))
