"""PyX-R rows with the hub's columns: `fault` (the instruction) and `response` (section 3.6)."""

from __future__ import annotations

import re
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Fault
from semcoder_lib.faults.fix import refined_code
from semcoder_lib.faults.text import failed_test

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


def from_hub(row: dict[str, Any], *, number: int = 0) -> Fault:
    """A hub row as a fault with origin `hub`. Nothing in it has been run: `validate` does that.

    The failed test is read from an assertion, `assert f(1) == 2`; where the row gives it in
    another form, `failing_call` and `expected` are empty. Raises UserError naming the row.
    """
    where = f"PyX-R row {row.get('id') or number}"
    for column in ("fault", "response"):
        if not isinstance(row.get(column), str):
            raise UserError(f"{where}: the column {column!r} is missing or not text")
    found = _PARTS.search(row["fault"])
    if not found:
        raise UserError(f"{where}: no problem, buggy solution and failed test in 'fault'")
    fixed = refined_code(row["response"])
    if fixed is None:
        raise UserError(f"{where}: no fenced program in 'response'")
    call, expected = _assertion(found["test"])
    entry = call.partition("(")[0]
    return Fault(
        program_id=str(row.get("id") or number),
        buggy=_LABEL.sub("", found["buggy"]).rstrip() + "\n",
        fixed=fixed,
        entry_point=entry,
        failing_call=call,
        expected=expected,
        actual="",
        operator="hub",
        origin="hub",
        description=found["problem"].strip(),
        rationale=row["response"].removeprefix("[MONOLOGUE]").lstrip("\n"),
        id=str(row.get("id") or number),
    )


def _assertion(test: str) -> tuple[str, str]:
    import ast

    try:
        tree = ast.parse(test.strip())
    except (SyntaxError, ValueError):
        return "", ""
    for node in tree.body:
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
            left, right = node.test.left, node.test.comparators[0]
            if isinstance(node.test.ops[0], ast.Eq) and isinstance(left, ast.Call):
                try:
                    name, arguments, named = values.parse_call(ast.unparse(left))
                    expected = values.encode(values.decode(ast.unparse(right)))
                    if not named:
                        return values.show_call(name, arguments), expected
                except (values.NotALiteral, values.Unserializable):
                    continue
    return "", ""
