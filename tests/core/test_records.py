from __future__ import annotations

import json

import pytest

from semcoder_lib.core import records as r

EXAMPLES = [
    r.Entry(
        r.Program("def f(x):\n    return x\n", "f", tags=("a",), provenance=r.Provenance("toolz")),
        (r.Case(({1: (2, {3})}, "é"), [float("inf"), None]), r.Case((), -0.0)),
        0.5,
    ),
    r.Trace((r.Step(1, "call", (r.Change("x", "1"), r.Change("y", None))),), r.Status.EXCEPTION),
    r.Monologue("text", "forward", (r.Claim("value", "x", "1", 3, 1, (0, 4)),)),
    r.Fault("id", "a", "b", "f", r.Case((1,), 1), "2", line=3),
    r.Completion("t", "text", 1, "p", "stop", 3),
    r.Verdict("t", True, r.Status.PASSED, trust=r.Trust.SPLIT),
    r.Score("b", "pass@1", 0.5, 0.4, 0.6, 10, statuses={"passed": 5}),
]


@pytest.mark.parametrize("record", EXAMPLES, ids=lambda x: type(x).__name__)
def test_a_record_survives_json(record: object) -> None:
    row = json.loads(json.dumps(r.to_row(record)))
    assert r.from_row(type(record), row) == record


def test_a_row_with_a_wrong_field_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown field 'sauce'"):
        r.from_row(r.Program, {"source": "", "entry_point": "f", "sauce": 1})
    with pytest.raises(ValueError, match="'entry_point' is missing"):
        r.from_row(r.Program, {"source": ""})
