"""Faults by mutation: mutants, their evidence, their rationales, and what was dropped why."""

from __future__ import annotations

import collections
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from semcoder_lib.core import records, workspace
from semcoder_lib.core.records import Entry, Fault
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.check import check
from semcoder_lib.faults.evidence import Dropped, Pair
from semcoder_lib.faults.mutate import altered, mutate, normal_form
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
    store: Path | str | None = None,
) -> tuple[list[Fault], Funnel]:
    """At most `limit` accepted faults from mutations of the entries' programs.

    A fault is accepted when its buggy program fails a case (and not only by running out of time
    or memory), its fix passes all of the entry's cases, and no claim of its rationale is
    contradicted by the recorded runs. In each pass over the shuffled entries every program gives
    at most `per_program` faults, of its rarest operators; passes go on until the limit is reached
    or nothing is left. `max_characters` bounds a training row, prompt and rationale together.

    The same entries, seed and versions give the same faults in the same order, whatever the number
    of the sandbox's workers. With `store`, finished chunks are kept in that file, and a build that
    was interrupted goes on from there. Returns the faults and the funnel: `mutants`, each reason
    of a drop, `accepted`.
    """
    shuffled = list(entries)
    random.Random(f"{seed}:pyx_r").shuffle(shuffled)
    cache = None if store is None else workspace.ItemCache(store)
    faults: list[Fault] = []
    funnel: collections.Counter[str] = collections.Counter()
    seen: set[str] = set()
    dead: set[str] = set()
    settings = (seed, per_program, max_characters, operators)
    for turn in range(PASSES):
        if len(faults) >= limit:
            break
        made = 0
        for chunk in _chunks(shuffled, CHUNK):
            if len(faults) >= limit:
                break
            alive = [e for e in chunk if e.program.id not in dead]
            key = workspace.content_key(
                "mutation", settings, turn, [records.to_row(e) for e in alive]
            )
            if cache is not None and key in cache:
                kept = cache.get(key)
            else:
                kept = _chunk(alive, box, turn, *settings)
                if cache is not None:
                    cache.put(key, kept)
            dead.update(kept["dead"])
            funnel.update(kept["funnel"])
            made += kept["funnel"].get("mutants", 0)
            for row in kept["faults"]:
                fault = records.from_row(Fault, row)
                if fault.buggy in seen:
                    funnel["duplicate"] += 1
                elif len(faults) < limit:
                    seen.add(fault.buggy)
                    faults.append(fault)
        if not made:
            break
    if cache is not None:
        cache.flush()
    funnel["accepted"] = len(faults)
    return faults, dict(sorted(funnel.items()))


def _chunks(entries: Sequence[Entry], size: int) -> Iterator[list[Entry]]:
    for start in range(0, len(entries), size):
        yield list(entries[start : start + size])


def _chunk(
    entries: Sequence[Entry],
    box: Sandbox,
    turn: int,
    seed: int,
    per_program: int,
    max_characters: int,
    operators: tuple[str, ...] | None,
) -> dict[str, object]:
    funnel: collections.Counter[str] = collections.Counter()
    dead: list[str] = []
    right = _right(entries, box)
    pairs: list[Pair] = []
    for entry, fixed in zip(entries, right, strict=True):
        start, found = turn * TRIED, 0
        if fixed is not None:
            mutants = mutate(entry, seed=seed, operators=operators)
            for m in itertools.islice(mutants, start, start + TRIED):
                found += 1
                pairs.append(
                    Pair(
                        m.program_id, m.entry_point, m.buggy, m.fixed,
                        entry.cases, m.operator, m.cause,
                    )
                )  # fmt: skip
        elif not turn:
            funnel["reference_fails"] += 1
        if found < TRIED:
            dead.append(entry.program.id)
    funnel["mutants"] = len(pairs)
    found_failing: list[runs.Failing] = []
    for item in runs.failing(pairs, box):
        if isinstance(item, Dropped):
            funnel[item.reason] += 1
        else:
            found_failing.append(item)
    failing = _rarest(found_failing, per_program)
    if len(found_failing) > len(failing):
        funnel["enough"] = len(found_failing) - len(failing)
    programs = {e.program.id: e.program for e in entries}
    faults, drops = accept(runs.shrunk(failing, box), box, programs, "mutation", max_characters)
    funnel.update(drops)
    return {
        "faults": [records.to_row(f) for f in faults],
        "funnel": dict(funnel),
        "dead": dead,
    }


def _rarest(found: Sequence[runs.Failing], per_program: int) -> list[runs.Failing]:
    """At most so many of each program, those whose operators are rarest among all of these, in
    their own order: some operators find a place, and break something, nearly everywhere."""
    counts = collections.Counter(f.pair.operator for f in found)
    chosen: set[int] = set()
    places = collections.defaultdict(list)
    for n, failure in enumerate(found):
        places[failure.pair.program_id].append(n)
    for members in places.values():
        members.sort(key=lambda n: (counts[found[n].pair.operator], n))
        chosen.update(members[:per_program])
    return [failure for n, failure in enumerate(found) if n in chosen]


def _right(entries: Sequence[Entry], box: Sandbox) -> list[str | None]:
    """The normal form of each program where it passes all cases of its entry, else None."""
    forms: list[str | None] = []
    for entry in entries:
        try:
            forms.append(normal_form(entry.program.source) if entry.cases else None)
        except (SyntaxError, ValueError, RecursionError):
            forms.append(None)
    jobs = [
        runs.job(form, e.program.entry_point, [c.arguments for c in e.cases])
        for form, e in zip(forms, entries, strict=True)
        if form is not None
    ]
    results = box.map(iter(jobs))
    return [
        form if form is not None and runs.passes(next(results), e.cases) else None
        for form, e in zip(forms, entries, strict=True)
    ]


def accept(
    found: Sequence[runs.Failing],
    box: Sandbox,
    programs: dict[str, records.Program],
    origin: str,
    max_characters: int,
) -> tuple[list[Fault], Funnel]:
    """Evidence and rationale for each failure; those whose rationale holds, and a count of the
    rest by reason."""
    faults: list[Fault] = []
    drops: collections.Counter[str] = collections.Counter()
    for failure, item in zip(found, runs.gather(found, box), strict=True):
        program = programs[failure.pair.program_id]
        made = item if isinstance(item, Dropped) else _told(item, failure, origin, program)
        if isinstance(made, Fault) and sum(map(len, example(made))) > max_characters:
            made = Dropped("long_row")
        if isinstance(made, Dropped):
            drops[made.reason] += 1
        else:
            faults.append(made)
    return faults, dict(drops)


def _told(
    e: Evidence, failure: runs.Failing, origin: str, program: records.Program
) -> Fault | Dropped:
    try:
        text = write(e)
    except TooLong:
        return Dropped("long_values")
    report = check(
        text,
        e.buggy,
        call=e.call,
        expected=e.expected,
        actual=e.actual,
        buggy_trace=e.buggy_trace,
        fixed=e.fixed,
        fixed_trace=e.fixed_trace,
    )
    if not report.accepted:
        return Dropped("contradicted")
    if report.unverifiable:
        return Dropped("unverifiable")
    pair = failure.pair
    line = altered(pair.buggy, pair.fixed)[0]
    key = workspace.content_key(pair.buggy, e.call)[:10]
    return Fault(
        program_id=pair.program_id,
        buggy=pair.buggy,
        fixed=pair.fixed,
        entry_point=pair.entry_point,
        failing_call=e.call,
        expected=e.expected,
        actual=e.actual,
        operator=pair.operator,
        origin=origin,
        line=line,
        divergence=e.divergence.index,
        description=task_description(program),
        rationale=text,
        claims=report.claims,
        id=f"{pair.program_id}:{pair.operator}:{key}",
    )
