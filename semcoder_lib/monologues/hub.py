"""Monologues in the columns of the hub's PyX, so that the official rows can stand in for ours and
ours can train the authors' code (section 3.6 of the facts on the paper)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program
from semcoder_lib.models import prompts
from semcoder_lib.monologues.verify.check import strip_labels
from semcoder_lib.monologues.verify.text import read_answer
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
    named = f"hub row {number} ({str(columns.get('id', 'no id'))[:60]})"
    filled = [c for c in _COLUMNS if columns.get(c)]
    texts = [columns.get(c) for c in (*filled, "response")]
    if len(filled) != 1 or not all(isinstance(t, str) for t in texts):
        raise UserError(f"{named}: needs a response and exactly one of {', '.join(_COLUMNS)}")
    if filled[0] == "nl":
        return None
    prompt, response = map(str, texts)
    _, start, rest = prompt.partition("PYTHON]\n")  # some rows lack the opening bracket
    block, end, _ = rest.partition("\n[/PYTHON]")
    code, asked, question = block.rpartition("\nassert ")
    if not (start and end and asked):
        raise UserError(f"{named}: no [PYTHON] block with assert")
    identity = str(columns.get("id", number))
    direction = "forward" if filled[0] == "fwd_mnl" else "backward"
    source, name = strip_labels(code) + "\n", question.partition("(")[0].strip()
    program = Program(source, name, id=identity, origin="hub")
    case = _case(question, response, direction)
    return program, Monologue(response, direction, case, identity, writer="hub")


def _case(question: str, response: str, direction: str) -> Case:
    """What a row is about: the call and output of its answer, else what its question gives."""
    given = read_answer(response.rpartition("[ANSWER]")[2].partition("[/ANS")[0])
    if not given.problem and given.arguments is not None:
        return Case(given.arguments, given.value)
    left, _, right = question.rpartition(" == ")
    try:
        if direction == "forward":
            return Case(tuple(values.parse_call(left.strip())[1]))
        return Case((), values.decode(right.strip()))
    except values.NotALiteral:
        return Case(())
