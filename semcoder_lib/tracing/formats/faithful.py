"""The faithful mode: the text that the authors' converter makes, from a trace of ours.

Their way: PySnooper logs the entry function (and its recursive calls) alone, and a script attaches
the log to the source. Both leave marks on the text that a model was trained on, so both are
followed here: `_Snooper` tells what PySnooper would have logged, `_Converter` attaches it.

PySnooper (default settings) tells the changes of a line when the next event of the same frame
arrives, compares and shows values as `repr` cut to 100 characters, and logs an exception in every
frame that it passes through. Quirks of the script: lists are read as JSON after their quotes were
swapped, and other containers stay strings; the place of a state in its line is the number of its
visit among *all* logged events of the line, so that a visit which changes several variables after
one that changed nothing leaves one state for each of them, and a later visit may be merged into an
earlier state; the output goes into the first state of the last line; in recursion the input shown
is the last one; a change of a caller's variable counts for the line logged last. Not kept: memory
addresses in the text of objects, which no reader can reproduce, and comments inside of strings.
"""

from __future__ import annotations

import collections
import contextlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Step, Trace
from semcoder_lib.tracing.formats.clean import commented, labelled, python_lines

_KEPT = 3
_CUT = 100
_CALL = re.compile(r"<\w+\(.*\)>$")  # slices, views, exceptions: as their repr, in brackets
_FIRST_DEF = 5  # where the authors' file has the function: an import, a blank, a decorator before
_ADDED = 4


def render(trace: Trace, source: str, format: str) -> str:
    offset = _offset(trace, source)
    if format == "concise":
        return "\n".join(labelled([*_own(trace)], _words, offset))
    converter = _Converter()
    _Snooper(converter, offset).follow(trace)
    return converter.attach(source, numbered=format == "next")


def _offset(trace: Trace, source: str) -> int:
    """What is added to a line of the source to get its line in the file that the authors traced.
    There the function stands on line 5 when nothing but imports precede it; for other programs,
    whose layout is not told, 4 is added, as in the authors' prompts."""
    if not trace.steps:
        return _ADDED
    line = trace.steps[0].line
    before = [text.strip() for text in python_lines(source)[: line - 1]]
    plain = all(not t or t.startswith(("import ", "from ", "#")) for t in before)
    return _FIRST_DEF - line if plain else _ADDED


# --- concise ---------------------------------------------------------------------------------


def _own(trace: Trace) -> Iterator[Step]:
    """The steps of the entry function and its recursive calls."""
    entry = {(s.line, s.function) for s in trace.steps[:1]}
    calls = (s for s in trace.steps if s.event == "call")
    frames = {s.frame for s in calls if (s.line, s.function) in entry}
    return (step for step in trace.steps if step.frame in frames)


def _words(step: Step) -> str:
    if step.event in ("call", "line"):
        held = {c.name: _read_value(_logged(c.text, c.exact)) for c in step.changes if c.text}
        text = json.dumps(held)
        return f"[INPUT] {text} [/INPUT]" if step.event == "call" else text if held else ""
    if step.event == "return":
        value = _read_value(_logged(step.value or "", step.exact))
        return f"[OUTPUT] {_output_text(value)} [/OUTPUT]"
    return f"[EXCEPTION] {step.value} [/EXCEPTION]"


# --- scratchpad and next ---------------------------------------------------------------------


class _State:
    def __init__(self, number: int) -> None:
        self.number = number
        self.values: dict[str, Any] = {}
        self.output: str | None = None

    def text(self, numbered: bool) -> str:
        tag = f"STATE-{self.number}" if numbered else "STATE"
        text = f"[{tag}] {json.dumps(self.values)} [/{tag}]" if self.values else ""
        return text if self.output is None else f"{text}[OUTPUT] {self.output} [/OUTPUT]"


class _Converter:
    """Reads log events, then attaches what they say to the source."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.output: Any = None
        self.first = self.line = -1
        self.visits: dict[int, int] = {}
        self.states: dict[int, list[_State]] = {}
        self.raised: dict[int, list[str]] = {}
        self.number = 0
        self.changed = False

    def input(self, name: str, text: str) -> None:
        self.inputs[name] = _read_value(text)

    def visit(self, line: int) -> None:
        self.line = line
        if self.first == -1:
            self.first = line
        self.visits[line] = self.visits.get(line, -1) + 1
        if self.changed:
            self.number += 1
            self.changed = False

    def change(self, name: str, text: str) -> None:
        self._state(self.visits.get(self.line, 0)).values[name] = _read_value(text)
        self.changed = True

    def error(self, text: str, offset: int) -> None:
        words = text.split()
        if len(words) > 1:  # a line of the log with fewer than three words is passed over
            self.raised.setdefault(self.line, []).append(text)
            # the third word of any other line of the log is taken for a line number
            with contextlib.suppress(ValueError):
                self.visit(int(words[1]) - offset)

    def returned(self, text: str) -> None:
        self.output = _output_text(_read_value(text))

    def _state(self, visit: int) -> _State:
        states = self.states.setdefault(self.line, [])
        if len(states) <= visit:
            states.append(_State(self.number))
            return states[-1]
        return states[visit]

    def attach(self, source: str, *, numbered: bool) -> str:
        if self.output is not None:
            self._state(0).output = self.output
        comments: dict[int, str] = {}
        for line in {self.first, *self.states, *self.raised}:
            text = ""
            if line == self.first:
                text = f" # [INPUT] {json.dumps(self.inputs)} [/INPUT]"
            if line in self.states:
                text += " # " + "".join(state.text(numbered) for state in self.states[line])
            if numbered:
                text = _shortened(text)
                for error in self.raised.get(line, ()):
                    text += f" # [EXCEPTION] {error} [/EXCEPTION]"
            comments[line] = text
        return commented(source, comments)


def _shortened(text: str) -> str:
    """At most three states: the first two and the last."""
    places = [found.start() for found in re.finditer(r"\[STATE", text)]
    if len(places) <= _KEPT:
        return text
    return f"{text[: places[_KEPT - 1]]} ... {text[places[-1] :]}"


class _Frame:
    """A frame that PySnooper follows: what it logged of the locals, and what it has not yet."""

    def __init__(self, step: Step) -> None:
        self.line = step.line
        self.shown: dict[str, str] = {}
        self.pending = step.changes

    def flush(self, tell: Callable[[str, str], None]) -> None:
        for change in self.pending:
            text = None if change.text is None else _logged(change.text, change.exact)
            if text is None:
                self.shown.pop(change.name, None)
            elif self.shown.get(change.name) != text:
                self.shown[change.name] = text
                tell(change.name, text)
        self.pending = ()


class _Snooper:
    """Tells a converter what PySnooper would have logged of a trace."""

    def __init__(self, log: _Converter, offset: int) -> None:
        self.log = log
        self.offset = offset
        self.stack: list[tuple[int, int]] = []  # (frame, depth) of every frame that runs
        self.followed: dict[int, _Frame] = {}
        self.in_flight: str | None = None  # an exception
        self.latest = ""

    def follow(self, trace: Trace) -> None:
        entry = {(s.line, s.function) for s in trace.steps[:1]}
        for step in trace.steps:
            goes_on = step.event != "call" and any(f == step.frame for f, _ in self.stack)
            if self.in_flight is None and goes_on and step.frame != self.stack[-1][0]:
                self.in_flight = self.latest  # raised again, which is no step of its own
            if self.in_flight is not None:
                self._unwind(step, self.in_flight)
                self.in_flight = None
            if step.event == "call" or not self.stack or self.stack[-1][0] != step.frame:
                self.stack.append((step.frame, step.depth))  # or a generator that goes on
            if step.event == "call" and (step.line, step.function) in entry:
                self.followed[step.frame] = frame = _Frame(step)
                frame.flush(self.log.input)
                self.log.visit(step.line)
            elif step.event != "call" and step.frame in self.followed:
                self._event(self.followed[step.frame], step)
            if step.event in ("return", "yield"):
                self.stack.pop()
            elif step.event == "exception":
                self.in_flight = self.latest = step.value or ""
        if self.stack and not trace.cut:
            self._unwind(None, self.latest)

    def _event(self, frame: _Frame, step: Step) -> None:
        frame.line = step.line
        frame.flush(self.log.change)
        self.log.visit(step.line)
        frame.pending = step.changes
        if step.event in ("return", "yield"):
            self.log.returned(_logged(step.value or "", step.exact))
        elif step.event == "exception":
            self.log.error(_cut(step.value or ""), self.offset)

    def _unwind(self, step: Step | None, error: str) -> None:
        """The exception leaves frames, up to the one that `step` runs in or is called from."""
        running = {frame for frame, _ in self.stack}
        left = False
        while self.stack:
            index, depth = self.stack[-1]
            frame = self.followed.get(index)
            if frame is not None:
                frame.flush(self.log.change)
                if left:
                    self.log.visit(frame.line)
                    self.log.error(_cut(error), self.offset)
            if step is not None and (
                index == step.frame
                or (step.event == "call" and depth < step.depth)
                or (step.event != "call" and step.frame not in running)
            ):
                return
            self.stack.pop()
            left = True


# --- values: as PySnooper logs them, and as the converter reads them there ----------------------


def _logged(text: str, exact: bool) -> str:
    """The text of a value in the log: Python's `repr` on one line, cut to 100 characters."""
    if exact:
        with contextlib.suppress(values.NotALiteral):
            text = _repr(values.decode(text))
    elif _CALL.match(text):
        text = text[1:-1]
    return _cut(text.replace("\r", "").replace("\n", ""))


def _cut(text: str) -> str:
    """PySnooper's way: the middle goes."""
    if len(text) <= _CUT:
        return text
    left = (_CUT - 3) // 2
    return f"{text[:left]}...{text[-(_CUT - 3 - left) :]}"


def _repr(value: Any) -> str:
    """`repr` of a decoded value, with the elements of sets in a fixed order."""
    kind = type(value)
    if kind is list:
        return f"[{', '.join(map(_repr, value))}]"
    if kind is tuple:
        return f"({', '.join(map(_repr, value))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        return f"{{{', '.join(f'{_repr(k)}: {_repr(v)}' for k, v in value.items())}}}"
    if kind is set or kind is frozenset:
        return values.encode(value)
    if kind is collections.defaultdict:
        return f"defaultdict({value.default_factory!r}, {_repr(dict(value))})"
    try:
        return repr(value)
    except ValueError:  # an int too long for decimal text
        return "REPR FAILED"


def _read_value(text: str) -> Any:
    """A logged `repr` as the JSON-like value that the converter takes it for."""
    if text.startswith("[") and text.endswith("]"):
        text = text.replace("'", '"')
    with contextlib.suppress(ValueError):
        return json.loads(text)
    plain: dict[str, Any] = {"None": None, "True": True, "False": False, "''": ""}
    if text in plain:
        return plain[text]
    return text[1:-1] if text.startswith("'") else text


def _output_text(value: Any) -> str:
    """The text of a return value: strings in double quotes, unless they look enclosed."""
    if value is None or isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return json.dumps(value)
    for opening, closing in ('""', "''", "()", "{}"):
        if value.startswith(opening) and value.endswith(closing):
            return value
    return f'"{value}"'
