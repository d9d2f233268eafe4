"""Readers of the text formats, of both modes. They evaluate nothing."""

from __future__ import annotations

import json
import re

from semcoder_lib.core.records import Change, Step
from semcoder_lib.tracing.statements import layout

_EVENTS = {"INPUT": "call", "STATE": "line", "OUTPUT": "return", "YIELD": "yield",
           "EXCEPTION": "exception"}  # fmt: skip
_TAG = re.compile(rf"\[({'|'.join(_EVENTS)})(?:-(\d+))?\] ")
_COMMENT = re.compile(rf"\s# (?={_TAG.pattern})")
_LABEL = re.compile(r"\[L(\d+)\] ?")
_NEXT_NAME = re.compile(r", (?=del [^\W\d]\w*|[^\W\d]\w* = )")
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


class Unreadable(ValueError):
    """The text is not in the format; the message says where."""


def parse_text(text: str, format: str) -> list[Step]:
    """The steps of a text; see `formats.parse`."""
    lines = text.split("\n")
    if format == "concise":
        return [step for at, line in enumerate(lines, 1) for step in _labelled(line, at)]
    starts = layout(text).starts  # a comment can stand behind a later line of its statement
    steps: list[Step] = []
    states: list[tuple[int, Step]] = []
    for at, line in enumerate(lines, 1):
        opening = _COMMENT.search(line)
        rest = line[opening.end() :] if opening else ""
        while rest:
            number, step, rest = _item(rest.removeprefix("... "), starts.get(at, at), at)
            if number is None:
                steps.append(step)
            else:
                states.append((number, step))
            rest = rest.lstrip(" ").removeprefix("# ")  # exceptions have a comment of their own
    return steps + [step for _, step in sorted(states, key=lambda item: item[0])]


def _labelled(line: str, at: int) -> list[Step]:
    if not line.strip() or line.startswith("[CUT]"):
        return []
    label = _LABEL.match(line)
    if label is None:
        raise Unreadable(f"line {at}: expected [L…]")
    number = int(label[1])
    closing = f"[/L{number}]"
    if not line.rstrip().endswith(closing):
        raise Unreadable(f"line {at}: expected {closing} at the end")
    rest = line.rstrip()[label.end() : -len(closing)].strip(" ")
    steps: list[Step] = []
    if not rest:
        steps.append(Step(number, "line"))
    elif not _TAG.match(rest):
        tag = re.search(r" \[(?:OUTPUT|YIELD|EXCEPTION)\] ", _outside_strings(rest))
        end = tag.start() if tag else len(rest)
        steps.append(_step("STATE", rest[:end].rstrip(" "), number, at))
        rest = rest[end:].lstrip(" ")
    while rest:
        _, step, rest = _item(rest, number, at)
        steps.append(step)
        rest = rest.lstrip(" ")
    return steps


def _item(text: str, line: int, at: int) -> tuple[int | None, Step, str]:
    """The first tagged item of `text`, and what follows it."""
    opening = _TAG.match(text)
    if opening is None:
        raise Unreadable(f"line {at}: expected a tag, found {text[:30]!r}")
    tag, number = opening[1], opening[2]
    closing = f"[/{tag}]" if number is None else f"[/{tag}-{number}]"
    body = text[opening.end() :]
    end = (body if tag == "EXCEPTION" else _outside_strings(body)).find(closing)
    if end < 0:
        end = body.find(closing)  # unbalanced quotes, as in faithful text
    if end < 0:
        raise Unreadable(f"line {at}: {text[: opening.end()].strip()} is not closed by {closing}")
    step = _step(tag, body[:end].strip(" "), line, at)
    return (None if number is None else int(number)), step, body[end + len(closing) :]


def _step(tag: str, body: str, line: int, at: int) -> Step:
    event = _EVENTS[tag]
    if event in ("call", "line"):
        return Step(line, event, tuple(_changes(body, at)))
    return Step(line, event, value=body, exact=event != "exception" and _is_literal(body))


def _changes(body: str, at: int) -> list[Change]:
    if body.startswith("{"):
        return _json_changes(body, at)
    bare = _outside_strings(body)
    cuts = [0]
    for found in _NEXT_NAME.finditer(bare):
        before = bare[: found.start()]
        if sum(map(before.count, "([{")) == sum(map(before.count, ")]}")):
            cuts.append(found.start())
    changes = []
    for start, end in zip(cuts, [*cuts[1:], len(body)], strict=True):
        part = body[start:end].removeprefix(", ")
        name, equals, text = part.partition(" = ")
        if part.startswith("del ") and part[4:].isidentifier():
            changes.append(Change(part[4:], None))
        elif equals and name.isidentifier():
            changes.append(Change(name, text, _is_literal(text)))
        elif part:
            raise Unreadable(f"line {at}: expected name = value, found {part[:30]!r}")
    return changes


def _json_changes(body: str, at: int) -> list[Change]:
    try:
        values = json.loads(body)
    except ValueError:
        raise Unreadable(f"line {at}: not JSON: {body[:30]!r}") from None
    return [
        Change(name, value if isinstance(value, str) else repr(value), False)
        for name, value in values.items()
    ]


def _outside_strings(text: str) -> str:
    """`text` with the inside of every quoted string blanked out, at the same length."""
    return _STRING.sub(lambda m: m[0][0] + "_" * (len(m[0]) - 2) + m[0][-1], text)


def _is_literal(text: str) -> bool:
    """Whether a text is exact: a description has an angle bracket outside of strings."""
    return "<" not in text or "<" not in _outside_strings(text)
