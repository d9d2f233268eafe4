"""Which programs are worth keeping, judged from what they did: the rules, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

from semcoder_lib.corpus.grow import Growing

MIN_LINE_COVERAGE = 0.75
MIN_BRANCH_COVERAGE = 0.6
MIN_WORKING = 0.25  # share of the tried inputs that must run


# Reasons that mean that the program does not run, as opposed to running and being dull.
FAILING = ("no types found on which it runs", "no input runs", "most inputs fail")


def reason_against(growing: Growing, picked: Sequence[int], wanted: int) -> str:
    """Why a program with these chosen inputs stays out, or an empty string."""
    ran = growing.ran
    if not any(r.ok for r in ran):
        return "no input runs"
    if sum(r.ok for r in ran) < MIN_WORKING * len(ran):
        return "most inputs fail"
    if len(picked) < wanted:
        return "too few inputs that run"
    outputs = [ran[i].text for i in picked]
    distinct = set(outputs)
    if len(distinct) == 1:
        return "constant output"
    logical = distinct <= {"True", "False"}
    if not logical and len({ran[i].text for i in growing.good()}) < 3:
        return "nearly constant output"
    if all(ran[i].text in _arguments(growing, i) for i in growing.good()):
        return "returns an argument unchanged"
    line, branch = growing.coverage(picked)
    if line < MIN_LINE_COVERAGE or branch < MIN_BRANCH_COVERAGE:
        return "low coverage"
    return ""


def _arguments(growing: Growing, place: int) -> set[str]:
    from semcoder_lib.core import values

    return {values.encode(a) for a in growing.tried[place]}
