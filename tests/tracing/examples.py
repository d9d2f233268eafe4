"""Worked examples from text files, and tracing in this process, where the programs are trusted.

Run as a script, it prints what `golden.txt` and `threads.txt` say under the interpreter that runs
it, as JSON.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Change, Status, Trace
from semcoder_lib.tracing import DEFAULT, TraceLimits, child, options
from semcoder_lib.tracing.tracer import read_payload

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """`### name`, `#### call f(1)`, a program, then other sections by their names."""

    name: str
    source: str
    call: str
    sections: dict[str, str]

    @property
    def arguments(self) -> tuple[Any, ...]:
        return values.parse_call(self.call)[1]


def examples(file: str) -> list[Example]:
    found = []
    for block in re.split(r"^### ", (HERE / file).read_text(encoding="utf-8"), flags=re.M)[1:]:
        name, *parts = re.split(r"^#### ", block, flags=re.M)
        (call, source), *rest = [part.split("\n", 1) for part in parts]
        sections = {title: body.rstrip("\n") for title, body in rest}
        found.append(Example(name.strip(), source, call.removeprefix("call "), sections))
    return found


GOLDEN = examples("golden.txt")
THREADS = examples("threads.txt")


def load(source: str, entry_point: str = "f") -> Callable[..., Any]:
    space: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "<program>", "exec", dont_inherit=True), space)
    function: Callable[..., Any] = space[entry_point]
    return function


def record(
    source: str,
    *arguments: Any,
    limits: TraceLimits = DEFAULT,
    function: Callable[..., Any] | None = None,
) -> Trace:
    """The trace of `f(*arguments)` (of `function`, if it is given); exceptions are not raised."""
    payloads: list[str] = []
    status, result, error = Status.OK, None, None
    given = options(source, limits)
    try:
        called = function or load(source)
        result = repr(child.call(called, copy.deepcopy(arguments), given, payloads.append))
    except Exception as raised:
        status, error = Status.EXCEPTION, f"{type(raised).__name__}: {raised}"
    steps, cut, flags = read_payload(payloads[0], source)
    return Trace(steps, status, result, error, cut, flags=flags)


def lines_of(trace: Trace) -> list[str]:
    """One line of text for each step: changes, value, and behind a bar what is beyond variables."""
    lines = []
    for step in trace.steps:
        words = [f"{'  ' * step.depth}{step.event} {step.line}", *map(_word, step.changes)]
        if step.value is not None:
            words.append(f"-> {step.value}")
        if step.beyond:
            words += ["|", *(f"{c.scope} {_word(c)}" for c in step.beyond)]
        lines.append(" ".join(words))
    if trace.exception:
        lines.append(f"raised {trace.exception}")
    return lines


def _word(change: Change) -> str:
    return f"-{change.name}" if change.text is None else f"{change.name}={change.text}"


def frames_of(trace: Trace) -> str:
    """The functions whose frames a trace has, in the order in which they first appear."""
    return " ".join(dict.fromkeys(step.function for step in trace.steps))


def traces() -> dict[str, str]:
    """What the example files say, as this interpreter gives it."""
    golden = {e.name: "\n".join(lines_of(record(e.source, *e.arguments))) for e in GOLDEN}
    threads = {e.name: frames_of(record(e.source, *e.arguments)) for e in THREADS}
    return golden | threads


if __name__ == "__main__":
    json.dump(traces(), sys.stdout)
