"""Figures over many verified monologues: what is decided, and what right answers rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from semcoder_lib.monologues.verify.rows import verify_rows

if TYPE_CHECKING:
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
        counts = self.counts
        counts["monologues"] += 1
        if "direction" not in row:
            return
        counts["checked"] += 1
        counts["right"] += row["answer_right"]
        counts["accepted"] += row["accepted"]
        self.coverage += row["line_coverage"]
        wrong_step = False
        for claim in row["claims"]:
            counts[claim["status"]] += 1
            self.kinds.setdefault(claim["kind"], Counter())[claim["status"]] += 1
            wrong_step |= claim["status"] == "contradicted" and claim["kind"] != "answer"
        counts["right_with_contradiction"] += wrong_step and row["answer_right"]
        counts["wrong_with_contradiction"] += wrong_step and not row["answer_right"]

    def figures(self) -> dict[str, Any]:
        c = self.counts
        claims = c["supported"] + c["contradicted"] + c["unverifiable"]
        return {
            "monologues": c["monologues"],
            "checked": c["checked"],
            "claims": claims,
            "supported": c["supported"],
            "contradicted": c["contradicted"],
            "unverifiable": c["unverifiable"],
            "decided": (c["supported"] + c["contradicted"]) / claims if claims else 0.0,
            "right": c["right"],
            "right_with_contradiction": c["right_with_contradiction"],
            "share_right_with_contradiction": (
                c["right_with_contradiction"] / c["right"] if c["right"] else 0.0
            ),
            "wrong": c["checked"] - c["right"],
            "wrong_with_contradiction": c["wrong_with_contradiction"],
            "accepted": c["accepted"],
            "line_coverage": self.coverage / c["checked"] if c["checked"] else 0.0,
            "by_kind": {
                kind: dict(sorted(found.items())) for kind, found in sorted(self.kinds.items())
            },
        }


def confusion(labelled: Iterable[tuple[bool, str]]) -> dict[str, Any]:
    """The verifier against labels: pairs of (the claim is true, the status it was given).

    `precision` and `recall` are of finding false claims among those it decided: precision is the
    share of contradicted claims that are false, recall the share of false claims (decided ones)
    that are contradicted. `decided` is the share of all that it decided. None where undefined.
    """
    table: Counter[tuple[bool, str]] = Counter(labelled)
    caught = table[(False, "contradicted")]
    missed = table[(False, "supported")]
    alarms = table[(True, "contradicted")]
    right = table[(True, "supported")]
    total = sum(table.values())
    decided = caught + missed + alarms + right
    return {
        "true_supported": right,
        "true_contradicted": alarms,
        "true_unverifiable": table[(True, "unverifiable")],
        "false_supported": missed,
        "false_contradicted": caught,
        "false_unverifiable": table[(False, "unverifiable")],
        "precision": caught / (caught + alarms) if caught + alarms else None,
        "recall": caught / (caught + missed) if caught + missed else None,
        "decided": decided / total if total else None,
        "n": total,
    }
