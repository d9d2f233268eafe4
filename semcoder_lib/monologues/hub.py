"""Monologues in the columns of the hub's PyX, so that the official rows can stand in for ours and
ours can train the authors' code (section 3.6 of the facts on the paper)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program
from semcoder_lib.models import prompts
from semcoder_lib.monologues.verify.rows import read_row
from semcoder_lib.monologues.verify.text import cut, read_answer
from semcoder_lib.monologues.write.forward import call_text

_COLUMNS = ("nl", "fwd_mnl", "bwd_mnl")


def to_hub(
    monologues: Iterable[Monologue], programs: dict[str, Program]
) -> Iterator[dict[str, str]]:
    """Rows with `id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`; exactly one of the middle three is
    non-empty. `programs` are by id. The prompt column holds what stands before the response (the
    task sentence, the `[PYTHON]` block, the trigger). Raises `UserError` for an unknown program."""
    counts: Counter[str] = Counter()
    for m in monologues:
        program = programs.get(m.program_id)
        if program is None:
            raise UserError(f"monologue of {m.program_id!r}: no program with this id was given")
        if m.direction == "forward":
            column, prompt = "fwd_mnl", prompts.forward(program.source, call_text(program, m.case))
        else:
            output = values.encode(m.case.output)
            column, prompt = (
                "bwd_mnl",
                prompts.backward(program.source, program.entry_point, output),
            )
        name = f"{column}_{m.program_id}_ipt"
        texts = {**dict.fromkeys(_COLUMNS, ""), column: prompt.text, "response": m.text}
        yield {"id": f"{name}{counts[name]}", **texts}
        counts[name] += 1


def from_hub(
    rows: Iterable[Any], problems: list[str] | None = None
) -> Iterator[tuple[Program, Monologue]]:
    """The monologue rows of a hub file, with the programs that their prompts hold; rows of the
    natural-language task are passed over. Labels at line ends are taken off the source.

    An odd row (not exactly one prompt column, no `[PYTHON]` block, wrong types) is passed over and
    named in `problems`, or raises `UserError` where no list is given."""
    for number, row in enumerate(rows, 1):
        try:
            found = _read(row, number)
        except UserError as error:
            if problems is None:
                raise
            problems.append(str(error))
        else:
            if found is not None:
                yield found


def _read(row: Any, number: int) -> tuple[Program, Monologue] | None:
    columns = row if isinstance(row, dict) else {}
    identity = str(columns.get("id", number))
    named = f"hub row {number} ({identity[:60]})"
    filled = [c for c in _COLUMNS if columns.get(c)]
    if len(filled) != 1 or not all(isinstance(columns.get(c), str) for c in (*filled, "response")):
        raise UserError(f"{named}: needs a response and exactly one of {', '.join(_COLUMNS)}")
    if filled[0] == "nl":
        return None
    item = read_row({filled[0]: columns[filled[0]], "response": columns["response"]})
    if item.problem:
        raise UserError(f"{named}: {item.problem}")
    source = item.program.source + "\n"
    program = replace(item.program, source=source, id=identity, origin="hub")
    given = read_answer(cut(item.text).answer)
    case = item.case if given.arguments is None else Case(given.arguments, given.value)
    return program, Monologue(columns["response"], item.direction, case, identity, writer="hub")
