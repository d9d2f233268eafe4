"""Blind alterations: what passes unnoticed changes no meaning."""

from __future__ import annotations

import random

import blind
import pytest

from semcoder_lib.core import values
from semcoder_lib.core.records import Case
from semcoder_lib.monologues import STYLES, Question, backward_many, forward, verify
from semcoder_lib.monologues.verify import Trials
from semcoder_lib.sandbox import Sandbox

ALLOWED = 0.005


def unnoticed(report) -> bool:
    return report.accepted and report.unverifiable == 0


def forward_texts(runs: list, style_name: str):
    style = STYLES[style_name]
    for run in runs:
        if run.trace.result is not None and not run.trace.cut:
            text = forward(run.program, run.trace, style=style, case=run.case).text
            if len(text) <= 2_500:
                yield run, text, style


@pytest.mark.parametrize("each", [3, pytest.param(34, marks=pytest.mark.slow)])
def test_forward_alterations_are_noticed(runs: list, each: int) -> None:
    total, passed = 0, []
    for name in ("full", "terse", "dense", "teacher"):
        rng = random.Random(f"blind:{name}")
        for run, text, dials in forward_texts(runs, name):
            for change in blind.alterations(text, rng, each):
                total += 1
                report = verify(
                    change.text, run.program, run.case, None, direction="forward",
                    trace=run.trace, line_offset=dials.line_offset,
                )  # fmt: skip
                if unnoticed(report):
                    passed.append((run.program.id, change.how, change.old, change.new, change.line))
    assert total > 400 * each
    assert len(passed) <= ALLOWED * total, "\n".join(map(str, passed))


@pytest.mark.parametrize("each", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_backward_alterations_are_noticed(runs: list, box: Sandbox, each: int) -> None:
    rng = random.Random("blind:backward")
    questions = {}
    for run in runs:
        if run.trace.result is not None:
            key = (run.program.id, run.trace.result)
            questions.setdefault(key, Question(run.program, values.decode(run.trace.result)))
    asked = list(questions.values())
    total, passed = 0, []
    for question, m in zip(asked, backward_many(asked, box), strict=True):
        if m is None:
            continue
        trials, case = Trials(question.program, box), Case((), question.output)
        trace = trials.trace(m.case.arguments)
        for change in blind.alterations(m.text, rng, each):
            total += 1
            report = verify(
                change.text, question.program, case, box, direction="backward", line_offset=0,
                trace=trace, trials=trials,
            )  # fmt: skip
            if unnoticed(report):
                passed.append(
                    (question.program.id, change.how, change.old, change.new, change.line)
                )
    assert total > 80 * each
    assert len(passed) <= max(2, ALLOWED * total), passed
