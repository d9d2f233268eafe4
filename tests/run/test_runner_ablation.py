"""The ablation of formats: equal shares, chains of steps, scores over seeds."""

from __future__ import annotations

import re

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Entry, Program, Trace
from semcoder_lib.evaluation import analysis
from semcoder_lib.models import assets, tokens
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.training import Example, examples

SOURCE = (
    "def f(xs):\n    total = 0\n    for x in xs:\n        if x > 1:\n            total += x\n"
    "    return total\n"
)
PROGRAM = Program(SOURCE, "f", id="f")
CASE = Case(([1, 2, 3],), 5)
(TASK,) = benchmarks.get("pyx-o").from_entries([Entry(PROGRAM, (CASE,))])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def trace(box: Sandbox) -> Trace:
    return tracing.trace(PROGRAM, CASE, box)


WRONG = [("total = 5", "total = 6"), ("total becomes 2", "total becomes 7"),
         ("total = 2", "total = 7")]  # fmt: skip


@pytest.mark.parametrize("format", [*analysis.TRACES, "monologue"])
def test_a_chain_is_whole_where_every_step_is_true_and_breaks_at_the_first_wrong_one(
    format: str, trace: Trace, box: Sandbox
) -> None:
    def chain(text: str) -> analysis.Chain:
        found = analysis.chain(format, text, PROGRAM, CASE, trace, box)
        assert found is not None
        return found

    _, text = monologues.ablation(PROGRAM, CASE, trace, format)
    whole = chain(text)
    assert whole.whole
    assert whole.right == whole.steps > 3
    # a completion is kept with the opening that its prompt gave it
    opening = benchmarks.get("pyx-o").prompt(TASK, style="clean", reasoning=format).prefill
    assert format == "monologue" or opening
    assert chain(opening + text) == whole
    lines = text.split("\n")
    altered = [re.sub(*pair, text, count=1) for pair in WRONG if pair[0] in text]
    assert altered
    unread = "\n".join([*lines[:3], "and so on", *lines[3:]])
    for wrong in altered if format == "monologue" else [*altered, unread]:
        broken = chain(wrong)
        assert not broken.whole
        assert 0 < broken.right < whole.right
        assert format == "monologue" or broken.steps == whole.steps


def test_summary_counts_answers_that_rest_on_wrong_steps() -> None:
    some = [analysis.Chain(3, 3, True), analysis.Chain(3, 1, False), analysis.Chain(2, 0, False)]
    found = analysis.summary(some, [True, True, False])
    assert (found["n"], found["whole"], found["right"]) == (3, 1, 2)
    assert found["right_by_right_steps"] == 1
    assert (found["steps"], found["right_steps"]) == (8, 4)
    assert found["survival"][:3] == [[1, 2 / 3, 3], [2, 1 / 3, 3], [3, 1 / 3, 3]]


def test_views_give_equal_examples_or_equal_trained_tokens() -> None:
    pools = {
        "direct": [Example(f"p{n}", "forward", "ask", "assert 1") for n in range(200)],
        "monologue": [Example(f"p{n}", "forward", "ask", "word " * 40) for n in range(200)],
    }
    same = {name: examples.equal_examples(pools, name, 8, 1) for name in pools}
    assert [[e.id for e in rows] for rows in same.values()] == [[f"p{n}" for n in range(8, 16)]] * 2
    tokenizer = tokens.load_tokenizer(assets.locate("smollm2-135m"))
    few, once = examples.equal_tokens(pools, "monologue", 8, 1, tokenizer)
    many, again = examples.equal_tokens(pools, "direct", 8, 1, tokenizer)
    assert (len(few), once, again) == (8, 1.0, 1.0)
    trained = [
        sum(len(tokens.encode_completion(tokenizer, e.completion)) for e in rows)
        for rows in (few, many)
    ]
    assert trained[0] <= trained[1] < 1.05 * trained[0]
    short = {"direct": pools["direct"][:10], "monologue": pools["monologue"]}
    assert examples.equal_tokens(short, "direct", 8, 0, tokenizer)[1] > 2  # gone through again
