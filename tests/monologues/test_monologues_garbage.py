"""No text, program or value makes the verifier raise, or takes it long."""

from __future__ import annotations

import random
import re
import resource
import time

import blind
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.monologues import forward, verify

FOREIGN = (
    "Der Wert von total ist 4.", "总和是 4", "int main() { return 0; }", "[L2] " * 50, "((((" * 200,
    "`" * 999, "x = " * 500, "[L3] x = [1, 2", "'" * 77, "2 ** 20000 = 5", "[L2] 9" + "9" * 6000,
    "[L4] if: " + "not " * 3000 + "x is True, so [L5].", "\x00\ud800\ufeff", "#1 " * 4000,
    "[L1] f is called with nums = " + "[" * 400 + "]" * 400 + ".", "max(*range(10**9)) = 3",
    "9" * 5000 + "th iteration (n = 1):", "- See [L" + "9" * 5000 + "] and lines " + "8" * 5000,
    "- iteration 0 (i = 1)\n- iteration 1 (i = 2)\n" * 60, "[" * 20_000, "`total` is 4; " * 400,
    "[L2] [*range(10**9)] = [], so total = 0.", "'a' * 10**9 = 'a'", "assert f(" + "1+" * 5000,
    "y = 1 " * 3300, "`total` is 4 and " * 1100, "loop " * 4000, "total is 4 " * 1800,
    "y = 1\n" * 170_000, "'\\" * 50_000,
)  # fmt: skip
SECONDS = 1.0


@pytest.fixture(scope="module")
def material(runs: list) -> list:
    """(run, text) of derived monologues."""
    good = [r for r in runs if r.trace.result is not None and not r.trace.cut]
    return [(r, forward(r.program, r.trace, case=r.case).text) for r in good[::4]]


def check(text: str, run, *, seconds: float = SECONDS) -> None:
    began = time.process_time()
    for direction in ("forward", "backward"):
        case = run.case if direction == "forward" else Case((), 4)
        trace = run.trace if direction == "forward" else Trace(())
        report = verify(text, run.program, case, None, direction=direction, trace=trace)
        assert report.claims
        for claim in report.claims:
            assert 0 <= claim.place[0] <= claim.place[1] <= max(len(text), claim.place[1])
    assert time.process_time() - began < 2 * seconds, text[:80]


@pytest.mark.parametrize("text", FOREIGN, ids=lambda t: ascii(t[:16]))
def test_foreign_texts(material: list, text: str) -> None:
    run, derived = material[0]
    for made in (text, f"### Execution Simulation\n{text}\n{text}", f"{derived}\n{text}"):
        check(made, run, seconds=4 * SECONDS)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), junk=st.text(max_size=60))
def test_mangled_texts(material: list, seed: int, junk: str) -> None:
    """Cut, shuffled, repeated, mixed with other texts and with junk."""
    rng = random.Random(seed)
    run, text = rng.choice(material)
    lines = text.split("\n")
    how = rng.randrange(6)
    if how == 0:
        text = text[: rng.randrange(len(text))]
    elif how == 1:
        rng.shuffle(lines)
        text = "\n".join(lines)
    elif how == 2:
        text = "\n".join(line for line in lines for _ in range(rng.randrange(3)))
    elif how == 3:
        at = rng.randrange(len(text))
        text = text[:at] + junk + text[at:]
    elif how == 4:
        text = rng.choice(material)[1]
    else:
        for change in blind.alterations(text, rng, 5):
            text = change.text
    check(text, run)


def test_numbers_of_thousands_of_digits(material: list) -> None:
    for run, text in material[::6]:
        for number in list(re.finditer(r"\d+", text))[::3][:20]:
            check(text[: number.start()] + "9" * 5000 + text[number.end() :], run)


def test_a_megabyte_is_read_in_time_and_memory(material: list) -> None:
    run, text = material[3]
    body = text.partition("### Execution Simulation\n")[2].partition("### Conclusion")[0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    long = "### Execution Simulation\n" + body * (1_000_000 // len(body))
    verify(long, run.program, run.case, None, trace=run.trace)
    assert time.process_time() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000


@pytest.mark.parametrize(
    "source",
    ["def f(x):\n    return x" + " + 1" * 1500 + "\n", "def f(", "", "x" * 100_000,
     "def f(x):\n" + "".join(f"{' ' * (i + 1)}if x:\n" for i in range(60)) + " " * 61 + "pass\n"],
    ids=["long sum", "cut", "empty", "one name", "deep"],
)  # fmt: skip
def test_odd_programs(source: str) -> None:
    report = verify("[L1] f is called.", Program(source, "f"), Case((1,), 1), None)
    assert not report.accepted
