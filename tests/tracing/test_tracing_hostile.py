"""Programs that do not want to be looked at: the tracer runs none of their code, and it is
bounded in steps, bytes, time and the size of a value."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from examples import HERE, load, record

from semcoder_lib import tracing
from semcoder_lib.core.records import Case, Program, Status
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import TraceLimits
from semcoder_lib.tracing.describe import Describer

TOUCHY = (HERE / "touchy.txt").read_text()


def test_no_code_of_an_object_is_run() -> None:
    function = load(TOUCHY)
    trace = record(TOUCHY, function=function)
    assert trace.result == "5"
    assert function.__globals__["touched"] == []
    last = {c.name: c.text for step in trace.steps for c in step.changes}
    assert last.items() >= {
        "a": "<Base>", "b": "<Cold>", "c": "[<Base>, <Cold>]", "e": "<List [1, 2]>",
        "g": "<Dict {1: 2}>", "h": "<Text 'xy'>", "i": "<Number 3>", "j": "<class Cold>",
        "k": "[<Base>, 2, 3, <Number 3>]", "m": "<Error('no')>",
    }.items()  # fmt: skip
    assert {"odd", "f.odd", "odd.x"} <= {c.name for step in trace.steps for c in step.beyond}


def inside(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def cycle() -> Any:
    value: list[Any] = [1]
    value.append(value)
    return value


HARD: dict[str, Callable[[], Any]] = {
    "long list": lambda: list(range(1_000_000)),
    "long text": lambda: "x" * 10_000_000,
    "long number": lambda: 1 << 300_000,
    "long set": lambda: set(range(100_000)),
    "long dict": lambda: dict.fromkeys(range(100_000)),
    "deep": lambda: inside(1, 100_000),
    "cycle": cycle,
    "nest": lambda: [[[i * j * k for i in range(30)] for j in range(30)] for k in range(30)],
    "long inside": lambda: [["y" * 5_000_000]],
}


@pytest.mark.parametrize("name", HARD)
def test_a_value_of_any_size_costs_little(name: str) -> None:
    value = HARD[name]()
    describer = Describer()
    costs = []
    for _ in range(20):
        start = time.perf_counter()
        text, exact, _ = describer.describe(value)
        costs.append(time.perf_counter() - start)
    assert not exact
    assert len(text) < 6_000
    assert min(costs) < 0.002


def test_long_values_say_type_size_and_beginning() -> None:
    describe = Describer().describe
    assert describe("x" * 9_000)[0].startswith("<str of 9000: 'xxx")
    assert describe(list(range(9_000)))[0].startswith("<list of 9000: 0, 1, 2, ")
    assert describe(10**9_000)[0] == "<int of 29898 bits>"
    assert describe({1: list(range(9_000))})[0].startswith("<dict of 1: ")


LOOP = "def f(n):\n    t = 0\n    for i in range(n):\n        t += i\n    return t\n"


def test_a_call_that_is_killed_keeps_what_was_cut(box: Sandbox) -> None:
    program = Program("def f():\n    n = 0\n    while True:\n        n += 1\n", "f")
    limits = box.limits.but(cpu_seconds=0.5)
    trace = tracing.trace(
        program, Case(()), box, limits=TraceLimits(steps=100), sandbox_limits=limits
    )
    assert trace.status is Status.TIMEOUT
    assert trace.cut == "steps"
    assert len(trace.steps) == 100


def test_a_capped_trace_of_a_long_loop_is_cheap() -> None:
    function = load(LOOP)
    ratios = []
    for _ in range(2):
        start = time.process_time()
        function(300_000)
        untraced = time.process_time() - start
        start = time.process_time()
        trace = record(LOOP, 300_000, limits=TraceLimits(steps=500), function=function)
        ratios.append((time.process_time() - start) / untraced)
        assert trace.cut == "steps"
        assert len(trace.steps) == 500
    assert min(ratios) < 3.0  # traced to the end it would be near 50


def test_a_program_that_ends_the_tracing_is_flagged() -> None:
    source = (
        "import sys\n\n\ndef f():\n    sys.settrace(None)\n"
        "    if hasattr(sys, 'monitoring'):\n        sys.monitoring.set_events(4, 0)\n"
        "    return 1\n"
    )
    trace = record(source)
    assert trace.result == "1"
    assert trace.flags == ("tampered",)
    raising = "def f():\n    raise ValueError\n"
    after = record(raising)
    assert [step.event for step in after.steps] == ["call", "line", "exception"]


def test_names_that_are_no_names_do_no_harm() -> None:
    source = (
        "import sys\n\ndef f(n):\n    class A:\n        locals()[7] = n\n    try:\n"
        "        sys._getframe().f_locals[1] = 2\n    except TypeError:\n        pass\n"
        "    y = n\n    del n\n    return y\n"
    )
    trace = record(source, 1)
    assert (trace.result, trace.cut, trace.flags) == ("1", "", ())
    assert [c.name for s in trace.steps for c in s.changes if c.text is None] == ["n"]


def test_a_failure_of_the_tracer_is_not_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Describer, "describe", lambda self, value: 1 / 0)
    trace = record("def f(n):\n    return n + 1\n", 1)
    assert (trace.result, trace.cut) == ("2", "failure")


def test_a_forged_payload_is_no_trace() -> None:
    from semcoder_lib.tracing.tracer import Malformed, read_payload

    head = '{"frames":[["f",0,[]]],"cut":"","flags":[],"steps":['
    assert len(read_payload(head + '[0,1,0,"x","1"],[1,2,0],[2,2,0,["<g>"]]]}')[0]) == 3
    for payload in (
        "", "[]", "{}", "[" * 100_000, head,
        '{"frames":[],"steps":[[1,1,0]],"cut":"","flags":[]}',
        '{"frames":[["f",0]],"steps":[],"cut":"","flags":[]}',
        '{"frames":[["f",0,[]]],"steps":[],"cut":5,"flags":[]}',
        '{"frames":[["f",0,[]]],"steps":[],"cut":"","flags":[7]}',
        '{"frames":[["f","a",[]]],"steps":[],"cut":"","flags":[]}',
        '{"frames":[["f",Infinity,[]]],"steps":[],"cut":"","flags":[]}',
        head + "7]}", head + '"x"]}', head + "[]]}", head + "[1,2]]}", head + "[true,1,0]]}",
        head + '[1,"x",0]]}', head + "[1,1,-1]]}", head + "[1,-1,0]]}", head + "[-1,1,0]]}",
        head + "[1,1,9]]}", head + "[9,1,0,null]]}", head + '[1,1,0,"a"]]}',
        head + '[1,1,0,"a",5]]}', head + '[1,1,0,"a",["b","c"]]]}', head + '[1,1,0,5,"a"]]}',
        head + '[1,1,0,"q:a","1"]]}', head + "[2,1,0]]}", head + "[2,1,0,5]]}",
        head + '[2,1,0,{"a":1}]]}',
    ):  # fmt: skip
        with pytest.raises(Malformed):
            read_payload(payload)


def test_the_same_run_gives_the_same_bytes(box: Sandbox) -> None:
    source = "def f(xs):\n    s = {str(x) for x in xs}\n    o = object()\n    return sorted(s)\n"
    program, case = Program(source, "f"), Case((list(range(50)),))
    first = tracing.trace(program, case, box)
    with Sandbox(workers=1) as other:
        assert tracing.trace(program, case, other) == first


def test_no_address_gets_into_a_trace() -> None:
    import functools
    import operator

    text, exact, _ = Describer().describe(functools.partial(operator.is_not, 3))
    assert text.startswith("<partial")
    assert "args=(3,)" in text
    assert "offset" not in text
    assert not exact
