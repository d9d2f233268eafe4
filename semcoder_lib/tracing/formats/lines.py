"""What the text formats share: comments that leave a program as it is, and labelled lines."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Callable, Mapping, Sequence

from semcoder_lib.core.records import Step


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
