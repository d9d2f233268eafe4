"""The hub's PyX format (`id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`), written and read."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Monologue, Program, Provenance
from semcoder_lib.corpus import execute
from semcoder_lib.corpus.execute import Failed, Request
from semcoder_lib.models import prompts

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

COLUMNS = ("id", "nl", "fwd_mnl", "bwd_mnl", "response")
_CODE = re.compile(r"\[PYTHON\]\n?(.*?)\n?\[/PYTHON\]", re.DOTALL)
_ANSWER = re.compile(r"\[ANSWER\]\s*(.*?)\s*\[/ANSWER\]", re.DOTALL)
_FENCE = re.compile(r"```(?:python)?\n(.*?)```", re.DOTALL)


def to_hub(
    entries: Iterable[Entry], monologues: Iterable[Monologue] = ()
) -> Iterator[dict[str, str]]:
    """Rows in the hub's columns, exactly one of the middle three non-empty: one `nl` row a program,
    then one row for each monologue of a program among `entries`."""
    by_id: dict[str, Program] = {}
    for entry in entries:
        program = entry.program
        by_id[program.id] = program
        yield _row(f"nl_{program.id}", response=f"```python\n{program.source.rstrip()}\n```",
                   nl=prompts.nl_to_code(program.description).text)  # fmt: skip
    for number, mono in enumerate(monologues):
        source_of = by_id.get(mono.program_id)
        if source_of is None:
            continue
        if mono.direction == "forward":
            call = values.show_call(source_of.entry_point, mono.case.arguments)
            text = prompts.forward(source_of.source, call).text
            yield _row(f"fwd_mnl_{mono.program_id}_ipt{number}", response=mono.text, fwd_mnl=text)
        else:
            output = values.encode(mono.case.output)
            text = prompts.backward(source_of.source, source_of.entry_point, output).text
            yield _row(f"bwd_mnl_{mono.program_id}_ipt{number}", response=mono.text, bwd_mnl=text)


def _row(identity: str, **fields: str) -> dict[str, str]:
    return {**dict.fromkeys(COLUMNS, ""), "id": identity, **fields}


def kind_of(row: dict[str, Any]) -> str:
    """Which of `nl`, `fwd_mnl`, `bwd_mnl` a row is. Raises UserError when it is not exactly one."""
    filled = [c for c in COLUMNS[1:4] if row.get(c)]
    if len(filled) != 1 or "response" not in row:
        raise UserError(
            f"row {row.get('id', '?')}: expected exactly one of nl, fwd_mnl, bwd_mnl and a response"
        )
    return filled[0]


def assertion(row: dict[str, Any]) -> tuple[str, str, tuple[Any, ...], Any] | None:
    """(source, entry point, arguments, output) of a monologue row; None where its code or its
    answer cannot be read."""
    code = _CODE.search(row[kind_of(row)])
    answers = list(_ANSWER.finditer(str(row["response"])))
    answer = answers[-1] if answers else None
    if code is None or answer is None:
        return None
    source = re.sub(r"[ \t]*# \[L\d+\][ \t]*$", "", code.group(1), flags=re.MULTILINE)
    source = re.sub(r"^assert .*\?\?.*$", "", source, flags=re.MULTILINE).rstrip() + "\n"
    try:
        statement = ast.parse(answer.group(1).strip()).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None
    if not isinstance(statement, ast.Assert) or not isinstance(statement.test, ast.Compare):
        return None
    compare = statement.test
    if len(compare.ops) != 1 or not isinstance(compare.ops[0], ast.Eq):
        return None
    try:
        name, arguments, named = values.parse_call(ast.unparse(compare.left))
        output = values.decode(ast.unparse(compare.comparators[0]))
    except values.NotALiteral:
        return None
    return None if named else (source, name, arguments, output)


def from_hub(
    rows: Iterable[dict[str, Any]], *, box: Sandbox, limit: int | None = None
) -> tuple[list[Entry], dict[str, int]]:
    """Entries from rows in the hub's format: the monologue rows of one program become its cases,
    if running it gives the recorded output. `nl` rows without cases become no entry. Returns the
    entries and the counts per outcome."""
    funnel: Counter[str] = Counter()
    cases: dict[tuple[str, str], dict[str, tuple[tuple[Any, ...], Any]]] = defaultdict(dict)
    for row in rows:
        kind = kind_of(row)
        funnel[kind] += 1
        if kind == "nl":
            continue
        read = assertion(row)
        if read is None:
            funnel["unreadable"] += 1
            continue
        source, name, arguments, output = read
        cases[source, name][values.encode(arguments)] = (arguments, output)
        if limit is not None and len(cases) >= limit:
            break
    programs = [
        (
            Program(
                source=s,
                entry_point=n,
                id=f"hub:{i}",
                origin="hub",
                family=f"hub:{i}",
                provenance=Provenance(package="semcoder/PyX", licence="MIT", method="hub"),
            ),
            list(c.values()),
        )
        for i, ((s, n), c) in enumerate(cases.items())
    ]
    requests = (Request(p, [a for a, _ in found]) for p, found in programs)
    entries = []
    from semcoder_lib.corpus.branches import survey

    for (program, found), ran in zip(programs, execute.run(box, requests), strict=True):
        if isinstance(ran, Failed):
            funnel[f"program: {ran.status.value}"] += 1
            continue
        kept = []
        arcs: set[tuple[int, int]] = set()
        for (arguments, output), one in zip(found, ran, strict=True):
            if one.ok and values.equal(values.decode(one.text), output):
                kept.append(Case(arguments, values.decode(one.text), program.id, "hub"))
                arcs.update(one.arcs)
            else:
                funnel["case differs"] += 1
        if kept:
            covered = survey(program.source)
            funnel["kept"] += 1
            entries.append(
                Entry(
                    program,
                    tuple(kept),
                    round(covered.line_coverage(arcs), 4),
                    round(covered.branch_coverage(arcs), 4),
                )
            )
    return entries, dict(funnel)
