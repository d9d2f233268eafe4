"""The one door for what a model, a file or a user gave: text to parse, values to show or compare.

Everything here is bounded and raises nothing but `Refused`, whose message is the reason that the
sample's status carries. Nothing of the text is evaluated, no method of a value's own class runs.

    parse(text), parse_expression(text)   a tree, or Refused
    attempt(function, *arguments)         its result with room for deep trees, or Refused
    unparse(tree)                         text, or Refused
    show(value)                           text for a reader, always
    same(a, b)                            whether they are equal, always

Literals and calls are read by `values.decode` and `values.parse_call`, which raise `NotALiteral`.
"""

from __future__ import annotations

import reprlib
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.values.parsing import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    Refused,
    attempt,
    parse,
    parse_expression,
    unparse,
)

__all__ = [
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "Refused",
    "attempt",
    "parse",
    "parse_expression",
    "same",
    "show",
    "unparse",
]


def same(a: Any, b: Any, *, rel_tol: float = 0.0, abs_tol: float = 0.0) -> bool:
    """Whether two decoded values are equal, see `values.equal`. Never raises."""
    return values.equal(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


def show(value: Any, most: int = 200) -> str:
    """A value for a reader, in at most `most` characters (20 at least): its exact text where that
    is short enough, else an abbreviation. Not for reading back. Never raises."""
    most = max(most, 20)
    try:
        text = values.encode(value, max_nodes=most, max_bytes=4 * most)
    except values.Unserializable:
        short = _Short()
        short.maxstring = most // 2
        text = short.repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"


class _Short(reprlib.Repr):
    """Abbreviates exact built-in containers and strings; anything else is named by its class."""

    _KINDS = (int, str, list, tuple, dict, set, frozenset)

    def repr1(self, x: Any, level: int) -> str:
        kind = type(x)
        if kind is int and x.bit_length() > values.HEX_FROM_BITS:
            return f"<int of {x.bit_length():,} bits>"
        if kind in self._KINDS:
            return super().repr1(x, level)
        try:
            return values.encode(x, max_nodes=40, max_bytes=200)
        except values.Unserializable:
            name = type.__dict__["__name__"].__get__(kind)  # a metaclass may lie or run code
            return f"<{name}>"
