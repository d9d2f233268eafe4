"""What is made of a corpus: derived monologues, ablation formats and controls, hub rows."""

from __future__ import annotations

from random import Random

import monologue_programs
import pytest

from semcoder_lib import monologues, tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Monologue, Program, Status, Trace
from semcoder_lib.models import prompts
from semcoder_lib.monologues import Style, derive_many
from semcoder_lib.monologues.derive import CONTROLS, FORMATS
from semcoder_lib.monologues.verify.fresh import mutated
from semcoder_lib.sandbox import Job, Sandbox

NAMES = (
    "sum_multiples", "backwards", "caesar", "two_sum", "bubble_sort", "is_palindrome", "unique",
    "grade", "merge", "word_counts", "fizz", "gcd",
)  # fmt: skip


def answer_of(text: str) -> str:
    """The value on the right of a completion's assertion, as text."""
    return text.rpartition("[ANSWER]\n")[2].partition(" == ")[2].partition("\n[/ANSWER]")[0]


@pytest.fixture(scope="module")
def entries(box: Sandbox) -> list[Entry]:
    found = []
    for program, inputs in monologue_programs.load():
        if program.id not in NAMES:
            continue
        rng = Random(program.id)
        pool = [v for given in inputs for v in given]
        calls = list(inputs)
        for _ in range(6):
            given = list(rng.choice(inputs))
            at = rng.randrange(len(given))
            given[at] = mutated(given[at], pool, rng)
            if tuple(given) not in calls:
                calls.append(tuple(given))
        job = Job(program.source, program.entry_point, calls, share=True)
        outcomes = next(iter(box.map([job])))
        cases = [
            Case(c, o.value, program.id)
            for c, o in zip(calls, outcomes, strict=True)
            if o.status is Status.OK
        ]
        found.append(Entry(program, tuple(cases)))
    return found


@pytest.fixture(scope="module")
def derived(entries: list[Entry], box: Sandbox) -> tuple[list[Monologue], dict[str, object]]:
    return derive_many(entries, box, seed=5, per_program=2)


def test_the_funnel_accounts_for_everything(
    entries: list[Entry], derived: tuple[list[Monologue], dict[str, object]]
) -> None:
    made, funnel = derived
    for direction in ("forward", "backward"):
        counts = funnel[direction]
        assert isinstance(counts, dict)
        assert counts["asked"] == counts["accepted"] + sum(counts["dropped"].values())
        assert counts["accepted"] == sum(m.direction == direction for m in made)
        assert counts["claims"]["contradicted"] == 0
        assert counts["accepted"] >= 0.8 * counts["asked"]
    assert {m.program_id for m in made} == set(NAMES)


def test_forward_answers_are_the_recorded_outputs(
    entries: list[Entry], derived: tuple[list[Monologue], dict[str, object]]
) -> None:
    recorded = {
        (e.program.id, monologues.call_text(e.program, c)): values.encode(c.output)
        for e in entries
        for c in e.cases
    }
    forward = [m for m in derived[0] if m.direction == "forward"]
    assert forward
    programs = {e.program.id: e.program for e in entries}
    for m in forward:
        call = monologues.call_text(programs[m.program_id], m.case)
        output = values.encode(m.case.output)
        assert recorded[m.program_id, call] == output == answer_of(m.text)


def test_workers_and_repetition_change_nothing(entries: list[Entry], box: Sandbox) -> None:
    some = entries[:4]
    one, _ = derive_many(some, box, seed=5, directions=("forward",))
    two, _ = derive_many(some, box, seed=5, directions=("forward",), workers=2)
    assert one == two


def test_a_case_whose_output_is_wrong_is_dropped(entries: list[Entry], box: Sandbox) -> None:
    program = entries[0].program
    wrong = Entry(program, (Case(entries[0].cases[0].arguments, "wrong"),))
    made, funnel = derive_many([wrong], box, directions=("forward",))
    assert made == []
    assert funnel["forward"]["dropped"] == {"result differs from the recorded output": 1}


def test_an_unknown_direction_is_refused(box: Sandbox) -> None:
    with pytest.raises(UserError, match="sideways"):
        derive_many([], box, directions=("sideways",))


# --- ablation ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(box: Sandbox) -> tuple[Program, Case, Trace]:
    program = monologue_programs.named("sum_multiples")
    case = Case(([4, 7, 6], 2), 10)
    return program, case, tracing.trace(program, case, box)


@pytest.mark.parametrize("format", [*FORMATS, *CONTROLS])
def test_every_format_ends_with_the_right_answer(
    run: tuple[Program, Case, Trace], format: str
) -> None:
    prompt, completion = monologues.ablation(*run, format)
    assert answer_of(completion if format != "direct" else f"[ANSWER]\n{completion}") == "10"
    assert completion.endswith("assert sum_multiples([4, 7, 6], 2) == 10\n[/ANSWER]")
    shape = "monologue" if format in CONTROLS else format
    call = "sum_multiples([4, 7, 6], 2)"
    assert prompt == prompts.forward(run[0].source, call, format=shape).text


def test_the_shuffled_control_has_the_form_but_not_the_steps(
    run: tuple[Program, Case, Trace], box: Sandbox
) -> None:
    _, true = monologues.ablation(*run, "monologue")
    _, control = monologues.ablation(*run, "shuffled")
    assert sorted(true) == sorted(control)  # the same characters, so the same length
    assert true.count("\n") == control.count("\n")
    program, case, trace = run
    report = monologues.verify(control, program, case, box, direction="forward", trace=trace)
    assert report.answer_right
    assert report.contradicted > 5


def test_the_wordless_control_is_as_long_and_says_nothing(run: tuple[Program, Case, Trace]) -> None:
    _, true = monologues.ablation(*run, "monologue")
    _, control = monologues.ablation(*run, "answer_only")
    assert abs(len(true) - len(control)) <= 1
    assert "[L" not in control
    assert "total" not in control


def test_an_unknown_format_is_refused(run: tuple[Program, Case, Trace]) -> None:
    with pytest.raises(UserError, match="poem"):
        monologues.ablation(*run, "poem")


# --- properties -------------------------------------------------------------------------------


def texts(found: tuple[monologues.Property, ...]) -> set[str]:
    return {p.text for p in found}


def test_what_fails_on_fresh_inputs_is_not_stated(box: Sandbox) -> None:
    """On the known cases the result is never negative; on mutated ones it is."""
    program = Program("def f(n):\n    return n - 2\n", "f")
    cases = [Case((n,), n - 2) for n in range(3, 12)]
    found = texts(monologues.infer(program, cases, box))
    assert "The result is always an int." in found
    assert not any("at least" in text for text in found)


def test_brief_monologues_are_the_steps_alone_and_hold(entries: list[Entry], box: Sandbox) -> None:
    style = Style(brief=True, check=250)
    made, funnel = derive_many(entries, box, seed=5, style=style)
    assert {m.direction for m in made} == {"forward", "backward"}
    for m in made:
        heading = "Execution Simulation" if m.direction == "forward" else "Reverse Deduction"
        assert m.text.startswith(f"### {heading}\n[L")
        assert m.text.count("###") == 1
        assert answer_of(m.text) == values.encode(m.case.output)
    for counts in funnel.values():
        assert counts["accepted"] >= 0.8 * len(entries)
        assert counts["claims"].get("contradicted", 0) == 0


@pytest.mark.parametrize("style", [Style(brief=True), monologues.STYLES["dense"]])
def test_controls_work_on_brief_monologues(
    style: Style, entries: list[Entry], box: Sandbox
) -> None:
    entry = next(e for e in entries if e.program.id == "bubble_sort")
    trace = tracing.trace(entry.program, entry.cases[0], box)
    told = monologues.forward(entry.program, trace, style=style, case=entry.cases[0])
    _, mixed = monologues.ablation(
        entry.program, entry.cases[0], trace, "shuffled", monologue=told, seed=3
    )
    assert mixed != told.text
    assert sorted(mixed) == sorted(told.text)
    lines, before = mixed.split("\n"), told.text.split("\n")
    assert len(set(lines) & set(before)) < len(lines) / 2, "steps and labels are parted"
    assert answer_of(mixed) == answer_of(told.text)


def test_bullets_are_told_and_claimed(entries: list[Entry], box: Sandbox) -> None:
    entry = next(e for e in entries if e.program.id == "unique")
    held = monologues.infer(entry.program, entry.cases, box)
    trace = tracing.trace(entry.program, entry.cases[0], box)
    made = monologues.forward(
        entry.program, trace, case=entry.cases[0], style=Style(properties=held[:2])
    )
    report = monologues.verify(made.text, entry.program, entry.cases[0], box)
    bullets = [c for c in report.claims if c.kind == "property"]
    claims = [c for c in bullets if made.text.startswith("- ", c.place[0])]
    assert [made.text[slice(*c.place)] for c in claims] == [f"- {p.text}" for p in held[:2]]
    assert {c.status for c in claims} == {"supported"}
