"""Traces as text, and back.

Formats: `scratchpad` (states as comments at the line that made them), `next` (the same, numbered
in order of execution, loops shortened), `concise` (one line per executed line), `json` (for tools).
Two modes. `clean` is ours: values in Python's notation, types kept, calls of all the program's
functions. `faithful` is what the authors' converter makes of a PySnooper log, quirks included, for
the entry function alone (section 7 of the facts on the paper; appendix I of the paper).

The text formats show the variables of frames (`Step.changes`), `json` also what is beyond them.
"""

from __future__ import annotations

import json

from semcoder_lib.core.errors import UsageError
from semcoder_lib.core.records import Case, Program, Step, Trace, from_row, to_row
from semcoder_lib.tracing.formats import clean, faithful
from semcoder_lib.tracing.formats.parsing import Unreadable, parse_text

FORMATS = ("scratchpad", "next", "concise", "json")
MODES = ("clean", "faithful")

__all__ = ["FORMATS", "MODES", "Unreadable", "parse", "render"]


def render(
    trace: Trace, program: Program, case: Case, format: str = "concise", mode: str = "clean"
) -> str:
    """`trace` as text.

    Lines are those of `program.source`; the labels of faithful `concise` are those of the authors'
    file, where a function that only imports precede stands on line 5. A program with the comments
    of `scratchpad` or `next` parses to the same tree as without: where a line ends inside a string
    or with a backslash, its comment stands at the end of a later line of the same statement. `case`
    is not needed by any format yet and may be used by later ones. A trace that was cut says so in
    its last line (clean), or just ends (faithful, which knows no cuts). Raises `UsageError` for an
    unknown format or mode.
    """
    if format not in FORMATS or mode not in MODES:
        raise UsageError(
            f"trace format {format!r}, mode {mode!r}: formats are {', '.join(FORMATS)}; "
            f"modes are {', '.join(MODES)}"
        )
    if format == "json":
        return _json(trace)
    return (faithful if mode == "faithful" else clean).render(trace, program.source, format)


def parse(text: str, format: str) -> list[Step]:
    """The steps that a text in one of the formats tells of; the mode is seen from the text.

    `scratchpad` gives them in the order of the source's lines, `next` in the order of its numbers,
    `concise` and `json` in the order of execution. The text formats give no frames and functions
    back, and no steps that they leave out (lines that change nothing in `scratchpad` and `next`,
    the middle states of a line in `next`, the visit of a line that returns in `concise`). Values of
    the faithful mode come back as far as that notation allows, marked inexact. Raises `Unreadable`,
    saying where, for text that is not in the format.
    """
    if format not in FORMATS:
        raise UsageError(f"trace format {format!r}: formats are {', '.join(FORMATS)}")
    if format != "json":
        return parse_text(text, format)
    try:
        return list(from_row(Trace, json.loads(text)).steps)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable(f"not a trace in JSON: {error}") from None


def _json(trace: Trace) -> str:
    """Fields that most steps do not need are left out where they are empty: `beyond`, and the
    scope of a local variable."""
    row = to_row(trace)
    for step in row["steps"]:
        for change in (*step["changes"], *step["beyond"]):
            if change["scope"] == "local":
                del change["scope"]
        if not step["beyond"]:
            del step["beyond"]
    return json.dumps(row, ensure_ascii=False)
