"""Prompts, benchmarks of one's own, held-out PyX, and `evaluate` for somebody's own model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semcoder_lib import evaluation as benchmarks
from semcoder_lib.core import records, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Completion, Entry, Program, Status
from semcoder_lib.core.values import parse_call
from semcoder_lib.evaluation import Task, evaluate, execution, get
from semcoder_lib.evaluation.execution import SHOTS, hardest_to_guess
from semcoder_lib.models import tokens
from semcoder_lib.sandbox import Sandbox


def test_a_benchmark_of_ones_own(crux: Path, box: Sandbox) -> None:
    benchmark = execution.cruxeval("output")
    benchmark.name = "our-own-task"
    assert benchmarks.register(benchmark) is get("our-own-task")
    found = evaluate("our-own-task", lambda prompt: "3", data=crux, box=box)
    assert (found.score.n, found.row["statuses"]) == (6, {"passed": 1, "wrong": 5})


ANSWERS = {"sample_0": "3", "sample_1": "[5, 6, 2]", "sample_2": "0", "sample_3": "7 + 0"}


@pytest.mark.parametrize("shots", [0, 2])
def test_evaluate_takes_any_function(shots: int, crux: Path, box: Sandbox) -> None:
    tasks = get("cruxeval-o").load(crux)
    asked: list[str] = []

    def model(prompt: str) -> str:
        task = tasks[len(asked)]
        asked.append(prompt)
        value = ANSWERS.get(task.task_id, "")
        # begun by the prompt with shots, asked for without; and no model stops where it should
        whole = f" {value}" if shots else f"assert f({task.data['input']}) == {value}"
        return f"{whole}\n[/ANSWER]\nassert f(0) == 99"

    found = evaluate("cruxeval-o", model, shots=shots, data=crux, box=box)
    assert [v.status.value for v in found.verdicts] == [
        "passed", "passed", "wrong", "unparseable", "no_answer", "no_answer"
    ]  # fmt: skip
    assert (found.score.value, found.score.n) == (pytest.approx(2 / 6), 6)
    assert 0 <= found.score.low < 2 / 6 < found.score.high < 1
    assert [c.prompt for c in found.completions] == asked
    assert str(found).startswith("cruxeval-o, strict scorer: 33.3% [")
    assert len(evaluate("cruxeval-i", lambda p: "", limit=2, data=crux, box=box).verdicts) == 2
    with pytest.raises(UserError, match="sample_0: the function returned int, not text"):
        evaluate("cruxeval-o", len, data=crux, box=box)  # type: ignore[arg-type]


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
    with pytest.raises(UserError, match=r"pyx.jsonl:1: not a row of pyx-o"):
        get("pyx-o").load(path)


def test_the_held_out_case_is_the_hardest_to_guess() -> None:
    cases = [Case(((),), ()), Case((1,), 0), Case((2,), 0), Case((7,), 7), Case((9, 2), 11)]
    assert hardest_to_guess(cases) is cases[4]
    assert hardest_to_guess(cases[:4]) is cases[0]  # a copy, but not the usual output 0
    assert hardest_to_guess([Case((object(),), 1)]) is None
    assert hardest_to_guess([]) is None
