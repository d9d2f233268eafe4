from __future__ import annotations

import json
from typing import Any

import pytest

from semcoder_lib.core import records as r

EXAMPLES = [
    r.Entry(
        r.Program("def f(x):\n    return x\n", "f", tags=("a",), provenance=r.Provenance("toolz")),
        (r.Case(({1: (2, {3})}, "é"), [float("inf"), None]), r.Case((), -0.0)),
        0.5,
    ),
    r.Trace((r.Step(1, "call", (r.Change("x", "1"), r.Change("y", None))),), r.Status.EXCEPTION),
    r.Monologue("text", "forward", r.Case((1,), {2}), "p"),
    r.Fault("id", "a", "b", "f", r.Case((1,), 1), "2", line=3),
    r.Completion("t", "text", 1, "p", "stop", 3),
    r.Verdict("t", True, r.Status.PASSED, trust=r.Trust.SPLIT),
]


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda x: type(x).__name__)
def test_a_record_survives_json(record: object) -> None:
    row = json.loads(json.dumps(r.to_row(record)))
    assert r.from_row(type(record), row) == record


PROGRAM = {"source": "", "entry_point": "f"}
CASE = {"arguments": "(1,)"}


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        (r.Program, PROGRAM | {"sauce": 1}, "Program: unknown field 'sauce'"),
        (r.Program, {"source": ""}, "Program: field 'entry_point' is missing"),
        (r.Program, [1], "expected Program, an object, not list"),
        (r.Program, PROGRAM | {"id": 7}, "Program.id: expected text, not 7"),
        (r.Program, PROGRAM | {"tags": "ab"}, "Program.tags: expected a list, not 'ab'"),
        (r.Program, PROGRAM | {"tags": ["a", None]}, "Program.tags: expected text, not None"),
        (r.Program, PROGRAM | {"provenance": {"line": True}},
         "Program.provenance: Provenance.line: expected a whole number, not True"),
        (r.Case, {"arguments": "[1]"}, "Case.arguments: expected a tuple of arguments, not list"),
        (r.Case, {"arguments": [1]}, "Case.arguments: expected text, not list"),
        (r.Case, CASE | {"output": "f()"}, "Case.output: a call of 'f' is not a value"),
        (r.Case, CASE | {"output": "9" * 5_000}, "Case.output: does not parse"),
        (r.Claim, {"kind": "value", "place": [1]}, "Claim.place: expected 2 items, not 1"),
        (r.Entry, {"program": PROGRAM, "cases": [], "line_coverage": "1"},
         "Entry.line_coverage: expected a number, not '1'"),
        (r.Verdict, {"task_id": "t", "passed": "false", "status": "wrong"},
         "Verdict.passed: expected true or false, not 'false'"),
        (r.Verdict, {"task_id": "t", "passed": True, "status": ["ok"]},
         "Verdict.status: .* is not a valid Status"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_refused_in_one_line(kind: type, row: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        r.from_row(kind, row)
    assert "\n" not in str(caught.value)


def test_rows_keep_their_bytes() -> None:
    row = json.dumps(r.to_row(EXAMPLES[0]))
    assert row == (
        '{"program": {"source": "def f(x):\\n    return x\\n", "entry_point": "f", "id": "", '
        '"description": "", "origin": "", "family": "", "split": "train", "argument_types": [], '
        '"types_from": "", "provenance": {"package": "toolz", "version": "", "licence": "", '
        '"file": "", "line": 0, "method": ""}, "tags": ["a"]}, "cases": [{"arguments": '
        '"({1: (2, {3})}, \'\\u00e9\')", "output": "[inf, None]", "program_id": "", "source": ""}, '
        '{"arguments": "()", "output": "-0.0", "program_id": "", "source": ""}], '
        '"line_coverage": 0.5, "branch_coverage": 0.0}'
    )
