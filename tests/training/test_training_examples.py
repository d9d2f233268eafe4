"""Rows to train on have the prompts that the evaluation gives, in every style and every run."""

from __future__ import annotations

import collections

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib import monologues, refinement, tracing, training
from semcoder_lib.core.records import Case, Entry, Monologue, Program
from semcoder_lib.evaluation import codegen, execution
from semcoder_lib.models import prompts
from semcoder_lib.refinement import feedbacks, run_checks, shown_solution
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.training import examples

PROGRAM = Program("def f(text, n):\n    a = 'x' * n\n    return text + a\n", "f", id="p1")
CASES = (Case(("b", 2), "bxx"), Case(("'", 0), "'"), Case(("", 1), "x"))
MONOLOGUES = (
    Monologue("text", "forward", CASES[2], program_id="p1"),
    Monologue("text", "backward", CASES[0], program_id="p1"),
)
STYLES = ["clean", pytest.param("faithful", marks=pytest.mark.data)]


@pytest.mark.parametrize("style", STYLES)
def test_prompts_of_training_are_the_evaluations(style: str) -> None:
    entry = Entry(PROGRAM, CASES)
    rows = examples.monologue_examples({"p1": PROGRAM}, MONOLOGUES, style=style)
    for seed in range(8):  # some ask for a call, some for an output
        rows += examples.direct_examples([entry], seed=seed, style=style)
    assert len(rows) == 10
    other = {"clean": "faithful", "faithful": "clean"}[style]
    for row in rows:
        assert row.prompt in execution.questions(entry, row.task, style=style)
        if prompts.authors_prompts() is not None:
            assert row.prompt not in execution.questions(entry, row.task, style=other)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("format", prompts.FORMATS)
def test_the_ablation_asks_as_the_evaluation_does(style: str, format: str) -> None:
    case = CASES[0]
    with Sandbox(workers=1) as box:
        trace = tracing.trace(PROGRAM, case, box)
    prompt, completion = monologues.ablation(PROGRAM, case, trace, format, prompt_style=style)
    asked = prompts.forward(PROGRAM.source, "f('b', 2)", format=format, style=style)
    assert prompt == asked.text
    assert prompt.endswith(asked.prefill)
    assert completion


@pytest.mark.parametrize("style", STYLES)
def test_code_is_fenced_whatever_the_prompt_opened(style: str) -> None:
    program = Program(PROGRAM.source, "f", id="p", description="Append n times x.")
    row = examples.nl_example(program, style=style)
    whole = prompts.nl_to_code("", style=style).prefill + row.completion
    assert whole.startswith("```python\ndef f(text, n):")
    assert whole.endswith("\n```")
    assert codegen._FENCE == "```python\n"


def test_direct_rows_begin_as_the_evaluation_asks_and_go_on_with_other_cases() -> None:
    cases = [Case((n,), n + 1) for n in range(8)] + [Case(("a" * 200,), None)]
    directions = []
    for name in "abcdefgh":
        program = Program("def f(x):\n    return x + 1\n", "f", id=name, split="train")
        entry = Entry(program, tuple(cases))
        (row,) = examples.direct_examples([entry], seed=1, style="clean")
        answers = [line for line in row.completion.split("\n") if line.startswith("assert ")]
        call, _, output = answers[0].removeprefix("assert ").partition(" == ")
        asked = {
            prompts.execution(
                way, program.source, "f", call, output, format="direct", style="clean"
            ).text: way
            for way in ("forward", "backward")
        }
        directions.append(asked[row.prompt])
        assert row.completion.split("\n")[1] == "[/ANSWER]"
        assert len(set(answers)) == 6
        for answer in answers:
            left, _, right = answer.removeprefix("assert f(").partition(") == ")
            assert int(left) + 1 == int(right)
        assert [row] == examples.direct_examples([entry], seed=1, style="clean")
        long = Entry(program, tuple(cases[-1:]))
        assert examples.direct_examples([long], seed=1, style="clean") == []
    assert set(directions) == {"forward", "backward"}


def test_rows_of_table_4_hold_the_recorded_run_as_the_evaluation_shows_it() -> None:
    program = Program(
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n",
        "f", id="sum", description="Add the numbers of a list.", split="train",
    )  # fmt: skip
    cases = tuple(Case((list(range(n)),), sum(range(n))) for n in range(2, 8))
    with Sandbox(workers=1) as box:
        faults, _ = pyx_r.build([Entry(program, cases)], box, limit=3, seed=1)
        rows = examples.traced_examples(faults, box, style="clean")
        tasks = {task.id: task for task in refinement.from_faults(faults, [Entry(program, cases)])}
        assert rows
        for row in rows:
            task = tasks[row.id.removesuffix(":traced")]
            assert task.initial is not None
            seen = run_checks([(task.initial, "f", task.public, 0.0)], box)[0]
            (shown,) = feedbacks([(task, task.initial, task.public, seen.passed)], "trace", box)
            assert "[STATE" in shown.trace or "[INPUT" in shown.trace
            asked = prompts.refine(
                task.problem, shown_solution(task.initial), shown.failed_test, trace=shown.trace
            )
            assert row.prompt == asked.text
            assert "### Bug Fixing" in row.completion
            assert "### Execution Simulation" not in row.completion


def test_the_mix_has_its_shares_and_is_limited_by_the_scarcest() -> None:
    def pool(task: str, count: int) -> list[training.Example]:
        return [training.Example(f"{task}{n}", task, "p", "x" * 10) for n in range(count)]

    pools = {"forward": pool("forward", 100), "backward": pool("backward", 10), "direct": []}
    shares = {"forward": 0.5, "backward": 0.25, "direct": 0.25, "nl_to_code": 0.0}
    chosen = examples.mixed(pools, shares, seed=1)
    assert collections.Counter(e.task for e in chosen) == {"forward": 20, "backward": 10}
    assert chosen == examples.mixed(pools, shares, seed=1)
    assert [e.id for e in chosen] != [e.id for e in examples.mixed(pools, shares, seed=2)]
    assert examples.mixed({"direct": []}, {"direct": 1.0}, seed=1) == []
