"""From right programs, or from a model's, to accepted faults: what is accepted holds, and a build
can be repeated."""

from __future__ import annotations

import functools
import time

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib.core import records, workspace
from semcoder_lib.core.records import Case, Completion, Entry, Fault, Program
from semcoder_lib.faults.evidence import passing
from semcoder_lib.faults.rows import SECTIONS
from semcoder_lib.sandbox import Sandbox

LIMIT = 40


@pytest.fixture(scope="module")
def built(entries, box):
    return pyx_r.build(entries, box, limit=LIMIT, seed=0)


def hold(faults: list[Fault], entries: list[Entry], box: Sandbox) -> bool:
    """Whether each fix passes all cases of its entry and the failing one, each buggy program does
    not, and the program after `[Refined]` is the fix."""
    cases = {e.program.id: e.cases for e in entries}
    programs = [
        (source, f.entry_point, (f.case, *cases[f.program_id]))
        for f in faults
        for source in (f.fixed, f.buggy)
    ]
    refined = [pyx_r.refined_code(f.rationale) == f.fixed for f in faults]
    return all(refined) and passing(programs, box) == [True, False] * len(faults)


def test_accepted_faults_are_of_many_operators_and_hold_in_a_fresh_sandbox(built, entries) -> None:
    faults, funnel = built
    assert len(faults) == funnel["accepted"] == len({f.id for f in faults}) == LIMIT
    assert len({f.operator for f in faults}) >= 15
    assert funnel["mutants"] > LIMIT
    assert not {"contradicted", "unverifiable"} & set(funnel)
    with Sandbox() as fresh:
        assert hold(faults, entries, fresh)


def test_every_fault_has_the_papers_form_a_small_case_and_a_hub_row(built, entries) -> None:
    given = {e.program.id: e.cases for e in entries}
    shorter = 0
    for fault in built[0]:
        assert {c.status for c in fault.claims} == {"supported"}
        assert len(fault.claims) >= 5
        prompt, completion = pyx_r.example(fault)
        assert prompt.endswith("[MONOLOGUE]\n")
        assert pyx_r.failed_test(fault) in prompt
        parts = [*SECTIONS, "[/MONOLOGUE]", "[Refined]", "[/Refined]"]
        places = [completion.index(part) for part in parts]
        assert places == sorted(places)
        assert len(prompt) + len(completion) <= 2400
        assert pyx_r.refined_code(completion) == fault.fixed
        longest = max(len(records.values.encode(c.arguments)) for c in given[fault.program_id])
        call = len(records.values.encode(fault.case.arguments))
        assert call <= longest
        shorter += call < longest
        assert records.from_row(records.Fault, records.to_row(fault)) == fault
        back = pyx_r.from_hub(pyx_r.to_hub(fault))
        for name in ("buggy", "fixed", "rationale"):
            assert getattr(back, name) == getattr(fault, name)
        assert (back.case.arguments, back.origin) == (fault.case.arguments, "hub")
        assert repr(back.case.output) == repr(fault.case.output)
    assert shorter > LIMIT / 2


def test_the_number_of_workers_does_not_change_a_byte(entries, box) -> None:
    def built(box: Sandbox) -> tuple[list[str], dict[str, int]]:
        faults, funnel = pyx_r.build(entries[:12], box, limit=12, seed=0)
        return [workspace.dumps(records.to_row(f)) for f in faults], funnel

    with Sandbox(workers=1) as single:
        assert built(single) == built(box)


def test_the_seed_and_the_length_of_a_row_are_as_asked(entries, box) -> None:
    other, same = (pyx_r.build(entries[9:12], box, limit=4, seed=s)[0] for s in (1, 0))
    assert [f.id for f in other] != [f.id for f in same]
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
    assert sum(funnel.values()) == 2 * funnel["mutants"]  # each is accepted or dropped
    assert all("abs" in f.fixed for f in faults)

    # a reference that fails its own case gives no faults
    entry = Entry(Program("def f(x):\n    return x + 1\n", "f", id="p"), (Case((1,), 5),))
    faults, funnel = pyx_r.build([entry], box, limit=5)
    assert faults == []
    assert funnel == {"accepted": 0, "mutants": 0, "reference_fails": 1}


FENCED = "```python\ndef f(a, b):\n    return a - b\n```"
UNREADABLE = [
    {"fault": 3},
    {"fault": "f is wrong", "response": FENCED},
    {"response": None},
    {"response": "just change it"},
    *({"test": f"assert f({call}"} for call in (
        "x, 1) == 2", "1, 2) > 2", "1, c=2) == 3", "\0) == 2", "1, " + "9" * 5_000 + ") == 2",
        "(" * 3000 + "1" + ")" * 3000 + ", 1) == 2", "1, 2) == " + "1 + " * 20_000 + "1",
    )),
]  # fmt: skip


def hub_row(test: str = "assert f(3, 1) == 2", response: str = FENCED, **row) -> dict:
    wrong = FENCED.replace("-", "+")
    parts = f"### Problem\nd\n### Buggy Solution\n{wrong}\n### Failed Test\n```\n{test}\n```"
    return {"id": "r1", "fault": parts, "response": response, **row}


def test_long_rows_are_read_in_moderate_time() -> None:
    """Where time grew with the square of the length these took minutes."""
    titles, fences = "# Problem\n" * 20_000, "\n# Buggy Solution\n```python\n" * 20_000
    many = "assert f(3, 1) == 2; " * 3_000
    started = time.process_time()
    for text in (titles, f"# Problem\n{fences}", f"# Problem{chr(10) * 200_000}"):
        assert pyx_r.from_hub(hub_row(fault=text)) is None
    assert pyx_r.from_hub(hub_row(test=many)).case == Case((3, 1), 2)
    assert time.process_time() - started < 20


def test_a_hub_row_is_run_before_it_is_believed_and_an_odd_one_is_counted(box) -> None:
    good = [hub_row(test=f"assert f({call}) == 2") for call in ("3, 1", "3, b=1", "b=1, a=3")]
    good.append(hub_row(id=functools.reduce(lambda deep, _: [deep], range(2_000), 1)))
    wrong_fix, no_bug = hub_row("assert f(3, 1) == 3"), hub_row("assert f(3, 0) == 3")
    odd = [hub_row(**change) for change in UNREADABLE]
    faults, funnel = pyx_r.read_hub([*odd, *good, wrong_fix, no_bug], box)
    assert [(f.case, f.actual) for f in faults] == [(Case((3, 1), 2), "4")] * 4
    assert [f.id for f in faults] == ["r1", "r1", "r1", "list"]
    assert funnel == {"accepted": 4, "rows": len(odd) + 6, "unreadable": len(odd),
                      "does not hold": 2}  # fmt: skip


@pytest.mark.parametrize("source", [
    "x = " + "1 + " * 20_000 + "1", "(" * 5_000, "x = " + "9" * 5_000, "\0", "def f(:",
])  # fmt: skip
def test_a_program_that_python_cannot_read_has_no_form_and_no_mutants(source: str) -> None:
    with pytest.raises(SyntaxError):
        pyx_r.normal_form(source)
    assert list(pyx_r.mutate(Program(source, "f"))) == []
    assert pyx_r.signature(Program(source, "f")) == "def f(...):"


# --- a model's own wrong programs ----------------------------------------------------------------

ONE_EDIT = """def sum_multiples(nums, k):
    total = 0
    for n in nums:
        if n % k == 1:
            total += n
    return total
"""
REWRITE = "def clamp(x, low, high):\n    return low if x < low else x\n"
RIGHT = """def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
"""


COMPLETIONS = [
    Completion("sum_multiples", "Here it is:\n```python\n" + ONE_EDIT + "```\nDone."),
    Completion("clamp", REWRITE + "\nprint(clamp(3, 1, 2))\n```\nThis works."),
    Completion("fib", RIGHT),
    Completion("fib", "I cannot do that."),
    Completion("fib", "def fib(n):\n    while True:\n        pass\n"),
    Completion("fib", "import nowhere\ndef fib(n):\n    return nowhere.f(n)\n"),
    Completion("clamp", REWRITE),
    Completion("unknown", RIGHT),
    Completion("rotate", "def rotate(items, k):\n    return items[k:] + items[:k]\n\ndef rot"),
]


def test_wrong_programs_become_faults_with_the_nearest_fix_and_the_rest_is_counted(
    entries, box
) -> None:
    faults, funnel = pyx_r.from_completions(entries, COMPLETIONS, box)
    assert [f.program_id for f in faults] == ["sum_multiples", "clamp", "rotate"]
    assert {f.origin for f in faults} == {"model"}
    assert funnel == {
        "accepted": 3, "completions": 9, "duplicate": 1, "load_error": 1, "no_entry": 1,
        "no_program": 1, "passed": 1, "repaired": 1, "timeout": 1,
    }  # fmt: skip
    # one edit of the model's own program where one is right
    first, _, third = faults
    assert first.fixed == ONE_EDIT.replace("== 1", "== 0")
    assert first.line == 4
    assert "k %= len(items)" in third.fixed
    assert hold(faults, entries, box)


# --- a teacher's rationales ----------------------------------------------------------------------


class Scripted:
    def __init__(self, texts: dict[str, list[str]]) -> None:
        self.texts = texts
        self.prompts: list[str] = []

    def generate(self, requests):
        self.prompts += [r.prompt for r in requests]
        return [[Completion(r.task_id, t) for t in self.texts[r.task_id]] for r in requests]


@pytest.fixture(scope="module")
def taught(entries, box):
    return pyx_r.build(entries[:10], box, limit=3, seed=4)[0]


def test_the_first_good_sample_is_taken_and_every_bad_one_has_its_reason(
    taught, entries, box
) -> None:
    good = taught[0].rationale
    true = next(c for c in taught[0].claims if c.line)
    contradicted = good.replace(f"[L{true.line}]", "[L99]", 1)
    unfixed = good.replace(taught[0].fixed.rstrip(), taught[0].buggy.rstrip())
    # a teacher that does not state the edit in our words: the text says nothing false
    unfixed = unfixed.partition("### Bug Fixing\n")[0] + "### Bug Fixing\nI fixed it.\n" + (
        "[/MONOLOGUE]" + unfixed.partition("[/MONOLOGUE]")[2]
    )  # fmt: skip
    texts = {f.id: [f.rationale] for f in taught}
    texts[taught[0].id] = ["no sections", contradicted, unfixed, "Let me see.\n" + good, good]
    writer = Scripted(texts)
    kept, funnel = pyx_r.rewritten(taught, entries, writer, box)
    assert [f.id for f in kept] == [f.id for f in taught]
    assert kept[0].rationale == "Let me see.\n" + good
    assert funnel["incomplete"] == funnel["contradicted"] == funnel["fix_fails"] == 1
    assert funnel["samples"] == 7
    assert funnel["accepted"] == 3
    assert hold(kept, entries, box)


def test_the_teacher_is_shown_another_programs_rationale_first(taught, entries, box) -> None:
    writer = Scripted({f.id: [] for f in taught})
    pyx_r.rewritten(taught, entries, writer, box)
    for fault, prompt in zip(taught, writer.prompts, strict=True):
        assert fault.rationale not in prompt
        assert prompt.count("### Buggy Solution") == 2
        assert prompt.endswith("[MONOLOGUE]\n")
