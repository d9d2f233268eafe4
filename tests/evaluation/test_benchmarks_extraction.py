"""Extraction: a golden file of texts whose answer is known by construction, and hard cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core.records import Status
from semcoder_lib.evaluation.assertions import asked_function, clean_answer, faithful_answer
from semcoder_lib.models.extraction import clean_code, faithful_code

GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden_answers.jsonl").read_text().splitlines()
]


def test_golden_file_is_large() -> None:
    assert len(GOLDEN) >= 250
    assert {row["status"] for row in GOLDEN} == {"ok", "no_answer"}


@pytest.mark.parametrize("direction", ["input", "output"])
def test_golden_answers(direction: str) -> None:
    wrong = []
    for row in GOLDEN:
        if row["direction"] != direction:
            continue
        got = clean_answer(row["text"], direction)
        if (got.text, got.status.value) != (row["answer"], row["status"]):
            wrong.append((row["name"], row["text"], got.text, got.status))
    assert wrong == []


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    for direction in ("input", "output"):
        for whole in (text, f"[ANSWER]\n{text}", f"[ANSWER]assert {text}[/ANSWER]"):
            assert clean_answer(whole, direction).status in (Status.OK, Status.NO_ANSWER)
            assert faithful_answer(whole, direction).text is not None
    assert clean_code(text, "f").status in (Status.OK, Status.NO_ANSWER)


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


def test_asked_function() -> None:
    assert asked_function("assert g(??) == 3\n[ANSWER]\nassert f(1) == 3") == "g"
    assert asked_function("assert h(1, 2) == ??\n") == "h"
    assert asked_function("[ANSWER]\nassert f(1) == 3") == ""


HEAD = 'def double(x):\n    """Twice."""\n'


def run(code: str | None) -> Any:
    assert code is not None
    namespace: dict[str, Any] = {}
    exec(compile(code, "t", "exec"), namespace)  # our own text, written in this file
    return namespace["double"](4)


@pytest.mark.parametrize(
    "text",
    [
        "    return 2 * x\n",
        "    return 2 * x\n```\nThat is all.",
        "```python\ndef double(x):\n    return x + x\n```",
        "Here:\n```\ndef double(x):\n    return x + x\n```\nand a test\n```\ndouble(3)\n```",
        "    return 2 * x\n\nprint(double(3))\nassert double(1) == 3\n",
        "    return 2 * x\n\nif __name__ == '__main__':\n    double(input())\n",
        "    return 2 * x\n\ndef double_again(x:\n    oops",
        "    return 2 * x\nThe function doubles (its argument.",
        "```py\nimport math\nN = 2\ndef double(x):\n    return math.prod([x, N])\n```",
        "    half = lambda y: y / 2\n    return int(half(4 * x))\n\n\ndef unused():\n    pass\n",
    ],
)
def test_code_is_found(text: str) -> None:
    answer = clean_code(text, "double", HEAD)
    assert answer.status is Status.OK
    assert run(answer.text) == 8


@pytest.mark.parametrize("text", ["", "\n", "I cannot.", "```python\nx = 3\n```", "    \n"])
def test_no_code(text: str) -> None:
    assert clean_code(text, "double", HEAD).status is Status.NO_ANSWER


def test_faithful_code_stops_at_the_fence() -> None:
    assert faithful_code("    return 1\n```\nmore", "double", HEAD).text == HEAD + "    return 1\n"
