"""Test code with assertions: reference solutions pass, cheats do not, each trust says its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.core.records import Status, Trust
from semcoder_lib.sandbox import Limits, Sandbox, Test, run_many

TEST = """
SECRET = 'key-9141'
def check(candidate):
    assert candidate(2) == 4
    assert abs(candidate(1.5) - 2.25) < 1e-9
    assert candidate(3) == 9, SECRET
    for n in range(5):
        assert candidate(n) == n * n
"""
RIGHT = "def f(x):\n    return x * x\n"


def blocks(file: str) -> dict[str, str]:
    """The blocks of a text file by their titles, `### title`."""
    text = (Path(__file__).parent / file).read_text()
    return dict(block.split("\n", 1) for block in re.split(r"^### ", text, flags=re.M)[1:])


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=1.0, wall_seconds=8.0, grace=0.0), workers=1) as made:
        yield made


STATUSES = {
    RIGHT: Status.PASSED,
    "def f(x): return 0": Status.WRONG,
    "def f(x): return x / 0": Status.EXCEPTION,
    "def f(: pass": Status.LOAD_ERROR,
    "def f(x):\n    while True: pass": Status.TIMEOUT,
    "def f(x): return f": Status.UNSERIALIZABLE,
    "import os\ndef f(x): os._exit(0)": Status.EARLY_EXIT,
}


@pytest.mark.parametrize("reference", ["", RIGHT])
def test_statuses(box: Sandbox, reference: str) -> None:
    verdicts = list(run_many(box, [Test(s, "f", TEST, reference, s) for s in STATUSES]))
    assert {v.task_id: v.status for v in verdicts} == STATUSES
    assert {v.trust for v in verdicts} == {Trust.SPLIT}
    assert [v.passed for v in verdicts] == [True] + [False] * 6


def test_no_cheat_passes(box: Sandbox) -> None:
    tests = [Test(source, "f", TEST, RIGHT, name) for name, source in blocks("cheats.txt").items()]
    assert len(tests) >= 10
    for verdict in run_many(box, tests):
        assert not verdict.passed, verdict
        assert verdict.trust is Trust.SPLIT
        assert verdict.status is not Status.INFRASTRUCTURE


@pytest.mark.parametrize(("name", "parts"), blocks("crossings.txt").items())
def test_what_crosses_between_test_and_solution(box: Sandbox, name: str, parts: str) -> None:
    test, *solutions = parts.split("#### ")
    for solution in solutions:
        status, source = solution.split("\n", 1)
        for reference in ("", source) if status == "passed" else ("",):
            (verdict,) = run_many(box, [Test(source, "f", test, reference)])
            assert verdict.status == status, verdict
            assert "an argument of the test" in verdict.detail or "of functions" not in name


NEIGHBOURS = """
import random
seen = []
STEP = random.randint(1, 9)
def check(candidate):
    print('x' * 600_000)
    x = random.randint(10, 99)
    assert candidate(x) == x * x
    assert candidate([STEP]) == [STEP, STEP]
    seen.append(x)
    assert len(seen) == 1
    candidate([1]).append(2)
    assert candidate([1]) == [1, 1]
"""
KILLS = [
    "raise SystemExit(0)",
    "raise KeyboardInterrupt",
    "raise MemoryError",
    "raise type('_Stop', (BaseException,), {})",
    "import os; os._exit(0)",
    "return 'x' * 900_000",
    "return [[[]] * 9] * 9000",
    "return float('nan')",
    "while True: pass",
]


def test_samples_of_one_task_do_not_touch_each_other(box: Sandbox) -> None:
    """They share the test's process: what one answers, the others must not notice."""
    right = "def f(x): return x * 2 if type(x) is list else x * x"
    kills = [f"def f(x):\n    {body}\n" for body in KILLS]
    sources = [s for kill in kills for s in (right, kill)] + [right]
    tests = [Test(s, "f", NEIGHBOURS, right, index=i) for i, s in enumerate(sources)]
    verdicts = list(run_many(box, tests))
    assert [v.index for v in verdicts] == list(range(len(tests)))
    assert [v.passed for v in verdicts] == [s == right for s in sources], verdicts


def test_a_test_that_dies_on_an_answer_costs_the_others_nothing(box: Sandbox) -> None:
    test = """
import os
def check(c):
    if c(1) == 'die': os._exit(3)
    if c(1) == 'loop':
        while True: pass
    assert c(1) == 1
"""
    sources = [f"def f(x): return {v}" for v in ("1", "'die'", "1", "'loop'", "'die'", "1")]
    found = run_many(box, [Test(s, "f", test) for s in sources])
    assert [v.status for v in found] == [
        Status.PASSED, Status.EARLY_EXIT, Status.PASSED, Status.TIMEOUT, Status.EARLY_EXIT,
        Status.PASSED,
    ]  # fmt: skip
