"""The dials of a monologue's form."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semcoder_lib.monologues.property import Property


@dataclass(frozen=True, slots=True)
class Style:
    """How a monologue is told. What it claims does not depend on the wording dials.

    `detail`: 0 the last sub-step of a working only, 1 workings with indexing, slicing and counting
    spelled out, 2 the same and every result also where the sentence states it again.
    `max_chars`: aim for the text's length; loops and calls are summarised, then elided, until it
    fits. A text whose answer alone is longer is longer.
    `vary`: whether `seed` may choose between wordings of the summary and the conclusion; the steps
    keep one wording, from which a small model learns faster.
    `line_offset`: added to line numbers in labels (the authors' prompts use 4).
    `ticks`: backquotes round statements quoted from the source.
    `iterations`: how many iterations of a loop are told in full; `rows`: how many more are told as
    one row of state each; the rest are elided.
    `calls`: how many calls of the program's own functions are told in full.
    `value_chars`: longest text of a value that is written out in the simulation.
    `check`: longest simulation, in characters, that a backward monologue checks its input with; 0
    for the result alone. `alternatives`: whether it shows another input that fits and one that
    does not.
    `brief`: the steps alone, without the sections before and after them (about half of a short
    text): a small model that sees few tokens learns more executions from them.
    `quotes`: whether a step repeats its statement before it says what happens. The label names the
    line already, and the repetition is a third of the text.
    `properties`: bullets for "Key Properties and Constraints", from `properties.infer`.
    """

    detail: int = 1
    max_chars: int = 2_500
    vary: bool = False
    line_offset: int = 0
    ticks: bool = False
    iterations: int = 8
    rows: int = 12
    calls: int = 12
    value_chars: int = 160
    check: int = 700
    alternatives: bool = True
    brief: bool = False
    quotes: bool = True
    properties: tuple[Property, ...] = ()

    def but(self, **changes: object) -> Style:
        """The same style with some dials changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


DEFAULT = Style()
COMPACT = Style(max_chars=1_500)
TEACHER = Style(check=2_000, detail=2, max_chars=6_000, vary=True, ticks=True, iterations=12)
FAITHFUL = replace(TEACHER, line_offset=4)
