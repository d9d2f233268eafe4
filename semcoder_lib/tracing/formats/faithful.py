"""The faithful mode: the text that the authors' converter makes, from a trace of ours.

Their way: PySnooper logs the entry function (and its recursive calls) alone, and a script attaches
the log to the source. Both leave marks on the text that a model was trained on, so both are
followed here: `snooper_log` says what PySnooper would have written, and `Converter` attaches it.

Quirks kept: values are compared and shown as `repr` cut to 100 characters; lists are read as JSON
after their quotes were swapped, and other containers stay strings; the place of a state in its line
is the number of its visit among *all* logged events of the line, so that a visit which changes
several variables after one that changed nothing leaves one state for each of them, and a later
visit may be merged into an earlier state; the output goes into the first state of the last line;
in recursion the input shown is the last one; a change of a caller's variable counts for the line
logged last. Not kept: memory addresses in the text of objects, which no reader can reproduce.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core.records import Program, Step, Trace
from semcoder_lib.tracing.formats.clean import ends_here
from semcoder_lib.tracing.formats.snooper import Event, logged, snooper_log

_KEPT = 3


_FIRST_DEF = 5  # where the authors' file has the function: an import, a blank, a decorator before
_ADDED = 4


def render(trace: Trace, program: Program, format: str) -> str:
    offset = line_offset(trace, program.source)
    if format == "concise":
        return _concise(trace, offset)
    converter = Converter()
    for event in snooper_log(trace, offset):
        converter.take(event)
    return converter.attach(program.source, offset, numbered=format == "next")


def line_offset(trace: Trace, source: str) -> int:
    """What is added to a line of the source to get its line in the file that the authors traced.
    There the function stands on line 5 when nothing but imports precede it; for other programs,
    whose layout is not told, 4 is added, as in the authors' prompts."""
    if not trace.steps:
        return _ADDED
    line = trace.steps[0].line
    before = [text.strip() for text in source.split("\n")[: line - 1]]
    plain = all(not t or t.startswith(("import ", "from ", "#")) for t in before)
    return _FIRST_DEF - line if plain else _ADDED


# --- values ----------------------------------------------------------------------------------


def read_value(text: str) -> Any:
    """A logged `repr` as the JSON-like value that the converter takes it for."""
    if text.startswith("[") and text.endswith("]"):
        text = text.replace("'", '"')
    try:
        return json.loads(text)
    except ValueError:
        pass
    plain: dict[str, Any] = {"None": None, "True": True, "False": False, "''": ""}
    if text in plain:
        return plain[text]
    return text[1:-1] if text.startswith("'") else text


def output_text(value: Any) -> str:
    """The text of a return value: strings in double quotes, unless they look enclosed."""
    if value is None or isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return json.dumps(value)
    for opening, closing in ('""', "''", "()", "{}"):
        if value.startswith(opening) and value.endswith(closing):
            return value
    return f'"{value}"'


# --- scratchpad and next ---------------------------------------------------------------------


@dataclass
class _State:
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    output: str | None = None

    def text(self, numbered: bool) -> str:
        tag = f"STATE-{self.number}" if numbered else "STATE"
        text = f"[{tag}] {json.dumps(self.values)} [/{tag}]" if self.values else ""
        return text if self.output is None else f"{text}[OUTPUT] {self.output} [/OUTPUT]"


class Converter:
    """Reads log events, then attaches what they say to the source."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.outputs: list[Any] = []
        self.first = -1
        self.line = 0
        self.visits: dict[int, int] = {}
        self.states: dict[int, list[_State]] = {}
        self.raised: list[tuple[int, str]] = []
        self.number = 0
        self.changed = False

    def take(self, event: Event) -> None:
        if event.kind == "input":
            self.inputs[event.name] = read_value(event.text)
        elif event.kind == "output":
            self.outputs.append(read_value(event.text))
        elif event.kind == "change":
            self._state(self.line, self.visits.get(self.line, 0)).values[event.name] = read_value(
                event.text
            )
            self.changed = True
        elif event.kind == "error":
            words = event.text.split()
            if len(words) > 1:  # a line of the log with fewer than three words is passed over
                self.raised.append((self.line, event.text))
                # the third word of any other line of the log is taken for a line number
                if _is_int(words[1]):
                    self._visit(int(words[1]))
        else:
            self._visit(event.line)

    def _visit(self, line: int) -> None:
        self.line = line
        if self.first == -1:
            self.first = line
        self.visits[line] = self.visits.get(line, -1) + 1
        if self.changed:
            self.number += 1
            self.changed = False

    def _state(self, line: int, visit: int) -> _State:
        states = self.states.setdefault(line, [])
        if len(states) > visit:
            return states[visit]
        states.append(_State(self.number))
        return states[-1]

    def attach(self, source: str, offset: int, *, numbered: bool) -> str:
        if self.outputs:
            self._state(self.line, 0).output = output_text(self.outputs[-1])
        lines = source.split("\n")
        for place, line in enumerate(lines):
            number = place + 1 + offset
            if number == self.first:
                line += f" # [INPUT] {json.dumps(self.inputs)} [/INPUT]"
            states = self.states.get(number)
            if states:
                line += " # " + "".join(state.text(numbered) for state in states)
            if numbered:
                line = _shortened(line)
                for at, text in self.raised:
                    if at == number:
                        line += f" # [EXCEPTION] {text} [/EXCEPTION]"
            lines[place] = line
        return "\n".join(lines)


def _is_int(word: str) -> bool:
    try:
        int(word)
    except ValueError:
        return False
    return True


def _shortened(line: str) -> str:
    """At most three states: the first two and the last."""
    places = [found.start() for found in re.finditer(r"\[STATE", line)]
    if len(places) <= _KEPT:
        return line
    return f"{line[: places[_KEPT - 1]]} ... {line[places[-1] :]}"


# --- concise ---------------------------------------------------------------------------------


def _concise(trace: Trace, offset: int) -> str:
    lines = []
    steps = list(_own(trace))
    skip = False
    for place, step in enumerate(steps):
        if skip:
            skip = False
            continue
        parts = []
        if step.event == "call":
            parts.append(f"[INPUT] {_json(step)} [/INPUT]")
        elif step.event == "line":
            if any(change.text is not None for change in step.changes):
                parts.append(_json(step))
            if ends_here(steps, place):
                skip = True
                parts.append(_output(steps[place + 1]))
        elif step.event == "return":
            parts.append(_output(step))
        else:
            parts.append(f"[EXCEPTION] {step.value} [/EXCEPTION]")
        label = step.line + offset
        lines.append(" ".join([f"[L{label}]", *parts, f"[/L{label}]"]))
    return "\n".join(lines)


def _own(trace: Trace) -> Iterator[Step]:
    """The steps of the entry function and its recursive calls."""
    if not trace.steps:
        return
    entry = (trace.steps[0].line, trace.steps[0].function)
    frames = {s.frame for s in trace.steps if s.event == "call" and (s.line, s.function) == entry}
    for step in trace.steps:
        if step.frame in frames:
            yield step


def _json(step: Step) -> str:
    found = {c.name: read_value(logged(c.text, c.exact)) for c in step.changes if c.text}
    return json.dumps(found)


def _output(step: Step) -> str:
    return f"[OUTPUT] {output_text(read_value(logged(step.value or '', step.exact)))} [/OUTPUT]"
