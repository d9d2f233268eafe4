"""Whether a value as a text states it, whole or shortened, is the value that was recorded."""

from __future__ import annotations

import re

from semcoder_lib.monologues.evaluator import equal, literal

_SHORT = re.compile(
    r"an? (\w+) of (\d[\d,]*) (?:items?|characters?|entries|pairs?) (?:starting|beginning)(?: with)? (.+)$",
    re.S,
)


def same_text(stated: str, recorded: str | None) -> bool | None:
    """Whether a stated value is a recorded one; None when the stated text is no value."""
    if recorded is None:
        return None
    if stated == recorded:
        return True
    said = literal(stated)
    if said is None:
        return shortened(stated, recorded)
    actual = literal(recorded)
    if actual is None:
        return None
    return equal(said[0], actual[0])


def shortened(stated: str, recorded: str) -> bool | None:
    """Decides "a list of 40 items starting [1, 2, 3" and "a str of 300 characters starting 'ab'"."""
    match = _SHORT.match(stated)
    if not match:
        return None
    actual = literal(recorded)
    if actual is None:
        return None
    kind, count, head = match.group(1), int(match.group(2).replace(",", "")), match.group(3)
    value = actual[0]
    if type(value).__name__ != kind and not (kind in ("string", "str") and isinstance(value, str)):
        return False
    try:
        if len(value) != count:
            return False
    except TypeError:
        return False
    head = head.rstrip(". …")
    if isinstance(value, str):
        start = literal(head)
        return value.startswith(start[0] if start else head.strip("'\""))
    return recorded.startswith(head.rstrip("]})"))
