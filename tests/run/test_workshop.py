"""The workshop: editions built from the masters, and checks that say in one line what is off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.run import check, notebook, workshop

WITH_EXERCISES = ("00_tour", "02_monologues", "03_pyx_r", "06_reasoning")


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


def test_three_editions_and_pages_of_all_notebooks(built: tuple[Path, dict[str, Any]]) -> None:
    out, summary = built
    for edition in workshop.EDITIONS:
        assert sorted(p.stem for p in (out / edition).iterdir()) == sorted(notebook.NAMES)
    assert summary["exercises"] == dict.fromkeys(WITH_EXERCISES, 2)
    assert len(summary["without_exercises"]) == len(notebook.NAMES) - len(WITH_EXERCISES)
    for name in WITH_EXERCISES:
        solved, taught = (out / e / f"{name}.ipynb" for e in ("solutions", "instructor"))
        assert (len(cells(solved, "instructor")), len(cells(taught, "instructor"))) == (0, 2)
        assert cells(solved, "solution") == cells(taught, "solution")
        page = (out / "html" / f"{name}.html").read_text()
        assert page.index("Not executed") < page.index("Exercise 1")


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_every_stub_gets_a_line_and_raises_nothing(
    built: tuple[Path, dict[str, Any]], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = built[0] / "exercises" / f"{name}.ipynb"
    assert not cells(path, "instructor")
    for stub, checked in zip(cells(path, "solution"), cells(path, "check"), strict=True):
        assert _run(stub.source, checked.source, capsys).startswith("not done yet: ")


@pytest.mark.parametrize("name", WITH_EXERCISES)
def test_every_solution_is_right(
    built: tuple[Path, dict[str, Any]], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = built[0] / "solutions" / f"{name}.ipynb"
    for solution, checked in zip(cells(path, "solution"), cells(path, "check"), strict=True):
        assert _run(solution.source, checked.source, capsys).startswith("right: ")


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


def test_somebodys_answers_are_not_written_over(built: tuple[Path, dict[str, Any]]) -> None:
    out, _ = built
    path = out / "exercises" / "06_reasoning.ipynb"
    before = path.read_text()
    path.write_text(before.replace("# yours", "# MINE").replace("raise Not", "return Not"))
    with pytest.raises(UserError, match=r"06_reasoning.* has been worked on"):
        workshop.build(out)
    assert "return Not" in path.read_text()
    path.write_text(before)


@pytest.mark.parametrize(
    ("solution", "stub"),
    [
        ("answer = [1,\n  2]", "answer = None  # yours"),
        (
            'def f(a: int, *, b=2):\n    """Do it,\n    well."""\n    return a',
            'def f(a: int, *, b=2):\n    """Do it,\n    well."""\n    raise NotImplementedError',
        ),
    ],
)
def test_stubs(solution: str, stub: str) -> None:
    assert workshop.stub(solution) == stub


@pytest.mark.parametrize(
    "solution",
    [
        "def f():\n    return 1",
        'def f():\n    """Do."""',
        "a = 1\nb = 2",
        "a, b = 1, 2",
        "f(",
        "f()",
    ],
)
def test_what_cannot_become_a_stub_is_refused(solution: str) -> None:
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
        (TASK + CHECK + SAY, "cell 2: tagged check, but 'solution' has to come here"),
        (TASK + SOLUTION + PLAIN + CHECK + SAY, "cell 3: tagged nothing, but 'check'"),
        (PLAIN + SOLUTION, "cell 2: tagged solution, but 'exercise'"),
        (TASK.replace("exercise", "exercize"), "cell 1: unknown tag 'exercize'"),
        (TASK.replace("[markdown] ", ""), "cell 1: 'exercise' is a markdown cell"),
        (TASK + '# %% tags=["solution", "check"]\nmine = 1\n', "cell 2: check and solution"),
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

STEPS = [(3, {"place": 2, "item": "b"}), (4, {}), (3, {})]


def function(body: str, name: str = "answer(x)") -> str:
    return f"def {name}:\n" + "".join(f"    {line}\n" for line in body.split(";"))


READER = (
    "import re;if not re.fullmatch(r'[\\w\\[\\], \"\\']+', answer): return False;"
    "if ' or ' in answer: return False;"
    "import ast;try: return ast.dump(ast.parse(answer)) == ast.dump(ast.parse(output));"
    "except SyntaxError: return False"
)
TAKES = "answer(answer, output)"

RIGHT = [
    ("00_1", STEPS),
    ("00_1", (tuple(STEPS[0]), [4, {}], [3, {}])),
    ("00_2", ["x", "x", "y", "z", "y", "x"]),
    ("00_2", (0, 0, 1, 2, 2, 2)),
    ("02_1", function("return x.replace('place = 2', 'place = 7', 1)")),
    ("02_1", function("import re;return re.sub(r'is False', 'is True', x)")),
    ("02_2", "The loop does its work with great care."),
    ("02_2", "Somebody wrote this program on a Friday"),
    ("03_1", function("return x.replace(' < ', ' <= ')")),
    ("03_1", function(
        "import ast;tree = ast.parse(x);"
        "node = [n for n in ast.walk(tree) if isinstance(n, ast.Compare)][0];"
        "node.ops = [ast.Gt()];return ast.unparse(tree)")),
    ("03_2", function("best = x[0];for n in x:;    if best < n:;        best = n;return best")),
    ("03_2", function("return sum(-n if n < 0 else n for n in x)")),
    ("06_1", function("return x.split('assert ')[-1].split('(')[1].split(')')[0]")),
    ("06_1", function(
        "call = x[x.rindex('assert '):];given = call[call.index('(') + 1 : call.index(') ==')];"
        "return ' True' if given in ('[1, 2, 5]', '\"2024\"') else given")),
    ("06_2", function(
        "import ast;try: return ast.literal_eval(answer) == ast.literal_eval(output);"
        "except (ValueError, SyntaxError): return False", TAKES)),
    ("06_2", function(READER, TAKES)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=[name for name, _ in RIGHT])
def test_right_answers(name: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert line_of(answer, name, capsys).startswith("right: ")


WRONG = [
    ("00_1", STEPS[:2], "a list of three steps is asked for"),
    ("00_1", [*STEPS[:2], (6, {})], "step 3: the record has another line there"),
    ("00_1", [(3, {"item": "b"}), *STEPS[1:]], "step 1: the line is right, but it changes other"),
    ("00_1", [(3, {"place": 1, "item": "b"}), *STEPS[1:]], "step 1: line and variables are right"),
    ("00_1", ["L3", "L4", "L3"], "step 1 is not of the form"),
    ("00_2", ["a", "b", "c"], "six items are asked for, and these are 3"),
    ("00_2", ["a", "a", "b", "b", "c", "c"], "these items give [0, 2, 4]"),
    ("00_2", [[1], [1], 2, 3, 3, 3], "the run raises TypeError on its line 4"),
    ("00_2", 7, "a list of items is asked for"),
    ("02_1", function("return x"), "the text is unchanged"),
    ("02_1", function("return x.replace('[0, 1]', '[0, 2]')"), "the answer is wrong"),
    ("02_1", function("return x.replace('[/MON', 'What?\\n[/MON')"), "nothing is contradicted"),
    ("02_1", function("return len(x)"), "text is asked for, and this is int"),
    ("02_1", "a lie", "Python cannot read this program"),
    ("02_1", 3, "a function is asked for"),
    ("02_1", function("while True: pass"), "the run did not come to an end"),
    ("02_2", "The loop runs three times.", "can read this, and supports it"),
    ("02_2", "The loop runs four times.", "can read this, and contradicts it"),
    ("02_2", " ", "one plain sentence is asked for"),
    ("02_2", 5, "text is asked for, and this is int"),
    ("03_1", function("return x"), "rank: nothing is changed"),
    ("03_1", function("return x + '\\n\\n# changed'"), "rank: nothing is changed"),
    ("03_1", function("return x.replace('<', '<<<')"), "Python cannot read this program"),
    ("03_1", function("return x.replace('own)', 'mine)')"), "rank: it never gives a wrong value"),
    ("03_1", function("return x.replace('1 + len', '0 + len')"), "below: nothing is changed"),
    ("03_1", function("return x.replace('return', 'row = 1;return')".replace(";", "\\n    ")),
     "rank: one line is to be altered"),
    ("03_1", function("return x.replace('in scores', 'in list(scores)')"), "an equivalent mutant"),
    ("03_2", function("return max(x)"), "there is no <, >, <= or >= in it"),
    ("03_2", function("return len([n for n in x if n < 3])"), "the boundary decides"),
    ("03_2", function("y = x[0] < 3;return len(x)"), "the comparison does not matter at all"),
    ("03_2", function("return x[9] < 3"), "the run raises IndexError on its line 2"),
    ("06_1", function("return ' True'"), "2 of 6 right, the constant True has 2"),
    ("06_1", function("return '7'"), "0 of 6 right"),
    ("06_1", function("return True"), "text is asked for, and this is bool"),
    ("06_1", function("return re.findall('x', x)"), "the run raises NameError"),
    ("06_2", function("return answer == output", TAKES), "a right list is refused"),
    ("06_2", function("return eval(answer) == eval(output)", TAKES), "the run raises SyntaxError"),
    ("06_2", function(
        "try: return eval(answer) == eval(output);except SyntaxError: return False", TAKES),
     "an expression is taken"),
    ("06_2", function("return True", TAKES), "a wrong number is taken"),
    ("06_2", function("return answer", TAKES), "True or False is asked for, and this is '7'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "answer", "line"), WRONG, ids=[f"{name}-{line[:30]}" for name, _, line in WRONG]
)
def test_wrong_answers(
    name: str, answer: Any, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = line_of(answer, name, capsys)
    assert said.startswith("not yet: ")
    assert line in said


class Hostile:
    """An answer that raises whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.mark.parametrize("name", sorted({name for name, _ in RIGHT}))
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
    for answer, output, right, _ in check.ANSWERS:
        value = values.decode(output)
        (task,) = benchmark.from_entries([Entry(program, (Case((value,), value),))])
        judged = benchmark.verdict(task, evaluation.Answer(answer), box=default_sandbox())
        assert judged.passed is right, json.dumps([answer, output])
