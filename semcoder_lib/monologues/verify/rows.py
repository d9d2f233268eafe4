"""Verifies files of monologues: our rows, hub rows, and raw texts of the released checkpoints."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues.syntax import parameters, syntax
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.check import strip_labels, verify
from semcoder_lib.monologues.verify.trials import Trials, key_of
from semcoder_lib.sandbox import Sandbox

CHUNK = 64
_PROGRAMS_KEPT = 256
_BLOCK = re.compile(r"\[?PYTHON\]\n(.*?)\n\[/PYTHON\]", re.S)
_CALL = re.compile(r"assert\s+(\w+)\(")
_ID_KEYS = ("id", "task_id", "index", "program_id")
_UNCHECKED = {
    "supported": 0, "contradicted": 0, "unverifiable": 0, "answer_right": False,
    "line_coverage": 0.0, "order_errors": 0, "accepted": False,
}  # fmt: skip
_FOREIGN = (
    "row is no monologue: it needs source, entry_point, text and call (or output), or the hub's "
    "fwd_mnl/bwd_mnl and response"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One monologue to check. `problem` says why it cannot be, and then the rest is empty."""

    text: str = ""
    program: Program = Program("", "")  # noqa: RUF009  (frozen)
    case: Case = Case(())  # noqa: RUF009
    direction: str = "forward"
    problem: str = ""


def read_row(row: Any) -> Item:
    """A row as an item: `{"source", "entry_point", "call" or "output", "text"}`, a hub row
    (`fwd_mnl` or `bwd_mnl` with `response`), or a raw text that still holds its prompt. Never
    raises: another row is an item with a problem."""
    try:
        return _read(row)
    except values.NotALiteral as error:
        return Item(problem=str(error))
    except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
        return Item(problem=f"{_FOREIGN} ({type(error).__name__})")


def _read(row: dict[str, Any]) -> Item:
    if not isinstance(row, dict):
        raise values.NotALiteral(_FOREIGN)
    text, prompt = row.get("text"), row.get("fwd_mnl") or row.get("bwd_mnl")
    if isinstance(text, str) and isinstance(row.get("source"), str):
        return _own(row)
    if isinstance(prompt, str) and isinstance(row.get("response"), str):
        return _prompted(prompt, row["response"])
    if isinstance(text, str) and "[/PYTHON]" in text:
        at = text.rfind("[/PYTHON]") + len("[/PYTHON]")
        return _prompted(text[:at], text[at:])
    raise values.NotALiteral("not a monologue row" if row.get("nl") else _FOREIGN)


def _own(row: dict[str, Any]) -> Item:
    name, call = row.get("entry_point", ""), row.get("call")
    if not isinstance(name, str) or not isinstance(call or "", str):
        raise values.NotALiteral(_FOREIGN)
    program = Program(row["source"], name or "f", id=str(row.get("id", "")))
    if call:
        return _forward(row["text"], program, call, named=bool(name))
    if not isinstance(row.get("output"), str):
        raise values.NotALiteral("row has neither call nor output")
    return _backward(row["text"], program, row["output"])


def _prompted(prompt: str, text: str) -> Item:
    blocks = _BLOCK.findall(prompt)
    code, mark, asserted = ("\n" + blocks[-1] if blocks else "").rpartition("\nassert ")
    name = _CALL.match("assert " + asserted)
    if not mark or name is None:
        raise values.NotALiteral("no [PYTHON] block with an assertion about a call")
    program = Program(strip_labels(code[1:]), name[1])
    if "(??)" in asserted:
        return _backward(prompt + text, program, asserted.partition("==")[2].strip())
    return _forward(prompt + text, program, asserted.rpartition("==")[0].strip(), named=True)


def _forward(text: str, program: Program, call: str, *, named: bool) -> Item:
    try:
        name, arguments, keywords = values.parse_call(call)
        program = program if named else Program(program.source, name, id=program.id)
        return Item(text, program, Case(_positional(program, arguments, keywords)))
    except values.NotALiteral as error:
        return Item(text, program, problem=f"call: {error}")


def _backward(text: str, program: Program, output: str) -> Item:
    try:
        return Item(text, program, Case((), values.decode(output)), "backward")
    except values.NotALiteral as error:
        return Item(text, program, problem=f"output: {error}")


def _positional(
    program: Program, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments of a call in order, those that are given by name or left to a default before
    them included."""
    shape = syntax(program.source) if named else None
    function = shape.functions.get(program.entry_point) if shape else None
    names = parameters(function) if function else []
    defaults = function.args.defaults if function else []
    known = dict(zip(reversed(names), reversed(defaults), strict=False))
    left, found = dict(named), list(arguments)
    for name in names[len(arguments) :]:
        if left and name not in named and name not in known:
            raise values.NotALiteral(f"no argument {name}")
        if left:
            found.append(
                left.pop(name) if name in left else values.decode(ast.unparse(known[name]))
            )
    if left:
        raise values.NotALiteral(f"named arguments without a place: {', '.join(left)}")
    return tuple(found)


def verify_rows(rows: Iterable[Any], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For each row its report as JSON data (`Report.row`), with the row's own `id`, `task_id` and
    `index`; a row that cannot be checked gets `accepted: false` and its `reason`. Streams: traces
    are made in batches, and memory stays bounded."""

    @functools.lru_cache(maxsize=_PROGRAMS_KEPT)
    def trials_of(source: str, entry_point: str) -> Trials:
        return Trials(Program(source, entry_point), box)

    stream = iter(rows)
    while chunk := [(row, read_row(row)) for row in itertools.islice(stream, CHUNK)]:
        calls = {key: call for _, item in chunk for key, call in _call_of(item)}
        traces = dict(zip(calls, tracing.trace_many(list(calls.values()), box), strict=True))
        for row, item in chunk:
            named = {k: row[k] for k in _ID_KEYS if k in row} if isinstance(row, dict) else {}
            if item.problem:
                reason = f"not checked: {item.problem}"
                yield {**named, **_UNCHECKED, "claims": [], "reason": reason}
                continue
            report = verify(
                item.text, item.program, item.case, box, direction=item.direction,
                trace=next((traces[key] for key, _ in _call_of(item)), None),
                trials=trials_of(strip_labels(item.program.source), item.program.entry_point),
            )  # fmt: skip
            yield {**named, **report.row()}


def _call_of(item: Item) -> list[tuple[tuple[str, str, str], tuple[Program, Case]]]:
    """The call that a text is about, or arrives at, with a key to know it by; none where there is
    none."""
    arguments: tuple[Any, ...] | None = item.case.arguments
    if item.direction == "backward":
        arguments = texts.read_answer(texts.cut(item.text).answer).arguments
    text = "" if item.problem or arguments is None else key_of(arguments)
    if not text or arguments is None:
        return []
    source, name = strip_labels(item.program.source), item.program.entry_point
    return [((source, name, text), (Program(source, name), Case(arguments)))]
