"""Traces as text.

Formats: `scratchpad` (states as comments at the line that made them), `next` (the same, numbered
in order of execution, loops shortened), `concise` (one line per executed line), `json` (for tools).
Two modes. `clean` is ours: values in Python's notation, types kept, calls of all the program's
functions. `faithful` is what the authors' converter makes of a PySnooper log, quirks included, for
the entry function alone (appendix I of the paper).

The text formats show the variables of frames (`Step.changes`), `json` also what is beyond them.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from semcoder_lib.core.errors import UsageError, UserError
from semcoder_lib.core.records import Case, Program, Status, Trace, to_row
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing.formats import clean, faithful
from semcoder_lib.tracing.tracer import DEFAULT, TraceLimits, program_and_case, trace

FORMATS = ("scratchpad", "next", "concise", "json")
MODES = ("clean", "faithful")
# PySnooper cuts a repr in its middle, so the faithful mode needs the end of long values too.
_FAITHFUL_LIMITS = TraceLimits(bytes=3_000_000, value_nodes=20_000, value_bytes=100_000)


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
        return json.dumps(rows(trace), ensure_ascii=False)
    return (faithful if mode == "faithful" else clean).render(trace, program.source, format)


def cli_render(
    source: str, call: str, format: str = "concise", faithful: bool = False, *, box: Sandbox
) -> str:
    """What `python -m semcoder_lib trace` prints: traces `call`, such as `f([1, 2], key=3)`, on the
    program and renders the trace.

    Raises `UserError` for a call that is not one of a function of the program with literal
    arguments, and for a program that cannot be loaded; an exception that the call raises is part of
    the trace.
    """
    program, case = program_and_case(source, call)
    recorded = trace(program, case, box, limits=_FAITHFUL_LIMITS if faithful else DEFAULT)
    if recorded.status is Status.LOAD_ERROR:
        raise UserError(f"the program cannot be loaded: {recorded.exception}")
    if not recorded.steps:
        raise UserError(f"the call left no trace: {recorded.exception or recorded.status.value}")
    return render(recorded, program, case, format, "faithful" if faithful else "clean")


def items(text: str, format: str) -> list[tuple[int, str, str]]:
    """What a text in one of the text formats says, in pieces that can be compared one by one:
    (line, tag, words).

    `concise` gives them in the order of execution, up to the first line that is none of the format;
    `scratchpad` calls, then states by line, then results; `next` the states by their numbers. Both
    modes are read, and nothing is evaluated.
    """
    if format == "concise":
        lines = [_LABELLED.fullmatch(line.strip()) for line in text.split("\n")]
        return [(int(m[1]), "L", m[2]) for m in itertools.takewhile(bool, lines) if m]
    ranked = []
    for at, line in enumerate(text.split("\n"), 1):
        for m in _TAGGED.finditer(line):
            event = {"INPUT": 0, "STATE": 1}.get(m[1], 2)
            ranked.append(((event, int(m[2] or 0)), (at, m[1], m[3])))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


_LABELLED = re.compile(r"\[L(\d+)\] ?(.*?) ?\[/L\1\]")
_TAGGED = re.compile(r"\[(INPUT|STATE|OUTPUT|YIELD|EXCEPTION)(?:-(\d+))?\] (.*?) ?\[/\1(?:-\2)?\]")


def rows(trace: Trace) -> dict[str, Any]:
    """A trace as the data of the format `json`. Fields that most steps do not need are left out
    where they are empty: `beyond`, and the scope of a local variable."""
    row = to_row(trace)
    for step in row["steps"]:
        for change in (*step["changes"], *step["beyond"]):
            if change["scope"] == "local":
                del change["scope"]
        if not step["beyond"]:
            del step["beyond"]
    return row
