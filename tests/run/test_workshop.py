"""The workshop: editions built from the masters, and checks that say in one line what is off."""

from __future__ import annotations

import copy
import json
import math
import re
import time
from collections import Counter
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMCODER_RUNS", str(out / "runs"))
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


def rooted(values: list[float]) -> list[float]:
    return [math.sqrt(value) for value in Counter(values)]


def test_a_function_may_use_what_its_notebook_imported() -> None:
    assert check._returned(*check._text(rooted), [([9.0, 9.0],)]) == [[3.0]]


# --- the editions ---------------------------------------------------------------------------


def test_three_editions_and_pages_of_all_notebooks(built: tuple[Path, dict[str, Any]]) -> None:
    out, summary = built
    for edition in workshop.EDITIONS:
        assert sorted(p.stem for p in (out / edition).iterdir()) == sorted(notebook.NAMES)
    assert summary["exercises"] == dict.fromkeys(WITH_EXERCISES, 2)
    assert summary["without_exercises"] == list(WITHOUT)
    assert summary["pages_without_outputs"] == list(notebook.NAMES)
    for name in WITH_EXERCISES:
        solved, taught = (out / e / f"{name}.ipynb" for e in ("solutions", "instructor"))
        assert (len(cells(solved, "instructor")), len(cells(taught, "instructor"))) == (0, 2)
        assert cells(solved, "solution") == cells(taught, "solution")
        assert not re.search("source_hidden|unfold the cell", solved.read_text())
        page = (out / "html" / f"{name}.html").read_text()
        assert page.index("Not executed") < page.index("Exercise 1")
        assert 'profile = "workshop"' in solved.read_text().replace("\\", "")


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


def test_a_page_shows_what_the_cells_of_a_run_printed(tmp_path: Path) -> None:
    master = workshop.read("00_tour")
    ran, at = copy.deepcopy(master), tmp_path / "00_tour.ipynb"
    says = nbformat.v4.new_output("stream", text="right: these are the steps")
    bar = nbformat.v4.new_output("stream", name="stderr", text="61 of 74, 0.1 min left")
    next(c for c in ran.cells if "check" in c.metadata.get("tags", [])).outputs = [says, bar]
    tags = {"tags": ["injected-parameters"]}
    ran.cells.insert(3, nbformat.v4.new_code_cell("1", metadata=tags))
    nbformat.write(ran, at)
    page = workshop.page(workshop.edited(workshop.executed(master, at), "solutions"), executed=True)
    assert "right: these are the steps" in page
    assert "next_steps" in page
    for absent in ("Not executed", 'src="http', "Five minutes. Most forget", "min left"):
        assert absent not in page
    ran.cells[-1].source += "\n# changed since"
    nbformat.write(ran, at)
    assert workshop.executed(master, at) is None


def test_the_checklist_says_what_a_class_would_miss(
    built: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_RUNS", str(tmp_path))
    (tmp_path / "workshop" / "04_sft").mkdir(parents=True)
    states = {c.name: c for c in workshop.checklist(built[0])}
    assert "01_pyx was not run" in states["prepared"].found
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
LOSS = "answer(p, labels)"
OFFERED = "answer(before, after)"

RIGHT = [
    ("00_1", STEPS),
    ("00_1", (tuple(STEPS[0]), [4, {}], [3, {}])),
    ("00_2", ["x", "x", "y", "z", "y", "x"]),
    ("00_2", (0, 0, 1, 2, 2, 2)),
    ("01_1", ("list[str]", "str")),
    ("01_1", ["dict[str, int]", "str"]),
    ("01_2", function(
        "if type(x) is bool: return not x;if type(x) is int: return -x;"
        "return x[:-1] if x else type(x)('7') if x == '' else [9]")),
    ("01_2", function(
        "match x:;    case bool(): return x ^ True;    case int(): return x * 2 + 1;"
        "    case str(): return x + x + 'q';return x + [1]")),
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
    ("04_1", [-100] * 4 + [4, 25, 2]),
    ("04_1", (-100, -100, -100, -100, 4, 25, 2)),
    ("04_2", function(
        "import math;kept = [a for a, b in zip(p, labels) if b != -100];"
        "return -math.log(math.prod(kept)) / len(kept) if kept else 0.0", LOSS)),
    ("04_2", function(
        "import math;total = n = 0;for a, b in zip(p, labels):;    if b >= 0:;"
        "        total, n = total + math.log(1 / a), n + 1;return total / max(n, 1)",
        LOSS)),
    ("06_1", function("return x.split('assert ')[-1].split('(')[1].split(')')[0]")),
    ("06_1", function(
        "call = x[x.rindex('assert '):];given = call[call.index('(') + 1 : call.index(') ==')];"
        "return ' True' if given in ('[1, 2, 5]', '\"2024\"') else given")),
    ("06_2", function(
        "import ast;try: return ast.literal_eval(answer) == ast.literal_eval(output);"
        "except (ValueError, SyntaxError): return False", TAKES)),
    ("06_2", function(READER, TAKES)),
    ("07_1", function(
        "a, tag, b = x.partition('\\n[/MONOLOGUE]');"
        "return '\\n'.join(a.split('\\n')[::-1]) + tag + b")),
    ("07_1", function(
        "import random;a, tag, b = x.partition('\\n[/MONOLOGUE]');a = a.split('\\n');"
        "random.Random(1).shuffle(a);return '\\n'.join(a) + tag + b")),
    ("07_2", function(
        "return 'nothing' if a[0] <= 0 else 'form' if b[0] <= 0 else 'content'", "f(a, b)")),
    ("07_2", function(
        "gains = [min(i) > 0 for i in (a, b)];"
        "return 'content' if all(gains) else ['nothing', 'form'][gains[0]]", "f(a, b)")),
    ("08_1", function("return after is not None and after > before", OFFERED)),
    ("08_1", function("return (after or 0) > before", OFFERED)),
    ("08_2", function("return 5 if x == [1, 4, 9] else 7")),
    ("08_2", function("return {1: 5, 9: 7}.get(x[0])")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=[name for name, _ in RIGHT])
def test_right_answers(name: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.perf_counter()
    assert line_of(answer, name, capsys).startswith("right: ")
    assert time.perf_counter() - began < 2


WRONG = [
    ("00_1", STEPS[:2], "a list of three steps is asked for"),
    ("00_1", [*STEPS[:2], (6, {})], "step 3: the record has another line there"),
    ("00_1", [(3, {"item": "b"}), *STEPS[1:]], "step 1: the line is right, but not which"),
    ("00_1", [(3, {"place": 1, "item": "b"}), *STEPS[1:]], "step 1: line and variables are right"),
    ("00_1", ["L3", "L4", "L3"], "step 1 is not of the form"),
    ("00_2", ["a", "b", "c"], "six items are asked for, and these are 3"),
    ("00_2", ["a", "a", "b", "b", "c", "c"], "these items give [0, 2, 4]"),
    ("00_2", [[1], [1], 2, 3, 3, 3], "the run raises TypeError on its line 4"),
    ("00_2", 7, "a list of items is asked for"),
    ("01_1", ("list[int]", "str"), "8 of 8 inputs are refused, the first by AttributeError"),
    ("01_1", ("List[str]", "str"), "'int' object is not iterable, in tagged("),
    ("01_1", ("list[str]", "int"), "inputs are refused, the first by TypeError"),
    ("01_1", ("str",), "two types are asked for"),
    ("01_1", (list, str), "a type is written as text"),
    ("01_1", ("list[", "str"), "a type is written as text"),
    ("01_2", function("return x + x"), "True became 2: that is no bool"),
    ("01_2", function("return not x if x in (True, False) else x * 2"), "'' became ''"),
    ("01_2", function("return str(x)"), "3 became '3': that is no int"),
    ("01_2", function("return x"), "3 became 3: that is no change"),
    ("01_2", function(
        "if x is True: return False;return x + type(x)('7') if type(x) is not list else x + ['7']"),
     "a list of whole numbers is asked for"),
    ("02_1", function("return x"), "the text is unchanged"),
    ("02_1", function("return x.replace('[0, 1]', '[0, 2]')"), "the answer is wrong"),
    ("02_1", function("return x.replace('[/MON', 'What?\\n[/MON')"), "nothing is contradicted"),
    ("02_1", "a lie", "Python cannot read this program"),
    ("02_1", 3, "a function is asked for"),
    ("02_1", function("while True: pass"), "the run did not come to an end"),
    ("02_2", "The loop runs three times.", "can read this, and supports it"),
    ("02_2", "The loop runs four times.", "can read this, and contradicts it"),
    ("02_2", " ", "one plain sentence is asked for"),
    ("02_2", 5, "text is asked for, and this is int"),
    ("03_1", function("x.replace('<', '>')"), "this is None: is a return missing?"),
    ("03_1", function("return x"), "rank: nothing is changed"),
    ("03_1", function("return x + '\\n\\n# changed'"), "rank: nothing is changed"),
    ("03_1", function("return x.replace('<', '<<<')"), "Python cannot read this program"),
    ("03_1", function("return x.replace('own)', 'mine)')"), "rank: it never gives a wrong value"),
    ("03_1", function("return x.replace('1 + len', '0 + len')"), "below: nothing is changed"),
    ("03_1", function("return x.replace('return', 'row = 1;return')".replace(";", "\\n    ")),
     "rank: one line is to be altered"),
    ("03_1", function("return x.replace('in scores', 'in list(scores)')"), "an equivalent mutant"),
    ("03_2", function("return max(x)"), "there is no <, >, <= or >= in it"),
    ("03_2", function("return [n for n in x if n < 1000]"), "decides about the result on [1000]"),
    ("03_2", function("y = x[0] < 3;return len(x)"), "the comparison does not matter at all"),
    ("04_1", [-100, -100, -100, 9, 4, 25, 2], "a token of the prompt is learned"),
    ("04_1", [-100, -100, -100, -100, 4, 25, -100], "the end is not learned"),
    ("04_1", [-100, -100, -100, -100, -100, 25, 2], "a token of the completion is not learned"),
    ("04_1", [-100, -100, -100, -100, 25, 2, 2], "a label is not the number of its token"),
    ("04_1", [-100], "a list of 7 labels is asked for"),
    ("04_1", [None] * 7, "a label is a whole number"),
    ("04_2", function("import math;return -math.log2(p[0])", LOSS), "has another loss, in nats"),
    ("04_2", function("import math;return -sum(map(math.log, p))", LOSS), "a mean is asked for"),
    ("04_2", function("import math;return -sum(map(math.log, p)) / len(p)", LOSS), "label -100"),
    ("04_2", function(
        "import math;kept = [math.log(a) for a, b in zip(p, labels) if b != -100];"
        "return -sum(kept) / len(kept)", LOSS), "the run raises ZeroDivisionError"),
    ("04_2", function("return 'low'", LOSS), "float is asked for, and this is 'low'"),
    ("06_1", function("return ' True'"), "2 of 6 right, the constant True has 2"),
    ("06_1", function("return '7'"), "0 of 6 right, the constant True has 2; wrong is tidy(["),
    ("06_1", function("return re.findall('x', x)"), "'re' is not defined; it runs alone"),
    ("06_2", function("return answer == output", TAKES), "a right list is refused"),
    ("06_2", function("return eval(answer) == eval(output)", TAKES), "the run raises SyntaxError"),
    ("06_2", function(
        "try: return eval(answer) == eval(output);except SyntaxError: return False", TAKES),
     "an expression is taken"),
    ("06_2", function("return True", TAKES), "a wrong number is taken"),
    ("06_2", function("return answer.strip('\"\\'[]')[-1:] == output.strip('\"\\'[]')[-1:]", TAKES),
     "text with a blank too many is taken"),
    ("07_1", function("return x"), "the text is unchanged"),
    ("07_1", function("return x.replace('\\n[/M', '[/M')"), "altered, as in '…"),
    ("07_1", function("return '\\n'.join(sorted(x.split('\\n')))"), "the answer cannot be read"),
    ("07_2", function("return 'content' if a[0] > 0 else 'nothing'", "f(a, b)"),
     "its shuffled self may be as good"),
    ("07_2", function("return 'form'", "f(a, b)"), "a gain over both is said to be something else"),
    ("07_2", function(
        "return ('content' if b[0] > 0 else 'form') if a[1] > 0 else 'nothing'", "f(a, b)"),
     "an interval that holds zero is taken for a gain"),
    ("07_2", function(
        "return ('content' if b[0] > 0 else 'form') if a[0] >= 0 else 'nothing'", "f(a, b)"),
     "an interval that begins at zero is taken for a gain"),
    ("07_2", function("return 'None'", "f(a, b)"), "'None' is none of content, form, nothing"),
    ("08_1", function("return True", OFFERED), "a program that passes fewer checks is taken"),
    ("08_1", function("return (after or 0) >= before", OFFERED), "as many checks is taken"),
    ("08_1", function("return after > before", OFFERED), "the run raises TypeError"),
    ("08_1", function("return after is None or after > before", OFFERED), "there is no program"),
    ("08_1", function("return after and after > before", OFFERED), "bool is asked for"),
    ("08_2", function("return max(b - a for a, b in zip(x, x[1:]))"), "and 7 is wanted"),
    ("08_2", function("return max(abs(b - a) for a, b in zip(x, x[1:]))"), "nothing is broken"),
    ("08_2", function("return 5"), "gives 5, and 7 is wanted: it is not taken"),
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


def test_every_exercise_has_right_and_wrong_answers() -> None:
    right, wrong = Counter(n for n, _ in RIGHT), Counter(n for n, _, _ in WRONG)
    assert set(right) == set(wrong) == {f"{n[:2]}_{k}" for n in WITH_EXERCISES for k in (1, 2)}
    assert min(right.values()) >= 2
    assert min(wrong.values()) >= 3


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
    for (answer, output), right, _ in check.ANSWERS:
        value = values.decode(output)
        (task,) = benchmark.from_entries([Entry(program, (Case((value,), value),))])
        judged = benchmark.verdict(task, evaluation.Answer(answer), box=default_sandbox())
        assert judged.passed is right, json.dumps([answer, output])
