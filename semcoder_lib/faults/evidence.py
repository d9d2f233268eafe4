"""Runs mutants and repairs in batches: which fail, on what smallest case, how the runs part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Program, Status, Trace
from semcoder_lib.faults.divergence import parting
from semcoder_lib.faults.rationale import Evidence
from semcoder_lib.faults.shrink import size, smaller
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox
from semcoder_lib.tracing import trace_many

QUICK = Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_mb=512, output_bytes=20_000)
ROUNDS = 3
CANDIDATES = 12
LONGEST_CALL = 200


@dataclass(frozen=True, slots=True)
class Pair:
    """A buggy program, a right one, and the cases that tell them apart."""

    program_id: str
    entry_point: str
    buggy: str
    fixed: str
    cases: tuple[Case, ...]
    operator: str = "model"
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """A pair with a failing case, whose output is the right program's, and what the buggy program
    does on it."""

    pair: Pair
    case: Case
    actual: Outcome


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why something was not kept, in the funnel's word, or for a person."""

    reason: str


def equal(a: Any, b: Any) -> bool:
    """Python's `==` with the last digits of floats left out: what an assertion would say."""
    return values.equal(a, b, rel_tol=1e-9, abs_tol=1e-12)


def job(source: str, entry_point: str, calls: Sequence[tuple[Any, ...]]) -> Job:
    """Calls of a program that are given up after the first that does not end."""
    return Job(source, entry_point, calls=list(calls), limits=QUICK, share=True, give_up=1)


def sound(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes, unless one of them says nothing about the program: what the sandbox could not
    run must not count as anything. Raises InfrastructureError."""
    for outcome in outcomes:
        if outcome.status is Status.INFRASTRUCTURE:
            raise InfrastructureError(f"the sandbox could not run a program: {outcome.note}")
    return outcomes


def passes(outcomes: Sequence[Outcome], cases: Sequence[Case]) -> bool:
    """Every case ran and gave its output."""
    sound(outcomes)
    return len(outcomes) == len(cases) and all(
        o.status is Status.OK and equal(o.value, c.output)
        for o, c in zip(outcomes, cases, strict=True)
    )


def fails(outcome: Outcome, expected: Any) -> bool:
    """It ran to an end that an assertion would call wrong: another value, or an error."""
    if outcome.status is Status.EXCEPTION:
        return True
    return outcome.status is Status.OK and not equal(outcome.value, expected)


def failing(pairs: Iterable[Pair], box: Sandbox) -> Iterator[Failing | Dropped]:
    """For each pair its smallest failing case, not yet shrunk, or why it has none: `equivalent` (it
    passes everything), `load_error`, `timeout`, `memory`, `crashed`, … (the worst status seen)."""
    kept = list(pairs)
    jobs = (job(p.buggy, p.entry_point, [c.arguments for c in p.cases]) for p in kept)
    for pair, outcomes in zip(kept, box.map(jobs), strict=True):
        yield _failing(pair, outcomes)


def _failing(pair: Pair, outcomes: Sequence[Outcome]) -> Failing | Dropped:
    for outcome in sound(outcomes):
        if outcome.status not in (Status.OK, Status.EXCEPTION):
            return Dropped(outcome.status.value)
    wrong = [
        (size(case.arguments), case, outcome)
        for case, outcome in zip(pair.cases, outcomes, strict=True)
        if fails(outcome, case.output)
    ]
    if not wrong:
        return Dropped("equivalent")
    _, case, outcome = min(wrong, key=lambda item: item[0])
    return Failing(pair, Case(case.arguments, case.output, pair.program_id), outcome)


def shrunk(found: Sequence[Failing], box: Sandbox, *, rounds: int = ROUNDS) -> list[Failing]:
    """The same failures on smaller arguments, where some fail in the same way: the buggy program
    ends alike (a value, or the same type of error) and the right one gives a value of a type that
    the program's cases know."""
    current = list(found)
    active = list(range(len(current)))
    for _ in range(rounds):
        offers = {i: smaller(current[i].case.arguments, limit=CANDIDATES) for i in active}
        active = [i for i in active if offers[i]]
        pairs = [(current[i].pair, offers[i]) for i in active]
        results = box.map(
            job(source, pair.entry_point, calls)
            for pair, calls in pairs
            for source in (pair.buggy, pair.fixed)
        )
        moved = []
        for i in active:
            better = _best(current[i], offers[i], next(results), next(results))
            if better is not None:
                current[i] = better
                moved.append(i)
        active = moved
        if not active:
            break
    return current


def _best(
    now: Failing,
    offers: list[tuple[Any, ...]],
    buggy: Sequence[Outcome],
    fixed: Sequence[Outcome],
) -> Failing | None:
    types = {type(c.output) for c in now.pair.cases}
    best: Failing | None = None
    for arguments, ours, right in zip(offers, sound(buggy), sound(fixed), strict=True):
        if right.status is not Status.OK or type(right.value) not in types:
            continue
        if not fails(ours, right.value) or ours.status is not now.actual.status:
            continue
        if (ours.exception and ours.exception.type) != (
            now.actual.exception and now.actual.exception.type
        ):
            continue
        if best is None or size(arguments) < size(best.case.arguments):
            best = Failing(
                now.pair, replace(now.case, arguments=arguments, output=right.value), ours
            )
    return best


def gather(found: Sequence[Failing], box: Sandbox) -> Iterator[Evidence | Dropped]:
    """Traces both programs on the failing call and finds where they part. Drops a failure whose
    call or result is too long to show (`long_values`) or has no text (`unserializable`), whose run
    was too long to record (`cut`), whose runs do not differ in what was recorded (`no_divergence`),
    or whose traced run does not give what the plain run gave (`unstable`)."""
    drops = [_unshown(failure) for failure in found]
    kept = [f for f, drop in zip(found, drops, strict=True) if not drop]
    traces = trace_many(
        [
            (Program(source, f.pair.entry_point, id=f.pair.program_id), f.case)
            for f in kept
            for source in (f.pair.buggy, f.pair.fixed)
        ],
        box,
    )
    for failure, drop in zip(found, drops, strict=True):
        yield Dropped(drop) if drop else _evidence(failure, next(traces), next(traces))


def _evidence(failure: Failing, buggy: Trace, fixed: Trace) -> Evidence | Dropped:
    pair = failure.pair
    if buggy.cut or fixed.cut:
        return Dropped("cut")
    if fixed.result != values.encode(failure.case.output) or buggy.result != failure.actual.text:
        return Dropped("unstable")
    parted = parting(pair.buggy, pair.fixed, buggy, fixed)
    if parted.index is None:
        return Dropped("no_divergence")
    program = Program(pair.buggy, pair.entry_point, id=pair.program_id)
    return Evidence(program, failure.case, pair.fixed, buggy, fixed, parted, pair.cause)


def _unshown(failure: Failing) -> str:
    """Why a failure cannot be shown, or nothing."""
    try:
        call = values.show_call(failure.pair.entry_point, failure.case.arguments)
        output = values.encode(failure.case.output)
    except values.Unserializable:
        return "unserializable"
    longest = max(map(len, (call, output, failure.actual.text or "")))
    return "long_values" if longest > LONGEST_CALL else ""
