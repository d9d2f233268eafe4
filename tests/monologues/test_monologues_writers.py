"""Forward monologues: what they claim is what happened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues import Style, call_text, forward

Told = tuple[Program, Case, Trace]


@pytest.fixture(scope="module")
def told(runs: list) -> list[Told]:
    return [(run.program, run.case, run.trace) for run in runs]


def monologue(told: list[Told], name: str, at: int = 0, **dials: object) -> Monologue:
    program, case, trace = [x for x in told if x[0].id == name][at]
    return forward(program, trace, case=case, style=Style(**dials))  # type: ignore[arg-type]


def test_every_program_is_told_and_ends_with_its_answer(told: list[Told]) -> None:
    for program, case, trace in told:
        made = forward(program, trace, case=case)
        call = call_text(program, case)
        assert made.case.arguments == case.arguments
        assert made.text.endswith(
            f"[/MONOLOGUE]\n[ANSWER]\nassert {call} == {trace.result}\n[/ANSWER]"
        )
        assert made.text.startswith("### Understanding the Function\n")


def test_every_executed_line_is_cited(told: list[Told]) -> None:
    for program, case, trace in told:
        text = forward(program, trace, case=case).text
        cited = {int(n) for n in re.findall(r"\[L(\d+)\]", text)}
        executed = {s.line for s in trace.steps if s.function != "<lambda>" and s.event == "line"}
        assert executed <= cited, (program.id, executed - cited)


def test_stated_values_are_the_traced_ones(told: list[Told]) -> None:
    """Read back from the text: after `so`, every `name = value` is in some step of that line."""
    seen = 0
    for program, case, trace in told:
        changes: dict[int, set[str]] = {}
        state: dict[int, dict[str, str]] = {}
        for step in trace.steps:
            known = state.setdefault(step.frame, {})
            for change in step.changes:
                if change.text is not None:
                    known[change.name] = change.text
            changes.setdefault(step.line, set()).update(f"{n} = {v}" for n, v in known.items())
        for line in forward(program, trace, case=case).text.split("\n"):
            found = re.fullmatch(r"\[L(\d+)\] .*, so (\w+ = .*)\.", line)
            if found and "[L" not in found[2]:
                seen += 1
                assert any(found[2].startswith(c) for c in changes[int(found[1])]), line
    assert seen > 150


def test_attributes_of_objects_are_told(told: list[Told]) -> None:
    text = monologue(told, "stack_class").text
    assert "while s.items: [1, 2, 3] counts as True, so [L17]." in text
    assert "self.items.append(x): x = 1, so self.items = [1]." in text


def test_long_loops_are_summarised_within_the_length(told: list[Told]) -> None:
    full = monologue(told, "long_loop", 1, max_chars=100_000, iterations=1000).text
    short = monologue(told, "long_loop", 1, max_chars=1_500).text
    assert len(full) > 5_000
    assert len(short) <= 1_500
    assert "go through [L4], [L5]; after them i = 99, total = 1683." in short


def test_an_exception_has_no_monologue() -> None:
    trace = Trace(steps=(), exception="ValueError: no")
    with pytest.raises(UserError, match="raises"):
        forward(Program("def f(): pass", "f"), trace)


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("forward_*.txt")), ids=lambda p: p.stem)
def test_golden_monologues(told: list[Told], path: Path) -> None:
    """Texts that were read and rewritten until a teacher would show them; see golden/README.md."""
    name = path.stem.removeprefix("forward_")
    assert monologue(told, name).text + "\n" == path.read_text(encoding="utf-8")
