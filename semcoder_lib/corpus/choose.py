"""Chooses a program's cases, judges its quality by them, and runs them a second time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from semcoder_lib.core import values
from semcoder_lib.corpus import execute
from semcoder_lib.corpus.draft import Draft, Input, alive
from semcoder_lib.corpus.duplicates import behaviour_key
from semcoder_lib.corpus.execute import Failed, Ran
from semcoder_lib.corpus.grow import PROBES, best_inputs
from semcoder_lib.corpus.guess import NO_TYPES

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

MIN_CASES = 5
MIN_LINE_COVERAGE = 0.75
MIN_BRANCH_COVERAGE = 0.6
MIN_WORKING = 0.25  # share of the tried inputs that must run

# Reasons that mean that a program does not run, as opposed to running and being dull.
NO_INPUT, MOST_FAIL = "no input runs", "most inputs fail"
FAILING = (NO_TYPES, NO_INPUT, MOST_FAIL)


def choose_cases(drafts: Iterable[Draft], *, cases: int = 8) -> list[Draft]:
    """Step 3. Chooses up to `cases` inputs of every draft (new branch outcomes and lines first,
    then new outputs) and drops those that are not worth keeping by them: too few (fewer than five,
    or than `cases`), a constant or nearly constant output, an argument given back, low coverage;
    the drafts that are left."""
    drafts = list(drafts)
    for draft in drafts:
        draft.chosen = best_inputs(draft, cases)
        reason = _reason_against(draft, least(cases))
        if reason:
            error = execute.commonest_error(draft.ran) if reason in FAILING else ""
            draft.drop(reason, error)
        probed = [(i.ran.status, i.ran.text) for i in draft.inputs[:PROBES] if i.ran]
        draft.behaviour = behaviour_key(draft.program.argument_types, probed)
    return alive(drafts)


def least(cases: int) -> int:
    """How many of `cases` cases a program must have."""
    return min(cases, MIN_CASES)


def _reason_against(draft: Draft, wanted: int) -> str:
    """Why a program with its chosen inputs stays out, or an empty string."""
    working = sum(r.ok for r in draft.ran)
    if not working:
        return NO_INPUT
    if working < MIN_WORKING * len(draft.ran):
        return MOST_FAIL
    if len(draft.chosen) < wanted:
        return "too few inputs that run"
    try:
        for text in (i.ran.text for i in draft.chosen if i.ran):
            values.decode(text)
    except values.NotALiteral:  # the program wrote it in the place of what we record
        return "forged output"
    outputs = _outputs(draft.chosen)
    if len(outputs) == 1:
        return "constant output"
    good = draft.good()
    if not outputs <= {"True", "False"} and len(_outputs(good)) < 3:
        return "nearly constant output"
    if all(i.ran and i.ran.text in map(values.encode, i.arguments) for i in good):
        return "returns an argument unchanged"
    line, branch = draft.coverage(draft.chosen)
    if line < MIN_LINE_COVERAGE or branch < MIN_BRANCH_COVERAGE:
        return "low coverage"
    return ""


def _outputs(inputs: Iterable[Input]) -> set[str]:
    return {i.ran.text for i in inputs if i.ran}


def run_again(
    drafts: Iterable[Draft],
    box: Sandbox,
    openings: Callable[[Draft], list[str]] = lambda draft: [],
) -> list[Draft]:
    """Step 4. Runs the chosen inputs again in a fresh process, in reverse order; the drafts that
    give the same as before. `box` should be a sandbox with another seed of string hashes: a program
    that keeps state, is random or depends on the order of hashes gives something else.

    The `openings` (inputs on which the guard against benchmarks looks first) run after them in the
    same process, which saves one. Where both together exceed its limits, they run apart.
    """
    drafts = list(drafts)
    chosen = {d: [i.text for i in reversed(d.chosen)] for d in drafts}
    opened = {d: openings(d) for d in drafts}
    both = [(d.program, chosen[d] + opened[d]) for d in drafts]
    alone = []
    for draft, ran in zip(drafts, execute.run(box, both, **execute.QUICK), strict=True):
        if isinstance(ran, Failed):
            alone.append(draft)
        else:
            size = len(chosen[draft])
            draft.openings = dict(zip(opened[draft], ran[size:], strict=True))
            _compare(draft, ran[:size])
    requests = [(d.program, chosen[d]) for d in alone]
    for draft, ran in zip(alone, execute.run(box, requests, coverage=False), strict=True):
        if isinstance(ran, Failed):
            draft.drop(f"second run: {ran.status.value}")
        else:
            _compare(draft, ran)
    requests = [(d.program, opened[d]) for d in alive(alone)]
    for draft, ran in zip(
        alive(alone), execute.run_alone(box, requests, **execute.QUICK), strict=True
    ):
        draft.openings = dict(zip(opened[draft], ran, strict=True))
    return alive(drafts)


def _compare(draft: Draft, again: Sequence[Ran]) -> None:
    before = [(i.ran.status, i.ran.text) for i in reversed(draft.chosen) if i.ran]
    if [(r.status, r.text) for r in again] != before:
        draft.drop("second run differs")
