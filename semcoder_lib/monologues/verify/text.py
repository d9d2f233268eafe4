"""Cuts a monologue into its sections, its answer and, where it is there, its prompt; and reads what
a piece of it states: values, and lists of names with their values."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.monologues.evaluator import equal, literal
from semcoder_lib.monologues.forms import Slot, mask, split

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
    (SIMULATION, r"simulat|execut|trace|step|walk|run(?:ning)?\b|happens|evaluation|by hand"),
    (FUNCTION, r"understand|function|overview|summary|purpose|what .{0,20} does|about"),
)
_CHARS = 100_000  # of a text that is read; what stands after them is not


@dataclass(frozen=True, slots=True)
class Section:
    """A section by kind, empty for text before the first heading; `title` is its heading."""

    kind: str
    lines: tuple[Slot, ...]
    title: Slot | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """A monologue taken apart. `prompt` is the source block that came with it, or empty."""

    sections: list[Section]
    answer: str
    answer_place: tuple[int, int]
    prompt: str

    @property
    def direction(self) -> str:
        """ "backward" for a text with a deduction section and no simulation, else "forward"."""
        kinds = {s.kind for s in self.sections}
        return "backward" if DEDUCTION in kinds and SIMULATION not in kinds else "forward"


def cut(text: str) -> Parts:
    """Take a text apart. Text without headings is one simulation."""
    text = text[:_CHARS]
    opened, closed = text.rfind("[MONOLOGUE]"), text.rfind("[/PYTHON]")
    begin = text.rfind("PYTHON]\n", 0, max(closed, 0))
    prompt = text[begin + len("PYTHON]\n") : closed] if begin >= 0 else ""
    start = 0
    if opened >= 0 or prompt:
        start = opened + len("[MONOLOGUE]") if opened >= 0 else closed + len("[/PYTHON]")
    marked = text.rfind("[ANSWER]", start)
    asserted = list(re.finditer(r"assert\s+\w+\(.*", text[start:])) if marked < 0 else []
    answer, at, end = "", 0, len(text)
    if marked >= 0:
        at = marked + len("[ANSWER]")
        close = text.find("[/ANS", at)
        body = text[at : close if close >= 0 else len(text)]
        answer, at, end = body.strip(), at + len(body) - len(body.lstrip()), marked
    elif asserted:
        answer = asserted[-1].group().rstrip().rstrip("`")
        at = end = start + asserted[-1].start()
    ended = text.find("[/MONOLOGUE]", start)
    sections = _sections(text, start, ended if 0 <= ended < end else end)
    return Parts(sections, answer, (at, at + len(answer)), prompt)


def _sections(text: str, start: int, end: int) -> list[Section]:
    heads: list[tuple[str, Slot | None, list[Slot]]] = [("", None, [])]
    at, fenced = start, False
    for raw in text[start:end].split("\n"):
        line, at = Slot(raw, at, at + len(raw)), at + len(raw) + 1
        if raw.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and (kind := _title(raw[:200])) is not None:
            heads.append((kind, line, []))
        elif raw.strip() and not fenced:
            heads[-1][2].append(line)
    known = any(kind for kind, _, _ in heads)
    return [
        Section(kind if known else SIMULATION, tuple(lines), title)
        for kind, title, lines in heads
        if lines or title
    ]


@lru_cache(maxsize=512)
def _title(raw: str) -> str | None:
    """The kind of the section that a line is the heading of; None for other lines."""
    if len(raw) > 120 or not (raw[:1] in ("#", "*") or (raw[:1].isupper() and len(raw) < 42)):
        return None
    match = _HEADING.match(raw)
    title = (match["hash"] or match["bold"] or match["plain"]) if match else ""
    for kind, pattern in _KINDS:
        if re.search(pattern, title, re.I):
            return kind
    return "" if match and match["hash"] else None


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
    body = re.sub(r"^```\w*|```$", "", text.strip(), flags=re.M).strip()
    if not body:
        return Answer(problem="no answer")
    body = body if body.startswith("assert") else "assert " + body
    code = body.split("\n")[0]
    tree = _parsed(code)
    if tree is None:
        code, tree = body, _parsed(body)
    call: ast.expr
    value: ast.expr
    match tree:
        case None:
            return Answer(problem="the answer does not parse")
        case ast.Assert(ast.Compare(ast.Call() as call, [ast.Eq() | ast.Is()], [value])):
            stated = ast.get_source_segment(code, value) or ""
        case ast.Assert(ast.Call() as call):
            stated, value = "True", ast.Constant(True)
        case ast.Assert(ast.UnaryOp(ast.Not(), ast.Call() as call)):
            stated, value = "False", ast.Constant(False)
        case _:
            return Answer(problem="the answer is not an equation")
    problem = "the answer's value is not a literal"
    try:
        output = values.value_of(value)
        problem = "the answer's call is not a call with literals"
        name, arguments, named = values.call_of(call)
    except values.NotALiteral:
        return Answer(problem=problem)
    return Answer(name, tuple(arguments), output, stated, named=named or None)


def _parsed(code: str) -> ast.stmt | None:
    try:
        return ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, MemoryError, RecursionError):
        return None


# --- what a piece of text states ------------------------------------------------------------------

_TARGET = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[\x00*\])*|argument \d+")


def same_text(stated: str, recorded: str | None) -> bool | None:
    """Whether a stated value is a recorded one; None when the stated text is no value."""
    if recorded is None:
        return None
    if stated == recorded:
        return True
    value, actual = literal(stated), literal(recorded)
    if value is None or actual is None:
        return None if actual else False  # an object has only its words
    return equal(value[0], actual[0])


def parse_binds(slot: Slot) -> list[tuple[Slot, Slot | None]] | None:
    """`a = 1, b is gone` as names and values (None for gone); None for another text."""
    pairs: list[tuple[Slot, Slot | None]] = []
    for part in split(slot.text, ", ", slot.start):
        masked = mask(part.text) or ""
        name, equals, _ = masked.partition(" = ")
        cut_at = part.start + len(name)
        if equals and _TARGET.fullmatch(name):
            value = Slot(part.text[len(name) + 3 :], cut_at + 3, part.end)
            pairs.append((Slot(part.text[: len(name)], part.start, cut_at), value))
        elif masked.endswith(" is gone") and masked[:-8].isidentifier():
            pairs.append((Slot(part.text[:-8], part.start, part.end), None))
        elif pairs and (last := pairs[-1][1]) is not None:  # a comma in a value's own words
            joined = slot.text[last.start - slot.start : part.end - slot.start]
            pairs[-1] = (pairs[-1][0], Slot(joined, last.start, part.end))
        else:
            return None
    return pairs or None
