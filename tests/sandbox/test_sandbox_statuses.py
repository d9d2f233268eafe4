"""Each status of a run is reached, with what comes with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semcoder_lib.core.records import Status
from semcoder_lib.sandbox import Job, Limits, Sandbox

SMALL = Limits(cpu_seconds=0.3, wall_seconds=2.0, memory_mb=256, output_bytes=50_000)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=SMALL, workers=1) as made:
        yield made


def test_ok_gives_value_text_output(box: Sandbox) -> None:
    outcome = box.call("def f(x):\n    print('seen', x)\n    return {x: [x]}", "f", ("a",))
    assert outcome.status is Status.OK
    assert outcome.value == {"a": ["a"]}
    assert outcome.text == "{'a': ['a']}"
    assert outcome.stdout == "seen a\n"


def test_exception_gives_type_message_line(box: Sandbox) -> None:
    outcome = box.call("def f(x):\n    y = x\n    return 1 / y", "f", (0,))
    assert outcome.status is Status.EXCEPTION
    assert outcome.exception is not None
    assert outcome.exception.type == "ZeroDivisionError"
    assert outcome.exception.message == "division by zero"
    assert outcome.exception.line == 3


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def f(: pass", Status.LOAD_ERROR),
        ("import sys; sys.exit(0)", Status.LOAD_ERROR),
        ("x = 1", Status.LOAD_ERROR),
        ("def f():\n    while True: pass", Status.TIMEOUT),
        ("def f():\n    import time; time.sleep(60)", Status.TIMEOUT),
        ("def f():\n    return 'a' * 10**10", Status.MEMORY),
        ("def f():\n    while True: print('x' * 1000)", Status.OUTPUT_LIMIT),
        ("def f():\n    import ctypes; ctypes.string_at(0)", Status.CRASHED),
        ("def f():\n    import os; os._exit(0)", Status.EARLY_EXIT),
        ("import os; os._exit(0)", Status.EARLY_EXIT),
        ("def f():\n    return f", Status.UNSERIALIZABLE),
        ("def f():\n    raise SystemExit(0)", Status.EXCEPTION),
    ],
)
def test_status(box: Sandbox, source: str, status: Status) -> None:
    assert box.call(source, "f", ()).status is status


def test_timeouts_are_killed_near_their_limit(box: Sandbox) -> None:
    outcome = box.call("def f():\n    while True: pass", "f", ())
    assert 0.3 <= outcome.cpu_seconds < 0.5


def test_map_streams_in_order_and_shared_jobs_go_on_after_a_death(box: Sandbox) -> None:
    looping = "def f(x):\n    while x == 1: pass\n    return x"
    jobs = [Job("def f(x): return -x", "f", [(i,), (i + 1,)]) for i in range(5)]
    jobs.append(Job(looping, "f", [(0,), (1,), (2,)], share=True))
    outcomes = list(box.map(jobs))
    assert [[o.value for o in found] for found in outcomes[:5]] == [[-i, -i - 1] for i in range(5)]
    assert [o.status for o in outcomes[5]] == [Status.OK, Status.TIMEOUT, Status.OK]
    assert outcomes[5][2].value == 2
