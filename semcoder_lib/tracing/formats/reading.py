"""Readers of the text formats, of both modes. They evaluate nothing."""

from __future__ import annotations

import json
import re

from semcoder_lib.core.records import Change, Step
from semcoder_lib.tracing.formats.quoting import exact_text, outside_strings

_EVENTS = {"INPUT": "call", "STATE": "line", "OUTPUT": "return", "YIELD": "yield"}
_INLINE = re.compile(r"\s# (?=\[(?:INPUT|OUTPUT|YIELD|EXCEPTION|STATE(?:-\d+)?)\] )")
_TAG = re.compile(r"\[(INPUT|OUTPUT|YIELD|EXCEPTION|STATE)(?:-(\d+))?\] ")
_LABEL = re.compile(r"\[L(\d+)\] ?")
_NEXT_NAME = re.compile(r", (?=del [^\W\d]\w*|[^\W\d]\w* = )")


class Unreadable(ValueError):
    """The text is not in the format; the message says where."""


def parse_text(text: str, format: str) -> list[Step]:
    if format == "concise":
        return [step for at, line in enumerate(text.split("\n"), 1) for step in _labelled(line, at)]
    steps: list[Step] = []
    states: list[tuple[int, Step]] = []
    for at, line in enumerate(text.split("\n"), 1):
        opening = _INLINE.search(line)
        rest = line[opening.end() :] if opening else ""
        while rest:
            number, step, rest = _item(rest.removeprefix("... "), at, at)
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
    if rest and not _TAG.match(rest):
        end = _end_of_changes(rest)
        steps.append(_step("STATE", rest[:end].rstrip(" "), number, at))
        rest = rest[end:].lstrip(" ")
    elif not rest:
        steps.append(Step(number, "line"))
    while rest:
        _, step, rest = _item(rest, number, at)
        steps.append(step)
        rest = rest.lstrip(" ")
    return steps


def _end_of_changes(text: str) -> int:
    """Where the changes before a tag end."""
    bare = outside_strings(text)
    found = re.search(r" \[(?:OUTPUT|YIELD|EXCEPTION)\] ", bare)
    return found.start() if found else len(text)


def _item(text: str, line: int, at: int) -> tuple[int | None, Step, str]:
    """The first tagged item of `text`, and what follows it."""
    opening = _TAG.match(text)
    if opening is None:
        raise Unreadable(f"line {at}: expected a tag, found {text[:30]!r}")
    tag, number = opening[1], opening[2]
    closing = f"[/{tag}]" if number is None else f"[/{tag}-{number}]"
    body = text[opening.end() :]
    bare = body if tag == "EXCEPTION" else outside_strings(body)
    end = bare.find(closing)
    if end < 0:
        end = body.find(closing)  # unbalanced quotes, as in faithful text
    if end < 0:
        raise Unreadable(f"line {at}: {text[: opening.end()].strip()} is not closed by {closing}")
    step = _step(tag, body[:end].strip(" "), line, at)
    return (None if number is None else int(number)), step, body[end + len(closing) :]


def _step(tag: str, body: str, line: int, at: int) -> Step:
    if tag == "EXCEPTION":
        return Step(line, "exception", value=body, exact=False)
    if tag in ("OUTPUT", "YIELD"):
        return Step(line, _EVENTS[tag], value=body, exact=exact_text(body))
    return Step(line, _EVENTS[tag], tuple(_changes(body, at)))


def _changes(body: str, at: int) -> list[Change]:
    if not body:
        return []
    if body.startswith("{"):
        return _json_changes(body, at)
    bare = outside_strings(body)
    cuts = [0]
    for found in _NEXT_NAME.finditer(bare):
        if not _depth(bare[: found.start()]):
            cuts.append(found.start())
    changes = []
    for start, end in zip(cuts, [*cuts[1:], len(body)], strict=True):
        part = body[start:end].removeprefix(", ")
        if part.startswith("del ") and part[4:].isidentifier():
            changes.append(Change(part[4:], None))
            continue
        name, equals, text = part.partition(" = ")
        if not equals or not name.isidentifier():
            raise Unreadable(f"line {at}: expected name = value, found {part[:30]!r}")
        changes.append(Change(name, text, exact_text(text)))
    return changes


def _json_changes(body: str, at: int) -> list[Change]:
    try:
        found = json.loads(body)
    except ValueError:
        raise Unreadable(f"line {at}: not JSON: {body[:30]!r}") from None
    if not isinstance(found, dict):
        raise Unreadable(f"line {at}: not a JSON object: {body[:30]!r}")
    return [
        Change(name, value if isinstance(value, str) else repr(value), False)
        for name, value in found.items()
    ]


def _depth(bare: str) -> int:
    return sum(map(bare.count, "([{")) - sum(map(bare.count, ")]}"))
