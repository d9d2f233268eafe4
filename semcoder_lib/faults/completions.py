"""Faults from a model's own failures: its wrong programs, each with a fix that passes."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import replace

from semcoder_lib.core.records import Completion, Entry, Fault, Program
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.build import LONGEST, Funnel, accept, right_forms
from semcoder_lib.faults.evidence import Dropped, Pair
from semcoder_lib.faults.mutate import line_cause, mutate, normal
from semcoder_lib.models.extraction import clean_code
from semcoder_lib.sandbox import Sandbox

REPAIRS = 60


def code_of(text: str, entry_point: str) -> str | None:
    """The program in a completion, without the examples that models add after it; None where
    nothing in it defines the entry point."""
    return clean_code(text, entry_point).text


def from_completions(
    entries: Iterable[Entry],
    completions: Iterable[Completion],
    box: Sandbox,
    *,
    seed: int = 0,
    max_characters: int = LONGEST,
    repairs: int = REPAIRS,
) -> tuple[list[Fault], Funnel]:
    """Faults from completions of the entries' problems (`Completion.task_id` is the program's id).

    Kept are programs that run to an end on every case and fail at least one. The fix is the
    nearest that can be shown right: one edit of the model's own program, searched with the
    mutation operators (at most `repairs` tried), and else the reference program. Returns the
    faults and the funnel (`completions`, `no_program`, `passed`, the reasons of `build`,
    `repaired`, `accepted`).
    """
    known = {e.program.id: e for e in entries}
    funnel: collections.Counter[str] = collections.Counter()
    pairs: list[Pair] = []
    seen: set[tuple[str, str]] = set()
    right = dict(zip(known, right_forms(list(known.values()), box), strict=True))
    for completion in completions:
        funnel["completions"] += 1
        entry = known.get(completion.task_id)
        reference = right.get(completion.task_id)
        if entry is None or reference is None:
            funnel["no_entry"] += 1
            continue
        buggy = normal(code_of(completion.text, entry.program.entry_point))
        if buggy is None:
            funnel["no_program"] += 1
        elif (buggy, completion.task_id) in seen:
            funnel["duplicate"] += 1
        else:
            seen.add((buggy, completion.task_id))
            pairs.append(
                Pair(entry.program.id, entry.program.entry_point, buggy, reference, entry.cases)
            )
    failing: list[runs.Failing] = []
    for item in runs.failing(pairs, box):
        if isinstance(item, Dropped):
            funnel["passed" if item.reason == "equivalent" else item.reason] += 1
        else:
            failing.append(item)
    mended = repaired(failing, box, seed, repairs)
    funnel["repaired"] = sum(a is not b for a, b in zip(mended, failing, strict=True))
    programs = {k: e.program for k, e in known.items()}
    faults, drops = accept(runs.shrunk(mended, box), box, programs, "model", max_characters)
    funnel.update(drops)
    funnel["accepted"] = len(faults)
    return faults, dict(sorted(funnel.items()))


def repaired(
    failing: Sequence[runs.Failing], box: Sandbox, seed: int, repairs: int
) -> list[runs.Failing]:
    """Each failure with a fix that is one edit away from the buggy program, where one passes."""
    offers: list[list[str]] = []
    for failure in failing:
        pair = failure.pair
        program = Program(pair.buggy, pair.entry_point, id=pair.program_id)
        offers.append([m.buggy for m in mutate(program, seed=seed, limit=repairs)])
    results = box.map(
        runs.job(source, f.pair.entry_point, [c.arguments for c in f.pair.cases])
        for f, sources in zip(failing, offers, strict=True)
        for source in sources
    )
    mended = []
    for failure, sources in zip(failing, offers, strict=True):
        right = [s for s in sources if runs.passes(next(results), failure.pair.cases)]
        if right:
            pair = replace(
                failure.pair, fixed=right[0], cause=line_cause(failure.pair.buggy, right[0])
            )
            failure = replace(failure, pair=pair)
        mended.append(failure)
    return mended
