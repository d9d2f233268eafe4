"""When a value that a text states counts as the value that was."""

from __future__ import annotations

import math
from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any


def equals(stated: Any, actual: Any, text: str = "") -> bool:
    """Whether a value that a text states is the value that was: equal, with bool kept apart from
    int; a float may be given rounded to the digits that the text shows."""
    if isinstance(stated, bool) != isinstance(actual, bool):
        return False
    if isinstance(actual, float) and isinstance(stated, float | int):
        if math.isnan(actual):
            return isinstance(stated, float) and math.isnan(stated)
        if stated == actual:
            return True
        digits = len(text.partition(".")[2].rstrip(".")) if "." in text else 0
        return 0 < digits < 12 and round(actual, digits) == stated
    if isinstance(actual, KeysView | ValuesView | ItemsView | range) and isinstance(stated, list):
        actual = list(actual)  # what a view holds is told as a list
    if isinstance(actual, list | tuple) and type(stated) is type(actual):
        return len(stated) == len(actual) and all(map(equals, stated, actual))
    if isinstance(actual, dict) and isinstance(stated, dict):
        return stated.keys() == actual.keys() and all(equals(stated[k], actual[k]) for k in actual)
    return bool(stated == actual)
