"""From right programs to accepted faults: what is accepted holds, and a build can be repeated."""

from __future__ import annotations

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core import records, workspace
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.sandbox import Sandbox

LIMIT = 90


@pytest.fixture(scope="module")
def built(entries, box):
    return pyx_r.build(entries, box, limit=LIMIT, seed=0)


def test_the_limit_is_reached_with_many_operators(built) -> None:
    faults, funnel = built
    assert len(faults) == funnel["accepted"] == LIMIT
    assert len({f.operator for f in faults}) >= 15
    assert len({f.id for f in faults}) == LIMIT
    assert funnel["mutants"] > LIMIT
    assert "contradicted" not in funnel
    assert "unverifiable" not in funnel


def test_accepted_faults_hold_when_run_again_in_a_fresh_sandbox(built, entries) -> None:
    with Sandbox() as fresh:
        problems = [(f.id, p) for f, p in pyx_r.validate(built[0], entries, fresh) if p]
    assert problems == []


def test_every_claim_is_supported_and_there_are_several(built) -> None:
    for fault in built[0]:
        assert {c.status for c in fault.claims} == {"supported"}
        assert len(fault.claims) >= 5


def test_rationales_have_the_papers_form_and_fit(built) -> None:
    for fault in built[0]:
        prompt, completion = pyx_r.example(fault)
        assert prompt.endswith("[MONOLOGUE]\n")
        assert pyx_r.failed_test(fault) in prompt
        places = [
            completion.index(part)
            for part in (
                "### Execution Simulation", "### Root Cause Analysis", "### Bug Fixing",
                "[/MONOLOGUE]", "[Refined]", "[/Refined]",
            )
        ]  # fmt: skip
        assert places == sorted(places)
        assert len(prompt) + len(completion) <= 2400
        assert pyx_r.refined_code(completion) == fault.fixed


def test_the_failing_case_is_not_larger_than_the_smallest_given_one(built, entries) -> None:
    given = {e.program.id: e.cases for e in entries}
    shorter = 0
    for fault in built[0]:
        longest = max(len(records.values.encode(c.arguments)) for c in given[fault.program_id])
        call = len(records.values.encode(fault.case.arguments))
        assert call <= longest
        shorter += call < longest
    assert shorter > LIMIT / 2


def test_the_number_of_workers_does_not_change_a_byte(entries, built) -> None:
    with Sandbox(workers=1) as single:
        again, funnel = pyx_r.build(entries, single, limit=LIMIT, seed=0)
    assert [workspace.dumps(records.to_row(f)) for f in again] == [
        workspace.dumps(records.to_row(f)) for f in built[0]
    ]
    assert funnel == built[1]


def test_an_interrupted_build_goes_on_without_running_again(entries, box, tmp_path, built) -> None:
    cache = tmp_path / "faults.jsonl"
    first = pyx_r.build(entries, box, limit=LIMIT, seed=0, cache=cache)
    assert first == built

    class Unused:
        def map(self, jobs):
            assert not list(jobs), "a finished chunk was run again"
            return iter(())

    assert pyx_r.build(entries, Unused(), limit=LIMIT, seed=0, cache=cache) == built


def test_another_seed_gives_other_faults(entries, box, built) -> None:
    other, _ = pyx_r.build(entries[9:12], box, limit=4, seed=1)
    same, _ = pyx_r.build(entries[9:12], box, limit=4, seed=0)
    assert [f.id for f in other] != [f.id for f in same]


def test_a_row_is_not_longer_than_asked(entries, box) -> None:
    faults, funnel = pyx_r.build(entries[8:20], box, limit=10, max_characters=1400)
    assert faults
    assert funnel["long_row"] > 0
    assert max(sum(map(len, pyx_r.example(f))) for f in faults) <= 1400


def test_equivalent_mutants_and_endless_loops_are_dropped_and_counted(box) -> None:
    source = "def f(n):\n    x = abs(abs(n))\n    while n > 0:\n        n -= 1\n    return x\n"
    cases = tuple(Case((n,), abs(n)) for n in (0, 3, 5))
    entry = Entry(Program(source, "f", id="p"), cases)
    faults, funnel = pyx_r.build([entry], box, limit=500, per_program=100)
    assert funnel["equivalent"] >= 1
    assert funnel["timeout"] >= 1
    kept = funnel["accepted"]
    assert (
        kept + sum(v for k, v in funnel.items() if k not in ("accepted", "mutants"))
        == (funnel["mutants"])
    )
    assert all("abs" in f.fixed for f in faults)


def test_a_reference_that_fails_its_own_case_gives_no_faults(box) -> None:
    entry = Entry(Program("def f(x):\n    return x + 1\n", "f", id="p"), (Case((1,), 5),))
    faults, funnel = pyx_r.build([entry], box, limit=5)
    assert faults == []
    assert funnel == {"accepted": 0, "mutants": 0, "reference_fails": 1}


def test_validate_reports_a_row_whose_fix_fails_or_whose_bug_is_none(built, entries, box) -> None:
    import dataclasses

    fault = built[0][0]
    swapped = dataclasses.replace(fault, fixed=fault.buggy, id="a")
    harmless = dataclasses.replace(fault, buggy=fault.fixed, id="b")
    problems = {f.id: p for f, p in pyx_r.validate([swapped, harmless], entries, box)}
    assert problems["a"].startswith("the fix")
    assert "does not fail" in problems["b"]


def test_hub_rows_round_trip(built) -> None:
    for fault in built[0][:20]:
        row = pyx_r.to_hub(fault)
        assert set(row) == {"id", "fault", "response"}
        back = pyx_r.from_hub(row)
        assert (back.buggy, back.fixed, back.case.arguments, back.rationale) == (
            fault.buggy, fault.fixed, fault.case.arguments, fault.rationale,
        )  # fmt: skip
        assert repr(back.case.output) == repr(fault.case.output)
        assert back.origin == "hub"


FENCED = "```python\ndef f(a, b):\n    return a - b\n```"
ODD = {
    "no column": ({"fault": 3}, "missing or not text"),
    "no parts": ({"fault": "f is wrong", "response": FENCED}, "no problem"),
    "no program": ({"response": "just change it"}, "no fenced program"),
    "no literals": ({"test": "assert f(x, 1) == 2"}, "no test of the form"),
    "no equation": ({"test": "assert f(1, 2)"}, "no test of the form"),
    "deep": ({"test": "assert f(" + "(" * 3000 + "1" + ")" * 3000 + ", 1) == 2"}, "no test"),
    "long sum": ({"test": "assert f(1, 2) == " + "1 + " * 20_000 + "1"}, "no test"),
    "digits": ({"test": "assert f(1, " + "9" * 5_000 + ") == 2"}, "no test of the form"),
    "null": ({"test": "assert f(\0) == 2"}, "no test of the form"),
    "unknown name": ({"test": "assert f(1, c=2) == 3"}, "no test of the form"),
}


def hub_row(test: str = "assert f(3, 1) == 2", response: str = FENCED, **row) -> dict:
    parts = f"### Problem\nd\n### Buggy Solution\n{FENCED}\n### Failed Test\n```\n{test}\n```"
    return {"id": "r1", "fault": parts, "response": response, **row}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_row_has_a_reason(name: str) -> None:
    change, reason = ODD[name]
    found = pyx_r.from_hub(hub_row(**change))
    assert isinstance(found, str)
    assert found.startswith("PyX-R row r1: ")
    assert reason in found


def test_named_arguments_are_read_by_the_signature() -> None:
    for test in ("assert f(3, b=1) == 2", "assert f(b=1, a=3) == 2"):
        assert pyx_r.from_hub(hub_row(test=test)).case == Case((3, 1), 2)


@pytest.mark.parametrize("source", [
    "x = " + "1 + " * 20_000 + "1", "(" * 5_000, "x = " + "9" * 5_000, "\0", "def f(:",
])  # fmt: skip
def test_a_program_that_python_cannot_read_has_no_form_and_no_mutants(source: str) -> None:
    with pytest.raises(SyntaxError):
        pyx_r.normal_form(source)
    assert list(pyx_r.mutate(Program(source, "f"))) == []
    assert pyx_r.signature(Program(source, "f")) == "def f(...):"


def test_faults_survive_their_json_rows(built) -> None:
    for fault in built[0][:20]:
        assert records.from_row(records.Fault, records.to_row(fault)) == fault
