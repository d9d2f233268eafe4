"""PyX-R rows with the hub's columns: `fault` (the instruction) and `response` (section 3.6)."""

from __future__ import annotations

import ast
import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Fault
from semcoder_lib.faults.evidence import Dropped
from semcoder_lib.faults.mutate import parsed
from semcoder_lib.faults.text import failed_test, refined_code

_PARTS = re.compile(
    r"#+ Problem\s*\n(?P<problem>.*?)"
    r"\n#+ Buggy Solution\s*\n```(?:python)?\n(?P<buggy>.*?)\n?```\s*"
    r"\n#+ Failed Test\s*\n```(?:python)?\n(?P<test>.*?)\n?```",
    re.DOTALL,
)
_LABEL = re.compile(r" {1,2}# \[L\d+\]$", re.MULTILINE)


def to_hub(fault: Fault) -> dict[str, str]:
    """A fault as a hub row. The columns hold what the authors' training code reads."""
    instruction = (
        f"### Problem\n{fault.description.strip()}\n\n### Buggy Solution\n```python\n"
        f"{fault.buggy.rstrip()}\n```\n\n### Failed Test\n```python\n{failed_test(fault)}\n```"
    )
    return {
        "id": fault.id,
        "fault": instruction,
        "response": "[MONOLOGUE]\n" + fault.rationale,
    }


def from_hub(row: dict[str, Any], *, number: int = 0) -> Fault | Dropped:
    """A hub row as a fault with origin `hub`, or why it is none. Nothing in it has been run:
    `validate` does that. The failed test is read from an assertion, `assert f(1) == 2`; a call
    with named arguments is read by the signature of the buggy program. Never raises on a row."""
    where = f"PyX-R row {row.get('id') or number}"
    for column in ("fault", "response"):
        if not isinstance(row.get(column), str):
            return Dropped(f"{where}: the column {column!r} is missing or not text")
    parts = _PARTS.search(row["fault"])
    if not parts:
        return Dropped(f"{where}: no problem, buggy solution and failed test in 'fault'")
    fixed = refined_code(row["response"])
    if fixed is None:
        return Dropped(f"{where}: no fenced program in 'response'")
    buggy = _LABEL.sub("", parts["buggy"]).rstrip() + "\n"
    test = _assertion(parts["test"], buggy)
    if test is None:
        return Dropped(f"{where}: no test of the form `assert f(literals) == literal`")
    return Fault(
        program_id=str(row.get("id") or number),
        buggy=buggy,
        fixed=fixed,
        entry_point=test[0],
        case=test[1],
        actual="",
        operator="hub",
        origin="hub",
        description=parts["problem"].strip(),
        rationale=row["response"].removeprefix("[MONOLOGUE]").lstrip("\n"),
        id=str(row.get("id") or number),
    )


def _assertion(test: str, source: str) -> tuple[str, Case] | None:
    """The name that is called and the case of the first assertion that can be read."""
    text = test.strip()
    for node in getattr(parsed(text), "body", ()):
        compared = node.test if isinstance(node, ast.Assert) else None
        if isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq):
            left, right = (
                ast.get_source_segment(text, n) or ""
                for n in (compared.left, compared.comparators[0])
            )
            try:
                name, arguments, named = values.parse_call(left)
                output = values.decode(right)
                values.encode((arguments, output))
            except (values.NotALiteral, values.Unserializable):
                continue
            bound = _bound(source, name, arguments, named)
            if bound is not None:
                return name, Case(bound, output)
    return None


def _bound(
    source: str, name: str, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...] | None:
    """The arguments by position; None where the names are not the function's next parameters."""
    if not named:
        return arguments
    for node in getattr(parsed(source), "body", ()):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            given = node.args.posonlyargs + node.args.args
            names = [a.arg for a in given][len(arguments) :][: len(named)]
            if set(names) == set(named):
                return (*arguments, *(named[n] for n in names))
    return None
