from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.models import prompts

SOURCE = "def f(text):\n    a = 'x'\n\n    return text + a\n"
PROGRAM, CASE = Program(SOURCE, "f"), Case(("b",), "bx")


def test_labels_are_on_every_line_that_is_not_blank() -> None:
    assert prompts.label_lines(SOURCE).split("\n") == [
        "def f(text):  # [L1]",
        "    a = 'x'  # [L2]",
        "",
        "    return text + a  # [L4]",
    ]


@pytest.mark.parametrize("format", prompts.FORMATS)
def test_a_prompt_ends_with_what_opens_the_answer(format: str) -> None:
    for prompt in (
        prompts.of_case("forward", PROGRAM, CASE, format=format),
        prompts.of_case("backward", PROGRAM, CASE, format=format),
    ):
        assert prompt.text.endswith(prompt.prefill)
        assert prompt.prefill.endswith("]\n")
        assert prompt.stop == ("[/ANSWER]",)
        assert "??" in prompt.text


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The authors' strings are looked for in an empty folder."""
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path))
    prompts.authors_prompts.cache_clear()
    yield
    prompts.authors_prompts.cache_clear()


@pytest.mark.usefixtures("_files")
def test_braces_in_a_program_are_left_alone(tmp_path: Path) -> None:
    template = {"prompts": {"EXEC_O_PROMPT": "A\n{instruction}\n{response}"}}
    (tmp_path / "authors_prompts.json").write_text(json.dumps(template))
    text = prompts.forward("def f(x):\n    return f'{response}'", "f(1)", style="faithful").text
    assert 'return f"{response}"' in text
    assert text.endswith("[MONOLOGUE]")


@pytest.mark.usefixtures("_files")
def test_the_faithful_style_says_what_it_needs() -> None:
    with pytest.raises(UserError, match=r"needs authors_prompts\.json"):
        prompts.forward(SOURCE, "f('b')", style="faithful")


@pytest.mark.data
def test_the_faithful_prompts_have_the_authors_quirks() -> None:
    text = prompts.forward(SOURCE, "f('b')", style="faithful").text
    assert text.startswith("Simulate the Execution:")
    assert '    a = "x" # [L6]\n' in text  # quotes doubled, labels from 5
    assert text.endswith('assert f("b") == ??\n[/PYTHON]\n[MONOLOGUE]')
    text = prompts.of_case("backward", PROGRAM, CASE, style="faithful").text
    assert "\nPYTHON]\ndef f" in text  # without its first bracket
    assert text.endswith('assert f(??) == "bx"\n[/PYTHON]\n\n[MONOLOGUE]')
    assert "# [L" not in text
