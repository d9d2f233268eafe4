"""The paper's numbers: every cell of its tables, with doubtful cells marked, and their source."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def facts() -> dict[str, Any]:
    """All numbers of `paper.json` (camera-ready, NeurIPS 2024; boards named there)."""
    return dict(json.loads((Path(__file__).parent / "paper.json").read_text(encoding="utf-8")))


def table(name: str) -> dict[str, Any]:
    """One table by its number: "1", "2", "3a", "3b", "4" … "8"."""
    return dict(facts()["tables"][name])


def row(name: str, label: str, size: str | None = None) -> dict[str, Any]:
    """The values of one row of a table; raises KeyError when there is none."""
    for found in table(name)["rows"]:
        if found["row"] == label and (size is None or found.get("size") == size):
            return dict(found["values"])
    raise KeyError(f"table {name} has no row {label!r}")


def column(benchmark: str) -> str:
    """The name of a benchmark of ours as a column of the paper's tables."""
    return {
        "humaneval": "humaneval",
        "humaneval+": "humaneval_plus",
        "mbpp": "mbpp",
        "mbpp+": "mbpp_plus",
        "lcb-lite": "lcb_lite",
        "cruxeval-i": "cruxeval_i",
        "cruxeval-o": "cruxeval_o",
        "lcb-execution": "lcb_exec",
    }[benchmark]


TITLES = {
    "humaneval": "HumanEval",
    "humaneval+": "HumanEval+",
    "mbpp": "MBPP",
    "mbpp+": "MBPP+",
    "lcb-lite": "LCB-Lite",
    "cruxeval-i": "CRUXEval-I",
    "cruxeval-o": "CRUXEval-O",
    "lcb-execution": "LCB-Exec",
    "pyx-i": "held-out PyX, input",
    "pyx-o": "held-out PyX, output",
}
