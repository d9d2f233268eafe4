"""Traces of small programs, as a reader of the public API sees them."""

from __future__ import annotations

from dataclasses import asdict

from golden_runner import lines_of

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program, Status
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import TraceLimits, child


def test_changes_belong_to_the_line_that_made_them(tracing_box: Sandbox) -> None:
    source = (
        "def f(n):\n    xs = []\n    for i in range(n):\n        xs.append(i * i)\n    return xs\n"
    )
    trace = tracing.trace(Program(source, "f"), Case((2,)), tracing_box)
    assert trace.status is Status.OK
    assert trace.result == "[0, 1]"
    assert lines_of(trace) == [
        "call 1 n=2",
        "line 2 xs=[]",
        "line 3 i=0",
        "line 4 xs=[0]",
        "line 3 i=1",
        "line 4 xs=[0, 1]",
        "line 3",
        "line 5",
        "return 5 -> [0, 1]",
    ]


def test_an_exception_is_shown_where_it_rises_and_where_it_is_caught(tracing_box: Sandbox) -> None:
    source = (
        "def g(x):\n    return 1 // x\n\n\ndef f(x):\n    try:\n        y = g(x)\n"
        "    except ZeroDivisionError as e:\n        y = -1\n    return y\n"
    )
    trace = tracing.trace(Program(source, "f"), Case((0,)), tracing_box)
    assert lines_of(trace) == [
        "call 5 x=0",
        "line 6",
        "line 7",
        "  call 1 x=0",
        "  line 2",
        "  exception 2 -> ZeroDivisionError: integer division or modulo by zero",
        "line 8 e=<ZeroDivisionError('integer division or modulo by zero')> "
        "-> ZeroDivisionError: integer division or modulo by zero",
        "line 9 y=-1 -e",
        "line 10",
        "return 10 -> -1",
    ]


def test_an_uncaught_exception_ends_the_trace(tracing_box: Sandbox) -> None:
    trace = tracing.trace(Program("def f(x):\n    return x[5]\n", "f"), Case(([1],)), tracing_box)
    assert trace.status is Status.EXCEPTION
    assert trace.exception == "IndexError: list index out of range"
    assert lines_of(trace)[-1] == "exception 2 -> IndexError: list index out of range"


def test_many_traces_come_in_order(tracing_box: Sandbox) -> None:
    double = Program("def f(x):\n    return 2 * x\n", "f", id="double")
    negate = Program("def f(x):\n    return -x\n", "f", id="negate")
    pairs = [(double, Case((1,))), (double, Case((2,))), (negate, Case((3,))), (double, Case((4,)))]
    found = list(tracing.trace_many(pairs, tracing_box))
    assert [(t.program_id, t.result) for t in found] == [
        ("double", "2"),
        ("double", "4"),
        ("negate", "-3"),
        ("double", "8"),
    ]


def test_the_zygote_warms_up_on_the_usual_limits() -> None:
    assert asdict(TraceLimits()) == child.LIMITS
    ((source, entry, options),) = child.WARM
    emitted: list[str] = []
    made: dict[str, object] = {}
    exec(compile(source, "<program>", "exec"), made)
    assert child.call(made[entry], (), options, emitted.append)[2] == "ABCA"
    assert emitted
