"""Cuts a monologue into its sections, its answer, and (where it is there) its prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass

FUNCTION = "function"
PROPERTIES = "properties"
SIMULATION = "simulation"
DEDUCTION = "deduction"
CONCLUSION = "conclusion"

_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s*(?P<hash>.+?)|\*\*(?P<bold>[^*\n]{3,60})\*\*:?|(?P<under>[A-Z][\w ]{2,40}))\s*$",
)
# the first word that fits names the section; checkpoints, teachers and people word them freely
_KINDS = (
    (
        CONCLUSION,
        re.compile(r"conclu|final (?:answer|result|output)|answer|summing up|result$", re.I),
    ),
    (
        PROPERTIES,
        re.compile(r"propert|constraint|invariant|always hold|facts|rules|what holds", re.I),
    ),
    (
        DEDUCTION,
        re.compile(r"deduc|revers|backward|working back|inverse|infer|from the output", re.I),
    ),
    (
        SIMULATION,
        re.compile(
            r"simulat|execut|trace|step|walk|run(?:ning)?\b|dry run|happens|evaluation|by hand",
            re.I,
        ),
    ),
    (
        FUNCTION,
        re.compile(
            r"understand|function|overview|summary|purpose|what (?:it|the (?:function|code|program)) |code does|about",
            re.I,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a section, with where it starts in the whole text."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section by kind; `heading` is empty for text before the first heading."""

    kind: str
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """A monologue taken apart. `prompt` is the source block that came with it, or empty."""

    sections: tuple[Section, ...]
    answer: str
    answer_place: tuple[int, int]
    prompt: str


def cut(text: str) -> Parts:
    """Take a text apart. Text without headings is one simulation."""
    start = 0
    prompt = ""
    opened = text.rfind("[MONOLOGUE]")
    if opened >= 0:
        start = opened + len("[MONOLOGUE]")
    if "[/PYTHON]" in text:
        block = re.search(r"\[?PYTHON\]\n(.*?)\[/PYTHON\]", text[_last_prompt(text) :], re.S)
        if block:
            prompt = block.group(1)
            if opened < 0:
                start = text.rfind("[/PYTHON]") + len("[/PYTHON]")
    end = text.find("[/MONOLOGUE]", start)
    answer_at = text.rfind("[ANSWER]")
    if end < 0:
        end = answer_at if answer_at >= start else len(text)
    answer, place = _answer(text, answer_at, start)
    if place[0] and place[0] < end and answer_at < start:
        end = place[0]
    return Parts(tuple(_sections(text, start, end)), answer, place, prompt)


def _last_prompt(text: str) -> int:
    at = text.rfind("PYTHON]\n", 0, text.rfind("[/PYTHON]"))
    return max(0, at - 1)


def _answer(text: str, at: int, start: int) -> tuple[str, tuple[int, int]]:
    if at >= start and at >= 0:
        body_at = at + len("[ANSWER]")
        close = text.find("[/ANS", body_at)
        body = text[body_at : close if close >= 0 else len(text)]
        bare = body.strip()
        begin = body_at + (body.index(bare) if bare else 0)
        return bare, (begin, begin + len(bare))
    asserted = list(re.finditer(r"assert\s+\w+\(.*", text[start:]))
    if not asserted:
        return "", (0, 0)
    found = asserted[-1]
    bare = found.group().rstrip().rstrip("`")
    return bare, (start + found.start(), start + found.start() + len(bare))


def _sections(text: str, start: int, end: int) -> list[Section]:
    found: list[Section] = []
    kind, heading = "", ""
    lines: list[Line] = []
    at = start
    fenced = False
    for raw in text[start:end].split("\n"):
        here, at = at, at + len(raw) + 1
        if raw.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced:
            continue
        titled = _title(raw)
        if titled:
            if lines:
                found.append(Section(kind, heading, tuple(lines)))
            kind, heading, lines = titled[0], titled[1], []
        elif raw.strip():
            lines.append(Line(raw, here))
    if lines:
        found.append(Section(kind, heading, tuple(lines)))
    if not any(s.kind for s in found):
        return [Section(SIMULATION, "", s.lines) for s in found]
    return found


def _title(raw: str) -> tuple[str, str] | None:
    if not raw or (raw[0] not in "#*" and not (raw[0].isupper() and len(raw) < 42)):
        return None
    match = _HEADING.match(raw)
    if not match:
        return None
    title = match.group("hash") or match.group("bold") or match.group("under")
    for kind, pattern in _KINDS:
        if pattern.search(title):
            return kind, title
    return ("", title) if match.group("hash") else None


def direction_of(parts: Parts) -> str:
    """ "backward" for a text with a deduction section and no simulation, else "forward"."""
    kinds = {s.kind for s in parts.sections}
    return "backward" if DEDUCTION in kinds and SIMULATION not in kinds else "forward"
