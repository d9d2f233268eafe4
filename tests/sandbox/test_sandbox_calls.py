"""Calls of programs: statuses and what comes with them, jobs, values, plug-ins, determinism."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.core import values
from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox, judge

SMALL = Limits(cpu_seconds=0.3, wall_seconds=20.0, memory_mb=256, output_bytes=50_000)
ECHO = "def f(x): return x"
COUNTER = "seen = []\ndef f(x):\n    seen.append(x)\n    print(x)\n    return len(seen)"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=1.0, wall_seconds=8.0), workers=2) as made:
        yield made


@pytest.mark.parametrize(
    ("source", "status", "told"),
    [
        ("def f():\n    print('seen')\n    return {'a': [1]}", Status.OK, "{'a': [1]}"),
        ("def f():\n    y = 0\n    return 1 / y", Status.EXCEPTION, "division by zero 3"),
        ("def f():\n    raise SystemExit(0)", Status.EXCEPTION, "0 2"),
        ("def f(: pass", Status.LOAD_ERROR, "1"),
        ("import sys; sys.exit(0)", Status.LOAD_ERROR, "0 1"),
        ("x = 1", Status.LOAD_ERROR, "defines no 'f'"),
        ("def f():\n    while True: pass", Status.TIMEOUT, "cpu"),
        ("def f():\n    import time; time.sleep(60)", Status.TIMEOUT, "wall"),
        ("def f():\n    return 'a' * 10**10", Status.MEMORY, ""),
        ("def f():\n    while True: print('x' * 1000)", Status.OUTPUT_LIMIT, ""),
        ("def f():\n    import ctypes; ctypes.string_at(0)", Status.CRASHED, "SIGSEGV"),
        ("def f():\n    import os; os._exit(3)", Status.EARLY_EXIT, "3"),
        ("import os; os._exit(0)", Status.EARLY_EXIT, "0"),
        ("def f():\n    return f", Status.UNSERIALIZABLE, "function"),
        ("def f():\n    return 'x' * 2_000_001", Status.UNSERIALIZABLE, "too long"),
    ],
)
def test_statuses(box: Sandbox, source: str, status: Status, told: str) -> None:
    limits = SMALL.but(wall_seconds=0.5) if told == "wall" else SMALL
    outcome = box.call(source, "f", (), limits=limits)
    assert outcome.status is status
    raised = f"{outcome.exception.message} {outcome.exception.line}" if outcome.exception else ""
    assert told in f"{outcome.text} {raised} {outcome.note}"
    if status is Status.OK:
        assert (outcome.value, outcome.stdout) == ({"a": [1]}, "seen\n")
    if outcome.note == "cpu":
        assert 0.3 <= outcome.cpu_seconds < 0.6


def test_map_streams_in_order_and_shared_jobs_go_on_after_a_death(box: Sandbox) -> None:
    looping = "def f(x):\n    while x == 1: pass\n    return x"
    jobs = [Job("def f(x): return -x", "f", [(i,), (i + 1,)]) for i in range(5)]
    jobs.append(Job(looping, "f", [(0,), (1,), (2,)], SMALL, share=True))
    outcomes = list(box.map(jobs))
    assert [[o.value for o in found] for found in outcomes[:5]] == [[-i, -i - 1] for i in range(5)]
    assert [o.status for o in outcomes[5]] == [Status.OK, Status.TIMEOUT, Status.OK]


def test_calls_share_nothing_unless_asked(box: Sandbox) -> None:
    calls = [("a",), ("b",), ("c",)]
    ways: list[dict[str, Any]] = [{}, {"share": True}, {"share": True, "reload": False}]
    found = list(box.map(Job(COUNTER, "f", calls, **way) for way in ways))
    assert [[o.value for o in outcomes] for outcomes in found] == [[1, 1, 1], [1, 1, 1], [1, 2, 3]]
    assert all([o.stdout for o in outcomes] == ["a\n", "b\n", "c\n"] for outcomes in found)


def test_a_shared_job_that_keeps_dying_is_given_up(box: Sandbox) -> None:
    source = "import os\ndef f(x):\n    if x: os._exit(1)\n    return x"
    job = Job(source, "f", [(i,) for i in range(6)], share=True, give_up=2)
    (outcomes,) = box.map([job])
    assert [o.status for o in outcomes] == [Status.OK] + [Status.EARLY_EXIT] * 5
    assert ["not run" in o.note for o in outcomes] == [False] * 3 + [True] * 3


def test_results_beyond_one_file_go_on_in_the_next_process(box: Sandbox) -> None:
    limits = Limits(result_bytes=5_000)
    job = Job("def f(x): return 'x' * 900", "f", [(i,) for i in range(20)], limits, share=True)
    (outcomes,) = box.map([job])
    assert [o.value for o in outcomes] == ["x" * 900] * 20


def test_equal_jobs_of_one_map_run_once_and_only_there(box: Sandbox) -> None:
    job = Job("import time\ndef f(): return time.monotonic()", "f")
    first, second = ([o.value for (o,) in box.map([job, job, job])] for _ in range(2))
    assert len(set(first)) == 1
    assert set(first) != set(second)
    with Sandbox(workers=1, dedupe=False) as other:
        assert len({o.value for (o,) in other.map([job, job, job])}) == 3


def test_values_cross_exactly_both_ways(box: Sandbox) -> None:
    texts = ["", "plain", 'it\'s "so"', "\0\n\t\\x00", "é€😀", "\ud800 and \udc80", "'" * 3, "None"]
    jobs = [Job(ECHO, "f", [(text,)]) for text in texts]
    assert [(o.value, o.text) for (o,) in box.map(jobs)] == [(t, repr(t)) for t in texts]
    arguments = (
        1 << 5000, -0.0, float("inf"), 2 - 3j, "\ud800", b"\0", bytearray(b"x"), None, (), [[]],
        {1: {2}}, frozenset({3}), range(9), collections.Counter("ab"), collections.deque([1], 2),
        collections.OrderedDict([(2, 1), (1, 2)]), collections.defaultdict(int, {1: 2}),
    )  # fmt: skip
    outcome = box.call("def f(*a): return a", "f", arguments)
    assert outcome.text == values.encode(outcome.value) == values.encode(arguments)
    with pytest.raises(values.Unserializable):
        box.call(ECHO, "f", (object(),))


@pytest.mark.parametrize(
    "factory", ["lambda: 0", "int", "list", "None", "f", "lambda: defaultdict(int)", "'x'.join"]
)
def test_a_defaultdict_of_any_factory_is_judged_by_its_items(box: Sandbox, factory: str) -> None:
    source = f"from collections import *\ndef f():\n    return defaultdict({factory}, {{'a': 1}})"
    outcome = box.call(source, "f", ())
    assert values.equal(outcome.value, {"a": 1})


def test_input_main_and_methods(box: Sandbox) -> None:
    program = "name = input()\nif __name__ == '__main__':\n    print('hello', name)"
    method = "class S:\n    def go(self, x): return x + 1"
    ((run,), (called,)) = box.map([Job(program, "", stdin="world\n"), Job(method, "S.go", [(1,)])])
    assert (run.status, run.value, run.stdout) == (Status.OK, None, "hello world\n")
    assert called.value == 2


PLUGIN = """
def call(function, arguments, options, emit):
    emit("begun")
    result = function(*arguments)
    emit(options["say"] * 3)
    return [result]
"""


def test_plugins_make_the_calls_and_emit(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandbox_test_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    source = "def f(x):\n    while x == 'loop': pass\n    return 1 // x"
    limits = Limits(cpu_seconds=0.2)
    job = Job(source, "f", [(1,), (0,), ("loop",)], limits, "sandbox_test_plugin", {"say": "ab"})
    fine, raised, looped = next(box.map([job]))
    assert (fine.value, fine.payload) == ([1], "ababab")
    assert (raised.status, raised.payload) == (Status.EXCEPTION, "begun")
    assert (looped.status, looped.payload) == (Status.TIMEOUT, "begun")
    assert box.call(ECHO, "f", (5,)).value == 5


def test_a_close_timeout_is_repeated_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
import time
def f(seconds):
    while time.process_time() < seconds: pass
    return 'ended'
"""
    runs: list[bool] = []
    take = judge.Ticket.take
    monkeypatch.setattr(judge.Ticket, "take", lambda t, run: runs.append(t.alone) or take(t, run))
    limits = Limits(cpu_seconds=0.2, wall_seconds=30.0, grace=1.0)
    with Sandbox(limits=limits, workers=1) as box:
        near, far = (box.call(source, "f", (seconds,)) for seconds in (0.3, 5.0))
    assert near.status is far.status is Status.TIMEOUT
    assert runs == [False, False, True, False]  # the first is the probe's
