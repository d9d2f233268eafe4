"""Accepted faults from mutations, from a model's wrong programs and with a model's rationales, and
what was dropped why."""

from __future__ import annotations

import collections
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Completion, Entry, Fault
from semcoder_lib.faults import evidence as runs
from semcoder_lib.faults.evidence import Evidence, Failing, Funnel
from semcoder_lib.faults.mutate import Bug, altered, line_cause, mutate, normal
from semcoder_lib.faults.rationale import TooLong, check, write
from semcoder_lib.faults.rows import example, failed_test, from_hub, refined_code, task_description
from semcoder_lib.models import prompts
from semcoder_lib.models.extraction import clean_code
from semcoder_lib.sandbox import Sandbox

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
) -> tuple[list[Fault], dict[str, int]]:
    """At most `limit` accepted faults from mutations of the entries' programs.

    A fault is accepted when its buggy program fails a case (and not only by running out of time
    or memory), its fix passes all of the entry's cases, and every claim of its rationale is
    supported by the recorded runs. In each pass over the shuffled entries every program gives
    at most `per_program` faults, of its rarest operators; passes go on until the limit is reached
    or nothing is left. `max_characters` bounds a training row, prompt and rationale together.

    The same entries, seed and versions give the same faults in the same order, whatever the number
    of the sandbox's workers. Returns the faults and the funnel: `mutants`, each reason of a drop,
    `accepted`.
    """
    shuffled = list(entries)
    random.Random(f"{seed}:pyx_r").shuffle(shuffled)
    faults: dict[str, Fault] = {}  # by the buggy program
    funnel = Funnel(mutants=0)
    mutants: dict[str, Iterator[Bug]] = {}
    for turn, start in itertools.product(range(PASSES), range(0, len(shuffled), CHUNK)):
        if len(faults) >= limit:
            break
        chunk = shuffled[start : start + CHUNK]
        if not turn:
            for entry, right in zip(chunk, right_forms(chunk, box), strict=True):
                mutants[entry.program.id] = mutate(entry, seed=seed) if right else iter(())
                funnel["reference_fails"] += not right
        bugs = [b for e in chunk for b in itertools.islice(mutants[e.program.id], TRIED)]
        failing, drops = runs.failing(bugs, box)
        chosen = _rarest(failing, per_program)
        accepted, more = accept(runs.shrunk(chosen, box), box, "mutation", max_characters)
        funnel.update(drops + more)
        funnel.update(mutants=len(bugs), enough=len(failing) - len(chosen))
        for fault in accepted:
            if fault.buggy in faults:
                funnel["duplicate"] += 1
            elif len(faults) < limit:
                faults[fault.buggy] = fault
    return [*faults.values()], _counts(funnel, mutants=funnel["mutants"], accepted=len(faults))


def _counts(funnel: Funnel, **always: int) -> dict[str, int]:
    """The counts that are not zero, and these."""
    return dict(sorted((+funnel | always).items()))


def _rarest(failures: Sequence[Failing], per_program: int) -> list[Failing]:
    """At most so many of each program, those whose operators are rarest among all of these, in
    their own order: some operators find a place, and break something, nearly everywhere."""
    counts = collections.Counter(f.bug.operator for f in failures)
    places = collections.defaultdict(list)
    for n, failure in enumerate(failures):
        places[failure.bug.program.id].append((counts[failure.bug.operator], n))
    chosen = {n for members in places.values() for _, n in sorted(members)[:per_program]}
    return [failure for n, failure in enumerate(failures) if n in chosen]


def right_forms(entries: Sequence[Entry], box: Sandbox) -> list[str | None]:
    """The normal form of each program where it passes all cases of its entry, else None."""
    forms = [normal(e.program.source) if e.cases else None for e in entries]
    named = zip(forms, entries, strict=True)
    right = runs.passing(((form, e.program.entry_point, e.cases) for form, e in named), box)
    return [form if passed else None for form, passed in zip(forms, right, strict=True)]


def accept(
    failures: Sequence[Failing], box: Sandbox, origin: str, max_characters: int
) -> tuple[list[Fault], Funnel]:
    """Evidence and rationale for each failure; the faults whose rationale holds, and of the rest
    how many were dropped why: the reasons of `evidence.gather`, `long_row`, `long_values`,
    `contradicted`, `unverifiable`."""
    gathered, drops = runs.gather(failures, box)
    faults: list[Fault] = []
    for e in gathered:
        fault = _unexplained(e, origin)
        try:
            text = write(e, max_characters=max(max_characters - len(example(fault)[0]), 0))
        except TooLong as error:
            drops[str(error)] += 1
            continue
        report = check(text, e)
        if report.accepted and not report.unverifiable:
            faults.append(replace(fault, rationale=text, claims=report.claims))
        else:
            drops["unverifiable" if report.accepted else "contradicted"] += 1
    return faults, drops


def _unexplained(e: Evidence, origin: str) -> Fault:
    """The fault without its rationale."""
    bug, case, program = e.bug, e.case, e.bug.program
    call = values.show_call(program.entry_point, case.arguments)
    return Fault(
        program_id=program.id,
        buggy=bug.buggy,
        fixed=bug.fixed,
        entry_point=program.entry_point,
        case=case,
        actual=e.trace.result or f"raises {e.trace.exception}",
        operator=bug.operator,
        origin=origin,
        line=altered(bug.buggy, bug.fixed)[0],
        divergence=e.divergence.index,
        description=task_description(program),
        id=f"{program.id}:{bug.operator}:{workspace.content_key(bug.buggy, call)[:10]}",
    )


# --- a model's own mistakes -----------------------------------------------------------------------


def from_completions(
    entries: Iterable[Entry], completions: Iterable[Completion], box: Sandbox
) -> tuple[list[Fault], dict[str, int]]:
    """Faults from completions of the entries' problems (`Completion.task_id` is the program's id).

    Kept are programs that run to an end on every case and fail at least one. The fix is the
    nearest that can be shown right: one edit of the model's own program, searched with the
    mutation operators, and else the reference program. Returns the faults and the funnel
    (`completions`, `no_program`, `passed`, the reasons of `build`, `repaired`, `accepted`).
    """
    by_id = {e.program.id: e for e in entries}
    right = dict(zip(by_id, right_forms([*by_id.values()], box), strict=True))
    funnel = Funnel()
    bugs: dict[tuple[str, str], Bug] = {}
    for completion in completions:
        funnel["completions"] += 1
        entry, fixed = by_id.get(completion.task_id), right.get(completion.task_id)
        if entry is None or fixed is None:
            funnel["no_entry"] += 1
            continue
        buggy = normal(clean_code(completion.text, entry.program.entry_point).text)
        if buggy is None:
            funnel["no_program"] += 1
        elif (buggy, completion.task_id) in bugs:
            funnel["duplicate"] += 1
        else:
            bugs[buggy, completion.task_id] = Bug(entry.program, buggy, fixed, entry.cases)
    failing, drops = runs.failing([*bugs.values()], box)
    drops["passed"] = drops.pop("equivalent", 0)
    mended = repaired(failing, box)
    drops["repaired"] = sum(a is not b for a, b in zip(mended, failing, strict=True))
    faults, more = accept(runs.shrunk(mended, box), box, "model", LONGEST)
    return faults, _counts(funnel + drops + more, accepted=len(faults))


def repaired(failing: Sequence[Failing], box: Sandbox, *, repairs: int = REPAIRS) -> list[Failing]:
    """Each failure with a fix that is one edit away from the buggy program, where one of the first
    `repairs` passes."""
    offers = [
        [m.buggy for m in mutate(replace(f.bug.program, source=f.bug.buggy), limit=repairs)]
        for f in failing
    ]
    programs = (
        (source, f.bug.program.entry_point, f.bug.cases)
        for f, sources in zip(failing, offers, strict=True)
        for source in sources
    )
    passed = iter(runs.passing(programs, box))
    mended = []
    for f, sources in zip(failing, offers, strict=True):
        if right := [s for s in sources if next(passed)]:
            cause = line_cause(f.bug.buggy, right[0])
            f = replace(f, bug=replace(f.bug, fixed=right[0], cause=cause))
        mended.append(f)
    return mended


def read_hub(rows: Iterable[dict[str, Any]], box: Sandbox) -> tuple[list[Fault], dict[str, int]]:
    """The faults of rows in the hub's format that hold when they are run (the fix passes the test,
    the buggy program fails it), with what the buggy program really gave; and the funnel: how many
    rows, were accepted, could not be read, or do not hold. Raises nothing for a row."""
    parsed = [from_hub(row, number=number) for number, row in enumerate(rows, 1)]
    faults = [fault for fault in parsed if fault is not None]
    results = box.map(
        runs.job(source, f.entry_point, [f.case]) for f in faults for source in (f.fixed, f.buggy)
    )
    held = []
    for fault in faults:
        fixed, (wrong,) = next(results), next(results)
        if runs.passes(fixed, [fault.case]) and runs.fails(wrong, fault.case.output):
            raised = wrong.exception
            words = f"raises {raised.type}: {raised.message}".rstrip(": ") if raised else ""
            held.append(replace(fault, actual=wrong.text or words))
    return held, {
        "accepted": len(held), "rows": len(parsed), "unreadable": len(parsed) - len(faults),
        "does not hold": len(faults) - len(held),
    }  # fmt: skip


# --- a teacher's rationales -----------------------------------------------------------------------


def rewritten(
    faults: Sequence[Fault],
    entries: Iterable[Entry],
    engine: Any,
    box: Sandbox,
    *,
    attempts: int = 4,
    seed: int = 0,
) -> tuple[list[Fault], dict[str, int]]:
    """The faults with a rationale and a fix in a model's own words (section 3.3), where one of its
    `attempts` samples is accepted: its program passes all cases of the entry, and no claim that can
    be read is contradicted by the runs of the buggy program and of this fix. The first accepted
    sample is taken. Each prompt shows an accepted rationale of another program first. Returns them
    and the funnel (`asked`, `samples`, `incomplete`, `fix_fails`, `contradicted`, `accepted`)."""
    from semcoder_lib.models import Request  # loads torch

    by_id = {e.program.id: e for e in entries}
    asked = [f for f in faults if f.program_id in by_id]
    requests = []
    for n, fault in enumerate(asked):
        prompt = _prompt(fault, [*asked[n + 1 :], *asked[:n]])
        requests.append(
            Request(fault.id, prompt.text, prompt.stop, n=attempts, seed=seed,
                    max_new_tokens=768, temperature=0.8, top_p=0.95)
        )  # fmt: skip
    groups = engine.generate(requests) if requests else []
    samples: list[tuple[Fault, str, str | None]] = []
    for fault, group in zip(asked, groups, strict=True):
        samples += [(fault, c.text, normal(refined_code(c.text))) for c in group]
    funnel = Funnel(asked=len(asked), samples=len(samples))
    funnel["incomplete"] = sum(fixed is None for *_, fixed in samples)
    programs = ((fixed, f.entry_point, by_id[f.program_id].cases) for f, _, fixed in samples)
    accepted: dict[str, Fault] = {}
    for (fault, text, fixed), right in zip(samples, runs.passing(programs, box), strict=True):
        if not right or fixed is None:
            funnel["fix_fails"] += fixed is not None
        elif fault.id not in accepted:
            program = by_id[fault.program_id].program
            bug = Bug(program, fault.buggy, fixed, (fault.case,))
            gathered = runs.gather(runs.failing([bug], box)[0], box)[0]
            report = check(text, gathered[0]) if gathered else None
            if report is None or report.problem:
                funnel["incomplete"] += 1
            elif report.contradicted:
                funnel["contradicted"] += 1
            else:
                better = replace(fault, fixed=fixed, rationale=text, claims=report.claims)
                accepted[fault.id] = better
    return [*accepted.values()], _counts(funnel, accepted=len(accepted))


def _prompt(fault: Fault, others: Sequence[Fault]) -> prompts.Prompt:
    prompt = prompts.refine(fault.description, fault.buggy, failed_test(fault))
    shown = [o for o in others if o.rationale and o.program_id != fault.program_id][:1]
    worked = "".join(
        prompts.refine(o.description, o.buggy, failed_test(o)).text + o.rationale + "\n\n"
        for o in shown
    )
    return replace(prompt, text=worked + prompt.text)
