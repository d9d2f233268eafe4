"""The command `score` on files that we write: its contract, and every kind of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import helpers
import pytest
from helpers import read, write

from semcoder_lib.core import records
from semcoder_lib.core.errors import PreflightFailed, UsageError, UserError
from semcoder_lib.core.records import Case, Entry, Program
from semcoder_lib.evaluation import score_command
from semcoder_lib.evaluation.scoring import compare
from semcoder_lib.sandbox import Sandbox


def test_generations_json_output(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    samples = tmp_path / "generations.json"
    answers = {
        "sample_1": ["[5, 6, 2]", "[5, 6]", "", "[5, 6, 2"],
        "sample_0": ["3", "3.0", "1 or True", "f (1, 2)"],
        "sample_2": ["False", "0", "f('a')", "True"],
    }
    samples.write_text(json.dumps(answers))
    out = tmp_path / "out.jsonl"
    result = score_command("cruxeval", samples, mode="output", data=crux, out=out, box=box)
    rows = read(out)
    first = [("sample_1", n) for n in range(4)]
    assert [(r["task_id"], r["index"]) for r in rows[:5]] == [*first, ("sample_0", 0)]
    assert [r["status"] for r in rows] == [
        "passed", "wrong", "no_answer", "unparseable",
        "passed", "passed", "unparseable", "unparseable",
        "passed", "wrong", "unparseable", "wrong",
    ]  # fmt: skip
    assert [r["passed"] for r in rows] == [r["status"] == "passed" for r in rows]
    assert result["benchmark"] == "cruxeval"
    assert result["scorer"] == "strict"
    assert result["n"] == 12
    assert result["pass@1"] == pytest.approx((1 / 4 + 2 / 4 + 1 / 4) / 3)
    assert result["interval"][0] <= result["pass@1"] <= result["interval"][1]
    assert result["statuses"] == {"no_answer": 1, "passed": 4, "unparseable": 4, "wrong": 3}
    assert result["tasks_without_samples"] == 3
    assert result["preflight"]["reference"] == 1.0
    assert result["other_scorer"]["scorer"] == "official"


def test_official_quirks(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    samples = write(
        tmp_path / "s.jsonl",
        [
            {"task_id": "sample_0", "index": i, "answer": a}
            for i, a in enumerate(["3", "f(1, 2)", "1 or True", "f (1, 2)", "4", "3, 'said'"])
        ]
        + [{"task_id": "sample_2", "answer": "f('a')"}],
    )
    out = tmp_path / "out.jsonl"
    result = score_command(
        "cruxeval", samples, scorer="official", mode="output", data=crux, out=out, box=box
    )
    rows = read(out)
    assert [r["passed"] for r in rows] == [True, False, True, True, False, True, False]
    # the guard drops an answer only where another one of its task passed
    assert [r["counted"] for r in rows] == [True, False, True, True, True, True, True]
    assert result["pass@1"] == pytest.approx((4 / 5 + 0) / 2)
    assert result["counted"] == 6


def test_inputs(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    answers = ["f(2, 1)", "f(a=1, b=2)", "f(1)", "g(1, 2)", "f(1, x)", "3 # f(", "f(1, 3)"]
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_0", "answer": a} for a in answers])
    out = tmp_path / "out.jsonl"
    score_command("cruxeval", samples, mode="input", data=crux, out=out, box=box)
    assert [r["status"] for r in read(out)] == [
        "passed", "passed", "exception", "unparseable", "unparseable", "unparseable", "wrong",
    ]  # fmt: skip
    score_command("cruxeval", samples, mode="input", scorer="official", data=crux, out=out, box=box)
    assert [r["passed"] for r in read(out)] == [True, True, False, False, False, True, False]


def test_raw_texts_with_renamed_function(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    text = (
        "Complete in [ANSWER] and [/ANSWER].\n[PYTHON]\ndef add_up(n):\n"
        "    return 0 if n < 1 else n + add_up(n - 1)\n"
        "assert add_up(??) == 6\n[/PYTHON]\n[MONOLOGUE]\nIt sums.\n[/MONOLOGUE]\n"
        "[ANSWER]\nassert add_up(3) == 6\n"
    )
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_5", "index": 0, "text": text}])
    for scorer in ("strict", "official"):
        found = score_command("cruxeval", samples, mode="input", scorer=scorer, data=crux, box=box)
        assert found["pass@1"] == 1.0, scorer


def test_endless_program_is_a_timeout(crux: Path, tmp_path: Path, box: Sandbox) -> None:
    samples = write(
        tmp_path / "s.jsonl",
        [{"task_id": "sample_3", "answer": "f(5)"}, {"task_id": "sample_3", "answer": "f(7)"}],
    )
    out = tmp_path / "out.jsonl"
    score_command("cruxeval", samples, mode="input", data=crux, out=out, box=box)
    assert [r["status"] for r in read(out)] == ["timeout", "passed"]


def test_mode_is_needed(crux: Path, tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_0", "answer": "3"}])
    with pytest.raises(UsageError, match="--mode"):
        score_command("cruxeval", samples, data=crux)
    with pytest.raises(UsageError, match="contradicts"):
        score_command("cruxeval-o", samples, mode="input", data=crux)


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
BAD = {
    "missing task id": (GOOD + '{"answer": "3"}\n', ":2: the field 'task_id' is missing"),
    "unknown id": (GOOD + '{"task_id": "sample_77", "answer": "3"}\n', ":2: .*no task 'sample_77'"),
    "another benchmark": ('{"task_id": "HumanEval/0", "answer": "x"}\n', ":1: .*another benchmark"),
    "wrong column": (GOOD + '{"task_id": "sample_1", "output": "3"}\n', ":2: needs one of answer"),
    "code columns": ('{"task_id": "sample_0", "completion": "x"}\n', ":1: needs one of answer"),
    "duplicate": (
        '{"task_id": "sample_0", "index": 0, "answer": "3"}\n' * 2,
        ":2: .*'sample_0' index 0 was given in .*:1",
    ),
    "truncated": (GOOD + '{"task_id": "sample_1", "ans', ":2: the line is cut off or not"),
    "not JSON": (GOOD + "sample_1: 3\n" + GOOD, ":2: .*not valid JSON"),
    "a list": (GOOD + "[1, 2]\n", ":2: expected a JSON object"),
    "mixed indices": (
        '{"task_id": "sample_0", "index": 1, "answer": "3"}\n' + GOOD,
        ":2: .*with and without an index",
    ),
    "task id of another type": ('{"task_id": 7, "answer": "3"}\n', ":1: .*'task_id' is not a name"),
    "raw NUL": (GOOD + '{"task_id": "sample_1", "answer": "\0"}\n', ":2: .*not valid JSON"),
    "nested too deep": (GOOD + '{"answer": ' + "[" * 100_000 + "\n", ":2: .*not valid JSON"),
    "empty": ("", "the file is empty"),
    "blank": ("\n\n", "the file is empty"),
    "document cut off": ('{"sample_0": ["3"],\n "sample_1": ["4"', ":1: .*cut off"),
    "document duplicate": (
        '{"sample_0": ["3"],\n "sample_0": ["4"]}',
        "'sample_0' was given already",
    ),
    "document unknown": ('{"sample_0": ["3"],\n "sample_99": ["4"]}', "no task 'sample_99'"),
    "document wrong shape": (
        '{"sample_0":\n "3", "sample_1": ["3"]}',
        "'sample_0' .*list of answers",
    ),
    "document empty list": ('{\n"sample_0": []}', "'sample_0' .*no answers"),
    "document of lists": ("[[1], [2]]", ":1: "),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str, crux: Path, tmp_path: Path) -> None:
    text, pattern = BAD[name]
    samples = tmp_path / "samples.jsonl"
    samples.write_text(text)
    out = tmp_path / "out.jsonl"
    out.write_text("as it was")
    with pytest.raises(UserError, match=pattern) as caught:
        score_command("cruxeval", samples, mode="output", data=crux, out=out)
    assert caught.value.exit_status == 1
    assert "\n" not in str(caught.value)
    assert str(samples) in str(caught.value)
    assert out.read_text() == "as it was"


def test_bad_bytes(crux: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    for junk, pattern in (
        (GOOD.encode() + b"\xff\xfe\x80\x81\n", ":2: not UTF-8"),
        (b"\x1f\x8b\x08\x00broken", "not a whole gzip file|cannot be read"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", ":1: not UTF-8"),
    ):
        samples.write_bytes(junk)
        with pytest.raises(UserError, match=pattern):
            score_command("cruxeval", samples, mode="output", data=crux)
    with pytest.raises(UserError, match="cannot be read"):
        score_command("cruxeval", tmp_path / "absent.jsonl", mode="output", data=crux)
    with pytest.raises(UserError, match="cannot be read"):
        score_command("cruxeval", tmp_path, mode="output", data=crux)


def test_names(crux: Path, tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", [{"task_id": "sample_0", "answer": "3"}])
    with pytest.raises(UserError, match="choose from humaneval"):
        score_command("crux", samples, data=crux)
    with pytest.raises(UserError, match="choose from strict"):
        score_command("cruxeval", samples, scorer="lenient", mode="output", data=crux)
    with pytest.raises(UserError, match="no such file"):
        score_command("cruxeval", samples, mode="output", data=tmp_path / "nothing.jsonl")


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
    "float": "1e999",
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
        "humaneval": (plus, "HumanEval/0", "solution", double),
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


@pytest.mark.parametrize("name", [
    "cruxeval-o", "cruxeval-i", "pyx-i", "lcb-execution", "lcb-lite", "humaneval", "humaneval+",
    "mbpp",
])  # fmt: skip
def test_an_odd_sample_costs_the_others_nothing(
    name: str, tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    data, task, column, good = benchmark_files(tmp_path)[name]
    samples, out = tmp_path / "s.jsonl", tmp_path / "out.jsonl"
    names = odd_samples(samples, task, column, good)
    found = score_command(name, samples, data=data, out=out, box=box)
    rows = read(out)
    assert [row["index"] for row in rows] == list(range(len(names)))
    for odd, row in zip(names, rows, strict=True):
        assert (row["status"] == "passed") == (not odd), (odd, row)
        assert row["status"] != "infrastructure", (odd, row)
        assert odd not in ODD_VALUES or row["status"] in ("unparseable", "no_answer"), (odd, row)
    assert found["other_scorer"]["differing"] == 0
    assert "SyntaxWarning" not in capsys.readouterr().err


def test_compare_takes_what_it_does_not_need_as_it_is_and_nothing_else(tmp_path: Path) -> None:
    good = '{"task_id": "t%d", "passed": true, "status": "passed"}\n'
    path = tmp_path / "verdicts.jsonl"
    details = ["NaN", "[[]]", '"\\ud83d"', f'"{"x" * 10**6}"']
    odd = [
        f'{{"task_id": "t{i}", "passed": false, "status": "wrong", "detail": {value}}}\n'
        for i, value in enumerate(details)
    ]
    path.write_text("".join(good % (i + 10) + row for i, row in enumerate(odd)))
    (found,) = compare(path, path)
    assert (found.tasks, found.a) == (8, 0.5)
    for field, value in (
        ("passed", '"false"'), ("passed", "0"), ("passed", "null"), ("task_id", "7"),
        ("status", "3"), ("status", '"fine"'), ("status", "[]"), ("index", '"0"'),
        ("index", "true"),
        ("counted", '"no"'), ("detail", "[" * 100_000),
    ):  # fmt: skip
        row = {"task_id": '"t0"', "passed": "true", "status": '"passed"', field: value}
        fields = ", ".join(f'"{name}": {text}' for name, text in row.items())
        path.write_text(good % 1 + f"{{{fields}}}\n")
        with pytest.raises(UserError, match=r"verdicts.jsonl:2: ") as caught:
            compare(path, path)
        assert caught.value.exit_status == 1
