"""Verifies files of monologues: our rows, hub rows, and raw texts of the released checkpoints; and
sums up what came of many."""

from __future__ import annotations

import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.monologues.show import encoded
from semcoder_lib.monologues.verify import text as texts
from semcoder_lib.monologues.verify.check import strip_labels, verify
from semcoder_lib.monologues.verify.history import Trials
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


def _read(row: Any) -> Item:
    row = row if isinstance(row, dict) else {}
    text, prompt = row.get("text"), row.get("fwd_mnl") or row.get("bwd_mnl")
    if isinstance(text, str) and isinstance(row.get("source"), str):
        name, call, output = row.get("entry_point", ""), row.get("call"), row.get("output")
        program = Program(row["source"], name or "f", id=str(row.get("id", "")))
        known = isinstance(name, str) and isinstance(call or output, str)
    else:
        if isinstance(prompt, str) and isinstance(row.get("response"), str):
            text = prompt + row["response"]
        blocks = _BLOCK.findall(
            text[: text.rfind("[/PYTHON]") + 9] if isinstance(text, str) else ""
        )
        code, mark, asserted = ("\n" + blocks[-1] if blocks else "").rpartition("\nassert ")
        named = _CALL.match("assert " + asserted)
        call, output = asserted.rpartition("==")[0].strip(), asserted.partition("==")[2].strip()
        name, known = named[1] if named else "", named is not None and bool(mark)
        call = "" if "(??)" in asserted else call
        program = Program(strip_labels(code[1:]), name)
    if not known:
        raise values.NotALiteral(_FOREIGN)
    what = "call" if call else "output"
    try:
        if not call:
            return Item(text, program, Case((), values.decode(output)), "backward")
        called, case = tracing.program_and_case(program.source, call)
        program = program if name else Program(program.source, called.entry_point, id=program.id)
        return Item(text, program, case)
    except (values.NotALiteral, UserError) as error:
        return Item(text, program, problem=f"{what}: {error}")


def verify_rows(rows: Iterable[Any], box: Sandbox) -> Iterator[dict[str, Any]]:
    """For each row its report as JSON data (`Report.row`), with the row's own `id`, `task_id` and
    `index`; a row that cannot be checked gets `accepted: false` and its `reason`. Streams: traces
    are made in batches, and memory stays bounded."""

    @functools.lru_cache(maxsize=_PROGRAMS_KEPT)
    def trials_of(source: str, entry_point: str) -> Trials:
        return Trials(Program(source, entry_point), box)

    stream = iter(rows)
    while chunk := [(row, read_row(row)) for row in itertools.islice(stream, CHUNK)]:
        keys = [_call_of(item) for _, item in chunk]
        calls = dict(key for key in keys if key is not None)
        traces = dict(zip(calls, tracing.trace_many(list(calls.values()), box), strict=True))
        for (row, item), key in zip(chunk, keys, strict=True):
            named = {k: row[k] for k in _ID_KEYS if k in row} if isinstance(row, dict) else {}
            if item.problem:
                reason = f"not checked: {item.problem}"
                yield {**named, **_UNCHECKED, "claims": [], "reason": reason}
                continue
            report = verify(
                item.text, item.program, item.case, box, direction=item.direction,
                trace=traces[key[0]] if key else None,
                trials=trials_of(strip_labels(item.program.source), item.program.entry_point),
            )  # fmt: skip
            yield {**named, **report.row()}


def _call_of(item: Item) -> tuple[tuple[str, str, str], tuple[Program, Case]] | None:
    """The call that a text is about, or arrives at, after a key to know it by; None where there is
    none."""
    arguments: tuple[Any, ...] | None = item.case.arguments
    if item.direction == "backward":
        arguments = texts.read_answer(texts.cut(item.text).answer).arguments
    text = "" if item.problem or arguments is None else encoded(arguments)
    if not text or arguments is None:
        return None
    source, name = strip_labels(item.program.source), item.program.entry_point
    return (source, name, text), (Program(source, name), Case(arguments))


def study(rows: Iterable[dict[str, Any]], box: Sandbox) -> dict[str, Any]:
    """Verify all rows and sum up; limitation 1 of the paper (appendix A) as numbers.

    Counts: `monologues`, `checked`, `right` and `wrong` (answers), `..._with_contradiction` of
    those with at least one contradicted claim besides the answer, `accepted`, and of all claims
    `supported`, `contradicted`, `unverifiable`; `by_kind` has the last three for each kind of
    claim. A contradicted claim is a statement that the execution disagrees with, not a proof that
    the model reasoned wrongly.
    """
    counts: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    for row in verify_rows(rows, box):
        counts["monologues"] += 1
        if "direction" not in row:
            continue
        wrong_step = False
        for claim in row["claims"]:
            kinds.setdefault(claim["kind"], Counter())[claim["status"]] += 1
            wrong_step |= claim["status"] == "contradicted" and claim["kind"] != "answer"
        right = "right" if row["answer_right"] else "wrong"
        counts.update({"checked": 1, right: 1, "accepted": row["accepted"]})
        counts[f"{right}_with_contradiction"] += wrong_step
    counts.update(sum(kinds.values(), Counter()))
    names = ("monologues", "checked", "accepted", "right", "right_with_contradiction", "wrong",
             "wrong_with_contradiction", "supported", "contradicted", "unverifiable")  # fmt: skip
    by_kind = {kind: dict(sorted(of.items())) for kind, of in sorted(kinds.items())}
    return {name: counts[name] for name in names} | {"by_kind": by_kind}
