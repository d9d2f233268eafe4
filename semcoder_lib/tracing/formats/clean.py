"""The clean mode: typed values, `name = value` in Python's notation, every function's lines; and
what the modes share: comments that leave a program as it is, and labelled lines."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Callable, Mapping, Sequence

from semcoder_lib.core.records import Step, Trace

_TAGS = {"call": "INPUT", "line": "STATE", "return": "OUTPUT", "yield": "YIELD",
         "exception": "EXCEPTION"}  # fmt: skip
_KEPT = 3  # states that NExT keeps of a line: the first ones and the last


def render(trace: Trace, source: str, format: str) -> str:
    if format == "concise":
        lines = labelled(trace.steps, _words)
        return "\n".join([*lines, f"[CUT] {trace.cut} [/CUT]"] if trace.cut else lines)
    text = _inline(trace, source.rstrip("\n"), numbered=format == "next")
    return f"{text}\n# [CUT] {trace.cut} [/CUT]" if trace.cut else text


def _words(step: Step) -> str:
    return _changes(step) if step.event == "line" else _tagged(step)


def _changes(step: Step) -> str:
    """`x = [1, 2], del e`."""
    return ", ".join(
        f"del {c.name}" if c.text is None else f"{c.name} = {c.text}" for c in step.changes
    )


def _tagged(step: Step, number: int | None = None) -> str:
    name = _TAGS[step.event] if number is None else f"{_TAGS[step.event]}-{number}"
    text = _changes(step) if step.event in ("call", "line") else step.value or ""
    return f"[{name}] {text} [/{name}]" if text else f"[{name}] [/{name}]"


def _inline(trace: Trace, source: str, *, numbered: bool) -> str:
    notes: dict[int, list[tuple[str, str]]] = {}  # by line: (event, text)
    count = 0
    for step in trace.steps:
        if step.event == "line":
            if not step.changes:
                continue
            text = _tagged(step, count if numbered else None)
            count += 1
        else:
            text = _tagged(step)
        notes.setdefault(step.line, []).append((step.event, text))
    texts = {
        line: _shortened(marks) if numbered else [text for _, text in marks]
        for line, marks in notes.items()
    }
    return commented(source, {line: "  # " + " ".join(text) for line, text in texts.items()})


def _shortened(notes: list[tuple[str, str]]) -> list[str]:
    """The first two states and the last; everything that is not a state."""
    states = [place for place, (event, _) in enumerate(notes) if event == "line"]
    dropped = set(states[_KEPT - 1 : -1])
    return [
        "..." if place == min(dropped, default=-1) else text
        for place, (_, text) in enumerate(notes)
        if place not in dropped or place == min(dropped)
    ]


# --- what the modes share ---------------------------------------------------------------------


def commented(source: str, comments: Mapping[int, str]) -> str:
    """The program with a comment, such as ` # [STATE] …`, behind each of these lines; or behind the
    first line after it that does not end inside a string or with a backslash."""
    lines = python_lines(source)
    safe = _safe_lines("\n".join(lines))
    for number in sorted(comments):
        place = next((n for n in range(number, len(lines) + 1) if n in safe), 0)
        if number > 0 and place:
            lines[place - 1] += printable(comments[number])
    return "\n".join(lines)


def python_lines(source: str) -> list[str]:
    """The lines as Python counts them."""
    return source.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def printable(text: str) -> str:
    """One line of text that any file can hold: what `repr` escapes is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _safe_lines(source: str) -> set[int]:
    """Lines behind which a comment can stand."""
    safe: set[int] = set()
    inside = 0  # f-strings, which have tokens of their own from 3.12 on
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            name = tokenize.tok_name[token.type]
            inside += (name == "FSTRING_START") - (name == "FSTRING_END")
            if not inside and name in ("NEWLINE", "NL"):
                safe.add(token.start[0])
    except (tokenize.TokenError, SyntaxError):
        pass
    return safe


def labelled(steps: Sequence[Step], words: Callable[[Step], str], offset: int = 0) -> list[str]:
    """`[L3] … [/L3]` for each step; a line that returns without calling anything of the program
    shares one with its return. `words` is what a step says."""
    lines = []
    shared = False
    for place, step in enumerate(steps):
        if shared:
            shared = False
            continue
        parts = [words(step)]
        if step.event == "line" and place + 1 < len(steps):
            after = steps[place + 1]
            if after.event == "return" and (after.frame, after.line) == (step.frame, step.line):
                shared = True
                parts.append(words(after))
        label = f"L{step.line + offset}"
        lines.append(printable(" ".join([f"[{label}]", *filter(None, parts), f"[/{label}]"])))
    return lines
