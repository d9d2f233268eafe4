"""Texts of values inside a line: what is in quotes is no syntax of the format."""

from __future__ import annotations

import re

_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def outside_strings(text: str) -> str:
    """`text` with the inside of every quoted string blanked out, at the same length."""
    return _STRING.sub(lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][-1], text)


def exact_text(text: str | None) -> bool:
    """Whether a text is a literal: a description has an angle bracket outside of strings."""
    return text is None or "<" not in text or "<" not in outside_strings(text)
