"""What a stage's key depends on, and the released texts of notebook 06."""

from __future__ import annotations

import collections
import shlex
from pathlib import Path

import pytest

from semcoder_lib import faults as pyx_r
from semcoder_lib import refinement
from semcoder_lib.core import workspace
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.evaluation import data as homes
from semcoder_lib.models import prompts
from semcoder_lib.refinement.checks import run_checks
from semcoder_lib.refinement.sources import feedbacks, shown_solution
from semcoder_lib.run import stages
from semcoder_lib.run.stages import released, s03_pyx_r, s06_reasoning, training_rows
from semcoder_lib.sandbox import Sandbox


@pytest.fixture
def at_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    return tmp_path


def test_every_hashed_source_exists() -> None:
    for stage in stages.STAGES.values():
        for name in (*stage.rooms, f"run/stages/{stage.run.partition(':')[0]}"):
            assert workspace.code_hash(name), stage.label
    with pytest.raises(ValueError, match="no such room"):
        workspace.code_hash("no such room")


def test_every_key_prefix_names_a_field_of_the_profile() -> None:
    from semcoder_lib.core.profile import Profile

    fields = [name for name, _, _ in Profile().fields_doc()]
    for stage in stages.STAGES.values():
        for prefix in stage.keys:
            assert any(f.startswith(prefix) for f in fields), (stage.label, prefix)


def alone(number: int) -> stages.Session:
    """A stage without those that it reads."""
    return stages.Session(stages.STAGES[number], stages.configured("smoke"), workspace.Run("alone"))


@pytest.mark.data
def test_released_texts_are_scored_and_read(at_root: Path) -> None:
    session = alone(6)
    try:
        missing: dict[str, str] = {}
        rows = released.scores(session, missing)
        read = released.faithfulness(session, 8, 1)
    finally:
        session.close()
    assert not missing
    official = {r["benchmark"]: round(100 * r["value"], 1) for r in rows if "low" in r}
    assert official == {"cruxeval-o": 64.1, "cruxeval-i": 63.1}
    assert [r["n"] for r in read] == [8, 8]
    assert all(r["supported"] > r["contradicted"] for r in read)


def test_without_the_files_the_report_says_which(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(at_root))
    monkeypatch.setenv("SEMCODER_HOME", str(at_root))
    session = alone(6)
    try:
        missing: dict[str, str] = {}
        assert released.scores(session, missing) == []
        assert released.faithfulness(session, 8, 1) == []
    finally:
        session.close()
    assert all(name in missing[f"{key}, released texts"] for key, name in released.FILES.items())


def test_a_stage_is_done_again_when_a_benchmark_was_added(
    at_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(at_root))
    monkeypatch.setenv("SEMCODER_HOME", str(at_root))

    def begun(number: int) -> tuple[str, dict[str, str]]:
        session = alone(number)
        session.close()
        return session.key, session.inputs

    before = {number: begun(number) for number in (1, 2, 5, 6)}
    (at_root / "cruxeval.jsonl").write_text("{}\n")
    after = {number: begun(number) for number in (1, 2, 5, 6)}
    assert [n for n in before if before[n][0] != after[n][0]] == [1, 6]
    digest = workspace.file_hash(at_root / "cruxeval.jsonl")
    assert after[6][1]["data/cruxeval.jsonl"] == digest


def test_every_beginning_of_a_data_file_names_one() -> None:
    for stage in stages.STAGES.values():
        for beginning in stage.data:
            assert any(name.startswith(beginning) for name in homes.HOMES), stage.label


def test_direct_rows_begin_as_the_evaluation_asks_and_go_on_with_other_cases() -> None:
    cases = [Case((n,), n + 1) for n in range(8)] + [Case(("a" * 200,), None)]
    directions = []
    for name in "abcdefgh":
        program = Program("def f(x):\n    return x + 1\n", "f", id=name, split="train")
        row = training_rows.direct_example(Entry(program, tuple(cases)), seed=1)
        assert row is not None
        answers = [line for line in row.completion.split("\n") if line.startswith("assert ")]
        call, _, output = answers[0].removeprefix("assert ").partition(" == ")
        asked = {
            prompts.forward(program.source, call, format="direct").text: "forward",
            prompts.backward(program.source, "f", output, format="direct").text: "backward",
        }
        directions.append(asked[row.prompt])
        assert row.completion.split("\n")[1] == "[/ANSWER]"
        assert len(set(answers)) == 6
        for answer in answers:
            left, _, right = answer.removeprefix("assert f(").partition(") == ")
            assert int(left) + 1 == int(right)
        assert row == training_rows.direct_example(Entry(program, tuple(cases)), seed=1)
        assert training_rows.direct_example(Entry(program, tuple(cases[-1:])), seed=1) is None
    assert set(directions) == {"forward", "backward"}


def test_the_answer_of_a_fault_task_begins_inside_the_function() -> None:
    program = Program("def f(x):\n    return x + 1\n", "f", description="Adds one.")
    begun = s03_pyx_r._begun(program)
    compile(f"{begun} return x", "answer", "exec")
    assert s03_pyx_r._prompt(program, begun)[0].endswith(f"```python\n{begun}")
    assert s03_pyx_r._begun(Program("f = len\n", "f")) == ""


def test_rows_of_table_4_hold_the_recorded_run_as_the_evaluation_shows_it() -> None:
    program = Program(
        "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n",
        "f", id="sum", description="Add the numbers of a list.", split="train",
    )  # fmt: skip
    cases = tuple(Case((list(range(n)),), sum(range(n))) for n in range(2, 8))
    with Sandbox(workers=1) as box:
        faults, _ = pyx_r.build([Entry(program, cases)], box, limit=3, seed=1)
        rows = training_rows.traced_examples(faults, box)
        tasks = {task.id: task for task in refinement.from_faults(faults, [Entry(program, cases)])}
        assert rows
        for row in rows:
            task = tasks[row.id.removesuffix(":traced")]
            assert task.initial is not None
            seen = run_checks([(task.initial, "f", task.public, 0.0)], box)[0]
            (shown,) = feedbacks([(task, task.initial, task.public, seen.passed)], "trace", box)
            assert shown is not None
            assert "[STATE" in shown.trace or "[INPUT" in shown.trace
            asked = prompts.refine(
                task.problem, shown_solution(task.initial), shown.failed_test, trace=shown.trace
            )
            assert row.prompt == asked.text
            assert "### Bug Fixing" in row.completion
            assert "### Execution Simulation" not in row.completion


def test_a_setting_may_hold_spaces(tmp_path: Path) -> None:
    text = shlex.join([f"pyx_source={tmp_path / 'my folder' / 'x.jsonl'}", "seed=3"])
    found = stages.configured("smoke", text)
    assert (found.pyx_source, found.seed) == (str(tmp_path / "my folder" / "x.jsonl"), 3)


def test_held_out_items_are_of_every_source_and_no_drills() -> None:
    sizes = {"package": 3, "synthesised": 20, "method": 30}
    entries = [
        Entry(
            Program("", "f", id=f"{origin}{n}", origin=origin, tags=("drill",) * (n % 3 == 2)), ()
        )
        for origin, count in sizes.items()
        for n in range(count)
    ]
    chosen = s06_reasoning.balanced(entries, 16, seed=1)
    names = collections.Counter(e.program.origin for e in chosen)
    assert names == {"package": 2, "synthesised": 7, "method": 7}
    assert not any(e.program.tags for e in chosen)
