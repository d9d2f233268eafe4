"""The workshop: editions built from the masters, and checks that say in one line what is off."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.run import check, notebook, workshop

WITHOUT = ("05_codegen", "09_report")
WITH_EXERCISES = tuple(name for name in notebook.NAMES if name not in WITHOUT)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("workshop")
    return out, workshop.build(out)


def cells(path: Path, tag: str) -> list[nbformat.NotebookNode]:
    found = nbformat.read(path, as_version=4).cells
    return [c for c in found if tag in c.metadata.get("tags", [])]


def line_of(answer: Any, name: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a check prints."""
    capsys.readouterr()
    getattr(check, f"e{name}")(answer)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    return lines[0]


# --- the editions ---------------------------------------------------------------------------


def test_three_editions_of_all_notebooks(built: tuple[Path, dict[str, Any]]) -> None:
    out, summary = built
    for edition in workshop.EDITIONS:
        assert sorted(p.stem for p in (out / edition).iterdir()) == sorted(notebook.NAMES)
    assert summary["exercises"] == dict.fromkeys(WITH_EXERCISES, 2)
    for name in WITH_EXERCISES:
        solved, taught = (out / e / f"{name}.ipynb" for e in ("solutions", "instructor"))
        assert (len(cells(solved, "instructor")), len(cells(taught, "instructor"))) == (0, 2)
        assert cells(solved, "solution") == cells(taught, "solution")
        assert not re.search("source_hidden|unfold the cell", solved.read_text())
        assert 'profile = "workshop"' in solved.read_text().replace("\\", "")


@pytest.mark.parametrize("name", WITH_EXERCISES)
@pytest.mark.parametrize("edition", ["exercises", "solutions"])
def test_every_stub_is_not_done_and_every_solution_right(
    built: tuple[Path, dict[str, Any]], edition: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = built[0] / edition / f"{name}.ipynb"
    assert not cells(path, "instructor")
    for answer, checked in zip(cells(path, "solution"), cells(path, "check"), strict=True):
        line = _run(answer.source, checked.source, capsys)
        assert line.startswith({"exercises": "not done yet: ", "solutions": "right: "}[edition])


def _run(answer: str, checked: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the check prints of the answer, both as cells: a function's text is found as there."""
    import linecache

    linecache.cache["<cell>"] = (len(answer), None, answer.splitlines(keepends=True), "<cell>")
    names: dict[str, Any] = {}
    exec(compile(answer, "<cell>", "exec"), names)
    capsys.readouterr()
    exec(checked, names)
    (line,) = capsys.readouterr().out.splitlines()
    return line


def test_the_checklist_says_what_a_class_would_miss(
    built: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    (tmp_path / "workshop" / "04_sft").mkdir(parents=True)
    states = {c.name: c for c in workshop.checklist(built[0])}
    assert "01_pyx was not run" in states["prepared"].finding
    assert {"prepared", "pages", "training"} <= {n for n, c in states.items() if c.state != "ok"}
    assert "editions" in {c.name for c in workshop.checklist(tmp_path) if c.state == "fail"}


def test_somebodys_answers_are_not_written_over(built: tuple[Path, dict[str, Any]]) -> None:
    out, _ = built
    path = out / "exercises" / "06_reasoning.ipynb"
    before = path.read_text()
    path.write_text(before.replace("# yours", "# MINE").replace("raise Not", "return Not"))
    with pytest.raises(UserError, match=r"06_reasoning.* has been worked on.*move .* away"):
        workshop.build(out)
    assert "return Not" in path.read_text()
    path.write_text(before)


def test_stubs() -> None:
    head = 'def f(a: int, *, b=2):\n    """Do it,\n    well."""\n'
    assert workshop.stub(f"{head}    return a") == f"{head}    raise NotImplementedError"
    assert workshop.stub("answer = [1,\n  2]") == "answer = None  # yours"
    no_docstring, no_body = "def f():\n    return 1", 'def f():\n    """Do."""'
    for solution in (no_docstring, no_body, "a = 1\nb = 2", "a, b = 1, 2", "f(", "f()"):
        with pytest.raises(UserError, match="one function with a docstring"):
            workshop.stub(solution)


TASK = '# %% [markdown] tags=["exercise"]\n# Do it.\n\n'
SOLUTION = '# %% tags=["solution"]\nmine = 1\n\n'
CHECK = '# %% tags=["check"]\ncheck.e00_1(mine)\n\n'
SAY = '# %% [markdown] tags=["instructor"]\n# Five minutes.\n\n'
PLAIN = "# %%\n1\n\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TASK + SOLUTION + CHECK, "last cell: 'instructor' is missing"),
        (TASK + CHECK + SAY, "cell 2: a code cell tagged 'solution'"),
        (TASK + SOLUTION + PLAIN + CHECK + SAY, "cell 3: a code cell tagged 'check'"),
        (PLAIN + SOLUTION, "cell 2: a markdown cell tagged 'exercise'"),
        (TASK.replace("exercise", "exercize"), "cell 1: tagged exercize, not one of"),
        (TASK.replace("[markdown] ", ""), "cell 1: a markdown cell tagged 'exercise'"),
        (TASK + '# %% tags=["solution", "check"]\nmine = 1\n', "cell 2: tagged solution, check"),
        (TASK + SOLUTION.replace("mine = 1", "1") + CHECK + SAY, "cell 2: a solution is"),
        (TASK + SOLUTION + CHECK.replace("00_1", "00_2") + SAY, "cell 3: its last line has to be"),
    ],
)
def test_tags_that_do_not_fit_are_refused_with_the_cell(text: str, reason: str) -> None:
    master = jupytext.reads(text, fmt="py:percent")
    with pytest.raises(UserError) as caught:
        workshop.exercises("00_tour", master)
    assert f"00_tour, {reason}" in str(caught.value)


# --- the checks -----------------------------------------------------------------------------

BLOCKS = re.split(r"^### ", Path(__file__).with_name("answers.txt").read_text(), flags=re.M)[1:]
ANSWERS: list[tuple[str, str, Any]] = []  # exercise, a part of the line, answer
for block in BLOCKS:
    title, body = block.split("\n", 1)
    exercise, _, expected = title.partition(" | ")
    ANSWERS.append((exercise, expected, body if body.startswith("def ") else eval(body)))


@pytest.mark.parametrize(("name", "line", "answer"), ANSWERS)
def test_answers(name: str, line: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said = line_of(answer, name, capsys)
    assert said.startswith("right: " if line == "right" else "not yet: ")
    assert line in said


class Hostile:
    """An answer that raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize("name", sorted({row[0] for row in ANSWERS}))
def test_no_answer_makes_a_check_raise(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for answer in (Hostile(), [Hostile()] * 3, print, lambda: 1, b"", float("nan"), "\0", [[]] * 3):
        assert line_of(answer, name, capsys).startswith(("not yet: ", "right: "))
    assert line_of(None, name, capsys).startswith("not done yet: ")


def test_the_strict_scorer_judges_the_answers_alike() -> None:
    from semcoder_lib import evaluation
    from semcoder_lib.core import values
    from semcoder_lib.core.records import Case, Entry, Program
    from semcoder_lib.run.face import default_sandbox

    benchmark = evaluation.get("pyx-o")
    program = Program("def f(x):\n    return x\n", "f", id="f")
    for (answer, output), right, _ in check.ROWS["e06_2"]:
        value = values.decode(output)
        (task,) = benchmark.from_entries([Entry(program, (Case((value,), value),))])
        judged = benchmark.verdict(task, evaluation.Answer(answer), box=default_sandbox())
        assert judged.passed is right, json.dumps([answer, output])
