"""A monologue that runs out of tokens is closed and made to answer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.evaluation import answers, get
from semcoder_lib.evaluation.answers import Plan, Setting
from semcoder_lib.models import Engine, Output
from semcoder_lib.sandbox import Sandbox

PROGRAM = Program("def f(s, n):\n    return s * n\n", "f", id="p")
ENTRY = Entry(PROGRAM, (Case(("ab", 2), "abab"),))
CUT = "L1 f is called with s = 'ab'.\nL2 'ab' * 2 = 'ab"


class Scripted(Engine):
    """Never ends its steps by itself, and answers once the answer is begun."""

    name = identity = "scripted"
    tokenizer = None

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
    name: str, steps: str, answer: str, opening: str, finish: str, tmp_path: Path
) -> None:
    engine = Scripted(steps, answer)
    model: Any = SimpleNamespace(engine=lambda cache: engine)
    tasks = get(name).from_entries([ENTRY])  # type: ignore[attr-defined]
    plan = Plan(name, tasks, Setting("monologue", "monologue", 0, 32))
    texts = answers.completions_of(plan, answers.complete(model, [plan], cache=tmp_path / "c"))
    with Sandbox(workers=1) as box:
        judged = answers.verdicts(plan, texts, scorer="strict", box=box)
    row = answers.evaluated(plan, "tuned", texts, judged, scorer="strict", seed=0).row
    assert judged[0].passed, texts
    assert [text.finish for text in texts] == [finish]
    assert row["forced"] == (finish == "forced")
    assert row["stopped_by_itself"] == 0
    if opening:
        begun = f"[MONOLOGUE]\nL1 f is called with s = 'ab'.\n[/MONOLOGUE]\n[ANSWER]\n{opening}"
        assert engine.prompts[1].endswith(begun)
        assert engine.prompts[1].startswith(engine.prompts[0])
        assert texts[0].tokens == 20


def test_a_direct_answer_is_not_forced(tmp_path: Path) -> None:
    engine = Scripted(" 'ab", "")
    model: Any = SimpleNamespace(engine=lambda cache: engine)
    plan = Plan("pyx-o", get("pyx-o").from_entries([ENTRY]), Setting("direct", "direct"))  # type: ignore[attr-defined]
    (row,) = answers.complete(model, [plan], cache=tmp_path / "c")
    assert row["finish"] == "length"
    assert len(engine.prompts) == 1
