"""Figures over many verified monologues: what is decided, and what right answers rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from semcoder_lib.monologues.verify.rows import verify_rows
from semcoder_lib.sandbox import Sandbox


def study(rows: Iterable[dict[str, Any]], box: Sandbox) -> dict[str, Any]:
    """Verify all rows and sum up; limitation 1 of the paper (appendix A) as numbers.

    Keys: `monologues`, `checked`, `claims`, `decided` (share of claims that are supported or
    contradicted), `right` (right answers), `right_with_contradiction` (of those, how many have at
    least one contradicted claim besides the answer), `accepted`, `by_kind` (for each kind of claim
    the counts of each status) and `by_direction` (the same figures, apart). Shares are fractions.
    A contradicted claim is a statement that the execution disagrees with, not a proof that the
    model reasoned wrongly.
    """
    groups: dict[str, _Sums] = {"all": _Sums()}
    for row in verify_rows(rows, box):
        groups["all"].add(row)
        if "direction" in row:
            groups.setdefault(row["direction"], _Sums()).add(row)
    found = groups.pop("all").figures()
    found["by_direction"] = {name: sums.figures() for name, sums in sorted(groups.items())}
    return found


class _Sums:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = {}
        self.coverage = 0.0

    def add(self, row: dict[str, Any]) -> None:
        self.counts["monologues"] += 1
        if "direction" not in row:
            return
        wrong_step = False
        for claim in row["claims"]:
            self.kinds.setdefault(claim["kind"], Counter())[claim["status"]] += 1
            wrong_step |= claim["status"] == "contradicted" and claim["kind"] != "answer"
        right = "right" if row["answer_right"] else "wrong"
        self.counts.update(["checked", right, f"{right}_with_contradiction"][: 2 + wrong_step])
        self.counts["accepted"] += row["accepted"]
        self.coverage += row["line_coverage"]

    def figures(self) -> dict[str, Any]:
        c, statuses = self.counts, sum(self.kinds.values(), Counter())
        outcomes = ["right", "right_with_contradiction", "wrong", "wrong_with_contradiction"]
        found = {key: c[key] for key in ["monologues", "checked", "accepted", *outcomes]}
        found |= {key: statuses[key] for key in ("supported", "contradicted", "unverifiable")}
        claims = statuses.total()
        return {
            **found,
            "claims": claims,
            "decided": (claims - statuses["unverifiable"]) / max(1, claims),
            "share_right_with_contradiction": c["right_with_contradiction"] / max(1, c["right"]),
            "line_coverage": self.coverage / max(1, c["checked"]),
            "by_kind": {k: dict(sorted(v.items())) for k, v in sorted(self.kinds.items())},
        }
