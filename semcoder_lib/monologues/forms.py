"""Sentence forms: `forms.txt` has everything that a derived monologue can say, in a small language
of which one template both formats a sentence and reads it back.

A template is a sentence with typed slots, `"{f:name} returns {v:value}."`. `Form.say` fills the
slots; `Form.match` compiles the same template to a pattern and gives the slots back with their
places. What stands inside quotes and brackets is masked before matching, so that the words of a
template are only ever found between values, never inside one.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

_NAME = r"(?:[^\W\d]\w*(?:\.[^\W\d]\w*)*|<lambda>)"
LABEL = r"\[?L\d{1,9}\]?"

# What a slot of each type looks like in masked text. Types with an open end are checked further by
# whoever decides them; `work` and `rest` are read again, by the rows of their own.
SLOTS: dict[str, str] = {
    "int": r"-?\d{1,18}",
    "plural": r"s?",
    "label": LABEL,
    "labels": rf"{LABEL}(?:, {LABEL})*",
    "next": rf"{LABEL}|{_NAME} ends",
    "name": _NAME,
    "names": rf"{_NAME}(?: and {_NAME})*",
    "kind": r"\w+",
    "truth": r"True|False",
    "places": r"\d{1,18}(?:, \d{1,18})*",
    "jump": r"break|continue",
    "order": r"ascending|descending",
    "types": r"(?:an? \w+|None)(?: or (?:an? \w+|None))*",
    "table": r"0(?::\S|[^\W\d]|['\"]).*?",
    "value": r".+?",
    "values": r".+?",
    "expr": r".+?",
    "binds": r".+?",
    "bounds": r".+?",
    "rows": r".+",
    "listing": r".+",
    "spelled": r".+?",
    "sums": r".+? = .+?",
    "parts": r".+",
    "work": r".+",
    "rest": r".+",
    "calls": r".+?",
    "clauses": r".+",
}
_SLOT, _ESCAPED = re.compile(r"\{(\w+):(\w+)\}"), re.compile(r"\\\{(\w+):(\w+)\\\}")
# A label is no list. An apostrophe after a letter, or a quote after a backslash, opens no string:
# many of these would take quadratic time. Brackets with nothing but strings inside are one token.
# Alternatives begin with a character each: so they are searched fast.
_STRINGS = [
    rf"{q}(?<!\\{q})(?:(?<![^\W\d_]{q})|(?<=(?<!\w)[fbrFBR]{q})|(?<=(?<!\w)[fbrFBR]{{2}}{q}))"
    rf"(?:[^{q}\\\n]|\\.)*{q}"
    for q in "'\""
]
_INSIDE = rf"(?:[^\[\](){{}}'\"]++|{'|'.join(_STRINGS)})*+"
_BRACKETS = [rf"\[(?:L\d+()\]|{_INSIDE}\])?", rf"\((?:{_INSIDE}\))?", rf"{{(?:{_INSIDE}}})?"]
_TOKEN = re.compile("|".join([*_STRINGS, *_BRACKETS, r"\]|\)|}"]))
_MARK = re.compile(r"'|\"|\(|\{|\)|\}|\[(?!L\d)|\](?<!\d\])")
_FILL = "\x00"


class Slot(NamedTuple):
    """The text that stands in a slot, and where it starts and ends in the text that was read."""

    text: str
    start: int
    end: int


_slot = tuple.__new__  # as Slot(...) does, without a call of Python's
Match = dict[str, Slot]


class Form:
    """A row of the table of forms. `example` is a sentence of this form, for people and tests;
    `slots` has their names with their types, in order; `anchor` is the longest piece of the
    template without a slot: a text lacks it or may match."""

    def __init__(self, name: str, template: str, example: str) -> None:
        self.name, self.template, self.example = name, template, example
        self.slots: dict[str, str] = dict(_SLOT.findall(template))
        self.anchor = max(_SLOT.sub("\n", template).split("\n"), key=len)
        self.plain = _SLOT.sub(r"{\1}", template)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The template as a pattern over masked text."""
        escaped = re.escape(self.template)
        return re.compile(
            _ESCAPED.sub(lambda slot: f"(?P<{slot[1]}>{SLOTS[slot[2]]})", escaped), re.S
        )

    def say(self, **values: str) -> str:
        """The sentence with its slots filled. Raises KeyError for a slot without a text."""
        return self.plain.format_map(values)

    def match(self, text: str, masked: str, start: int = 0) -> Match | None:
        """The slots of `text`, or None where the whole text is no sentence of this form.
        `masked` is `mask(text)`; places count from `start`."""
        if (match := self.pattern.fullmatch(masked)) is None:
            return None
        places = zip(self.slots, match.regs[1:], strict=True)
        return {name: _slot(Slot, (text[a:b], start + a, start + b)) for name, (a, b) in places}


@lru_cache(maxsize=8192)
def mask(text: str) -> str | None:
    """`text` with the inside of every quote and bracket blanked, its length unchanged; None when
    brackets do not close."""
    if _MARK.search(text) is None:
        return text
    parts: list[str] = []
    at = depth = opened = 0
    for token in _TOKEN.finditer(text):
        piece = token[0]
        if len(piece) > 1:
            if depth == 0 and token.lastindex is None:  # no label
                parts += [text[at : token.start() + 1], _FILL * (len(piece) - 2), piece[-1]]
                at = token.end()
        elif piece in "[({":
            if depth == 0:
                parts.append(text[at : token.end()])
                opened = token.end()
            depth += 1
        else:
            depth -= 1
            if depth < 0:
                return None
            if depth == 0:
                parts.append(_FILL * (token.start() - opened))
                at = token.start()
    if depth:
        return None
    parts.append(text[at:])
    return "".join(parts)


def split(text: str, separator: str, start: int = 0) -> list[Slot]:
    """The parts of `text` between separators outside quotes and brackets, with their places; one
    part where brackets do not close."""
    masked = mask(text) if separator in text else None
    parts, at = [], 0
    for part in [text] if masked is None else masked.split(separator):
        end = at + len(part)
        parts.append(_slot(Slot, (text[at:end], start + at, start + end)))
        at = end + len(separator)
    return parts


# --- the table ------------------------------------------------------------------------------------

Rows = dict[str, Form]  # by name, in the order in which they are tried
GROUPS: dict[str, Rows] = {}
for _line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
    if " | " in _line:
        _group, _name, _sentence, _example = _line.split(" | ")
        GROUPS.setdefault(_group, {})[_name] = Form(_name, _sentence, _example)
LINES, PIECES, DEDUCTION, BOUNDS, PROPERTIES, SUMMARY, CLAUSES, CONCLUSION = GROUPS.values()
FORMS = {name: form for group in GROUPS.values() for name, form in group.items()}

# Titles of sections, by what stands under them. Another title is text that says nothing checkable.
HEADINGS = {
    "function": "Understanding the Function",
    "properties": "Key Properties and Constraints",
    "simulation": "Execution Simulation",
    "deduction": "Reverse Deduction",
    "conclusion": "Conclusion",
}


def heading(kind: str) -> str:
    """The line that opens a section."""
    return f"### {HEADINGS[kind]}\n"


def say(name: str, **values: str) -> str:
    """The sentence of the form `name`, its slots filled. Raises KeyError for a slot without a
    text."""
    return FORMS[name].plain.format_map(values)
