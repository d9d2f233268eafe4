"""Verifies files of monologues: our rows, hub rows, and raw texts of the released checkpoints."""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.check import strip_labels, verify
from semcoder_lib.monologues.verify.report import Report
from semcoder_lib.monologues.verify.trials import Trials

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

CHUNK = 64
_PROGRAMS_KEPT = 256
_BLOCK = re.compile(r"\[?PYTHON\]\n(.*?)\n\[/PYTHON\]", re.S)
_ID_KEYS = ("id", "task_id", "index", "program_id")


_NO_PROGRAM = Program("", "")
_NO_CASE = Case(())


@dataclass(frozen=True, slots=True)
class Item:
    """One monologue to check. `problem` says why it cannot be, and then the rest is empty."""

    text: str
    program: Program = _NO_PROGRAM
    case: Case = _NO_CASE
    direction: str = "forward"
    problem: str = ""


def read_row(row: dict[str, Any]) -> Item:
    """A row as an item: `{"source", "entry_point", "call" or "output", "text"}`, a hub row
    (`fwd_mnl` or `bwd_mnl` with `response`), or a raw text that still holds its prompt.

    Raises UserError for a row that is none of these."""
    if "source" in row and "text" in row:
        return _own(row)
    prompt = row.get("fwd_mnl") or row.get("bwd_mnl")
    if prompt and "response" in row:
        return _prompted(str(prompt), str(row["response"]))
    if "text" in row and "[/PYTHON]" in str(row["text"]):
        text = str(row["text"])
        at = text.rfind("[/PYTHON]") + len("[/PYTHON]")
        return _prompted(text[:at], text[at:])
    if row.get("nl") and "response" in row:
        return Item("", problem="not a monologue row")
    raise UserError(
        "row is no monologue: it needs source, entry_point, text and call (or output), or the "
        "hub's fwd_mnl/bwd_mnl and response"
    )


def _own(row: dict[str, Any]) -> Item:
    text = str(row["text"])
    source = str(row["source"])
    program = Program(source, str(row.get("entry_point", "f")), id=str(row.get("id", "")))
    if row.get("call"):
        try:
            name, arguments, named = values.parse_call(str(row["call"]))
        except values.NotALiteral as error:
            return Item(text, problem=f"call: {error}")
        if named:
            return Item(text, problem="call: named arguments")
        if "entry_point" not in row:
            program = Program(source, name, id=program.id)
        return Item(text, program, Case(arguments), "forward")
    if "output" not in row:
        raise UserError("row has neither call nor output")
    try:
        output = values.decode(str(row["output"]))
    except values.NotALiteral as error:
        return Item(text, program, problem=f"output: {error}")
    return Item(text, program, Case((), output), "backward")


def _prompted(prompt: str, text: str) -> Item:
    blocks = list(_BLOCK.finditer(prompt))
    if not blocks:
        return Item(text, problem="no [PYTHON] block")
    lines = blocks[-1].group(1).rstrip().split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    at = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].startswith("assert ")), None)
    if at is None:
        return Item(text, problem="no assertion in the prompt")
    source = strip_labels("\n".join(lines[:at]))
    asserted = "\n".join(lines[at:])
    name = re.match(r"assert\s+(\w+)\(", asserted)
    if name is None:
        return Item(text, problem="no call in the prompt's assertion")
    program = Program(source, name.group(1))
    full = prompt + text
    if "(??)" in asserted:
        given = texts.read_answer(asserted.replace("(??)", "()", 1))
        if given.problem:
            return Item(full, program, problem=f"output: {given.problem}")
        return Item(full, program, Case((), given.value), "backward")
    given = texts.read_answer(asserted.replace("== ??", "== None"))
    if given.problem or given.arguments is None:
        return Item(full, program, problem=f"call: {given.problem}")
    return Item(full, program, Case(given.arguments), "forward")


def verify_items(items: Iterable[Item], box: Sandbox) -> Iterator[Report | None]:
    """A report for each item, in order, streaming; None where the item has a problem. Traces are
    made in batches and once for each program and call."""
    from semcoder_lib import tracing

    programs: OrderedDict[tuple[str, str], Trials] = OrderedDict()
    stream = iter(items)
    while chunk := list(itertools.islice(stream, CHUNK)):
        wanted: list[tuple[Program, Case]] = []
        asked: set[str] = set()
        for item in chunk:
            if item.problem:
                continue
            trials = _trials(programs, item.program, box)
            arguments = _traced(item)
            if arguments is None or trials.has(arguments):
                continue
            try:
                key = values.encode((item.program.source, arguments))
            except values.Unserializable:
                continue
            if key not in asked:
                asked.add(key)
                wanted.append((trials.program, Case(arguments)))
        for (program, case), trace in zip(wanted, tracing.trace_many(wanted, box), strict=True):
            _trials(programs, program, box).keep(case.arguments, trace)
        for item in chunk:
            if item.problem:
                yield None
                continue
            trials = _trials(programs, item.program, box)
            yield verify(
                item.text, item.program, item.case, box, direction=item.direction, trials=trials
            )
        while len(programs) > _PROGRAMS_KEPT:
            programs.popitem(last=False)


def _traced(item: Item) -> tuple[Any, ...] | None:
    if item.direction == "forward":
        return item.case.arguments
    return texts.read_answer(texts.cut(item.text).answer).arguments


def _trials(
    programs: OrderedDict[tuple[str, str], Trials], program: Program, box: Sandbox
) -> Trials:
    source = strip_labels(program.source)
    key = (source, program.entry_point)
    found = programs.get(key)
    if found is None:
        found = programs[key] = Trials(Program(source, program.entry_point), box)
    return found


def verify_rows(rows: Iterable[dict[str, Any]], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For each row its report as JSON data (`Report.row`), with the row's own `id`, `task_id` and
    `index`; a row that cannot be checked gets `accepted: false` and its `reason`. Memory stays
    bounded however long the stream."""
    first, second = itertools.tee(rows)
    items = (read_row(row) for row in first)
    kept, passed_on = itertools.tee(items)
    for row, item, report in zip(second, kept, verify_items(passed_on, box), strict=True):
        named = {k: row[k] for k in _ID_KEYS if k in row}
        if report is None:
            yield {
                **named,
                "supported": 0, "contradicted": 0, "unverifiable": 0, "answer_right": False,
                "line_coverage": 0.0, "order_errors": 0, "accepted": False,
                "reason": f"not checked: {item.problem}", "claims": [],
            }  # fmt: skip
        else:
            yield {**named, **report.row()}
