"""Rows to train on have the prompts that the evaluation gives, in every style and every run."""

from __future__ import annotations

import pytest

from semcoder_lib import monologues, tracing, training
from semcoder_lib.core.records import Case, Entry, Monologue, Program
from semcoder_lib.evaluation import codegen
from semcoder_lib.models import prompts
from semcoder_lib.run.stages import training_rows
from semcoder_lib.sandbox import Sandbox

PROGRAM = Program("def f(text, n):\n    a = 'x' * n\n    return text + a\n", "f", id="p1")
CASES = (Case(("b", 2), "bxx"), Case(("'", 0), "'"), Case(("", 1), "x"))
MONOLOGUES = (
    Monologue("text", "forward", CASES[2], program_id="p1"),
    Monologue("text", "backward", CASES[0], program_id="p1"),
)
STYLES = ["clean", pytest.param("faithful", marks=pytest.mark.data)]


def examples(style: str) -> list[training.Example]:
    made = training_rows.told({"p1": PROGRAM}, MONOLOGUES, style)
    for seed in range(8):  # some ask for a call, some for an output
        row = training_rows.direct_example(Entry(PROGRAM, CASES), seed, style)
        assert row is not None
        made.append(row)
    return made


@pytest.mark.parametrize("style", STYLES)
def test_prompts_of_training_are_the_evaluations(style: str) -> None:
    entry = Entry(PROGRAM, CASES)
    assert training_rows.check_prompts(examples(style), [entry], style) == 10
    other = {"clean": "faithful", "faithful": "clean"}[style]
    if prompts.authors_prompts() is not None:
        with pytest.raises(training.TrainingStopped, match="p1:forward"):
            training_rows.check_prompts(examples(style), [entry], other)


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
    row = training_rows.nl_example(program, style)
    whole = prompts.nl_to_code("", style=style).prefill + row.completion
    assert whole.startswith("```python\ndef f(text, n):")
    assert whole.endswith("\n```")
    assert codegen._FENCE == "```python\n"
