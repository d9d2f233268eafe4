"""LiveCodeBench: what the published scorer passes and fails, on rows written here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.core.records import Status
from semcoder_lib.evaluation import Missing, get, lcb
from semcoder_lib.evaluation.base import Answer, Sample, Task
from semcoder_lib.sandbox import Sandbox

MANY = 150_000


def task(tests: list[tuple[str, str]], function: str = "") -> Task:
    rows = [{"input": given, "output": wanted} for given, wanted in tests]
    return Task("t", {"tests": rows, "function": function, "starter_code": ""})


def judged(found: Task, source: str, box: Sandbox) -> Any:
    return get("lcb-lite").judge(
        [found], [Sample("t", 0, Answer(source))], scorer="strict", box=box
    )[0]


@pytest.mark.parametrize(
    ("source", "given", "wanted"),
    [
        ("print(pow(int(input()), -1, 7), abs(-1))", "3\n", "5 1"),  # not operator's, not math's
        ("print(len(str(10 ** int(input()))))", "5000", "5001"),
        ("print(10 ** int(input()))", "5000", "1" + "0" * 5000),
        ("import sys\nprint(sum(map(int, sys.stdin.buffer.read().split())))", "1\n2\n3", "6"),
        ("print(input())\nexit()", "a", "a"),
        (
            "def main():\n    print(open(0).read())\nif __name__ == '__main__':\n    main()",
            "a\n",
            "a",
        ),
        ("for x in range(int(input())):\n    print(x, ' ')", "3", "0\n1\n2\n"),
        (f"input()\nprint('\\n'.join(['12345678'] * {MANY}))", "", "12345678\n" * MANY),
        ("def f(n):\n    return n and 1 + f(n - 1)\nprint(f(int(input())))", "20000", "20000"),
    ],
)
def test_programs_that_are_right(source: str, given: str, wanted: str, box: Sandbox) -> None:
    verdict = judged(task([(given or "\n", wanted)]), source, box)
    assert (verdict.status, verdict.detail) == (Status.PASSED, "")


def test_long_values_go_in_and_out(box: Sandbox) -> None:
    given = json.dumps(list(range(MANY))) + "\n1"
    wanted = json.dumps(list(range(1, MANY + 1)))
    source = "class Solution:\n    def shift(self, xs: List[int], k: int) -> List[int]:\n"
    found = task([(given, wanted)] * 3, "shift")
    verdict = judged(found, source + "        return [x + k for x in xs]\n", box)
    assert (verdict.status, verdict.detail) == (Status.PASSED, "")
    assert judged(found, source + "        return xs\n", box).status is Status.WRONG


def test_the_first_test_that_fails_decides_and_ends_it(box: Sandbox) -> None:
    endless = "n = int(input())\nwhile n == 2:\n    pass\nprint(1)\n"
    verdict = judged(task([*[("0", "1")] * 7, ("1", "3"), *[("2", "1")] * 60]), endless, box)
    assert (verdict.status, verdict.detail) == (Status.WRONG, "test 7")
    assert verdict.cpu_seconds < 6


def test_a_test_that_is_no_json_is_nobodys_mistake(box: Sandbox) -> None:
    verdict = judged(task([("[1", "1")], "f"), "def f(x):\n    return 1\n", box)
    assert verdict.status is Status.INFRASTRUCTURE
    assert "not JSON" in verdict.detail


@pytest.mark.parametrize(
    ("got", "wanted", "same"),
    [
        ("1.0 2", "1 2.00", True),
        ("1e3", "1000", True),
        ("  a  \nb\n\n", "a\nb", True),
        ("a b", "a  b", False),  # blanks inside a line of words count
        ("1  2", "1 2", True),  # and between numbers they do not
        ("1\n\n2", "1\n2", False),
        ("0.1000001", "0.1", False),  # no tolerance
        ("50000000000000001", "50000000000000000", False),
        ("YES", "Yes", False),
        ("nan", "NaN", False),
        ("sNaN", "1", False),
        ("", "", True),
    ],
)
def test_printed_text(got: str, wanted: str, same: bool) -> None:
    assert lcb.same_output(got, wanted) is same


def test_output_prediction_reads_the_hubs_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    row = {
        "id": "sample_0", "function_name": "f", "code": "def f(x):\n    return x",
        "input": "f(x = 1)", "output": "1", "numsteps": 2,
    }  # fmt: skip
    path = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    assert [t.data for t in get("lcb-execution").load(path)] == [row]


def test_the_two_benchmarks_do_not_take_each_others_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    (tmp_path / "test.jsonl").write_text("{}\n")  # code_generation_lite's first file
    with pytest.raises(Missing):
        get("lcb-execution").load()
