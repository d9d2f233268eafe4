from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcoder_lib.sandbox import Sandbox

PROGRAMS = [
    ("def f(a, b):\n    return a + b", "1, 2", "3"),
    ("def f(xs):\n    xs.append(len(xs))\n    return xs", "[5, 6]", "[5, 6, 2]"),
    ("def f(text):\n    return text == ''", "'a'", "False"),
    ("def f(n):\n    while n == 5:\n        pass\n    return n", "7", "7"),
    ("def f(d):\n    return {k: v for v, k in d.items()}", "{'a': 1}", "{1: 'a'}"),
    ("def f(n):\n    return 0 if n < 1 else n + f(n - 1)", "3", "6"),
]


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(workers=1) as made:
        yield made


@pytest.fixture
def crux(tmp_path: Path) -> Path:
    """A file in CRUXEval's format, with programs of ours."""
    path = tmp_path / "cruxeval.jsonl"
    rows: list[dict[str, Any]] = [
        {"code": code, "input": given, "output": out, "id": f"sample_{i}"}
        for i, (code, given, out) in enumerate(PROGRAMS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
