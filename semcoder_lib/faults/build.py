"""Faults by mutation: mutants, their evidence, their rationales, and what was dropped why."""

from __future__ import annotations

import collections
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, source, workspace
from semcoder_lib.core.records import Entry, Fault, Program
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.check import check
from semcoder_lib.faults.evidence import Dropped, Pair
from semcoder_lib.faults.mutate import altered, mutate, normal
from semcoder_lib.faults.rationale import Evidence, TooLong, write
from semcoder_lib.faults.text import example, task_description
from semcoder_lib.sandbox import Sandbox

CHUNK = 64
TRIED = 3  # mutants of one program in one pass
PASSES = 8
LONGEST = 2_400
Funnel = dict[str, int]


def build(
    entries: Iterable[Entry],
    box: Sandbox,
    *,
    limit: int,
    seed: int = 0,
    per_program: int = 2,
    max_characters: int = LONGEST,
    operators: tuple[str, ...] | None = None,
    cache: Path | str | None = None,
) -> tuple[list[Fault], Funnel]:
    """At most `limit` accepted faults from mutations of the entries' programs.

    A fault is accepted when its buggy program fails a case (and not only by running out of time
    or memory), its fix passes all of the entry's cases, and every claim of its rationale is
    supported by the recorded runs. In each pass over the shuffled entries every program gives
    at most `per_program` faults, of its rarest operators; passes go on until the limit is reached
    or nothing is left. `max_characters` bounds a training row, prompt and rationale together.

    The same entries, seed and versions give the same faults in the same order, whatever the number
    of the sandbox's workers. With `cache`, finished chunks are kept in that file, and a build that
    was interrupted goes on from there. Returns the faults and the funnel: `mutants`, each reason
    of a drop, `accepted`.
    """
    shuffled = list(entries)
    random.Random(f"{seed}:pyx_r").shuffle(shuffled)
    items = None if cache is None else workspace.ItemCache(cache)
    faults: dict[str, Fault] = {}  # by the buggy program
    funnel: collections.Counter[str] = collections.Counter()
    dead: set[str] = set()
    settings = (seed, per_program, max_characters, operators, source.code_behind(_chunk))
    for turn in range(PASSES):
        tried = 0
        for start in range(0, len(shuffled), CHUNK):
            if len(faults) >= limit:
                break
            alive = [e for e in shuffled[start : start + CHUNK] if e.program.id not in dead]
            rows = [records.to_row(e) for e in alive]
            key = workspace.content_key("mutation", settings, turn, rows)
            if items is not None and key in items:
                kept = items.get(key)
            else:
                kept = _chunk(alive, box, turn, seed, per_program, max_characters, operators)
                if items is not None:
                    items.put(key, kept)
            dead.update(kept["dead"])
            funnel.update(kept["funnel"])
            tried += kept["funnel"].get("mutants", 0)
            for row in kept["faults"]:
                fault = records.from_row(Fault, row)
                if fault.buggy in faults:
                    funnel["duplicate"] += 1
                elif len(faults) < limit:
                    faults[fault.buggy] = fault
        if not tried:
            break
    if items is not None:
        items.close()
    funnel["accepted"] = len(faults)
    return list(faults.values()), dict(sorted(funnel.items()))


def _chunk(
    entries: Sequence[Entry],
    box: Sandbox,
    turn: int,
    seed: int,
    per_program: int,
    max_characters: int,
    operators: tuple[str, ...] | None,
) -> dict[str, Any]:
    funnel: collections.Counter[str] = collections.Counter()
    dead: list[str] = []
    pairs: list[Pair] = []
    for entry, fixed in zip(entries, right_forms(entries, box), strict=True):
        before = len(pairs)
        if fixed is not None:
            mutants = mutate(entry, seed=seed, operators=operators)
            for m in itertools.islice(mutants, turn * TRIED, (turn + 1) * TRIED):
                pairs.append(Pair(m.program_id, m.entry_point, m.buggy, m.fixed, entry.cases,
                                  m.operator, m.cause))  # fmt: skip
        elif not turn:
            funnel["reference_fails"] += 1
        if len(pairs) - before < TRIED:
            dead.append(entry.program.id)
    funnel["mutants"] = len(pairs)
    failing: list[runs.Failing] = []
    for item in runs.failing(pairs, box):
        if isinstance(item, Dropped):
            funnel[item.reason] += 1
        else:
            failing.append(item)
    chosen = _rarest(failing, per_program)
    if len(failing) > len(chosen):
        funnel["enough"] = len(failing) - len(chosen)
    programs = {e.program.id: e.program for e in entries}
    faults, drops = accept(runs.shrunk(chosen, box), box, programs, "mutation", max_characters)
    funnel.update(drops)
    return {"faults": [*map(records.to_row, faults)], "funnel": dict(funnel), "dead": dead}


def _rarest(found: Sequence[runs.Failing], per_program: int) -> list[runs.Failing]:
    """At most so many of each program, those whose operators are rarest among all of these, in
    their own order: some operators find a place, and break something, nearly everywhere."""
    counts = collections.Counter(f.pair.operator for f in found)
    places = collections.defaultdict(list)
    for n, failure in enumerate(found):
        places[failure.pair.program_id].append((counts[failure.pair.operator], n))
    chosen = {n for members in places.values() for _, n in sorted(members)[:per_program]}
    return [failure for n, failure in enumerate(found) if n in chosen]


def right_forms(entries: Sequence[Entry], box: Sandbox) -> list[str | None]:
    """The normal form of each program where it passes all cases of its entry, else None."""
    forms = [normal(e.program.source) if e.cases else None for e in entries]
    results = box.map(
        runs.job(form, e.program.entry_point, [c.arguments for c in e.cases])
        for form, e in zip(forms, entries, strict=True)
        if form is not None
    )
    return [
        form if form is not None and runs.passes(next(results), e.cases) else None
        for form, e in zip(forms, entries, strict=True)
    ]


def accept(
    found: Sequence[runs.Failing],
    box: Sandbox,
    programs: dict[str, Program],
    origin: str,
    max_characters: int,
) -> tuple[list[Fault], Funnel]:
    """Evidence and rationale for each failure; those whose rationale holds, and a count of the
    rest by reason."""
    faults: list[Fault] = []
    drops: collections.Counter[str] = collections.Counter()
    for failure, item in zip(found, runs.gather(found, box), strict=True):
        kept: Fault | Dropped
        if isinstance(item, Dropped):
            kept = item
        else:
            pair = failure.pair
            program = programs[pair.program_id]
            kept = explained(item, pair.operator, origin, program, max_characters)
        if isinstance(kept, Dropped):
            drops[kept.reason] += 1
        else:
            faults.append(kept)
    return faults, dict(drops)


def explained(
    e: Evidence, operator: str, origin: str, program: Program, max_characters: int
) -> Fault | Dropped:
    """The fault with its rationale, every claim of which is supported, or why it is dropped:
    `long_row`, `long_values`, `contradicted`, `unverifiable`."""
    buggy, entry_point, case = e.program.source, e.program.entry_point, e.case
    key = workspace.content_key(buggy, records.values.show_call(entry_point, case.arguments))
    fault = Fault(
        program_id=program.id,
        buggy=buggy,
        fixed=e.fixed,
        entry_point=entry_point,
        case=case,
        actual=e.trace.result or f"raises {e.trace.exception}",
        operator=operator,
        origin=origin,
        line=altered(buggy, e.fixed)[0],
        divergence=e.divergence.index,
        description=task_description(program),
        id=f"{program.id}:{operator}:{key[:10]}",
    )
    room = max_characters - len(example(fault)[0])
    try:
        text = write(e, max_characters=max(room, 0))
    except TooLong as error:
        return Dropped(error.reason)
    report = check(text, e.program, case, e.trace, fixed=e.fixed, fixed_trace=e.fixed_trace)
    if not report.accepted:
        return Dropped("contradicted")
    if report.unverifiable:
        return Dropped("unverifiable")
    return replace(fault, rationale=text, claims=report.claims)
