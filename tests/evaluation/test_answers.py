"""From a model's plans to its scores: what is asked, kept, judged, and compared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import lcb_rows

from semcoder_lib import evaluation, models, monologues, tracing
from semcoder_lib.core.records import Case, Completion, Entry, Program, Status, Verdict
from semcoder_lib.evaluation import analysis, answers
from semcoder_lib.evaluation.answers import Model, Plan, Setting
from semcoder_lib.models.engine import Deliver, Job, Output
from semcoder_lib.sandbox import Sandbox

DOUBLE = Program("def f(x):\n    y = x * 2\n    return y\n", "f", id="double")
HALF = Program("def f(x):\n    y = x // 2\n    return y\n", "f", id="half")
ENTRIES = [Entry(DOUBLE, (Case((4,), 8),)), Entry(HALF, (Case((4,), 2),))]
REPEAT = Program("def f(s, n):\n    return s * n\n", "f", id="p")
ENTRY = Entry(REPEAT, (Case(("ab", 2), "abab"),))
MODEL = Model("base", "any")
F8 = {
    "task_id": "HumanEval/0", "prompt": 'def f8():\n    """Eight."""\n', "entry_point": "f8",
    "canonical_solution": "    return 8\n",
    "test": "def check(candidate):\n    assert candidate() == 8\n",
}  # fmt: skip
CODE_TASK = evaluation.Task("HumanEval/0", F8)


class Scripted(models.Engine):
    """Says what its test wants to whatever prompt; notes the batches of prompts."""

    name = identity = "scripted"
    tokenizer = None
    batches: list[list[str]] = []  # noqa: RUF012
    finish = "stop"
    says = staticmethod(str)

    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        self.batches.append([request.prompt for _, request, _ in jobs])
        for key, request, _ in jobs:
            deliver(key, Output(self.says(request.prompt), self.finish, 10))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    Scripted.batches.clear()
    monkeypatch.setattr(models, "load", lambda _, cache, **how: Scripted(cache=cache))
    return Scripted


def tasks_of(name: str, *entries: Entry) -> list[evaluation.Task]:
    return evaluation.get(name).from_entries(entries)  # type: ignore[attr-defined]


def test_all_plans_of_a_model_are_generated_together_and_kept_apart(
    scripted: type[Scripted], tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def eight(prompt: str) -> str:
        begun = prompt.endswith("==")
        return " 8\n" if begun else "    return 8\n" if "def f8" in prompt else "8\n"

    monkeypatch.setattr(scripted, "says", staticmethod(eight))
    tasks = tasks_of("pyx-o", *ENTRIES)
    plans = [
        Plan("pyx-o", tasks, Setting("direct_2shot", "direct", 2, 16)),
        Plan("pyx-o", tasks[:1], Setting("direct", "direct", 0, 16)),
        Plan("humaneval", [CODE_TASK], Setting("instruction", "direct", 0, 16)),
    ]
    rows = answers.complete(MODEL, plans, cache=tmp_path / "cache.jsonl")
    assert [len(batch) for batch in scripted.batches] == [4]
    assert [len(answers.completions_of(plan, rows)) for plan in plans] == [2, 1, 1]
    assert [row["text"] for row in rows] == [
        "[ANSWER]\nassert f(4) == 8\n", "[ANSWER]\nassert f(4) == 8\n", "[ANSWER]\n8\n",
        "    return 8\n",  # a program is put together with its prompt by the extraction
    ]  # fmt: skip
    assert not any("prompt" in row for row in rows)
    judged = [
        answers.verdicts(plan, answers.completions_of(plan, rows), scorer="strict", box=box)
        for plan in plans
    ]
    assert [[v.passed for v in verdicts] for verdicts in judged] == [[True, False], [True], [True]]
    assert all(not v.detail and not v.cpu_seconds for verdicts in judged for v in verdicts)


def answered(model: str, setting: str, passed: dict[str, bool]) -> evaluation.Evaluation:
    plan = Plan("pyx-o", [], Setting(setting))
    judged = [
        Verdict(name, right, Status.PASSED if right else Status.NO_ANSWER)
        for name, right in passed.items()
    ]
    texts = [
        Completion(n, "", finish="stop" if r else "length", tokens=3) for n, r in passed.items()
    ]
    return answers.evaluated(plan, model, texts, judged, scorer="strict", seed=0)


def test_a_score_as_the_report_reads_it() -> None:
    score = answered("base", "direct", {"a": True, "b": False, "c": True, "d": False})
    assert {k: v for k, v in score.row.items() if k not in ("low", "high")} == {
        "benchmark": "pyx-o", "model": "base", "setting": "direct", "scorer": "strict",
        "value": 0.5, "n": 4, "statuses": {"no_answer": 2, "passed": 2}, "stopped_by_itself": 0.5,
        "forced": 0.0, "tokens": 12,
    }  # fmt: skip
    assert 0.0 <= score.row["low"] < 0.5 < score.row["high"] <= 1.0


def test_a_benchmark_that_is_not_here_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crux: Path
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(crux.parent))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    tasks, missing = answers.tasks_of(["cruxeval-o", "mbpp+"], 2, 0)
    assert {name: len(chosen) for name, chosen in tasks.items()} == {"cruxeval-o": 2}
    assert "MbppPlus" in missing["mbpp+"]


def test_a_tuned_model_is_compared_with_the_best_form_of_the_base() -> None:
    scores = [
        answered("base", "direct", {"a": True, "b": False, "c": False}),
        answered("base", "cot", {"a": False, "b": True, "c": True}),
        answered("tuned", "monologue", {"b": True, "c": False}),
        answered("tuned", "direct", dict.fromkeys("abc", True)),
    ]
    rows = answers.differences(scores, 0)
    assert [(r["from"], r["to"], r["n"], round(r["value"], 3), r["p_mcnemar"]) for r in rows] == [
        ("base, cot", "tuned, monologue", 2, -0.5, 1.0),
        ("base, cot", "tuned, direct", 3, 0.333, 1.0),
        ("tuned, direct", "tuned, monologue", 2, -0.5, 1.0),
    ]


@pytest.mark.parametrize(
    ("sizes", "count", "taken"),
    [((9, 9, 0), 5, (3, 2, 0)), ((1, 9, 0), 4, (1, 3, 0)), ((2, 1, 0), 9, (2, 1, 0)),
     ((0, 0, 0), 3, (0, 0, 0)), ((3, 20, 20), 16, (3, 7, 6))],
)  # fmt: skip
def test_every_source_in_equal_numbers_and_no_drills(
    sizes: tuple[int, ...], count: int, taken: tuple[int, ...]
) -> None:
    origins = ("package", "synthesised", "method")
    entries = [
        Entry(Program("", "f", id=f"{origin}{n}", origin=origin, tags=("drill",) * (n > 90)), ())
        for origin, size in zip(origins, sizes, strict=True)
        for n in (*range(size), 91, 92, 93)
    ]
    chosen = answers.balanced(entries, count, 7)
    assert sorted(Counter(e.program.origin for e in chosen).values()) == sorted(filter(None, taken))
    assert {e.program.origin for e in chosen} == {
        o for o, n in zip(origins, taken, strict=True) if n
    }
    assert len({e.program.id for e in chosen}) == len(chosen)
    assert not any(e.program.tags for e in chosen)
    assert chosen == answers.balanced(entries, count, 7)


def test_a_slice_keeps_the_order() -> None:
    chosen = answers.sample_tasks(range(100), 10, 3)
    assert chosen == sorted(chosen) == answers.sample_tasks(range(100), 10, 3)
    assert len(chosen) == 10
    assert chosen != answers.sample_tasks(range(100), 10, 4)
    for limit in (0, 9):
        assert answers.sample_tasks(range(5), limit, 3) == [*range(5)]


def test_a_form_that_would_repeat_a_prompt_is_left_out() -> None:
    how: dict[str, Any] = {"style": "clean", "max_new_tokens": 9}
    forms = ["instruction", "completion"]
    plans = answers.code_plans({"humaneval": [CODE_TASK]}, forms, **how)
    assert [p.name("base") for p in plans] == [
        "humaneval_base_completion", "humaneval_base_instruction",
    ]  # fmt: skip
    texts = [p.prompts("clean", None)[0].text for p in plans]
    assert texts[0] == F8["prompt"].rstrip()
    assert texts[1].startswith("Write the Python code")
    script = evaluation.get("lcb-lite").task(lcb_rows()[0], 1)
    assert script is not None
    (only,) = answers.code_plans({"lcb-lite": [script]}, forms, **how)
    assert only.setting.name == "instruction"


def test_a_right_answer_by_a_wrong_step_is_counted(box: Sandbox) -> None:
    texts = []
    for entry in ENTRIES:
        program, case = entry.program, entry.cases[0]
        derived = monologues.forward(program, tracing.trace(program, case, box), case=case).text
        texts.append(Completion(program.id, derived.partition("[/ANSWER]")[0]))
    steps, closing, answer = texts[1].text.partition("[/MONOLOGUE]")
    assert "2" in steps
    texts[1] = Completion("half", steps.replace("2", "3") + closing + answer)
    tasks = tasks_of("pyx-o", *ENTRIES)
    plan = Plan("pyx-o", tasks, Setting("monologue", "monologue"))
    judged = answers.verdicts(plan, texts, scorer="strict", box=box)
    score = answers.evaluated(plan, "tuned", texts, judged, scorer="strict", seed=0)
    row: dict[str, Any] = analysis.faithfulness(score, tasks, box=box)
    assert (row["n"], row["right"], row["right_on_a_contradicted_step"]) == (2, 2, 1)
    assert row["contradicted"] >= 1
    assert row["supported"] >= 3


# --- a monologue that runs out of tokens is closed and made to answer ---

CUT = "L1 f is called with s = 'ab'.\nL2 'ab' * 2 = 'ab"
CLOSED = "[MONOLOGUE]\nL1 f is called with s = 'ab'.\n[/MONOLOGUE]\n[ANSWER]\n"
THOUGHT = "f repeats s, which is"


@pytest.mark.parametrize(
    ("name", "setting", "steps", "answer", "begun"),
    [
        ("pyx-o", "monologue", CUT, " 'abab'\n[/ANSWER]\nassert",
         f"{CLOSED}assert f('ab', 2) =="),
        ("pyx-i", "monologue", CUT, "'abab', 1) == 'abab'", f"{CLOSED}assert f("),
        ("pyx-o", "cot", THOUGHT, " 'abab'",
         f"[THOUGHT]\n{THOUGHT}\n[/THOUGHT]\n[ANSWER]\nassert f('ab', 2) =="),
        # not forced: it has answered; it was asked without steps
        ("pyx-o", "monologue", "L2.\n[/MONOLOGUE]\n[ANSWER]\nassert f('ab', 2) == 'abab'", "", ""),
        ("pyx-o", "direct", "'abab'", "", ""),
    ],
)  # fmt: skip
def test_forced(
    name: str, setting: str, steps: str, answer: str, begun: str, scripted: type[Scripted],
    tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def says(prompt: str) -> str:
        return answer if prompt.endswith(("==", "assert f(")) else steps

    monkeypatch.setattr(scripted, "says", staticmethod(says))
    monkeypatch.setattr(scripted, "finish", "length")
    shots = 2 if setting == "cot" else 0
    plan = Plan(name, tasks_of(name, ENTRY), Setting(setting, setting, shots, 32))
    texts = answers.completions_of(plan, answers.complete(MODEL, [plan], cache=tmp_path / "c"))
    judged = answers.verdicts(plan, texts, scorer="strict", box=box)
    row = answers.evaluated(plan, "tuned", texts, judged, scorer="strict", seed=0).row
    assert judged[0].passed, texts
    assert [text.finish for text in texts] == ["forced" if begun else "length"]
    assert (row["forced"], row["stopped_by_itself"]) == (bool(begun), 0)
    if begun:
        (first,), (second,) = scripted.batches
        assert second == first.removesuffix(begun.partition("\n")[0] + "\n") + begun
        assert texts[0].text == begun + answer.partition("\n")[0]
        assert texts[0].tokens == 20
    else:
        assert len(scripted.batches) == 1
