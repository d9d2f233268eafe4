"""The dials of a monologue's form."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Property:
    """A sentence that held on every input tried; `support` is the number of inputs on which it
    said something and was true. It is evidence, not proof."""

    kind: str
    text: str
    support: int


@dataclass(frozen=True, slots=True)
class Style:
    """How a monologue is told. What it claims does not depend on the wording dials.

    `detail`: 0 the last piece of a working only, 1 workings with indexing, slicing and counting
    spelled out, 2 the same and every result also where the sentence states it again.
    `dense`: a working for every method, strings spelled as cheaply as they can be read back, short
    labels (`L5` for `[L5]`), a reason for every jump.
    `max_chars`: aim for the text's length; loops and calls are summarised, then elided, until it
    fits. A text whose answer alone is longer is longer.
    `line_offset`: added to line numbers in labels (the authors' prompts use 4).
    `ticks`: backquotes round statements quoted from the source.
    `iterations`: how many iterations of a loop are told in full; `rows`: how many more are told as
    one row of state each; the rest are elided.
    `calls`: how many calls of the program's own functions are told in full.
    `check`: longest simulation, in characters, that a backward monologue checks its input with; 0
    for the result alone.
    `brief`: the steps alone, without the sections before and after them.
    `quotes`: whether a step repeats its statement before it says what happens.
    `properties`: bullets for "Key Properties and Constraints".
    """

    detail: int = 1
    dense: bool = False
    max_chars: int = 2_500
    line_offset: int = 0
    ticks: bool = False
    iterations: int = 8
    rows: int = 12
    calls: int = 12
    check: int = 700
    brief: bool = False
    quotes: bool = True
    properties: tuple[Property, ...] = ()

    def but(self, **changes: object) -> Style:
        """The same style with some dials changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def label(self, line: int) -> str:
        """How a line of the source is named: `[L5]`, densely `L5`."""
        number = line + self.line_offset
        return f"L{number}" if self.dense else f"[L{number}]"

    def quote(self, statement: str) -> str:
        """A statement of the source with a colon, before what is said of it; nothing of nothing."""
        tick = "`" if self.ticks and "`" not in statement else ""
        return f"{tick}{statement}{tick}: " if statement else ""


DEFAULT = Style()
_TEACHER = Style(check=2_000, detail=2, max_chars=6_000, ticks=True, iterations=12)
_TERSE = Style(brief=True, quotes=False, check=250)
STYLES = {
    "full": DEFAULT, "compact": Style(max_chars=1_500),
    "teacher": _TEACHER, "faithful": replace(_TEACHER, line_offset=4),
    "brief": replace(_TERSE, quotes=True), "terse": _TERSE, "dense": replace(_TERSE, dense=True),
}  # fmt: skip
