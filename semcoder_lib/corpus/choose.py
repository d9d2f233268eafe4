"""Chooses a program's cases, judges its quality by them, and runs them a second time."""

from __future__ import annotations

from collections.abc import Iterable

from semcoder_lib.core import values
from semcoder_lib.corpus import execute
from semcoder_lib.corpus.duplicates import behaviour_key
from semcoder_lib.corpus.execute import Failed
from semcoder_lib.corpus.grow import NO_TYPES, PROBES, best_inputs
from semcoder_lib.corpus.prospect import Prospect, alive
from semcoder_lib.sandbox import Sandbox

MIN_CASES = 5
MIN_LINE_COVERAGE = 0.75
MIN_BRANCH_COVERAGE = 0.6
MIN_WORKING = 0.25  # share of the tried inputs that must run

# Reasons that mean that a program does not run, as opposed to running and being dull.
NO_INPUT, MOST_FAIL = "no input runs", "most inputs fail"
FAILING = (NO_TYPES, NO_INPUT, MOST_FAIL)


def choose_cases(prospects: Iterable[Prospect], *, cases: int = 8) -> list[Prospect]:
    """Step 3. Chooses up to `cases` inputs of every prospect (new branch outcomes and lines first,
    then new outputs) and drops those that are not worth keeping by them: too few (fewer than five,
    or than `cases`), a constant or nearly constant output, an argument given back, low coverage;
    the prospects that are left."""
    prospects = list(prospects)
    for prospect in prospects:
        prospect.chosen = best_inputs(prospect, cases)
        prospect.behaviour = behaviour_key(
            prospect.program.argument_types,
            [(i.ran.status, i.ran.text) for i in prospect.inputs[:PROBES]],
        )
        if reason := _reason_against(prospect, least(cases)):
            ran = [i.ran for i in prospect.inputs] if reason in FAILING else []
            prospect.drop(reason, execute.commonest_error(ran))
    return alive(prospects)


def least(cases: int) -> int:
    """How many of `cases` cases a program must have."""
    return min(cases, MIN_CASES)


def _reason_against(prospect: Prospect, wanted: int) -> str:
    """Why a program with its chosen inputs stays out, or an empty string."""
    working = sum(i.ran.ok for i in prospect.inputs)
    if not working:
        return NO_INPUT
    if working < MIN_WORKING * len(prospect.inputs):
        return MOST_FAIL
    if len(prospect.chosen) < wanted:
        return "too few inputs that run"
    good, outputs = prospect.good(), {i.ran.text for i in prospect.chosen}
    try:
        for text in outputs:
            values.decode(text)
    except values.NotALiteral:  # the program wrote it in the place of what we record
        return "forged output"
    if len(outputs) == 1:
        return "constant output"
    if not outputs <= {"True", "False"} and len({i.ran.text for i in good}) < 3:
        return "nearly constant output"
    if all(i.ran.text in map(values.encode, i.arguments) for i in good):
        return "returns an argument unchanged"
    line, branch = prospect.coverage(prospect.chosen)
    if line < MIN_LINE_COVERAGE or branch < MIN_BRANCH_COVERAGE:
        return "low coverage"
    return ""


def run_again(prospects: Iterable[Prospect], box: Sandbox) -> list[Prospect]:
    """Step 4. Runs the chosen inputs again in a fresh process, in reverse order; the prospects that
    give the same as before. `box` should be a sandbox with another seed of string hashes: a program
    that keeps state, is random or depends on the order of hashes gives something else."""
    prospects = list(prospects)
    requests = ((p.program, [i.text for i in reversed(p.chosen)]) for p in prospects)
    for prospect, ran in zip(prospects, execute.run(box, requests, coverage=False), strict=True):
        if isinstance(ran, Failed):
            prospect.drop(f"second run: {ran.status.value}")
            continue
        before = [i.ran for i in reversed(prospect.chosen)]
        if [(r.status, r.text) for r in ran] != [(r.status, r.text) for r in before]:
            prospect.drop("second run differs")
    return alive(prospects)
