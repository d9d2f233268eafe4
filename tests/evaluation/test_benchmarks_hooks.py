"""Prompts, perturbations, new benchmarks, and the incumbents' formats."""

from __future__ import annotations

import ast
import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import profile, records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Completion, Entry, Program, Status
from semcoder_lib.evaluation import Sample, Task, formats, get, perturb
from semcoder_lib.evaluation.base import Answer, register
from semcoder_lib.evaluation.cruxeval import CruxEval
from semcoder_lib.evaluation.samples import read_samples
from semcoder_lib.models import tokens
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.run.stages import s05_codegen
from semcoder_lib.sandbox import Sandbox

PROGRAM = '''import math

LIMIT = 3


def helper(x):
    return x + 1


def work(values, size=2):
    """Work on values: 'work' stays in text."""
    total = 0
    for value in values:  # a remark
        if value > LIMIT: total += helper(value)
        else:
            total -= value
    text = """several
    lines"""
    if size and total < 0:
        return work([-v for v in values], size - 1)
    return (total, len(text), math.floor(total / 2))
'''


@pytest.mark.parametrize("name", ["rename", "reformat", "comments", "dead_code"])
def test_perturbations_keep_the_meaning(name: str, box: Sandbox) -> None:
    before = [box.call(PROGRAM, "work", (v,)).text for v in ([1, 5], [1, 2], [])]
    for seed in range(3):
        source, entry_point = perturb.apply(name, PROGRAM, "work", seed)
        assert source != PROGRAM
        assert (entry_point != "work") == (name == "rename")
        after = [box.call(source, entry_point, (v,)).text for v in ([1, 5], [1, 2], [])]
        assert after == before
        assert perturb.apply(name, PROGRAM, "work", seed) == (source, entry_point)
    if name == "rename":
        assert "'work' stays in text" in source
        assert "def work(" not in source
    if name == "reformat":
        assert ast.dump(ast.parse(source)) == ast.dump(ast.parse(PROGRAM))


def test_perturbation_registry() -> None:
    def upper(source: str, entry_point: str, draw: random.Random) -> tuple[str, str]:
        return source.upper(), entry_point

    perturb.register("upper for this test", upper)
    assert perturb.apply("upper for this test", "x = 1", "f") == ("X = 1", "f")
    with pytest.raises(UserError, match="taken"):
        perturb.register("rename", upper)
    with pytest.raises(UserError, match="choose from rename"):
        perturb.apply("none", "x = 1", "f")
    with pytest.raises(UserError, match="does not parse"):
        perturb.apply("rename", "def f(:", "f")


def test_perturbed_task_keeps_its_answers(crux: Path, box: Sandbox) -> None:
    benchmark = get("cruxeval-i")
    tasks = benchmark.load(crux)
    changed = [benchmark.perturb(task, "rename", seed=1) for task in tasks]
    answers = []
    for task in changed:
        call = f"{task.data['entry_point']}({task.data['input']})"
        assert task.data["entry_point"] != "f"
        assert f"assert {task.data['entry_point']}(??)" in benchmark.prompt(task).text
        answers.append(Sample(task.task_id, 0, Answer(call)))
    verdicts = benchmark.judge(changed, answers, scorer="strict", box=box)
    assert [v.status for v in verdicts] == [Status.PASSED] * len(tasks)


def test_perturbed_code_task(box: Sandbox) -> None:
    task = Task(
        "HumanEval/0",
        {
            "prompt": 'def double(x):\n    """Twice x, as double does."""\n',
            "entry_point": "double",
            "canonical_solution": "    return x and 2 + double(x - 1)\n",
            "test": "def check(candidate):\n    assert candidate(2) == 4\n",
        },
    )
    benchmark = get("humaneval")
    changed = benchmark.perturb(task, "rename")
    reference = changed.data["prompt"] + changed.data["canonical_solution"]
    assert "def double(" not in reference
    sample = Sample("HumanEval/0", 0, Answer(reference))
    assert benchmark.judge([changed], [sample], scorer="strict", box=box)[0].passed


def test_prompt_variant_and_new_task(crux: Path) -> None:
    benchmark = register(CruxEval("our-own-task", direction="output"))
    assert get("our-own-task") is benchmark
    task = benchmark.load(crux)[0]
    benchmark.add_prompt("terse", lambda t: Prompt(f"{t.data['input']}?"))
    assert benchmark.prompt(task, style="terse").text == "1, 2?"
    with pytest.raises(UserError, match="taken"):
        benchmark.add_prompt("clean", lambda t: Prompt(""))


DOUBLE = {
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
    data, right, chatter = DOUBLE[name]
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


def test_an_untuned_model_is_asked_in_every_form_that_differs() -> None:
    def names(benchmark: str, data: dict[str, Any], *, tuned: bool, forms: str = "") -> list[str]:
        given = {"baseline_forms": forms} if forms else {}
        p, task = profile.load("smoke", given), Task("t", data)
        return [s.name for s in s05_codegen.settings(p, get(benchmark), task, tuned=tuned)]

    data = {"entry_point": "double", **DOUBLE["humaneval"][0]}
    assert names("humaneval", data, tuned=False) == ["completion", "instruction"]
    assert names("humaneval", data, tuned=False, forms="instruction,cot") == ["instruction"]
    assert names("humaneval", data, tuned=True, forms="completion") == ["instruction"]
    question = {"question_content": "Add.", "starter_code": ""}
    assert names("lcb-lite", question, tuned=False) == ["instruction"]


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
    from semcoder_lib.core.values import parse_call
    from semcoder_lib.evaluation import shots

    for shot in shots._SHOTS:
        name, arguments, _ = parse_call(shot.call)
        assert box.call(shot.source, name, arguments).text == shot.output


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
    for name in ("pyx-i", "pyx-o"):
        tasks = get(name).load(path)
        assert [t.task_id for t in tasks] == ["p1", "p2"]
        assert tasks[0].data["program"] == entries[1].program
        report = get(name).preflight(tasks, box=box)
        assert report["reference"] == 1.0
        texts = {"pyx-i": "assert g2(7) == 14", "pyx-o": "assert g2(7) == 14.0"}
        completions = [Completion("p2", texts[name]), Completion("p1", "[ANSWER]\n[/ANSWER]")]
        verdicts = get(name).score(tasks, completions, box=box)
        assert [v.status for v in verdicts] == [Status.PASSED, Status.NO_ANSWER]
    path.write_text('{"program": {"code": "x"}, "cases": []}\n')
    with pytest.raises(UserError, match=r"pyx.jsonl:1: not a row of PyX"):
        get("pyx-o").load(path)


def test_missing_data_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    for name in ("cruxeval-o", "humaneval+", "mbpp+", "lcb-lite", "pyx-i"):
        with pytest.raises(benchmarks.Missing, match=str(tmp_path)) as caught:
            get(name).load()
        assert "home is" in str(caught.value)


def test_formats(tmp_path: Path) -> None:
    completions = [Completion("a", "one", 0), Completion("a", "two", 1), Completion("b", "x", 0)]
    path = tmp_path / "samples.jsonl"
    assert formats.write_lm_eval(path, completions) == 2
    rows = read_samples(path, {"a", "b"}, ("solution", "text"), "made up")
    assert [(r.task_id, r.text, r.index) for r in rows] == [
        (c.task_id, c.text, c.index) for c in completions
    ]
    path.write_text(json.dumps({"doc": {"task_id": 11}, "resps": [["x"]]}))
    (row,) = read_samples(path, {"Mbpp/11", "Mbpp/12"}, ("solution", "text"), "mbpp")
    assert row.task_id == "Mbpp/11"
    assert formats.write_cruxeval(tmp_path / "g.json", [("a", "1"), ("b", "2"), ("a", "3")]) == 2
    assert json.loads((tmp_path / "g.json").read_text()) == {"a": ["1", "3"], "b": ["2"]}
    formats.write_evalplus(path, [("a", "code")])
    assert list(workspace.read_jsonl(path)) == [{"task_id": "a", "solution": "code"}]
    formats.write_human_eval(path, [("a", "rest")])
    assert list(workspace.read_jsonl(path)) == [{"task_id": "a", "completion": "rest"}]


def logged(path: Path) -> list[Any]:
    return list(read_samples(path, {"a"}, ("text",), "made up"))


def test_foreign_results(tmp_path: Path) -> None:
    def dumped(data: Any) -> Path:
        path = tmp_path / "results.json"
        path.write_text(json.dumps(data))
        return path

    result = {"a": [{"base_status": "pass", "plus_status": "fail"}]}
    assert formats.read_evalplus_results(dumped({"eval": result}), plus=False)[0].passed
    assert not formats.read_evalplus_results(dumped({"eval": result}))[0].passed
    rows = dumped({"task_id": "a", "passed": True, "result": "passed"})
    assert formats.read_human_eval_results(rows)[0].passed
    scored = {"raw_generations": {"a": ["1", "2"]}, "raw_scored_generations": {"a": [True, False]}}
    assert [v.passed for v in formats.read_cruxeval_results(dumped(scored))] == [True, False]
    scored["raw_scored_generations"]["a"] = [True]
    for read, data in (
        (formats.read_cruxeval_results, scored),
        (formats.read_evalplus_results, {"eval": {"a": [{}]}}),
        (formats.read_human_eval_results, {"task_id": "a"}),
        (logged, {"doc": {}, "resps": []}),
        (partial(formats.read_results, plus=True), {"eval": {"a": [{}]}}),
        (partial(formats.read_results, plus=True), {"task_id": "a"}),
    ):
        with pytest.raises(UserError, match=r"results\.json"):
            read(dumped(data))


def test_the_held_out_case_is_the_hardest_to_guess() -> None:
    from semcoder_lib.evaluation.pyx import hardest_to_guess

    cases = [Case(((),), ()), Case((1,), 0), Case((2,), 0), Case((7,), 7), Case((9, 2), 11)]
    assert hardest_to_guess(cases) is cases[4]
    assert hardest_to_guess(cases[:4]) is cases[0]  # a copy, but not the usual output 0
    assert hardest_to_guess([Case((object(),), 1)]) is None
    assert hardest_to_guess([]) is None
