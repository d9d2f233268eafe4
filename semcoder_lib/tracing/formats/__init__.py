"""Traces as text, and back.

Formats: `scratchpad` (states as comments at the line that made them), `next` (the same, numbered
in order of execution, loops shortened), `concise` (one line per executed line), `json` (for tools).
Two modes. `clean` is ours: values in Python's notation, types kept, calls of all the program's
functions. `faithful` is what the authors' converter makes of a PySnooper log, quirks included, for
the entry function alone (section 7 of the facts on the paper; appendix I of the paper).
"""

from __future__ import annotations

from semcoder_lib.core.errors import UsageError
from semcoder_lib.core.records import Case, Program, Step, Trace
from semcoder_lib.tracing.formats import clean, faithful, tools
from semcoder_lib.tracing.formats.expected import expected
from semcoder_lib.tracing.formats.reading import Unreadable, parse_text

FORMATS = ("scratchpad", "next", "concise", "json")
MODES = ("clean", "faithful")

__all__ = ["FORMATS", "MODES", "Unreadable", "expected", "parse", "render"]


def render(
    trace: Trace, program: Program, case: Case, format: str = "concise", mode: str = "clean"
) -> str:
    """`trace` as text.

    Lines are those of `program.source`; the labels of faithful `concise` are those of the authors'
    file, where a function that only imports precede stands on line 5. `case` is
    not needed by any format yet and may be used by later ones. A trace that was cut says so in its
    last line (clean), or just ends (faithful, which knows no cuts). Raises `UsageError` for an
    unknown format or mode.
    """
    if format not in FORMATS or mode not in MODES:
        raise UsageError(
            f"trace format {format!r}, mode {mode!r}: formats are {', '.join(FORMATS)}; "
            f"modes are {', '.join(MODES)}"
        )
    if format == "json":
        return tools.render(trace)
    if mode == "faithful":
        return faithful.render(trace, program, format)
    return clean.render(trace, program, format)


def parse(text: str, format: str) -> list[Step]:
    """The steps that a text in one of the formats tells of; the mode is seen from the text.

    `scratchpad` gives them in the order of the source's lines, `next` in the order of its numbers,
    `concise` and `json` in the order of execution. Promises `parse(render(trace, …), format) ==
    expected(trace, format)` in clean mode. Values of the faithful mode come back as far as that
    notation allows, marked inexact. Raises `Unreadable`, saying where, for text that is not in the
    format.
    """
    if format == "json":
        return list(tools.parse(text).steps)
    if format not in FORMATS:
        raise UsageError(f"trace format {format!r}: formats are {', '.join(FORMATS)}")
    return parse_text(text, format)
