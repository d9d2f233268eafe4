"""Code generation benchmarks on small files of ours: EvalPlus's rule, HumanEval's tests, and
LiveCodeBench's hub formats."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Status, Trust
from semcoder_lib.evaluation import Sample, Task, get, score_command
from semcoder_lib.evaluation.base import Answer
from semcoder_lib.evaluation.inputs import restored
from semcoder_lib.evaluation.evalplus_child import accepts
from semcoder_lib.evaluation.lcb import LcbLite, same_output
from semcoder_lib.sandbox import Sandbox


def outputs(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "right"),
    [
        (3, 3, 0, True),
        (3.0, 3, 0, True),
        (True, 1, 0, True),
        ([1, 2], (1, 2), 0, False),
        (0.1 + 0.2, 0.3, 0, True),  # floats always have a tolerance
        (0.3001, 0.3, 0, False),
        (0.3001, 0.3, 1e-2, True),
        ([0.1 + 0.2], [0.3], 0, True),
        ((0.1 + 0.2,), [0.3], 0, False),
        ([0.3, 0.4], [0.3], 0, False),
        (2, 2.0000001, 0, False),  # close, but of another type
        (float("nan"), float("nan"), 0, False),
        (float("inf"), float("inf"), 0, True),
        ("a", 0.5, 0, False),
        (None, 0.5, 0, False),
        ({"a": 1}, {"a": 1.0000000001}, 1e-3, False),
    ],
)
def test_oracle(got: Any, expected: Any, tolerance: float, right: bool) -> None:
    assert accepts("mbpp", "anything", tolerance, (), got, expected) is right


def test_oracle_of_special_tasks() -> None:
    def mbpp(name: str, arguments: tuple[Any, ...], got: Any, expected: Any) -> bool:
        return accepts("mbpp", name, 0, arguments, got, expected)

    assert mbpp("similar_elements", (), (2, 1, 1), (1, 2))
    assert not accepts("humaneval", "similar_elements", 0, (), (2, 1), (1, 2))
    assert not mbpp("similar_elements", (), None, (1, 2))
    assert mbpp("are_equivalent", (1, 2), "whatever", True)
    assert mbpp("sum_div", (8,), 0, 7)
    assert mbpp("digit_distance_nums", (1, 256), 12, 0)
    assert mbpp("surface_Area", (3, 4), 35, 33)
    roots = [-6, 11, -6, 1]
    assert accepts("humaneval", "find_zero", 1e-4, (roots,), 2.0, 1.0)
    assert not accepts("humaneval", "find_zero", 1e-4, (roots,), 2.5, 2.5)


def test_restored_shapes() -> None:
    assert restored("Mbpp/2", [[[1, 2], [3]]]) == [((1, 2), (3,))]
    assert restored("Mbpp/63", [[[[1, 2], [3, 4]]]]) == [([(1, 2), (3, 4)],)]
    assert restored("Mbpp/115", [[[[1], []]]]) == [([{1}, {}],)]
    assert restored("Mbpp/124", [["1", "2+3j"]]) == [(1.0, 2 + 3j)]
    assert restored("Mbpp/722", [[{"a": [1]}, 2]]) == [({"a": (1,)}, 2)]
    assert restored("Mbpp/791", [[[1, [2, 3]]]]) == [((1, (2, 3)),)]
    assert restored("Mbpp/8", [[[1, 2]]]) == [([1, 2],)]


PLUS: list[dict[str, Any]] = [
    {
        "task_id": "HumanEval/0",
        "prompt": 'def scale(xs, k):\n    """Each of xs times k."""\n',
        "entry_point": "scale",
        "canonical_solution": "    return [x * k for x in xs]\n",
        "base_input": [[[1, 2], 3]],
        "plus_input": [[[], 1], [[0.1, 0.2], 3], [list(range(3000)), 2]],
        "atol": 0,
    },
    {
        "task_id": "HumanEval/1",
        "prompt": 'def table(n):\n    """Squares below n."""\n',
        "entry_point": "table",
        "canonical_solution": "    return {i: i * i for i in range(n)}\n",
        "base_input": [[2]],
        "plus_input": [[0], [2000]],
        "atol": 0,
    },
]
SOLUTIONS = [
    ("HumanEval/0", "def scale(xs, k):\n    return [k * x for x in xs]\n", "passed"),
    ("HumanEval/0", "def scale(xs, k):\n    return [sum([x] * k) for x in xs]\n", "passed"),
    ("HumanEval/0", "def scale(xs, k):\n    return [x * 3 for x in xs]\n", "wrong"),
    ("HumanEval/0", "def scale(xs, k):\n    return (x * k for x in xs)\n", "unserializable"),
    ("HumanEval/0", "def scale(xs, k):\n    return xs[0] and [x * k for x in xs]\n", "exception"),
    ("HumanEval/0", "def scale(xs, k):\n    while True: pass\n", "timeout"),
    ("HumanEval/0", "def scal(xs, k):\n    return 1\n", "load_error"),
    ("HumanEval/0", "", "no_answer"),
    ("HumanEval/0", "import os\ndef scale(xs, k):\n    os._exit(0)\n", "early_exit"),
    # equal, but in another order: the hashes differ and the whole texts decide
    ("HumanEval/1", "def table(n):\n    return {i: i * i for i in reversed(range(n))}\n", "passed"),
    ("HumanEval/1", "def table(n):\n    return {i: float(i * i) for i in range(n)}\n", "passed"),
    ("HumanEval/1", "def table(n):\n    return {i: i * i for i in range(min(n, 9))}\n", "wrong"),
]


def test_plus(tmp_path: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCODER_HOME", str(tmp_path / "home"))
    data = write(tmp_path / "plus.jsonl", PLUS)
    samples = write(tmp_path / "s.jsonl", [{"task_id": t, "solution": s} for t, s, _ in SOLUTIONS])
    out = tmp_path / "out.jsonl"
    result = score_command("humaneval+", samples, data=data, out=out, box=box)
    rows = outputs(out)
    assert [r["status"] for r in rows] == [status for _, _, status in SOLUTIONS]
    assert {r["trust"] for r in rows} == {"outside"}
    assert [r["index"] for r in rows] == [*range(9), *range(3)]
    assert result["pass@1"] == pytest.approx((2 / 9 + 2 / 3) / 2)
    assert result["base_pass@1"] == pytest.approx((4 / 9 + 3 / 3) / 2)
    assert result["release"] == "2 tasks"
    # a second time everything known is reused, and the verdicts are the same
    again = score_command("humaneval+", samples, data=data, out=out, box=box)
    assert outputs(out) == rows
    assert again["preflight"] == result["preflight"]


HUMANEVAL = [
    {
        "task_id": "HumanEval/0",
        "prompt": 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(2) == 4\n"
        "    assert candidate([]) == []\n",
    }
]


def test_humaneval(tmp_path: Path, box: Sandbox) -> None:
    data = write(tmp_path / "he.jsonl", HUMANEVAL)
    completions = [
        ("    return x + x\n", True, True),
        ("    return x * 3\n", False, False),
        ("    return type('E', (), {'__eq__': lambda s, o: True})()\n", False, True),
        ("    return (\n", False, False),
    ]
    rows: list[dict[str, Any]] = [
        {"task_id": "HumanEval/0", "completion": c} for c, _, _ in completions
    ]
    text = "Sure.\n```python\ndef double(x):\n    return x + x\n```\n"
    rows.append({"task_id": "HumanEval/0", "text": text})
    out = tmp_path / "out.jsonl"
    for scorer, column in (("strict", 1), ("official", 2)):
        samples = write(tmp_path / "s.jsonl", rows[:-1] if scorer == "official" else rows)
        score_command("humaneval", samples, scorer=scorer, data=data, out=out, box=box)
        passed = [r["passed"] for r in outputs(out)]
        assert passed[:4] == [bool(c[column]) for c in completions], scorer
        if scorer == "strict":
            assert passed[4] is True
            assert {r["trust"] for r in outputs(out)} == {"split"}


def packed(tests: list[dict[str, str]]) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()


def lcb_rows() -> list[dict[str, Any]]:
    common = {"question_title": "t", "platform": "atcoder", "contest_id": "c", "difficulty": "easy"}
    script = [
        {"input": "2\n3 4\n", "output": "7\n", "testtype": "stdin"},
        {"input": "1\n0.5 0.5\n", "output": "1.0\n", "testtype": "stdin"},
    ]
    method = [{"input": "[1, 2]\n3", "output": "[4, 5]", "testtype": "functional"}]
    return [
        {
            **common,
            "question_id": "abc_a",
            "question_content": "Add two numbers.",
            "starter_code": "",
            "public_test_cases": json.dumps(script[:1]),
            "private_test_cases": packed(script[1:]),
            "metadata": "{}",
        },
        {
            **common,
            "question_id": "2777",
            "question_content": "Shift a list.",
            "starter_code": "class Solution:\n    def shift(self, xs: List[int], k: int):\n",
            "public_test_cases": json.dumps(method),
            "private_test_cases": json.dumps(method),
            "metadata": json.dumps({"func_name": "shift"}),
        },
    ]


def test_lcb_lite(tmp_path: Path, box: Sandbox) -> None:
    data = write(tmp_path / "lite.jsonl", lcb_rows())
    sums = "input()\nprint(sum(map(float, input().split())))\n"
    rows = [
        ("abc_a", sums, "passed"),  # 7.0 is 7 as a decimal number
        ("abc_a", f"```python\n{sums}sys.exit()\n```", "passed"),
        ("abc_a", "print(7)", "wrong"),
        ("abc_a", "print(1 / 0)", "exception"),
        (
            "2777",
            "class Solution:\n    def shift(self, xs: List[int], k):\n"
            "        return tuple(x + k for x in xs)\n",
            "passed",
        ),
        ("2777", "class Solution:\n    def shift(self, xs, k):\n        return xs\n", "wrong"),
    ]
    out = tmp_path / "out.jsonl"
    samples = write(tmp_path / "s.jsonl", [{"task_id": t, "text": s} for t, s, _ in rows])
    result = score_command("lcb-lite", samples, data=data, out=out, box=box)
    assert [r["status"] for r in outputs(out)] == [status for _, _, status in rows]
    assert result["preflight"]["cheats"]["always equal"] == 0.0
    prompt = get("lcb-lite").prompt(LcbLite("lcb-lite").load(data)[1])
    assert "class Solution" in prompt.text


def test_lcb_lite_refuses_other_pickles(tmp_path: Path) -> None:
    class Boom:
        def __reduce__(self) -> tuple[Any, ...]:
            return (print, ("ran",))

    bad = base64.b64encode(zlib.compress(pickle.dumps(Boom()))).decode()
    row = {**lcb_rows()[0], "private_test_cases": bad}
    with pytest.raises(UserError, match=r"lite.jsonl:1: test cases cannot be read"):
        LcbLite("lcb-lite").load(write(tmp_path / "lite.jsonl", [row]))


def test_same_output() -> None:
    assert same_output("1 2 \n3\n\n", "1 2\n3")
    assert same_output("1.50", "1.5")
    assert not same_output("1\n2", "1 2")
    assert not same_output("one", "1")


def test_lcb_execution(tmp_path: Path, box: Sandbox) -> None:
    row = {
        "question_id": 1, "id": "sample_3", "function_name": "countAll", "output": "3",
        "code": "def countAll(s: str) -> int:\n    return Counter(s)['a']",
        "input": "countAll(s = 'abaa')",
    }  # fmt: skip
    data = write(tmp_path / "exec.jsonl", [row])
    samples = write(
        tmp_path / "s.jsonl",
        [{"task_id": "sample_3", "answer": a} for a in ("3", "4", "countAll(s = 'abaa')")],
    )
    out = tmp_path / "out.jsonl"
    score_command("lcb-execution", samples, data=data, out=out, box=box)
    assert [r["status"] for r in outputs(out)] == ["passed", "wrong", "unparseable"]
    task = get("lcb-execution").load(data)[0]
    assert "assert countAll(s = 'abaa') == ??" in get("lcb-execution").prompt(task).text


def test_verdicts_follow_the_samples_order(box: Sandbox) -> None:
    benchmark = get("humaneval")
    task = Task("HumanEval/0", dict(HUMANEVAL[0]))
    samples = [
        Sample("HumanEval/0", 5, Answer(None, Status.NO_ANSWER)),
        Sample("HumanEval/0", 1, Answer("def double(x):\n    return x + x\n")),
    ]
    verdicts = benchmark.judge([task], samples, scorer="strict", box=box)
    assert [(v.index, v.status, v.trust) for v in verdicts] == [
        (5, Status.NO_ANSWER, Trust.SPLIT),
        (1, Status.PASSED, Trust.SPLIT),
    ]
