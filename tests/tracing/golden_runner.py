"""Prints, as JSON, the traces of the golden programs under the interpreter that runs it."""

from __future__ import annotations

import copy
import json
import sys

from golden_programs import PROGRAMS

from semcoder_lib.core.records import Trace
from semcoder_lib.tracing.tracer import load, record


def lines_of(trace: Trace) -> list[str]:
    """One line of text for each step."""
    lines = []
    for step in trace.steps:
        words = [f"{'  ' * step.depth}{step.event} {step.line}"]
        for change in step.changes:
            words.append(
                f"-{change.name}" if change.text is None else f"{change.name}={change.text}"
            )
        if step.value is not None:
            words.append(f"-> {step.value}")
        lines.append(" ".join(words))
    return lines


def traced() -> dict[str, list[str]]:
    found = {}
    for name, (source, arguments) in PROGRAMS.items():
        trace = record(load(source, "f"), copy.deepcopy(arguments), source=source)
        found[name] = lines_of(trace)
        if trace.exception:
            found[name].append(f"raised {trace.exception}")
    return found


if __name__ == "__main__":
    json.dump(traced(), sys.stdout, indent=1)
