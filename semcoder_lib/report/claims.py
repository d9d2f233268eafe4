"""The paper's claims, each beside the paired difference of this run that speaks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semcoder_lib.report import paper
from semcoder_lib.report.tables import Inputs, signed

COLUMNS = ["the paper's claim", "the paper", "this run", "verdict"]


@dataclass(frozen=True)
class Claim:
    """`where`: how the fields of the row begin that speaks of the claim, among the list `rows` of a
    notebook's results, of the first of `benchmarks` that is there. `key` holds the difference where
    the row is not one itself; `sign` is -1 where the claim is that nothing is gained."""

    text: str
    paper: str
    notebook: int
    rows: str
    where: Mapping[str, str]
    benchmarks: tuple[str, ...]
    key: str = ""
    sign: int = 1


_TITLES = paper.TITLES | {"pyx-r": "held-out faults"}
_OUTPUTS, _INPUTS = ("cruxeval-o", "pyx-o"), ("cruxeval-i", "pyx-i")
_FROM_BASE = {"from": "base", "to": "tuned, monologue"}
_FROM_DIRECT = {"from": "tuned, direct", "to": "tuned, monologue"}
_PUBLIC = {"source": "public", "accept": "replace"}

CLAIMS = (
    Claim("Trained on monologues, a model predicts outputs better", "CRUXEval-O 41.2 to 65.1",
          6, "differences", _FROM_BASE, _OUTPUTS),
    Claim("… and inputs", "CRUXEval-I 39.5 to 62.5", 6, "differences", _FROM_BASE, _INPUTS),
    Claim("A monologue beats the answer alone on outputs", "CRUXEval-O 47.9 to 65.1",
          6, "differences", _FROM_DIRECT, _OUTPUTS),
    Claim("… and on inputs", "CRUXEval-I 46.9 to 62.5",
          6, "differences", _FROM_DIRECT, _INPUTS),
    Claim("The same training makes it write better code", "HumanEval 47.6 to 73.2",
          5, "differences", {"from": "base", "to": "tuned"}, ("humaneval",)),
    Claim("… also on MBPP", "MBPP 72.0 to 79.9",
          5, "differences", {"from": "base", "to": "tuned"}, ("mbpp",)),
    Claim("Of the formats the monologue teaches most (here: against the answer alone)",
          "CRUXEval-O 63.5; next best 55.6", 7, "pooled",
          {"format": "monologue", "view": "examples"}, _OUTPUTS, key="difference"),
    Claim("Feedback of a failing test lets the tuned model mend its code", "HumanEval 73.2 to 75.6",
          8, "curves", {"model": "tuned", **_PUBLIC}, ("humaneval",), key="gain"),
    Claim("Training on PyX-R lets it mend more (here: over the tuned model)",
          "HumanEval 75.6 to 76.8", 8, "differences",
          {"from": "tuned", "to": "refined", **_PUBLIC}, ("pyx-r", "humaneval")),
    Claim("A real trace in the prompt does not help beyond its own simulation",
          "HumanEval 76.8 to 78.0", 8, "differences",
          {"from": "refined", "to": "traced"}, ("pyx-r", "humaneval"), sign=-1),
)  # fmt: skip
"""In the order of the paper's tables 1, 5, 2, 3a, 3b and 4; its numbers are SemCoder's, 6.7B."""


def compared(inputs: Inputs) -> list[list[str]]:
    """A row of `COLUMNS` for every claim; empty where the run has measured none of them. A claim
    `holds` or `does not hold` only where the interval of its difference leaves zero out."""
    rows, measured = [], False
    for claim in CLAIMS:
        score = _difference(inputs, claim)
        measured |= score is not None
        if score is None:
            shown, verdict = "–", inputs.why_missing(claim.notebook)
        else:
            title = _TITLES[score["benchmark"]]
            shown = f"{title} {signed(score)}, n = {score['n']}"
            better, worse = score["low"] > 0, score["high"] < 0
            if claim.sign < 0:
                better, worse = worse, better
            verdict = "holds" if better else "does not hold" if worse else "cannot be told apart"
        rows.append([claim.text, claim.paper, shown, verdict])
    return rows if measured else []


def _difference(inputs: Inputs, claim: Claim) -> dict[str, Any] | None:
    for benchmark in claim.benchmarks:
        for row in inputs.get(claim.notebook, claim.rows, []):
            fields = {"benchmark": benchmark, **claim.where}
            if all(str(row.get(k, "")).startswith(v) for k, v in fields.items()):
                score = row.get(claim.key) if claim.key else row
                if score and row["benchmark"] == benchmark:
                    return {**score, "benchmark": benchmark}
    return None
