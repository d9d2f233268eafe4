"""A monologue that runs out of tokens is closed and made to answer."""

from __future__ import annotations

from typing import Any

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.models import Engine, Output
from semcoder_lib.run import stages
from semcoder_lib.run.stages import evaluation

PROGRAM = Program("def f(s, n):\n    return s * n\n", "f", id="p")
ENTRY = Entry(PROGRAM, (Case(("ab", 2), "abab"),))
CUT = "L1 f is called with s = 'ab'.\nL2 'ab' * 2 = 'ab"


class Scripted(Engine):
    """Never ends its steps by itself, and answers once the answer is begun."""

    name = identity = "scripted"

    def __init__(self, steps: str, answer: str) -> None:
        super().__init__()
        self.steps, self.answer, self.prompts = steps, answer, list[str]()

    def _produce(self, jobs: Any, deliver: Any) -> None:
        for key, request, _ in jobs:
            self.prompts.append(request.prompt)
            begun = "[ANSWER]\nassert" in request.prompt
            deliver(key, Output(self.answer if begun else self.steps, "length", 10))


@pytest.mark.parametrize(
    ("name", "steps", "answer", "opening", "finish"),
    [
        ("pyx-o", CUT, " 'abab'\n[/ANSWER]\nassert", "assert f('ab', 2) ==", "forced"),
        ("pyx-i", CUT, "'abab', 1) == 'abab'", "assert f(", "forced"),
        ("pyx-o", "L2.\n[/MONOLOGUE]\n[ANSWER]\nassert f('ab', 2) == 'abab'", "", "", "length"),
    ],
)
def test_forced(
    name: str, steps: str, answer: str, opening: str, finish: str,
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    run = workspace.Run("forced")
    session = stages.Session(stages.STAGES[6], stages.configured("smoke"), run)
    benchmark, engine = benchmarks.get(name), Scripted(steps, answer)
    tasks = benchmark.from_entries([ENTRY])  # type: ignore[attr-defined]
    setting = evaluation.Setting("monologue", "monologue", 0, 32)
    done = evaluation.evaluate(session, engine, "tuned", benchmark, tasks, setting)
    session.close()
    assert done.verdicts[0].passed, done.completions
    assert [c.finish for c in done.completions] == [finish]
    assert done.row["forced"] == (finish == "forced")
    assert done.row["stopped_by_itself"] == 0
    if opening:
        begun = f"[MONOLOGUE]\nL1 f is called with s = 'ab'.\n[/MONOLOGUE]\n[ANSWER]\n{opening}"
        assert engine.prompts[1].endswith(begun)
        assert engine.prompts[1].startswith(engine.prompts[0])
        assert done.completions[0].tokens == 20
