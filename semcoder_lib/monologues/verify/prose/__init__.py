"""Reads free prose: the released checkpoints' headings and bullets, a teacher's, anybody's.

It keeps a place in the trace (moved by labels, iteration headings and values that only fit later)
and decides what a sentence states in the states that the place allows."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.monologues.verify import text as sections
from semcoder_lib.monologues.verify.cursor import Cursor
from semcoder_lib.monologues.verify.prose import patterns
from semcoder_lib.monologues.verify.prose.anchors import read_anchors
from semcoder_lib.monologues.verify.prose.reading import Reading, Sentence
from semcoder_lib.monologues.verify.prose.sentences import (
    read_condition_outcomes,
    read_conditions,
    read_counts,
    read_deduced,
    read_equations,
    read_returns,
    read_values,
)
from semcoder_lib.monologues.verify.prose.tokens import (
    CODE,
    EQUATION,
    FRAGMENT,
    LABEL,
    VALUE,
    Shape,
    shape,
)

# the first that reads a mark keeps it: the particular before the general
_READERS = (
    read_conditions,
    read_condition_outcomes,
    read_returns,
    read_values,
    read_counts,
    read_equations,
)


class Prose:
    """A reader of the lines of one text that have no form."""

    def __init__(self, cursor: Cursor, entry_point: str, output: Any, backward: bool) -> None:
        self.reading = Reading(cursor, entry_point, (output,), backward)

    def begin(self, kind: str) -> None:
        """Start a section."""
        self.reading.begin(kind)

    def read(self, text: str, start: int) -> None:
        """Read one line, which starts at `start` in the whole text."""
        read_line(self.reading, text, start)

    def read_at(self, text: str, start: int, visit: int) -> bool:
        """Read a sentence about the step `visit`; whether anything was decided or counted."""
        place, before = self.reading.place, len(self.reading.ledger.claims)
        place.visit, place.at = visit, visit
        read_line(self.reading, text, start)
        return len(self.reading.ledger.claims) > before


_BULLET = re.compile(r"\s*(?:(?:[-*•+]|\d+[.)]|\(?[a-z]\)|>)\s+)*")
_STRUCTURE = re.compile(r"\b(?:iteration|loop|pass|branch|block)\b", re.I)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\s+[—–]\s+|;")


def read_line(reading: Reading, text: str, start: int) -> None:
    """Read one line of the text, which starts at `start` in the whole."""
    bullet = _BULLET.match(text)
    skip = bullet.end() if bullet else 0
    body = text[skip:]
    reading.place.indent = skip
    whole = shape(body, reading.names)
    if not whole.at and not _STRUCTURE.search(whole.text):
        return
    position = 0
    for piece in _SENTENCE.split(whole.text):
        if piece is None:
            continue
        begin = whole.text.find(piece, position)
        position = begin + len(piece)
        tokens = {i - begin: t for i, t in whole.at.items() if begin <= i < position}
        part = Shape(piece, tokens, whole.origin(begin))
        _read_sentence(reading, Sentence(piece, tokens, part, start + skip))


def _read_sentence(reading: Reading, s: Sentence) -> None:
    """Move the place, then decide what the sentence states."""
    if not s.text.strip() or not reading.history.steps:
        return
    reading.mark(s, 0, len(s.text))
    hypothetical = bool(patterns.HYPOTHETICAL.search(s.text))
    before = len(reading.ledger.claims)
    reading.place.changed = bool(patterns.NOW.search(s.text))
    reading.place.final = bool(patterns.FINALLY.search(s.text))
    if reading.kind == sections.SIMULATION and not (hypothetical and not s.at):
        read_anchors(reading, s)
    if reading.kind == sections.FUNCTION:
        return
    if reading.backward and reading.kind in (sections.DEDUCTION, sections.CONCLUSION):
        read_deduced(reading, s, hypothetical=hypothetical)
    if not hypothetical:
        for read in _READERS:
            read(reading, s)
    for at in sorted(s.at, reverse=True):
        if s.at[at].mark in (CODE, EQUATION):
            reading.subject = s.at[at]
            break
    if hypothetical:
        return
    reading.mark(s, 0, len(s.text))
    if len(reading.ledger.claims) == before and _asserts(reading, s):
        reading.ledger.add(
            "value", s.text.strip()[:80].translate(_READABLE), "", None, "not understood"
        )


def _asserts(reading: Reading, s: Sentence) -> bool:
    """Whether a sentence that gave no claim still states something about a value."""
    if s.text.rstrip().endswith(":") and not re.search(
        r"\b(?:is|are|becomes?|returns?|gives)\b", s.text
    ):
        return False  # a heading
    return any(t.mark == VALUE for i, t in s.at.items() if i not in s.used) and reading.kind in (
        sections.SIMULATION, sections.DEDUCTION,
    )  # fmt: skip


_READABLE = {
    ord(CODE): "`",
    ord(VALUE): "V",
    ord(EQUATION): "=",
    ord(LABEL): "L",
    ord(FRAGMENT): "~",
}
