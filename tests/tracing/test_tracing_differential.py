"""Tracing changes nothing: value, exception, printed text and status with and without it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from examples import GOLDEN

from semcoder_lib.sandbox import Job, Sandbox
from semcoder_lib.tracing import PLUGIN, options
from tests.bench.timing import cruxeval

Call = tuple[str, str, tuple[object, ...]]


def differences(calls: Sequence[Call], box: Sandbox, *, share: bool = False) -> list[str]:
    plain = box.map(Job(s, e, [a], share=share) for s, e, a in calls)
    traced = box.map(Job(s, e, [a], None, PLUGIN, options(s), share) for s, e, a in calls)
    pairs = zip([o for (o,) in plain], [o for (o,) in traced], calls, strict=True)
    found = []
    for untraced, seen, (source, _, _) in pairs:
        pair = ((o.status, o.text, o.stdout, o.exception) for o in (untraced, seen))
        if next(pair) != next(pair) or seen.payload is None:
            found.append(f"{untraced}\n{seen}\n{source}")
    return found


def test_golden_programs_and_prints(box: Sandbox) -> None:
    calls: list[Call] = [(e.source, "f", e.arguments) for e in GOLDEN]
    calls += [
        ("def f(x):\n    print('a')\n    y = x\n    print('b', end='')\n    return y\n", "f", (1,)),
        ("def f():\n    raise KeyError('k')\n", "f", ()),
        ("def f():\n    raise SystemExit(3)\n", "f", ()),
        ("def f(n):\n    return f(n + 1)\n", "f", (0,)),
        ("import sys\n\ndef f():\n    return sys.gettrace() is None or True\n", "f", ()),
        ("def f(x):\n    return [locals() for _ in x][:0], sorted(locals())\n", "f", ([1],)),
    ]
    assert differences(calls, box) == []


def test_synthesised_programs(box: Sandbox) -> None:
    seeds = pytest.importorskip("semcoder_lib.corpus.seeds")
    calls: list[Call] = []
    for program in seeds.synthesise(20, 7):
        for given in ((), (3,), ([2, 1],), ("ab",), ([1, 2], 2), (4, 5), ("a b", "b")):
            calls.append((program.source, program.entry_point, given))
    assert differences(calls, box) == []


@pytest.mark.data
@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_cruxeval(box: Sandbox, step: int) -> None:
    calls = [(source, "f", given) for source, given in cruxeval()]
    assert len(calls) > 780
    assert differences(calls[::step], box) == []
