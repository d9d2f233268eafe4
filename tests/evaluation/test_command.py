"""The command `score` on files that we write: its contract, and every kind of bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import helpers
import pytest
from helpers import read, write

from semcoder_lib.core import records
from semcoder_lib.core.errors import PreflightFailed, UsageError, UserError
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.evaluation import SCORERS, score_command
from semcoder_lib.evaluation.scoring import compare
from semcoder_lib.sandbox import Sandbox


@pytest.fixture
def scored(crux: Path, tmp_path: Path, box: Sandbox) -> Any:
    """The summary and the rows of a score of samples of CRUXEval: rows, or a document."""

    def score(samples: Any, mode: str, scorer: str = "strict") -> tuple[dict[str, Any], Any]:
        given, out = tmp_path / "samples", tmp_path / "out.jsonl"
        lines = [json.dumps(samples)] if isinstance(samples, dict) else map(json.dumps, samples)
        given.write_text("\n".join(lines))
        how: Any = {"scorer": scorer, "mode": mode, "data": crux, "out": out, "box": box}
        return score_command("cruxeval", given, **how), read(out)

    return score


def test_generations_json_output(scored: Any) -> None:
    answers = {
        "sample_1": ["[5, 6, 2]", "[5, 6]", "", "[5, 6, 2"],
        "sample_0": ["3", "3.0", "1 or True", "f (1, 2)"],
        "sample_2": ["False", "0", "f('a')", "True"],
    }
    result, rows = scored(answers, "output")
    assert [(r["task_id"], r["index"]) for r in rows] == [(t, n) for t in answers for n in range(4)]
    assert [r["status"] for r in rows] == [
        "passed", "wrong", "no_answer", "unparseable",
        "passed", "passed", "unparseable", "unparseable",
        "passed", "wrong", "unparseable", "wrong",
    ]  # fmt: skip
    assert [r["passed"] for r in rows] == [r["status"] == "passed" for r in rows]
    assert (result["benchmark"], result["scorer"], result["n"]) == ("cruxeval", "strict", 12)
    assert result["pass@1"] == pytest.approx((1 / 4 + 2 / 4 + 1 / 4) / 3)
    assert result["interval"][0] <= result["pass@1"] <= result["interval"][1]
    assert result["statuses"] == {"no_answer": 1, "passed": 4, "unparseable": 4, "wrong": 3}
    assert result["tasks_without_samples"] == 3
    assert result["preflight"]["reference"] == 1.0


def test_official_quirks(scored: Any) -> None:
    answers = {
        "sample_0": ["3", "f(1, 2)", "1 or True", "f (1, 2)", "4", "3, 'said'"],
        "sample_2": ["f('a')"],
    }
    result, rows = scored(answers, "output", "official")
    assert [r["passed"] for r in rows] == [True, False, True, True, False, True, False]
    # the guard drops an answer only where another one of its task passed
    assert [r["counted"] for r in rows] == [True, False, True, True, True, True, True]
    assert result["pass@1"] == pytest.approx((4 / 5 + 0) / 2)
    assert result["counted"] == 6


def test_inputs(scored: Any) -> None:
    answers = {
        "sample_0": [
            "f(2, 1)", "f(a=1, b=2)", "f(1)", "g(1, 2)", "f(1, x)", "3 # f(", "f(1, 3)",
        ],
        "sample_3": ["f(5)", "f(7)"],  # the first never ends
    }  # fmt: skip
    assert [r["status"] for r in scored(answers, "input")[1]] == [
        "passed", "passed", "exception", "unparseable", "unparseable", "unparseable", "wrong",
        "timeout", "passed",
    ]  # fmt: skip
    _, rows = scored(answers, "input", "official")
    assert [r["passed"] for r in rows[:7]] == [True, True, False, False, False, True, False]


def test_raw_texts_with_renamed_function(scored: Any) -> None:
    text = (
        "Complete in [ANSWER] and [/ANSWER].\n[PYTHON]\ndef add_up(n):\n"
        "    return 0 if n < 1 else n + add_up(n - 1)\n"
        "assert add_up(??) == 6\n[/PYTHON]\n[MONOLOGUE]\nIt sums.\n[/MONOLOGUE]\n"
        "[ANSWER]\nassert add_up(3) == 6\n"
    )
    for scorer in ("strict", "official"):
        result, _ = scored([{"task_id": "sample_5", "index": 0, "text": text}], "input", scorer)
        assert result["pass@1"] == 1.0, scorer


def test_names_and_modes(crux: Path, tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_0", "answer": "3"}])
    for name, how, kind, why in (
        ("cruxeval", {}, UsageError, "--mode"),
        ("cruxeval-o", {"mode": "input"}, UsageError, "contradicts"),
        ("crux", {}, UserError, "choose from humaneval"),
        ("cruxeval-o", {"scorer": "lenient"}, UserError, "choose from strict"),
        ("cruxeval-o", {"data": tmp_path / "nothing.jsonl"}, UserError, "no such file"),
    ):
        with pytest.raises(kind, match=why):
            score_command(name, samples, **{"data": crux, **how})


def test_failed_preflight_stops_the_score(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    rows = read(crux)
    rows[0]["output"] = "'not what it returns'"
    write(crux, rows)
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_1", "answer": "f([5, 6])"}])
    out = tmp_path / "out.jsonl"
    with pytest.raises(PreflightFailed, match="sample_0") as caught:
        score_command("cruxeval", samples, mode="input", data=crux, out=out, box=box)
    assert caught.value.exit_status == 3
    assert not out.exists()


GOOD = '{"task_id": "sample_0", "answer": "3"}\n'
BAD = {  # by line: the reason
    '{"answer": "3"}': ":2: the field 'task_id' is missing",
    '{"task_id": "sample_77", "answer": "3"}': ":2: .*no task 'sample_77'",
    '{"task_id": "sample_1", "output": "3"}': ":2: needs one of answer",
    '{"task_id": "sample_1", "completion": "x"}': ":2: needs one of answer",
    '{"task_id": "sample_1", "ans': ":2: the line is cut off or not",
    '{"task_id": "sample_1", "answer": "\0"}': ":2: .*not valid JSON",
    '{"answer": ' + "[" * 100_000: ":2: .*not valid JSON",
    '{"task_id": 7, "answer": "3"}': ":2: .*'task_id' is not a name",
    "sample_1: 3": ":2: .*not valid JSON",
    "[1, 2]": ":2: expected a JSON object",
}
BAD_FILES = {
    '{"task_id": "HumanEval/0", "answer": "x"}': ":1: .*no task .*look like 'sample_0'",
    '{"task_id": "sample_0", "index": 0, "answer": "3"}\n'
    * 2: ":2: .*'sample_0' index 0 was given",
    "": "the file is empty",
    "\n\n": "the file is empty",
    '{"sample_0": ["3"],\n "sample_1": ["4"': ":1: .*cut off",
    '{"sample_0": ["3"],\n "sample_99": ["4"]}': "no task 'sample_99'",
    '{"sample_0":\n "3", "sample_1": ["3"]}': "'sample_0' .*list of answers",
    '{\n"sample_0": []}': "'sample_0' .*no answers",
    '{"sample_0": ["3"], "sample_0": ["4"]}': "a task .*given already",
    "[[1], [2]]": ":1: ",
    b"\xff\xfe\x80\x81": ":1: not UTF-8",
    b"\x1f\x8b\x08\x00broken": "not a whole gzip file|cannot be read",
}


def test_bad_input(crux: Path, tmp_path: Path) -> None:
    samples, out = tmp_path / "samples.jsonl", tmp_path / "out.jsonl"
    out.write_text("as it was")
    bad: dict[str | bytes, str] = {f"{GOOD}{line}\n": why for line, why in BAD.items()} | BAD_FILES
    for text, pattern in bad.items():
        samples.write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(UserError, match=pattern) as caught:
            score_command("cruxeval", samples, mode="output", data=crux, out=out)
        assert caught.value.exit_status == 1
        assert "\n" not in str(caught.value)
        assert str(samples) in str(caught.value)
    for place in (tmp_path / "absent.jsonl", tmp_path):
        with pytest.raises(UserError, match="cannot be read"):
            score_command("cruxeval", place, mode="output", data=crux, out=out)
    assert out.read_text() == "as it was"


# --- one odd sample between good ones ---

COLLIDING = "{" + ", ".join(str(i * (2**61 - 1)) for i in range(1_500)) + "}"
ODD_TEXTS = {
    "signaling nan": "Decimal('sNaN')",
    "many digits": "9" * 5_000,
    "hexadecimal": "0x" + "f" * 50_000,
    "repetition": "[0] * 10 ** 10",
    "brackets": "[" * 150 + "]" * 150,
    "open brackets": "(" * 100_000,
    "signs": "-" * 50_000 + "1",
    "attributes": "a" + ".a" * 5_000, "a sum": "1" + " + 1" * 5_000,
    "comparisons": "1" + "==1" * 50_000, "lone surrogate": "'\ud83d'", "NUL": "'\0'",
    "byte order mark": "\ufeff'x'", "format": "{0} %s {call}", "quotes": "'\\\\" * 5_000,
    "warnings": "'\\d' " * 2_000, "keys of one hash": COLLIDING, "nan as a key": "{nan: 1}",
    "a set": "{Decimal('1'), 1.5}", "an exit": "exit(0)",
    "a megabyte": "9" * 999_999, "two megabytes": "x" * 2_000_000,
}  # fmt: skip
ODD_VALUES = {
    "number": "3", "true": "true", "null": "null", "list": "[1]", "object": '{"a": {}}',
    "float": "1e999", "deep": "[" * 100_000 + "]" * 100_000, "long": "9" * 9_000,
}  # fmt: skip


def benchmark_files(folder: Path) -> dict[str, tuple[Path, str, str, str]]:
    """Benchmark: its data file, a task, the column of a sample and a right one."""
    entry = Entry(
        Program("def g(x):\n    return x * 2\n", "g", id="p", split="held_out"), (Case((7,), 14),)
    )
    double = "def double(x):\n    return x + x\n"
    crux = helpers.cruxeval(folder / "cruxeval.jsonl")
    plus = write(folder / "plus.jsonl", [helpers.DOUBLE])
    mbpp = write(folder / "mbpp.jsonl", [{**helpers.DOUBLE, "assertion": "assert double(2) == 4"}])
    pyx = write(folder / "pyx.jsonl", [records.to_row(entry)])
    lcb = write(folder / "lite.jsonl", helpers.lcb_rows())
    execution = write(folder / "execution.jsonl", [helpers.LCB_EXECUTION])
    adds = "input()\nprint(sum(map(float, input().split())))\n"
    return {
        "cruxeval-o": (crux, "sample_0", "answer", "3"),
        "cruxeval-i": (crux, "sample_0", "answer", "f(1, 2)"),
        "pyx-i": (pyx, "p", "text", "[ANSWER]\nassert g(7) == 14\n[/ANSWER]"),
        "lcb-execution": (execution, "sample_3", "answer", "3"),
        "lcb-lite": (lcb, "abc_a", "text", f"```\n{adds}```"),
        "humaneval": (plus, "HumanEval/0", "completion", "    return x + x\n"),
        "humaneval+": (plus, "HumanEval/0", "solution", double),
        "mbpp": (mbpp, "HumanEval/0", "text", double),
    }


def odd_samples(path: Path, task: str, column: str, good: str) -> list[str]:
    """A samples file; the names of its rows, those of good ones empty."""
    right = json.dumps({"task_id": task, column: good})
    lines, names = [right], [""]
    odd = {name: json.dumps(text) for name, text in ODD_TEXTS.items()} | ODD_VALUES
    for name, value in odd.items():
        lines += [f'{{"task_id": {json.dumps(task)}, "{column}": {value}}}', right]
        names += [name, ""]
    path.write_text("\n".join(lines) + "\n")
    return names


@pytest.mark.parametrize(
    "name",
    "cruxeval-o cruxeval-i pyx-i lcb-execution lcb-lite humaneval humaneval+ mbpp".split(),  # noqa: SIM905
)
def test_an_odd_sample_costs_the_others_nothing(
    name: str, tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    data, task, column, good = benchmark_files(tmp_path)[name]
    samples, out = tmp_path / "s.jsonl", tmp_path / "out.jsonl"
    names = odd_samples(samples, task, column, good)
    for scorer in SCORERS:
        score_command(name, samples, scorer=scorer, data=data, out=out, box=box)
        rows = read(out)
        assert [row["index"] for row in rows] == list(range(len(names)))
        for odd, row in zip(names, rows, strict=True):
            assert (row["status"] == "passed") == (not odd), (odd, row)
            assert row["status"] != "infrastructure", (odd, row)
            assert odd not in ODD_VALUES or row["status"] in ("unparseable", "no_answer"), row
    assert "SyntaxWarning" not in capsys.readouterr().err


def test_compare_takes_what_it_does_not_need_as_it_is_and_nothing_else(tmp_path: Path) -> None:
    good = '{"task_id": "t%d", "passed": true, "status": "passed"}\n'
    path = tmp_path / "verdicts.jsonl"
    odd = '{"task_id": "t%d", "passed": false, "status": "wrong", "detail": %s}\n'
    details = enumerate(["NaN", "[[]]", '"\\ud83d"', f'"{"x" * 10**6}"'])
    path.write_text("".join(good % (i + 10) + odd % (i, detail) for i, detail in details))
    (found,) = compare(path, path)
    assert (found.tasks, found.a) == (8, 0.5)
    for field, value in (
        ("passed", '"false"'), ("passed", "0"), ("task_id", "7"), ("status", '"fine"'),
        ("status", "[]"), ("index", "true"), ("counted", '"no"'), ("detail", "[" * 100_000),
    ):  # fmt: skip
        row = {"task_id": '"t0"', "passed": "true", "status": '"passed"', field: value}
        fields = ", ".join(f'"{name}": {text}' for name, text in row.items())
        path.write_text(good % 1 + f"{{{fields}}}\n")
        with pytest.raises(UserError, match=r"verdicts.jsonl:2: ") as caught:
            compare(path, path)
        assert caught.value.exit_status == 1
