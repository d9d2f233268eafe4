"""Faults from a model's own wrong programs."""

from __future__ import annotations

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core.records import Completion, Program
from semcoder_lib.sandbox import Sandbox

ONE_EDIT = """def sum_of_evens(xs):
    total = 0
    for x in xs:
        if x % 2 == 1:
            total += x
    return total
"""
REWRITE = "def is_prime(n):\n    return n in (2, 3, 5, 7)\n"
RIGHT = """def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
"""


@pytest.fixture(scope="module")
def found(entries, box):
    completions = [
        Completion("sum_of_evens", "Here it is:\n```python\n" + ONE_EDIT + "```\nDone."),
        Completion("is_prime", REWRITE + "\nprint(is_prime(3))\n```\nThis works."),
        Completion("fibonacci", RIGHT),
        Completion("fibonacci", "I cannot do that."),
        Completion("fibonacci", "def fibonacci(n):\n    while True:\n        pass\n"),
        Completion("fibonacci", "import nowhere\ndef fibonacci(n):\n    return nowhere.f(n)\n"),
        Completion("is_prime", REWRITE),
        Completion("unknown", RIGHT),
        Completion("rotate", "def rotate(xs, k):\n    return xs[k:] + xs[:k]\n\ndef rot"),
    ]
    return pyx_r.from_completions(entries, completions, box)


def test_wrong_programs_become_faults_and_the_rest_is_counted(found) -> None:
    faults, funnel = found
    assert [f.program_id for f in faults] == ["sum_of_evens", "is_prime", "rotate"]
    assert {f.origin for f in faults} == {"model"}
    assert funnel == {
        "accepted": 3, "completions": 9, "duplicate": 1, "load_error": 1, "no_entry": 1,
        "no_program": 1, "passed": 1, "repaired": 1, "timeout": 1,
    }  # fmt: skip


def test_the_fix_is_one_edit_of_the_models_program_where_one_is_right(found) -> None:
    first, second, _ = found[0]
    assert sum(a != b for a, b in zip(
        first.buggy.splitlines(), first.fixed.splitlines(), strict=True)) == 1  # fmt: skip
    assert first.line == 4
    assert "range(2" in second.fixed


def test_they_hold_when_run_again(found, entries) -> None:
    with Sandbox() as fresh:
        assert [p for _, p in pyx_r.validate(found[0], entries, fresh) if p] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def f(x):\n    return x\n```\nmore", "def f(x):\n    return x\n"),
        ("```python\ndef f(x):\n    return x\n```", "def f(x):\n    return x\n"),
        ("def f(x):\n    return x\n\nfor i in ra", "def f(x):\n    return x\n"),
        ("import os\ndef g(): pass\n", None),
        ("", None),
        ("def f(x):\n    return x\nassert f(1) == 1\n", "def f(x):\n    return x\n"),
    ],
)
def test_code_of_a_completion(text: str, wanted: str | None) -> None:
    assert pyx_r.code_of(text, "f") == wanted


def test_the_opening_of_an_answer_stands_inside_the_function() -> None:
    program = Program("def f(x):\n    return x + 1\n", "f", description="Adds one.")
    opening = pyx_r.opening(program)
    compile(f"{opening} return x", "answer", "exec")
    assert pyx_r.opening(Program("f = len\n", "f")) == ""
