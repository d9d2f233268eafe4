"""Faults from a model's own wrong programs."""

from __future__ import annotations

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Completion, Program
from semcoder_lib.sandbox import Sandbox

ONE_EDIT = """def sum_multiples(nums, k):
    total = 0
    for n in nums:
        if n % k == 1:
            total += n
    return total
"""
REWRITE = "def clamp(x, low, high):\n    return low if x < low else x\n"
RIGHT = """def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
"""


@pytest.fixture(scope="module")
def found(entries, box):
    completions = [
        Completion("sum_multiples", "Here it is:\n```python\n" + ONE_EDIT + "```\nDone."),
        Completion("clamp", REWRITE + "\nprint(clamp(3, 1, 2))\n```\nThis works."),
        Completion("fib", RIGHT),
        Completion("fib", "I cannot do that."),
        Completion("fib", "def fib(n):\n    while True:\n        pass\n"),
        Completion("fib", "import nowhere\ndef fib(n):\n    return nowhere.f(n)\n"),
        Completion("clamp", REWRITE),
        Completion("unknown", RIGHT),
        Completion("rotate", "def rotate(items, k):\n    return items[k:] + items[:k]\n\ndef rot"),
    ]
    return pyx_r.from_completions(entries, completions, box)


def test_wrong_programs_become_faults_and_the_rest_is_counted(found) -> None:
    faults, funnel = found
    assert [f.program_id for f in faults] == ["sum_multiples", "clamp", "rotate"]
    assert {f.origin for f in faults} == {"model"}
    assert funnel == {
        "accepted": 3, "completions": 9, "duplicate": 1, "load_error": 1, "no_entry": 1,
        "no_program": 1, "passed": 1, "repaired": 1, "timeout": 1,
    }  # fmt: skip


def test_the_fix_is_one_edit_of_the_models_program_where_one_is_right(found) -> None:
    first, _, third = found[0]
    assert first.fixed == ONE_EDIT.replace("== 1", "== 0")
    assert first.line == 4
    assert "k %= len(items)" in third.fixed


def test_they_hold_when_run_again(found, entries) -> None:
    with Sandbox() as fresh:
        assert [p for _, p in pyx_r.validate(found[0], entries, fresh) if p] == []


def test_the_opening_of_an_answer_stands_inside_the_function() -> None:
    program = Program("def f(x):\n    return x + 1\n", "f", description="Adds one.")
    opening = pyx_r.opening(program)
    compile(f"{opening} return x", "answer", "exec")
    assert pyx_r.opening(Program("f = len\n", "f")) == ""
