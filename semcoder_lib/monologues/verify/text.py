"""Cuts a monologue into its sections, its answer and, where it is there, its prompt."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from semcoder_lib.core import values

FUNCTION = "function"
PROPERTIES = "properties"
SIMULATION = "simulation"
DEDUCTION = "deduction"
CONCLUSION = "conclusion"

_HEADING = re.compile(
    r"\s*(?:#{1,6}\s*(?P<hash>\S.*)|\*\*(?P<bold>[^*\n]{3,60})\*\*:?"
    r"|(?P<plain>[A-Z][\w ]{2,40}))\s*$"
)
# the first word that fits names the section; checkpoints, teachers and people word them freely
_KINDS = (
    (CONCLUSION, r"conclu|final (?:answer|result|output)|answer|summing up|result$"),
    (PROPERTIES, r"propert|constraint|invariant|always hold|facts|rules|what holds"),
    (DEDUCTION, r"deduc|revers|backward|working back|inverse|infer|from the output"),
    (
        SIMULATION,
        r"simulat|execut|trace|step|walk|run(?:ning)?\b|dry run|happens|evaluation|by hand",
    ),
    (FUNCTION, r"understand|function|overview|summary|purpose|what .{0,20} does|about"),
)
_CHARS = 1_000_000  # of a text that is read; what stands after them is not


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a section, with where it starts in the whole text."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section by kind, empty for text before the first heading; `title` is its heading."""

    kind: str
    lines: tuple[Line, ...]
    title: Line | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """A monologue taken apart. `prompt` is the source block that came with it, or empty."""

    sections: tuple[Section, ...]
    answer: str
    answer_place: tuple[int, int]
    prompt: str


def cut(text: str) -> Parts:
    """Take a text apart. Text without headings is one simulation."""
    text = text[:_CHARS]
    start, prompt = 0, ""
    opened = text.rfind("[MONOLOGUE]")
    if opened >= 0:
        start = opened + len("[MONOLOGUE]")
    closed = text.rfind("[/PYTHON]")
    if closed >= 0:
        begin = text.rfind("PYTHON]\n", 0, closed)
        if begin >= 0:
            prompt = text[begin + len("PYTHON]\n") : closed]
            start = start or closed + len("[/PYTHON]")
    end = text.find("[/MONOLOGUE]", start)
    marked = text.rfind("[ANSWER]")
    if end < 0:
        end = marked if marked >= start else len(text)
    answer, place = _answer(text, marked, start)
    if place[0] and place[0] < end and marked < start:
        end = place[0]
    return Parts(tuple(_sections(text, start, end)), answer, place, prompt)


def _answer(text: str, marked: int, start: int) -> tuple[str, tuple[int, int]]:
    if marked >= max(start, 0):
        begin = marked + len("[ANSWER]")
        close = text.find("[/ANS", begin)
        body = text[begin : close if close >= 0 else len(text)]
        bare = body.strip()
        begin += body.index(bare) if bare else 0
        return bare, (begin, begin + len(bare))
    asserted = list(re.finditer(r"assert\s+\w+\(.*", text[start:]))
    if not asserted:
        return "", (0, 0)
    bare = asserted[-1].group().rstrip().rstrip("`")
    begin = start + asserted[-1].start()
    return bare, (begin, begin + len(bare))


def _sections(text: str, start: int, end: int) -> list[Section]:
    sections: list[Section] = []
    kind, at, fenced = "", start, False
    heading: Line | None = None
    lines: list[Line] = []
    for raw in text[start:end].split("\n"):
        here, at = at, at + len(raw) + 1
        if raw.lstrip().startswith("```"):
            fenced = not fenced
            continue
        title = None if fenced else _title(raw)
        if title is not None:
            if lines or heading:
                sections.append(Section(kind, tuple(lines), heading))
            kind, heading, lines = title, Line(raw, here), []
        elif raw.strip() and not fenced:
            lines.append(Line(raw, here))
    if lines or heading:
        sections.append(Section(kind, tuple(lines), heading))
    if not any(s.kind for s in sections):
        return [Section(SIMULATION, s.lines, s.title) for s in sections]
    return sections


def _title(raw: str) -> str | None:
    """The kind of the section that a line is the heading of; None for other lines."""
    if len(raw) > 120 or not (raw[:1] in ("#", "*") or (raw[:1].isupper() and len(raw) < 42)):
        return None
    match = _HEADING.match(raw)
    if match is None:
        return None
    title = match["hash"] or match["bold"] or match["plain"]
    for kind, pattern in _KINDS:
        if re.search(pattern, title, re.I):
            return kind
    return "" if match["hash"] else None


def direction_of(parts: Parts) -> str:
    """ "backward" for a text with a deduction section and no simulation, else "forward"."""
    kinds = {s.kind for s in parts.sections}
    return "backward" if DEDUCTION in kinds and SIMULATION not in kinds else "forward"


# --- the completed assertion ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """`assert name(arguments) == value`; `value_text` as written. `problem` says what is wrong
    with the text, and then the other fields mean nothing."""

    name: str = ""
    arguments: tuple[Any, ...] | None = None
    value: Any = None
    value_text: str = ""
    problem: str = ""
    named: dict[str, Any] | None = None


def read_answer(text: str) -> Answer:
    """Parse the answer block. Never raises and never evaluates."""
    if not text.strip():
        return Answer(problem="no answer")
    body = re.sub(r"^```\w*|```$", "", text.strip(), flags=re.M).strip()
    if not body.startswith("assert"):
        body = "assert " + body
    try:
        first = body.split("\n")[0]
        statement = _parsed(first)
        code = first if statement is not None else body
        statement = statement or _parsed(body)
        test = statement.test if isinstance(statement, ast.Assert) else None
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test = ast.Compare(test.operand, [ast.Eq()], [ast.Constant(False)])
        if isinstance(test, ast.Call):
            test = ast.Compare(test, [ast.Eq()], [ast.Constant(True)])
        if statement is None:
            return Answer(problem="the answer does not parse")
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return Answer(problem="the answer is not an equation")
        if not isinstance(test.ops[0], ast.Eq | ast.Is) or not isinstance(test.left, ast.Call):
            return Answer(problem="the answer is not an equation")
        value_text, call_text = _source(code, test.comparators[0]), _source(code, test.left)
    except (RecursionError, MemoryError, ValueError):
        return Answer(problem="the answer does not parse")
    try:
        value = values.decode(value_text)
    except values.NotALiteral:
        return Answer(problem="the answer's value is not a literal")
    try:
        name, arguments, named = values.parse_call(call_text)
    except values.NotALiteral:
        return Answer(problem="the answer's call is not a call with literals")
    return Answer(name, tuple(arguments), value, value_text, named=named or None)


def _source(code: str, node: ast.expr) -> str:
    """The node's own text: a number of many digits can be read and not written again."""
    return ast.get_source_segment(code, node) or ast.unparse(node)


def _parsed(code: str) -> ast.stmt | None:
    try:
        return ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
        return None
