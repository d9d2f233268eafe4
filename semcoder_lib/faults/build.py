"""Accepted faults from mutations and from a model's wrong programs, and what was dropped why."""

from __future__ import annotations

import collections
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semcoder_lib.core import records, source, workspace
from semcoder_lib.core.records import Completion, Entry, Fault, Program, Status
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.check import check
from semcoder_lib.faults.evidence import Evidence, Failing, Funnel
from semcoder_lib.faults.mutate import Bug, altered, line_cause, mutate, normal
from semcoder_lib.faults.rationale import TooLong, write
from semcoder_lib.faults.rows import example, from_hub, refined_code, task_description
from semcoder_lib.models.extraction import clean_code
from semcoder_lib.sandbox import Job, Outcome, Sandbox

CHUNK = 64
TRIED = 3  # mutants of one program in one pass
PASSES = 8
LONGEST = 2_400
REPAIRS = 60


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
) -> tuple[list[Fault], dict[str, int]]:
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
    funnel = Funnel()
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
    funnel = Funnel()
    dead: list[str] = []
    bugs: list[Bug] = []
    for entry, fixed in zip(entries, right_forms(entries, box), strict=True):
        mutants = mutate(entry, seed=seed, operators=operators) if fixed is not None else iter(())
        tried = [*itertools.islice(mutants, turn * TRIED, (turn + 1) * TRIED)]
        if fixed is None and not turn:
            funnel["reference_fails"] += 1
        if len(tried) < TRIED:
            dead.append(entry.program.id)
        bugs += tried
    funnel["mutants"] = len(bugs)
    failing, drops = runs.failing(bugs, box)
    chosen = _rarest(failing, per_program)
    if len(failing) > len(chosen):
        funnel["enough"] = len(failing) - len(chosen)
    programs = {e.program.id: e.program for e in entries}
    faults, more = accept(runs.shrunk(chosen, box), box, programs, "mutation", max_characters)
    funnel.update(drops + more)
    return {"faults": [*map(records.to_row, faults)], "funnel": dict(funnel), "dead": dead}


def _rarest(failures: Sequence[Failing], per_program: int) -> list[Failing]:
    """At most so many of each program, those whose operators are rarest among all of these, in
    their own order: some operators find a place, and break something, nearly everywhere."""
    counts = collections.Counter(f.bug.operator for f in failures)
    places = collections.defaultdict(list)
    for n, failure in enumerate(failures):
        places[failure.bug.program_id].append((counts[failure.bug.operator], n))
    chosen = {n for members in places.values() for _, n in sorted(members)[:per_program]}
    return [failure for n, failure in enumerate(failures) if n in chosen]


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
    failures: Sequence[Failing],
    box: Sandbox,
    programs: dict[str, Program],
    origin: str,
    max_characters: int,
) -> tuple[list[Fault], Funnel]:
    """Evidence and rationale for each failure; the faults whose rationale holds, and of the rest
    how many were dropped why: the reasons of `evidence.gather`, `long_row`, `long_values`,
    `contradicted`, `unverifiable`."""
    gathered, drops = runs.gather(failures, box)
    faults: list[Fault] = []
    for e in gathered:
        fault = _unexplained(e, origin, programs[e.bug.program_id])
        try:
            text = write(e, max_characters=max(max_characters - len(example(fault)[0]), 0))
        except TooLong as error:
            drops[error.reason] += 1
            continue
        report = check(text, e.program, e.case, e.trace, fixed=e.bug.fixed,
                       fixed_trace=e.fixed_trace)  # fmt: skip
        if report.accepted and not report.unverifiable:
            faults.append(replace(fault, rationale=text, claims=report.claims))
        else:
            drops["unverifiable" if report.accepted else "contradicted"] += 1
    return faults, drops


def _unexplained(e: Evidence, origin: str, program: Program) -> Fault:
    """The fault without its rationale."""
    bug, case = e.bug, e.case
    call = records.values.show_call(bug.entry_point, case.arguments)
    return Fault(
        program_id=program.id,
        buggy=bug.buggy,
        fixed=bug.fixed,
        entry_point=bug.entry_point,
        case=case,
        actual=e.trace.result or f"raises {e.trace.exception}",
        operator=bug.operator,
        origin=origin,
        line=altered(bug.buggy, bug.fixed)[0],
        divergence=e.divergence.index,
        description=task_description(program),
        id=f"{program.id}:{bug.operator}:{workspace.content_key(bug.buggy, call)[:10]}",
    )


def from_completions(
    entries: Iterable[Entry], completions: Iterable[Completion], box: Sandbox
) -> tuple[list[Fault], dict[str, int]]:
    """Faults from completions of the entries' problems (`Completion.task_id` is the program's id).

    Kept are programs that run to an end on every case and fail at least one. The fix is the
    nearest that can be shown right: one edit of the model's own program, searched with the
    mutation operators, and else the reference program. Returns the faults and the funnel
    (`completions`, `no_program`, `passed`, the reasons of `build`, `repaired`, `accepted`).
    """
    known = {e.program.id: e for e in entries}
    right = dict(zip(known, right_forms(list(known.values()), box), strict=True))
    funnel = Funnel()
    bugs: dict[tuple[str, str], Bug] = {}
    for completion in completions:
        funnel["completions"] += 1
        entry, fixed = known.get(completion.task_id), right.get(completion.task_id)
        if entry is None or fixed is None:
            funnel["no_entry"] += 1
            continue
        name = entry.program.entry_point
        buggy = normal(clean_code(completion.text, name).text)
        if buggy is None:
            funnel["no_program"] += 1
        elif (buggy, completion.task_id) in bugs:
            funnel["duplicate"] += 1
        else:
            bug = Bug(entry.program.id, name, buggy, fixed, entry.cases)
            bugs[buggy, completion.task_id] = bug
    failing, drops = runs.failing([*bugs.values()], box)
    if "equivalent" in drops:
        drops["passed"] = drops.pop("equivalent")
    mended = repaired(failing, box)
    funnel["repaired"] = sum(a is not b for a, b in zip(mended, failing, strict=True))
    programs = {k: e.program for k, e in known.items()}
    faults, more = accept(runs.shrunk(mended, box), box, programs, "model", LONGEST)
    funnel.update(drops + more)
    funnel["accepted"] = len(faults)
    return faults, dict(sorted(funnel.items()))


def repaired(failing: Sequence[Failing], box: Sandbox, *, repairs: int = REPAIRS) -> list[Failing]:
    """Each failure with a fix that is one edit away from the buggy program, where one of the first
    `repairs` passes."""
    offers: list[list[str]] = []
    for f in failing:
        program = Program(f.bug.buggy, f.bug.entry_point, id=f.bug.program_id)
        offers.append([m.buggy for m in mutate(program, limit=repairs)])
    results = box.map(
        runs.job(source, f.bug.entry_point, [c.arguments for c in f.bug.cases])
        for f, sources in zip(failing, offers, strict=True)
        for source in sources
    )
    mended = []
    for f, sources in zip(failing, offers, strict=True):
        right = [s for s in sources if runs.passes(next(results), f.bug.cases)]
        if right:
            cause = line_cause(f.bug.buggy, right[0])
            f = replace(f, bug=replace(f.bug, fixed=right[0], cause=cause))
        mended.append(f)
    return mended


def read_hub(rows: Iterable[dict[str, Any]], box: Sandbox) -> tuple[list[Fault], dict[str, int]]:
    """The faults of rows in the hub's format that hold when they are run, with what the buggy
    program really gave; and the funnel: how many rows, were accepted, could not be read, or do not
    hold. Raises nothing for a row."""
    read = [from_hub(row, number=number) for number, row in enumerate(rows, 1)]
    faults = [fault for fault in read if isinstance(fault, Fault)]
    jobs = [Job(f.buggy, f.entry_point, [f.case.arguments]) for f in faults]
    for place, (outcome,) in enumerate(box.map(jobs)):
        raised = outcome.exception
        words = f"raises {raised.type}: {raised.message}".rstrip(": ") if raised else ""
        faults[place] = replace(faults[place], actual=outcome.text or words)
    kept = [fault for fault, problem in validate(faults, (), box) if not problem]
    return kept, {
        "accepted": len(kept), "rows": len(read), "unreadable": len(read) - len(faults),
        "does not hold": len(faults) - len(kept),
    }  # fmt: skip


def validate(
    faults: Iterable[Fault], entries: Iterable[Entry], box: Sandbox
) -> Iterator[tuple[Fault, str]]:
    """Each fault with what is wrong with it, empty when nothing is.

    Checked by running, every call in a process of its own: the fixed program passes all cases of
    its entry and gives the right output on the failing call; the buggy program does not, and gives
    `actual`; the program after `[Refined]` is the fixed one. A fault without an entry is checked on
    its failing call alone. Raises nothing for bad rows: they are reported.
    """
    kept = list(faults)
    known = {e.program.id: e for e in entries}
    jobs = []
    for fault in kept:
        entry = known.get(fault.program_id)
        cases = [c.arguments for c in entry.cases] if entry else []
        calls = [fault.case.arguments, *cases]
        jobs.append(Job(fault.fixed, fault.entry_point, calls=calls))
        jobs.append(Job(fault.buggy, fault.entry_point, calls=calls[:1]))
    results = box.map(iter(jobs))
    for fault in kept:
        fixed, buggy = next(results), next(results)
        yield fault, _problem(fault, known.get(fault.program_id), fixed, buggy[0])


def _problem(fault: Fault, entry: Entry | None, fixed: list[Outcome], buggy: Outcome) -> str:
    expected = fault.case.output
    first, *rest = runs.sound(fixed)
    runs.sound([buggy])
    if first.status is not Status.OK or not runs.equal(first.value, expected):
        return "the fix does not give the expected value on the failing call"
    if entry is not None and not runs.passes(rest, entry.cases):
        return "the fix fails a case of the entry"
    if not runs.fails(buggy, expected):
        return f"the buggy program does not fail ({buggy.status.value})"
    if buggy.status is Status.OK and buggy.text != fault.actual:
        return f"the buggy program gives {buggy.text}, not {fault.actual}"
    if buggy.exception and not fault.actual.startswith(f"raises {buggy.exception.type}"):
        return f"the buggy program raises {buggy.exception.type}, not {fault.actual}"
    refined = refined_code(fault.rationale)
    same = refined == fault.fixed or (normal(refined) or 0) == normal(fault.fixed)
    if fault.rationale and not same:
        return "the program after [Refined] is not the fixed one"
    return ""
