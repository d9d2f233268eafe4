"""Runs mutants and repairs in batches: which fail, on what smallest case, how the runs part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Program, Status
from semcoder_lib.faults.align import alike, line_map
from semcoder_lib.faults.divergence import Divergence, divergence, last_difference
from semcoder_lib.faults.rationale import Evidence
from semcoder_lib.faults.shrink import size, smaller
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox
from semcoder_lib.tracing import trace_many

QUICK = Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_mb=512, output_bytes=20_000)
ROUNDS = 3
CANDIDATES = 12
LONGEST_CALL = 200
ALIKE = 0.5


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
    """A pair with a failing case: what the right program gives, what the buggy one does."""

    pair: Pair
    arguments: tuple[Any, ...]
    expected: Outcome
    actual: Outcome


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why something was not kept, in the funnel's word."""

    reason: str


def equal(a: Any, b: Any) -> bool:
    """Python's `==` with the last digits of floats left out: what an assertion would say."""
    return values.equal(a, b, rel_tol=1e-9, abs_tol=1e-12)


def job(source: str, entry_point: str, calls: Sequence[tuple[Any, ...]]) -> Job:
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
    right = Outcome(Status.OK, value=case.output, text=values.encode(case.output))
    return Failing(pair, case.arguments, right, outcome)


def shrunk(found: Sequence[Failing], box: Sandbox, *, rounds: int = ROUNDS) -> list[Failing]:
    """The same failures on smaller arguments, where some fail in the same way: the buggy program
    ends alike (a value, or the same type of error) and the right one gives a value of a type that
    the program's cases know."""
    current = list(found)
    active = list(range(len(current)))
    for _ in range(rounds):
        offers = {i: smaller(current[i].arguments, limit=CANDIDATES) for i in active}
        active = [i for i in active if offers[i]]
        jobs = []
        for i in active:
            pair = current[i].pair
            jobs.append(job(pair.buggy, pair.entry_point, offers[i]))
            jobs.append(job(pair.fixed, pair.entry_point, offers[i]))
        results = box.map(iter(jobs))
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
        if best is None or size(arguments) < size(best.arguments):
            best = replace(now, arguments=arguments, expected=right, actual=ours)
    return best


def gather(found: Sequence[Failing], box: Sandbox) -> Iterator[Evidence | Dropped]:
    """Traces both programs on the failing call and finds where they part. Drops a failure whose
    call or result is too long to show (`long_values`), whose runs do not differ in what was
    recorded (`no_divergence`), or whose traced run does not give what the plain run gave
    (`unstable`)."""
    shown: list[tuple[Failing, str] | Dropped] = [_shown(f) for f in found]
    pairs = []
    for item in shown:
        if isinstance(item, tuple):
            pair, arguments = item[0].pair, item[0].arguments
            for source in (pair.buggy, pair.fixed):
                program = Program(source, pair.entry_point, id=pair.program_id)
                pairs.append((program, Case(arguments)))
    traces = iter(trace_many(pairs, box))
    for item in shown:
        if isinstance(item, Dropped):
            yield item
            continue
        failure, call = item
        buggy, fixed = next(traces), next(traces)
        if fixed.result != failure.expected.text or buggy.result != failure.actual.text:
            yield Dropped("unstable")
            continue
        pair = failure.pair
        parted = _parted(pair, buggy, fixed)
        if parted.index is None:
            yield Dropped("cut" if buggy.cut or fixed.cut else "no_divergence")
            continue
        actual = f"raises {buggy.exception}" if buggy.result is None else buggy.result
        if "\n" in actual:
            yield Dropped("long_values")
            continue
        yield Evidence(
            pair.entry_point,
            call,
            str(fixed.result),
            actual,
            pair.buggy,
            pair.fixed,
            buggy,
            fixed,
            parted,
            pair.cause,
        )


def _parted(pair: Pair, buggy: Any, fixed: Any) -> Divergence:
    if alike(pair.buggy, pair.fixed) < ALIKE:
        return last_difference(buggy, fixed)
    return divergence(buggy, fixed, lines=line_map(pair.buggy, pair.fixed))


def _shown(failure: Failing) -> tuple[Failing, str] | Dropped:
    try:
        call = values.show_call(failure.pair.entry_point, failure.arguments)
    except values.Unserializable:
        return Dropped("unserializable")
    texts = (call, failure.expected.text or "", failure.actual.text or "")
    if max(map(len, texts)) > LONGEST_CALL:
        return Dropped("long_values")
    return failure, call
