"""Files of rows, and small benchmark files of our own, in every format that is read."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from pathlib import Path
from typing import Any

PROGRAMS = [
    ("def f(a, b):\n    return a + b", "1, 2", "3"),
    ("def f(xs):\n    xs.append(len(xs))\n    return xs", "[5, 6]", "[5, 6, 2]"),
    ("def f(text):\n    return text == ''", "'a'", "False"),
    ("def f(n):\n    while n == 5:\n        pass\n    return n", "7", "7"),
    ("def f(d):\n    return {k: v for v, k in d.items()}", "{'a': 1}", "{1: 'a'}"),
    ("def f(n):\n    return 0 if n < 1 else n + f(n - 1)", "3", "6"),
]
DOUBLE = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate([]) == []\n",
    "base_input": [[2]],
    "plus_input": [[0], [[]]],
    "atol": 0,
}
STDIN = [
    {"input": "2\n3 4\n", "output": "7\n", "testtype": "stdin"},
    {"input": "1\n0.5 0.5\n", "output": "1.0\n", "testtype": "stdin"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def packed(tests: Any) -> str:
    """As LiveCodeBench packs its private tests."""
    return base64.b64encode(zlib.compress(pickle.dumps(tests))).decode()


def lcb_rows() -> list[dict[str, Any]]:
    """A script and a method, in the release's columns."""
    method = json.dumps([{"input": "[1, 2]\n3", "output": "[4, 5]", "testtype": "functional"}])
    starter = "class Solution:\n    def shift(self, xs: List[int], k: int):\n"
    columns = (
        "question_id", "question_content", "starter_code", "public_test_cases",
        "private_test_cases", "metadata",
    )  # fmt: skip
    rows = [
        (
            "abc_a",
            "Add two numbers.",
            "",
            json.dumps(STDIN[:1]),
            packed(json.dumps(STDIN[1:])),
            "{}",
        ),
        ("2777", "Shift a list.", starter, method, method, '{"func_name": "shift"}'),
    ]
    return [dict(zip(columns, row, strict=True)) for row in rows]


LCB_EXECUTION = {
    "question_id": 1, "id": "sample_3", "function_name": "countAll", "output": "3",
    "code": "def countAll(s: str) -> int:\n    return Counter(s)['a']",
    "input": "countAll(s = 'abaa')",
}  # fmt: skip


def cruxeval(path: Path) -> Path:
    """A file in CRUXEval's format, with programs of ours."""
    return write(path, [
        {"code": code, "input": given, "output": out, "id": f"sample_{i}"}
        for i, (code, given, out) in enumerate(PROGRAMS)
    ])  # fmt: skip
