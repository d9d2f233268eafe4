"""Monologues in the columns of the hub's PyX, so that the official rows can stand in for ours and
ours can train the authors' code (section 3.6 of the facts on the paper)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program
from semcoder_lib.models import prompts
from semcoder_lib.monologues.verify.text import read_answer
from semcoder_lib.monologues.write.forward import call_text

_COLUMNS = ("nl", "fwd_mnl", "bwd_mnl")


def to_hub(
    monologues: Iterable[Monologue], programs: dict[str, Program]
) -> Iterator[dict[str, str]]:
    """Rows with `id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`; exactly one of the middle three is
    non-empty. `programs` are by id. The prompt column holds what stands before the response (the
    task sentence, the `[PYTHON]` block, the trigger). Raises `UserError` for an unknown program."""
    counts: dict[tuple[str, str], int] = {}
    for m in monologues:
        program = programs.get(m.program_id)
        if program is None:
            raise UserError(f"monologue of {m.program_id!r}: no program with this id was given")
        column = "fwd_mnl" if m.direction == "forward" else "bwd_mnl"
        number = counts[m.program_id, column] = counts.get((m.program_id, column), -1) + 1
        row = {"id": f"{column}_{m.program_id}_ipt{number}", "nl": "", "fwd_mnl": "", "bwd_mnl": ""}
        if m.direction == "forward":
            row[column] = prompts.forward(program.source, call_text(program, m.case)).text
        else:
            output = values.encode(m.case.output)
            row[column] = prompts.backward(program.source, program.entry_point, output).text
        yield {**row, "response": m.text}


def from_hub(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[Program, Monologue]]:
    """The monologue rows of a hub file, with the programs that their prompts hold. Rows of the
    natural-language task are passed over. Labels at line ends are taken off the source. Raises
    `UserError` naming the row that has not exactly one prompt column, or no `[PYTHON]` block."""
    for number, row in enumerate(rows, 1):
        filled = [c for c in _COLUMNS if row.get(c)]
        if len(filled) != 1 or "response" not in row:
            raise UserError(
                f"hub row {number} ({row.get('id', 'no id')}): needs a response and exactly one of "
                f"{', '.join(_COLUMNS)}"
            )
        if filled[0] == "nl":
            continue
        yield _read(str(row[filled[0]]), str(row["response"]), filled[0], row, number)


def _read(
    prompt: str, response: str, column: str, row: dict[str, Any], number: int
) -> tuple[Program, Monologue]:
    _, start, rest = prompt.partition("PYTHON]\n")  # some rows lack the opening bracket
    block, end, _ = rest.partition("\n[/PYTHON]")
    code, asked, question = block.rpartition("\nassert ")
    if not (start and end and asked):
        raise UserError(
            f"hub row {number} ({row.get('id', 'no id')}): no [PYTHON] block with assert"
        )
    source = _unlabelled(code) + "\n"
    identity = str(row.get("id", number))
    direction = "forward" if column == "fwd_mnl" else "backward"
    program = Program(source, question.partition("(")[0].strip(), id=identity, origin="hub")
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


def _unlabelled(code: str) -> str:
    lines = []
    for line in code.split("\n"):
        head, mark, label = line.rpartition("# [L")
        known = mark and label.rstrip("]").isdigit() and label.endswith("]")
        lines.append(head.rstrip() if known else line)
    return "\n".join(lines)
