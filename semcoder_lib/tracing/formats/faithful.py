"""The faithful mode: the text that the authors' converter makes, from a trace of ours.

Their way: PySnooper logs the entry function (and its recursive calls) alone, and a script attaches
the log to the source. Both leave marks on the text that a model was trained on, so both are
followed here: `_log` gives what PySnooper would have logged, `_attached` is the script.

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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Change, Step, Trace
from semcoder_lib.tracing.formats.clean import commented, labelled, python_lines

_KEPT = 3
_CUT = 100
_CALL = re.compile(r"<\w+\(.*\)>$")  # slices, views, exceptions: as their repr, in brackets
_FIRST_DEF = 5  # where the authors' file has the function: an import, a blank, a decorator before
_ADDED = 4


def render(trace: Trace, source: str, format: str) -> str:
    offset = _offset(trace, source)
    if format == "concise":
        entry = _entry(trace)
        own = [step for step in trace.steps if step.frame in entry]
        return "\n".join(labelled(own, _words, offset))
    return _attached(_log(trace), offset, source, numbered=format == "next")


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


def _entry(trace: Trace) -> set[int]:
    """The frames of the entry function: of the call and its recursive calls."""
    first = {(s.line, s.function) for s in trace.steps[:1]}
    return {s.frame for s in trace.steps if s.event == "call" and (s.line, s.function) in first}


def _words(step: Step) -> str:
    """What `concise` says of a step."""
    if step.event in ("call", "line"):
        state = {c.name: _read_value(_logged(c.text, c.exact)) for c in step.changes if c.text}
        text = json.dumps(state)
        return f"[INPUT] {text} [/INPUT]" if step.event == "call" else text if state else ""
    if step.event == "return":
        value = _read_value(_logged(step.value or "", step.exact))
        return f"[OUTPUT] {_output_text(value)} [/OUTPUT]"
    return f"[EXCEPTION] {step.value} [/EXCEPTION]"


# --- what PySnooper would have logged -----------------------------------------------------------

# (kind, line or text, text): an `input` and a `change` are a name and its value; a `visit` is a
# line; an `output` and an `error` are texts
Event = tuple[str, Any, str]


@dataclass(slots=True)
class _Frame:
    """A frame that PySnooper follows: what it logged of the locals, and what it has not yet."""

    line: int
    pending: Sequence[Change]
    shown: dict[str, str] = field(default_factory=dict)

    def flush(self, kind: str = "change") -> Iterator[Event]:
        for change in self.pending:
            text = None if change.text is None else _logged(change.text, change.exact)
            if text is None:
                self.shown.pop(change.name, None)
            elif self.shown.get(change.name) != text:
                self.shown[change.name] = text
                yield kind, change.name, text
        self.pending = ()


def _log(trace: Trace) -> Iterator[Event]:
    entry = _entry(trace)
    stack: list[tuple[int, int]] = []  # (frame, depth) of every frame that runs
    followed: dict[int, _Frame] = {}
    error = ""  # the latest
    for step in [*trace.steps, *[None] * (not trace.cut)]:
        passed = False  # by an exception, which is logged in each frame but where it rose
        while stack and (step is None or _is_left(stack[-1], step)):
            yield from _logged_in(followed.get(stack.pop()[0]), error if passed else "")
            passed = True
        if step is None:
            return
        if passed and stack:
            yield from _logged_in(followed.get(stack[-1][0]), error)
        if not stack or stack[-1][0] != step.frame:
            stack.append((step.frame, step.depth))  # a call, or a generator that goes on
        if step.frame in entry and (step.event == "call" or step.frame in followed):
            frame = followed.setdefault(step.frame, _Frame(step.line, step.changes))
            yield from frame.flush("input" if step.event == "call" else "change")
            yield "visit", step.line, ""
            if step.event != "call":
                frame.line, frame.pending = step.line, step.changes
            if step.event in ("return", "yield"):
                yield "output", "", _logged(step.value or "", step.exact)
            elif step.event == "exception":
                yield "error", "", _cut(step.value or "")
        if step.event in ("return", "yield"):
            stack.pop()
        elif step.event == "exception":
            error = step.value or ""


def _logged_in(frame: _Frame | None, error: str) -> Iterator[Event]:
    if frame is not None:
        yield from frame.flush()
        if error:
            yield "visit", frame.line, ""
            yield "error", "", _cut(error)


def _is_left(top: tuple[int, int], step: Step) -> bool:
    """Whether the frame that ran last, which did not return, no longer runs at `step`."""
    frame, depth = top
    return depth > step.depth or (depth == step.depth and frame != step.frame)


# --- what the script makes of it ----------------------------------------------------------------


def _attached(log: Iterable[Event], offset: int, source: str, *, numbered: bool) -> str:
    """`scratchpad`, or `next` where `numbered`: the source with what the log says of its lines."""
    inputs: dict[str, Any] = {}
    output = ""
    first = line = -1
    visits: dict[int, int] = {}
    states: dict[int, list[tuple[int, dict[str, Any]]]] = {}  # of a line: (number, values)
    raised: dict[int, list[str]] = {}
    number = 0
    changed = False
    for kind, subject, text in log:
        if kind == "input":
            inputs[subject] = _read_value(text)
        elif kind == "change":
            line_states, visit = states.setdefault(line, []), visits.get(line, 0)
            if len(line_states) <= visit:
                line_states.append((number, {}))
                visit = -1
            line_states[visit][1][subject] = _read_value(text)
            changed = True
        elif kind == "output":
            output = f"[OUTPUT] {_output_text(_read_value(text))} [/OUTPUT]"
        elif kind == "error":
            words = text.split()
            if len(words) < 2:  # a line of the log with fewer than three words is passed over
                continue
            raised.setdefault(line, []).append(text)
            # the third word of any other line of the log is taken for a line number
            with contextlib.suppress(ValueError):
                kind, subject = "visit", int(words[1]) - offset
        if kind == "visit":
            line = subject
            first = line if first == -1 else first
            visits[line] = visits.get(line, -1) + 1
            number += changed
            changed = False
    comments: dict[int, str] = {}
    for at in {first, line, *states, *raised}:
        text = f" # [INPUT] {json.dumps(inputs)} [/INPUT]" if at == first else ""
        shown = [_state(n if numbered else None, state) for n, state in states.get(at, ())]
        if output and at == line:
            shown[:1] = ["".join(shown[:1]) + output]
        if shown:
            text += " # " + "".join(shown)
        if numbered:
            errors = (f" # [EXCEPTION] {error} [/EXCEPTION]" for error in raised.get(at, ()))
            text = _shortened(text) + "".join(errors)
        comments[at] = text
    return commented(source, comments)


def _state(number: int | None, state: dict[str, Any]) -> str:
    tag = "STATE" if number is None else f"STATE-{number}"
    return f"[{tag}] {json.dumps(state)} [/{tag}]"


def _shortened(text: str) -> str:
    """At most three states: the first two and the last."""
    places = [match.start() for match in re.finditer(r"\[STATE", text)]
    if len(places) <= _KEPT:
        return text
    return f"{text[: places[_KEPT - 1]]} ... {text[places[-1] :]}"


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
