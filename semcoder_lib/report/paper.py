"""The paper's numbers: every cell of its tables, with doubtful cells marked, and their source."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

# name of a benchmark: its title, its column in the paper's tables
_BENCHMARKS = {
    "humaneval": ("HumanEval", "humaneval"),
    "humaneval+": ("HumanEval+", "humaneval_plus"),
    "mbpp": ("MBPP", "mbpp"),
    "mbpp+": ("MBPP+", "mbpp_plus"),
    "lcb-lite": ("LCB-Lite", "lcb_lite"),
    "cruxeval-i": ("CRUXEval-I", "cruxeval_i"),
    "cruxeval-o": ("CRUXEval-O", "cruxeval_o"),
    "lcb-execution": ("LCB-Exec", "lcb_exec"),
    "pyx-i": ("held-out PyX, input", ""),
    "pyx-o": ("held-out PyX, output", ""),
}
TITLES = {name: title for name, (title, _) in _BENCHMARKS.items()}
COLUMNS = {name: column for name, (_, column) in _BENCHMARKS.items()}


@functools.cache
def facts() -> dict[str, Any]:
    """All numbers of `paper.json` (camera-ready, NeurIPS 2024; boards named there)."""
    return dict(json.loads((Path(__file__).parent / "paper.json").read_text(encoding="utf-8")))


def table(name: str) -> dict[str, Any]:
    """One table by its number: "1", "2", "3a", "3b", "4" … "8"."""
    return dict(facts()["tables"][name])


def row(name: str, label: str) -> dict[str, Any]:
    """The values of one row of a table. Raises KeyError when there is none."""
    return {row["row"]: dict(row["values"]) for row in table(name)["rows"]}[label]


def title(benchmark: str) -> str:
    """A benchmark's name for a reader."""
    return TITLES.get(benchmark, benchmark)


def cell(value: float | None, doubtful: bool = False) -> str:
    """A number as the paper prints it."""
    return "–" if value is None else f"{value:.1f}{'?' if doubtful else ''}"


def cells(name: str, columns: tuple[str, ...]) -> list[list[str]]:
    """The rows of a table of the paper: who, then the printed numbers of these columns."""
    return [
        [
            f"paper: {row['row']} {row.get('size') or ''}".strip(),
            *(cell(row["values"].get(c), c in row.get("doubtful", ())) for c in columns),
        ]
        for row in table(name)["rows"]
    ]
