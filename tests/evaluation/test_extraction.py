"""Extraction: texts whose answer is known by construction, EvalPlus's sanitizer, hard cases."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
import sanitizer_texts
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core.records import Status
from semcoder_lib.evaluation.assertions import asked_function, clean_answer, faithful_answer
from semcoder_lib.models.extraction import clean_code, faithful_code
from semcoder_lib.sandbox import Job, Sandbox

HERE = Path(__file__).parent
ANSWERS = [json.loads(x) for x in (HERE / "golden_answers.jsonl").read_text().splitlines()]
SANITIZED = json.loads(sanitizer_texts.GOLDEN.read_text())


def test_golden_answers() -> None:
    kinds = Counter((row["direction"], row["status"]) for row in ANSWERS)
    assert (len(kinds), kinds.total()) == (4, 327)
    for row in ANSWERS:
        got = clean_answer(row["text"], row["direction"])
        assert (got.text, got.status.value) == (row["answer"], row["status"]), row


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    for direction in ("input", "output"):
        for whole in (text, f"[ANSWER]\n{text}", f"[ANSWER]assert {text}[/ANSWER]"):
            assert clean_answer(whole, direction).status in (Status.OK, Status.NO_ANSWER)
            assert faithful_answer(whole, direction).text is not None
    for whole in (text, f"```\n{text}", f"def f():\n{text}"):
        assert clean_code(whole, "f").status in (Status.OK, Status.NO_ANSWER)


N = 12_000
LONG = {
    "spaces after a fence": "```" + " " * 20 * N + "x y",
    "closing brackets": ")\n" * N,
    "opening brackets": "(\n" * N,
    "quotes": '"""\n' * N,
    "escaped quotes": '"""' + '\\"""' * N,
    "fields": "def f():\n    return f'" + "{a}" * 5 * N + "'\n",
    "a chain": "def f(): a0()\n" + "".join(f"def a{n}(): a{n + 1}()\n" for n in range(N)),
    "headers": "def f(:\n" * N,
    "a body that does not parse": "def f():\n" + "    x = (\n" * N,
    "prose like code": "the x = y z\n" * N,
    "fences": "```\n" * N,
    "fences of two kinds": "```a\n~~~\n" * N,
    "nested brackets": "x = " + "[" * N,
    "signs": "x = " + "-" * N + "1",
    "a sum": "x = " + "1+" * N + "1",
    "backslashes": 'x = """' + "\\" * 10 * N + '"""\n',
    "decorators": "@a\n" * N,
    "thoughts": "</think>" * N,
    "end tokens": "a<|x|>" * N,
    "attributes": "x = a" + ".b" * N,
    "surrogates": "x = '\ud83d'\n" * 1000,
    "assertions": "[ANSWER]" + "assert\n" * N,
    "questions": "assert f(\n" * N + "??",
}


@pytest.mark.parametrize("name", LONG)
def test_time_is_linear(name: str) -> None:
    began = time.process_time()
    clean_code(LONG[name], "f", "def f():\n")
    for direction in ("input", "output"):
        clean_answer(f"[ANSWER]{LONG[name]}", direction)
        clean_answer(LONG[name], direction)
        faithful_answer(LONG[name], direction)
    assert time.process_time() - began < 3  # seconds; where quadratic: minutes


@pytest.mark.parametrize(
    ("text", "direction", "answer"),
    [
        ("x [ANSWER]\nassert f(1) == \"a\"\n[/ANSWER]", "output", "'a'"),
        ("x [ANSWER]\nassert f(\"b\") == 1\n[/ANSWER]", "input", "f('b')"),
        # the quirks: an apostrophe inside becomes a broken literal, "==" inside cuts the value
        ('[ANSWER]\nassert f(1) == "it\'s"\n[/ANSWER]', "output", "'it's'"),
        ("[ANSWER]\nassert f(1) == 'a==b'\n[/ANSWER]", "output", "'a"),
        ("word\nANSWER]\nassert f(1) == 2\n", "output", "2"),
        # the guard of the script for a missing tag never fires: 7 characters are lost
        ("12345678 == 9", "output", "9"),
        ("f(1234567) == 9", "input", "67)"),
    ],
)  # fmt: skip
def test_faithful_quirks(text: str, direction: str, answer: str) -> None:
    assert faithful_answer(text, direction).text == answer


RUN_ON = (
    "\n[PYTHON]\ndef f(x):\n    return x\nassert f(3) == ??\n[/PYTHON]\n[ANSWER]\nassert f(3) == 3"
)
PROMPT = "Answer in [ANSWER] and [/ANSWER] tags.\n[PYTHON]\nassert f(1) == ??\n[/PYTHON]\n"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("[ANSWER]\nassert f(1) == 1\n[/ANSWER]" + RUN_ON, "1"),
        ("thinking\n[/MONOLOGUE]\n[ANSWER]\nassert f(1) == 1\n[/ANSWER]" + RUN_ON, "1"),
        ("assert f(1) == 1\n[/ANSWER]" + RUN_ON, "1"),  # the prompt had opened the tag
        (PROMPT + "[ANSWER]\nassert f(1) == 1\n[/ANSWER]", "1"),
        # examples in a prompt look alike: the last answer counts
        ("[PYTHON]\n[/PYTHON]\n[ANSWER]\nassert f(0) == 0\n[/ANSWER]" + RUN_ON, "3"),
    ],
)
def test_a_problem_that_a_text_poses_itself_is_not_answered(text: str, answer: str) -> None:
    assert clean_answer(text, "output").text == answer
    assert asked_function(text) == ("f" if "??" in text else "")


def test_code_in_all_its_wrappings_beside_evalplus() -> None:
    """Where EvalPlus finds a right program, so do we; docs/scoring.md names the differences."""
    sides: Counter[tuple[bool, bool]] = Counter()
    assert len(SANITIZED["drawn"]) == sanitizer_texts.COUNT >= 2_000
    for seed, theirs in enumerate(SANITIZED["drawn"]):
        text = sanitizer_texts.drawn(seed)
        answer = clean_code(text.text, text.entry_point, text.prefix)
        ours = sanitizer_texts.right(answer.text, text)
        sides[theirs == "1", ours] += 1
        if theirs == "1" and not ours:
            # the longest program of several counts there, the first complete one here; and a
            # draft in <think> tags is none
            assert text.made_of[2] in ("wrong first", "thought"), (seed, text, answer)
    assert sides[True, False] < 50
    assert sides[False, True] > 600


@pytest.mark.data
@pytest.mark.parametrize("mode", sanitizer_texts.MODES)
def test_released_texts_beside_evalplus(mode: str, box: Sandbox) -> None:
    texts = list(sanitizer_texts.released(mode, Path(os.environ["SEMCODER_DATA"])))[::4]
    answers = [clean_code(text.text, text.entry_point).text for text in texts]
    jobs = [
        Job(f"{answer or ''}\ndef test():\n    return {text.test}", "test")
        for answer, text in zip(answers, texts, strict=True)
    ]
    ours = [outcome.value is True for (outcome,) in box.map(jobs)]
    theirs = [digit == "1" for digit in SANITIZED[mode][::4]]
    assert len(ours) == len(theirs) == 200
    assert [i for i, (a, b) in enumerate(zip(theirs, ours, strict=True)) if a and not b] == []
    assert sum(ours) >= 198


HEAD = 'def double(x):\n    """Twice."""\n'
DOUBLED = sanitizer_texts.Text("", HEAD, "double", "double(4) == 8", ())


FOUND = [
    *yaml.safe_load((HERE / "found_code.yaml").read_text(encoding="utf-8")),
    "```python\ndef double(x):\n    return " + "x - x + " * 400 + "2 * x\n```",
    "```python\n" + "# note\n" * 3000 + "def double(x):\n    return 2 * x\n```\n",
]


@pytest.mark.parametrize("text", FOUND)
def test_code_is_found(text: str) -> None:
    answer = clean_code(text, "double", HEAD)
    assert answer.status is Status.OK
    assert sanitizer_texts.right(answer.text, DOUBLED), answer.text


def test_no_code_and_the_fence_at_which_faithful_code_stops() -> None:
    for text in ("", "\n", "I cannot.", "```python\nx = 3\n```", "    \n", "    x\ud83d"):
        assert clean_code(text, "double", HEAD).status is Status.NO_ANSWER, text
    assert clean_code("```python\nfrom operator import add\n```\n", "add").status is Status.OK
    assert faithful_code("    return 1\n```\nmore", "double", HEAD).text == HEAD + "    return 1\n"
