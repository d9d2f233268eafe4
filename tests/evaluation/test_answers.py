"""From prompts to scores: what a model is asked, what is kept, judged and compared; benchmarks of
one's own, held-out PyX, and `evaluate` for somebody's own model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import lcb_rows

from semcoder_lib import evaluation, models, monologues, tracing
from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Completion, Entry, Program, Status, Verdict
from semcoder_lib.core.values import parse_call
from semcoder_lib.evaluation import Task, analysis, answers, evaluate, execution, get
from semcoder_lib.evaluation.answers import Model, Plan, Setting
from semcoder_lib.evaluation.execution import SHOTS, hardest_to_guess
from semcoder_lib.models import tokens
from semcoder_lib.models.engine import Deliver, Job, Output
from semcoder_lib.sandbox import Sandbox

# --- prompts ---

DOUBLED = {
    "humaneval": (
        {"prompt": 'def double(x):\n    """Twice x."""\n', "assertion": ""},
        "\n    return 2 * x\n", "\nprint(double(3))",
    ),
    "mbpp": (
        {"prompt": "Write a function to double x.", "assertion": "assert double(2) == 4"},
        "\ndef double(x):\n    return 2 * x\n", "\n\nassert double(3) == 6",
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", ["clean", "faithful"])
@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_the_bare_problem_is_completed_by_a_model_that_was_never_tuned(
    name: str, style: str
) -> None:
    data, right, chatter = DOUBLED[name]
    task, benchmark = Task("t", {"entry_point": "double", **data}), get(name)
    prompt = benchmark.prompt(task, style=style, reasoning="completion")
    # no newline at its end: it would be one token with the indentation that is to follow
    assert prompt.text == data["prompt"].rstrip() if name == "humaneval" else '"""\n' in prompt.text
    assert "Write the Python code that is described" not in prompt.text
    written = tokens.cut(right + chatter, prompt.stop)[0]
    assert written.rstrip() == right.rstrip()
    space: dict[str, Any] = {}
    exec(str(benchmark.extract(task, written, style=style).text), space)
    assert space["double"](21) == 42


@pytest.mark.parametrize("name", ["cruxeval-i", "cruxeval-o"])
def test_prompts_ask_and_do_not_tell(name: str, crux: Path) -> None:
    benchmark = get(name)
    task = next(t for t in benchmark.load(crux) if t.task_id == "sample_1")
    for reasoning, shots in (("direct", 0), ("monologue", 0), ("direct", 2), ("cot", 2)):
        prompt = benchmark.prompt(task, reasoning=reasoning, shots=shots)
        asked = prompt.text.rsplit("[PYTHON]", 1)[1]
        assert task.data["code"].split("\n")[1].strip() in asked
        if (reasoning, shots) == ("direct", 2):  # begun, not asked with "??"
            secret = "\nassert f(" if name == "cruxeval-i" else "\nassert f([5, 6]) =="
            assert asked.endswith(secret)
        else:
            secret = "assert f(??) ==" if name == "cruxeval-i" else "assert f([5, 6]) == ??"
            assert secret in asked
        assert ("[5, 6, 2]" in asked) == (name == "cruxeval-i")
        assert prompt.text.endswith(prompt.prefill)
        assert "[/ANSWER]" in prompt.stop
        # the completion of a right model is taken out whole
        right = "assert f([5, 6]) == [5, 6, 2]\n"
        begun = prompt.prefill.removeprefix("[ANSWER]\n") if "assert" in prompt.prefill else ""
        thought = "[ANSWER]\n" if reasoning in ("monologue", "cot") else ""
        text = prompt.prefill + right.removeprefix(begun) if begun else thought + right
        answer = benchmark.extract(task, text)
        assert answer.text == ("f([5, 6])" if name == "cruxeval-i" else "[5, 6, 2]")


def test_shots_are_right(box: Sandbox) -> None:
    for shot in SHOTS:
        name, arguments, _ = parse_call(shot["call"])
        assert box.call(shot["source"], name, arguments).text == shot["output"]


# --- somebody's own benchmark, model, corpus ---

SAID = {"sample_0": "3", "sample_1": "[5, 6, 2]", "sample_2": "0", "sample_3": "7 + 0"}


@pytest.mark.parametrize("shots", [0, 2])
def test_evaluate_takes_any_function(shots: int, crux: Path, box: Sandbox) -> None:
    own = execution.cruxeval("output")
    own.name = "our-own-task"
    assert evaluation.register(own) is get("our-own-task")
    tasks = own.load(crux)
    asked: list[str] = []

    def model(prompt: str) -> str:
        task = tasks[len(asked)]
        asked.append(prompt)
        value = SAID.get(task.task_id, "")
        # begun by the prompt with shots, asked for without; and no model stops where it should
        whole = f" {value}" if shots else f"assert f({task.data['input']}) == {value}"
        return f"{whole}\n[/ANSWER]\nassert f(0) == 99"

    found = evaluate("our-own-task", model, shots=shots, data=crux, box=box)
    assert [v.status.value for v in found.verdicts] == [
        "passed", "passed", "wrong", "unparseable", "no_answer", "no_answer"
    ]  # fmt: skip
    assert (found.score.value, found.score.n) == (pytest.approx(2 / 6), 6)
    assert 0 <= found.score.low < 2 / 6 < found.score.high < 1
    assert [c.prompt for c in found.completions] == asked
    assert str(found).startswith("our-own-task, strict scorer: 33.3% [")
    assert len(evaluate("cruxeval-i", lambda p: "", limit=2, data=crux, box=box).verdicts) == 2
    with pytest.raises(UserError, match="sample_0: the function returned int, not text"):
        evaluate("cruxeval-o", len, data=crux, box=box)  # type: ignore[arg-type]


def test_held_out_pyx(tmp_path: Path, box: Sandbox) -> None:
    entries = [
        Entry(
            Program(f"def g{i}(x):\n    return x * {i}\n", f"g{i}", id=f"p{i}", split=split),
            (Case((7,), 7 * i),),
        )
        for i, split in enumerate(["train", "held_out", "held_out"])
    ]
    path = tmp_path / "pyx.jsonl"
    workspace.write_jsonl(path, (records.to_row(e) for e in entries))
    for name, text in (("pyx-i", "assert g2(7) == 14"), ("pyx-o", "assert g2(7) == 14.0")):
        tasks = get(name).load(path)
        assert [t.task_id for t in tasks] == ["p1", "p2"]
        assert tasks[0].data["program"] == entries[1].program
        assert get(name).preflight(tasks, box=box)["reference"] == 1.0
        completions = [Completion("p2", text), Completion("p1", "[ANSWER]\n[/ANSWER]")]
        verdicts = get(name).score(tasks, completions, box=box)
        assert [v.status for v in verdicts] == [Status.PASSED, Status.NO_ANSWER]
    path.write_text('{"program": {"code": "x"}, "cases": []}\n')
    with pytest.raises(UserError, match=r"pyx.jsonl:1: not a row of pyx-o"):
        get("pyx-o").load(path)


def test_the_held_out_case_is_the_hardest_to_guess() -> None:
    cases = [Case(((),), ()), Case((1,), 0), Case((2,), 0), Case((7,), 7), Case((9, 2), 11)]
    assert hardest_to_guess(cases) is cases[4]
    assert hardest_to_guess(cases[:4]) is cases[0]  # a copy, but not the usual output 0
    assert hardest_to_guess([Case((object(),), 1)]) is hardest_to_guess([]) is None


# --- plans of a model ---

DOUBLE = Program("def f(x):\n    y = x * 2\n    return y\n", "f", id="double")
HALF = Program("def f(x):\n    y = x // 2\n    return y\n", "f", id="half")
ENTRIES = [Entry(DOUBLE, (Case((4,), 8),)), Entry(HALF, (Case((4,), 2),))]
REPEAT = Entry(Program("def f(s, n):\n    return s * n\n", "f"), (Case(("ab", 2), "abab"),))
CODE_TASK = Task(
    "HumanEval/0",
    {"task_id": "HumanEval/0", "prompt": 'def f8():\n    """Eight."""\n', "entry_point": "f8",
     "canonical_solution": "    return 8\n",
     "test": "def check(candidate):\n    assert candidate() == 8\n"},
)  # fmt: skip


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


def tasks_of(name: str, *entries: Entry) -> list[Task]:
    return get(name).from_entries(entries)  # type: ignore[attr-defined]


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
    rows = answers.complete(Model("base", "any"), plans, cache=tmp_path / "cache.jsonl")
    assert [len(batch) for batch in scripted.batches] == [4]
    texts = [answers.completions_of(plan, rows) for plan in plans]
    assert [[c.text for c in of_plan] for of_plan in texts] == [
        ["[ANSWER]\nassert f(4) == 8\n", "[ANSWER]\nassert f(4) == 8\n"], ["[ANSWER]\n8\n"],
        ["    return 8\n"],  # a program is put together with its prompt by the extraction
    ]  # fmt: skip
    assert not any("prompt" in row for row in rows)
    judged = [
        answers.verdicts(plan, of_plan, scorer="strict", box=box)
        for plan, of_plan in zip(plans, texts, strict=True)
    ]
    assert [[v.passed for v in verdicts] for verdicts in judged] == [[True, False], [True], [True]]
    assert all(not v.detail and not v.cpu_seconds for verdicts in judged for v in verdicts)


def answered(model: str, setting: str, passed: dict[str, bool]) -> evaluation.Evaluation:
    plan = Plan("pyx-o", [], Setting(setting))
    statuses = {True: Status.PASSED, False: Status.NO_ANSWER}
    judged = [Verdict(name, right, statuses[right]) for name, right in passed.items()]
    texts = [Completion(n, "", finish="stop" if r else "length") for n, r in passed.items()]
    return answers.evaluated(plan, model, texts, judged, scorer="strict", seed=0)


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
    entries = [
        Entry(Program("", "f", id=f"{origin}{n}", origin=origin, tags=("drill",) * (n > 90)), ())
        for origin, size in zip(("package", "synthesised", "method"), sizes, strict=True)
        for n in (*range(size), 91, 92, 93)
    ]
    chosen = answers.balanced(entries, count, 7)
    counts = Counter(e.program.origin for e in chosen)
    assert tuple(counts[origin] for origin in ("package", "synthesised", "method")) == taken
    assert len({e.program.id for e in chosen}) == len(chosen)
    assert not any(e.program.tags for e in chosen)
    assert chosen == answers.balanced(entries, count, 7)


def test_a_slice_keeps_the_order() -> None:
    chosen = answers.sample_tasks(range(100), 10, 3)
    assert chosen == sorted(chosen) == answers.sample_tasks(range(100), 10, 3)
    assert len(chosen) == 10
    assert chosen != answers.sample_tasks(range(100), 10, 4)
    assert [answers.sample_tasks(range(5), limit, 3) for limit in (0, 9)] == [[*range(5)]] * 2


def test_a_form_that_would_repeat_a_prompt_is_left_out() -> None:
    how: dict[str, Any] = {"style": "clean", "max_new_tokens": 9}
    forms = ["instruction", "completion"]
    plans = answers.code_plans({"humaneval": [CODE_TASK]}, forms, **how)
    assert [p.name("base") for p in plans] == [
        "humaneval_base_completion", "humaneval_base_instruction",
    ]  # fmt: skip
    texts = [p.prompts("clean", None)[0].text for p in plans]
    assert texts[0] == CODE_TASK.data["prompt"].rstrip()
    assert texts[1].startswith("Write the Python code")
    script = get("lcb-lite").task(lcb_rows()[0], 1)
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


# a monologue that runs out of tokens is closed and made to answer

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
    plan = Plan(name, tasks_of(name, REPEAT), Setting(setting, setting, 2 * (setting == "cot"), 32))
    cache = tmp_path / "cache.jsonl"
    texts = answers.completions_of(
        plan, answers.complete(Model("base", "any"), [plan], cache=cache)
    )
    judged = answers.verdicts(plan, texts, scorer="strict", box=box)
    row = answers.evaluated(plan, "tuned", texts, judged, scorer="strict", seed=0).row
    assert judged[0].passed, texts
    assert [text.finish for text in texts] == ["forced" if begun else "length"]
    assert {k: v for k, v in row.items() if k not in ("low", "high")} == {
        "benchmark": name, "model": "tuned", "setting": setting, "scorer": "strict", "value": 1.0,
        "n": 1, "statuses": {"passed": 1}, "stopped_by_itself": 0.0, "forced": float(bool(begun)),
        "tokens": 20 if begun else 10,
    }  # fmt: skip
    assert len(scripted.batches) == 1 + bool(begun)
    if begun:
        (first,), (second,) = scripted.batches
        assert second == first.removesuffix(begun.partition("\n")[0] + "\n") + begun
        assert texts[0].text == begun + answer.partition("\n")[0]
