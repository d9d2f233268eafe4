"""Cutting a line of text at separators that are not inside quotes or brackets."""

from __future__ import annotations

import re
from functools import lru_cache

_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = frozenset(")]}")
_SPECIAL = frozenset("'\"([{")


def split(text: str, *separators: str) -> list[str]:
    """The parts of `text` between top-level separators, stripped, empty ones left out."""
    return [part for part, _ in split_at(text, separators)]


@lru_cache(maxsize=8192)
def split_at(text: str, separators: tuple[str, ...]) -> list[tuple[str, int]]:
    """As `split`, each part with where it starts in `text`."""
    parts: list[tuple[str, int]] = []
    start = 0
    for at, separator in _cuts(text, separators):
        _add(parts, text, start, at)
        start = at + len(separator)
    _add(parts, text, start, len(text))
    return parts


def find(text: str, separator: str, *, last: bool = False) -> int:
    """Where a top-level separator is, the first or the last one, or -1."""
    if separator not in text:
        return -1
    cuts = _cuts(text, (separator,))
    if not cuts:
        return -1
    return cuts[-1 if last else 0][0]


def _add(parts: list[tuple[str, int]], text: str, start: int, end: int) -> None:
    part = text[start:end]
    bare = part.strip()
    if bare:
        parts.append((bare, start + part.index(bare)))


def _cuts(text: str, separators: tuple[str, ...]) -> list[tuple[int, str]]:
    found = tuple(s for s in separators if s in text)
    if not found:
        return []
    if _SPECIAL.isdisjoint(text):
        return [(m.start(), m.group()) for m in _finder(found, "").finditer(text)]
    search = _finder(found, "|['\"()\\[\\]{}]").search
    cuts: list[tuple[int, str]] = []
    depth = at = 0
    while match := search(text, at):
        at, mark = match.start(), match.group()
        if mark in ("'", '"'):
            at = max(at, closing_quote(text, at)) + 1
        elif mark in _OPEN or mark in _CLOSE:
            depth = depth + 1 if mark in _OPEN else max(0, depth - 1)
            at += 1
        elif depth:
            at += 1
        else:
            cuts.append((at, mark))
            at += len(mark)
    return cuts


@lru_cache(maxsize=256)
def _finder(separators: tuple[str, ...], others: str) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, separators)) + others)


def closing_quote(text: str, at: int) -> int:
    """Where the string that opens at `at` closes, or -1 when that quote is an apostrophe."""
    if at and text[at - 1].isalnum() and text[at - 1] not in "frbFRB":
        return -1
    quote = text[at]
    end = at + 1
    while end < len(text):
        if text[end] == "\\":
            end += 1
        elif text[end] == quote:
            return end
        end += 1
    return -1


def balanced_end(text: str, at: int) -> int:
    """The position after the bracket that closes the one at `at`, or -1."""
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "'\"":
            end = closing_quote(text, at)
            at = end if end > 0 else at
        elif char in _OPEN:
            depth += 1
        elif char in _CLOSE:
            depth -= 1
            if depth == 0:
                return at + 1
        elif char == "\n" and depth == 0:
            return -1
        at += 1
    return -1
