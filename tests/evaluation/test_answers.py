"""From a model's plans to its scores: what is asked, kept, judged, and compared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
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


class Scripted(models.Engine):
    """Says 8 to whatever it is asked; notes how often it was loaded, and with how many prompts."""

    name = identity = "scripted"
    batches: list[int] = []  # noqa: RUF012

    def _produce(self, jobs: list[Job], deliver: Deliver) -> None:
        self.batches.append(len(jobs))
        for key, request, _ in jobs:
            begun = request.prompt.endswith("==")
            text = " 8\n" if begun else "    return 8\n" if "def f8" in request.prompt else "8\n"
            deliver(key, Output(text, "stop", 2))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    Scripted.batches.clear()
    monkeypatch.setattr(models, "load", lambda _, cache, **how: Scripted(cache=cache))
    return Scripted


def code_task() -> evaluation.Task:
    head = 'def f8():\n    """Eight."""\n'
    row = {"task_id": "HumanEval/0", "prompt": head, "entry_point": "f8",
           "canonical_solution": "    return 8\n",
           "test": "def check(candidate):\n    assert candidate() == 8\n"}  # fmt: skip
    return evaluation.Task("HumanEval/0", row)


def asked() -> list[Plan]:
    tasks = evaluation.get("pyx-o").from_entries(ENTRIES)  # type: ignore[attr-defined]
    return [
        Plan("pyx-o", tasks, Setting("direct_2shot", "direct", 2, 16)),
        Plan("pyx-o", tasks[:1], Setting("direct", "direct", 0, 16)),
        Plan("humaneval", [code_task()], Setting("instruction", "direct", 0, 16)),
    ]


def test_all_plans_of_a_model_are_generated_together_and_told_apart(
    scripted: type[Scripted], tmp_path: Path, box: Sandbox
) -> None:
    plans = asked()
    rows = answers.complete(Model("base", "any"), plans, cache=tmp_path / "cache.jsonl")
    assert scripted.batches == [4]
    assert [len(answers.completions_of(plan, rows)) for plan in plans] == [2, 1, 1]
    begun = [row["text"] for row in rows]
    assert begun == [
        "[ANSWER]\nassert f(4) == 8\n", "[ANSWER]\nassert f(4) == 8\n", "[ANSWER]\n8\n",
        "    return 8\n",  # a program is put together with its prompt by the extraction
    ]  # fmt: skip
    assert not any("prompt" in row for row in rows)
    found = [
        answers.verdicts(plan, answers.completions_of(plan, rows), scorer="strict", box=box)
        for plan in plans
    ]
    assert [[v.passed for v in some] for some in found] == [[True, False], [True], [True]]
    assert all(not v.detail and not v.cpu_seconds for some in found for v in some)


def answered(model: str, setting: str, passed: dict[str, bool]) -> answers.Evaluated:
    plan = Plan("pyx-o", [evaluation.Task(name, {}) for name in passed], Setting(setting))
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


def test_real_and_synthesised_programs_apart() -> None:
    origins = {"a": "package", "b": "synthesised", "c": "synthesised"}
    entries = [Entry(Program("", "f", id=i, origin=o), ()) for i, o in origins.items()]
    scores = [
        answered("base", "direct", {"a": True, "b": False, "c": True}),
        answered("tuned", "monologue", {"b": True}),
        answered("tuned", "direct", {"not of PyX": True}),
    ]
    rows = answers.by_origin(scores, entries, 0)
    assert [(r["part"], r["model"], r["value"], r["n"], r["tokens"]) for r in rows] == [
        ("real functions", "base", 1.0, 1, 3), ("synthesised", "base", 0.5, 2, 6),
        ("synthesised", "tuned", 1.0, 1, 3),
    ]  # fmt: skip


def test_a_benchmark_that_is_not_here_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crux: Path
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(crux.parent))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    tasks, missing = answers.tasks_of(["cruxeval-o", "mbpp+"], 2, 0)
    assert [len(some) for some in tasks.values()] == [2]
    assert list(tasks) == ["cruxeval-o"]
    assert "MbppPlus" in missing["mbpp+"]


def test_a_tuned_model_is_compared_with_the_best_form_of_the_base() -> None:
    few = {"a": True, "b": False, "c": False}
    most = {"a": False, "b": True, "c": True}
    rows = answers.differences(
        [
            answered("base", "direct", few),
            answered("base", "cot", most),
            answered("tuned", "monologue", {"b": True, "c": False}),
            answered("tuned", "direct", dict.fromkeys("abc", True)),
        ],
        0,
    )
    assert [(r["from"], r["to"], r["n"]) for r in rows] == [
        ("base, cot", "tuned, monologue", 2), ("base, cot", "tuned, direct", 3),
        ("tuned, direct", "tuned, monologue", 2),
    ]  # fmt: skip
    assert [round(r["value"], 3) for r in rows] == [-0.5, 0.333, -0.5]
    assert [r["p_mcnemar"] for r in rows] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("sizes", "count", "taken"),
    [((9, 9, 0), 4, (2, 2, 0)), ((1, 9, 0), 4, (1, 3, 0)), ((9, 1, 0), 4, (3, 1, 0)),
     ((9, 9, 0), 5, (3, 2, 0)), ((2, 1, 0), 9, (2, 1, 0)), ((0, 5, 0), 2, (0, 2, 0)),
     ((0, 0, 0), 3, (0, 0, 0)), ((3, 20, 20), 16, (3, 7, 6))],
)  # fmt: skip
def test_every_source_in_equal_numbers_and_no_drills(
    sizes: tuple[int, ...], count: int, taken: tuple[int, ...]
) -> None:
    origins = [o for o, n in zip(("package", "synthesised", "method"), sizes, strict=True)
               for _ in range(n)]  # fmt: skip
    entries = [Entry(Program("", "f", id=str(n), origin=o), ()) for n, o in enumerate(origins)]
    drills = [Entry(Program("", "f", id=f"d{n}", origin="method", tags=("drill",)), ())
              for n in range(9)]  # fmt: skip
    chosen = answers.balanced(entries + drills, count, 7)
    found = Counter(e.program.origin for e in chosen)
    assert sorted(found.values()) == sorted(n for n in taken if n)
    assert set(found) == {
        o for o, n in zip(("package", "synthesised", "method"), taken, strict=True) if n
    }
    assert chosen == answers.balanced(entries + drills, count, 7)
    assert len({e.program.id for e in chosen}) == len(chosen)
    assert not any(e.program.tags for e in chosen)


def test_a_slice_keeps_the_order() -> None:
    some = answers.sample_tasks(range(100), 10, 3)
    assert some == sorted(some) == answers.sample_tasks(range(100), 10, 3)
    assert len(some) == 10
    assert some != answers.sample_tasks(range(100), 10, 4)
    assert (
        answers.sample_tasks(range(5), 0, 3) == answers.sample_tasks(range(5), 9, 3) == [*range(5)]
    )


def test_a_form_that_would_repeat_a_prompt_is_left_out() -> None:
    task = code_task()
    plans = answers.code_plans(
        {"humaneval": [task]}, ["instruction", "completion"], style="clean", max_new_tokens=9
    )
    assert [p.name("base") for p in plans] == [
        "humaneval_base_completion", "humaneval_base_instruction",
    ]  # fmt: skip
    texts = [p.prompts("clean", None)[0].text for p in plans]
    assert texts[0] == task.data["prompt"].rstrip()
    assert texts[1].startswith("Write the Python code")
    lcb = evaluation.get("lcb-lite")
    script = lcb.task(lcb_rows()[0], 1)
    assert script is not None
    (only,) = answers.code_plans(
        {"lcb-lite": [script]}, ["completion", "instruction"], style="clean", max_new_tokens=9
    )
    assert only.setting.name == "instruction"


def test_a_right_answer_by_a_wrong_step_is_counted(box: Sandbox) -> None:
    tasks = evaluation.get("pyx-o").from_entries(ENTRIES)  # type: ignore[attr-defined]
    texts = []
    for entry in ENTRIES:
        program, case = entry.program, entry.cases[0]
        derived = monologues.forward(program, tracing.trace(program, case, box), case=case).text
        texts.append(Completion(program.id, derived.partition("[/ANSWER]")[0]))
    steps_told, closing, answer = texts[1].text.partition("[/MONOLOGUE]")
    assert "2" in steps_told
    texts[1] = Completion("half", steps_told.replace("2", "3") + closing + answer)
    plan = Plan("pyx-o", tasks, Setting("monologue", "monologue"))
    judged = answers.verdicts(plan, texts, scorer="strict", box=box)
    told = answers.evaluated(plan, "tuned", texts, judged, scorer="strict", seed=0)
    row: dict[str, Any] = analysis.faithfulness(told, tasks, box=box)
    assert (row["n"], row["right"], row["right_on_a_contradicted_step"]) == (2, 2, 1)
    assert row["contradicted"] >= 1
    assert row["supported"] >= 3


# --- a monologue that runs out of tokens is closed and made to answer ---

PROGRAM = Program("def f(s, n):\n    return s * n\n", "f", id="p")
ENTRY = Entry(PROGRAM, (Case(("ab", 2), "abab"),))
CUT = "L1 f is called with s = 'ab'.\nL2 'ab' * 2 = 'ab"


class Unending(models.Engine):
    """Never ends its steps by itself, and answers once the answer is begun."""

    name = identity = "scripted"
    tokenizer = None

    def __init__(self, steps: str, answer: str) -> None:
        super().__init__()
        self.steps, self.answer, self.prompts = steps, answer, list[str]()

    def _produce(self, jobs: Any, deliver: Any) -> None:
        for key, request, _ in jobs:
            self.prompts.append(request.prompt)
            begun = request.prompt.endswith(("==", "assert f("))  # examples hold answers, too
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
    name: str, steps: str, answer: str, opening: str, finish: str, tmp_path: Path, box: Sandbox
) -> None:
    engine = Unending(steps, answer)
    model: Any = SimpleNamespace(engine=lambda cache: engine)
    tasks = evaluation.get(name).from_entries([ENTRY])  # type: ignore[attr-defined]
    plan = Plan(name, tasks, Setting("monologue", "monologue", 0, 32))
    texts = answers.completions_of(plan, answers.complete(model, [plan], cache=tmp_path / "c"))
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


def test_a_chain_of_thought_without_an_end_is_forced_too(tmp_path: Path) -> None:
    engine = Unending("f repeats s, which is", " 'abab'")
    model: Any = SimpleNamespace(engine=lambda cache: engine)
    tasks = evaluation.get("pyx-o").from_entries([ENTRY])  # type: ignore[attr-defined]
    plan = Plan("pyx-o", tasks, Setting("cot_2shot", "cot", 2, 32))
    (row,) = answers.complete(model, [plan], cache=tmp_path / "c")
    begun = "f repeats s, which is\n[/THOUGHT]\n[ANSWER]\nassert f('ab', 2) =="
    assert engine.prompts[1] == engine.prompts[0] + begun
    assert (row["finish"], row["text"]) == ("forced", f"[THOUGHT]\n{begun} 'abab'")


def test_a_direct_answer_is_not_forced(tmp_path: Path) -> None:
    engine = Unending(" 'ab", "")
    model: Any = SimpleNamespace(engine=lambda cache: engine)
    plan = Plan("pyx-o", evaluation.get("pyx-o").from_entries([ENTRY]), Setting("direct", "direct"))  # type: ignore[attr-defined]
    (row,) = answers.complete(model, [plan], cache=tmp_path / "c")
    assert row["finish"] == "length"
    assert len(engine.prompts) == 1
