"""Runs bugs in batches: which fail, on what smallest case, and where the runs part."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Status, Trace
from semcoder_lib.faults.divergence import Divergence, parting
from semcoder_lib.faults.mutate import Bug
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox
from semcoder_lib.tracing import trace_many

QUICK = Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_mb=512, output_bytes=20_000)
ROUNDS = 3  # of shrinking
CANDIDATES = 12  # smaller arguments that are tried in a round
LONGEST_CALL = 200
Funnel = collections.Counter[str]  # how many were dropped, by reason


@dataclass(frozen=True, slots=True)
class Failing:
    """A bug with a failing case, whose output is the right program's, and what the buggy program
    does on it."""

    bug: Bug
    case: Case
    actual: Outcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a rationale may speak about: the bug, the failing case with the right
    output, the runs of both programs on it, and where they part."""

    bug: Bug
    case: Case
    trace: Trace
    fixed_trace: Trace
    divergence: Divergence


def equal(a: Any, b: Any) -> bool:
    """Python's `==` with the last digits of floats left out: what an assertion would say."""
    return values.equal(a, b, rel_tol=1e-9, abs_tol=1e-12)


def job(source: str, entry_point: str, cases: Sequence[Case]) -> Job:
    """The cases' calls of a program, given up after the first that does not end."""
    calls = [case.arguments for case in cases]
    return Job(source, entry_point, calls=calls, limits=QUICK, share=True, give_up=1)


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


def failing(bugs: Sequence[Bug], box: Sandbox) -> tuple[list[Failing], Funnel]:
    """The bugs that fail, each with its smallest failing case, not yet shrunk; of the others how
    many are `equivalent` (they pass everything), or end in `load_error`, `timeout`, `memory`,
    `crashed`, … on a case."""
    failures, drops = [], Funnel()
    jobs = (job(b.buggy, b.program.entry_point, b.cases) for b in bugs)
    for bug, outcomes in zip(bugs, box.map(jobs), strict=True):
        ends = (o.status for o in sound(outcomes))
        status = next((s for s in ends if s not in (Status.OK, Status.EXCEPTION)), None)
        wrong = [
            Failing(bug, Case(case.arguments, case.output, bug.program.id), outcome)
            for case, outcome in zip(bug.cases, outcomes, strict=True)
            if fails(outcome, case.output)
        ]
        if status or not wrong:
            drops[status.value if status else "equivalent"] += 1
        else:
            failures.append(min(wrong, key=lambda f: size(f.case.arguments)))
    return failures, drops


def shrunk(failures: Sequence[Failing], box: Sandbox) -> list[Failing]:
    """The same failures on smaller arguments, where some fail in the same way: the buggy program
    ends alike (a value, or the same type of error) and the right one gives a value of a type that
    the program's cases know."""
    current = list(failures)
    active = list(range(len(current)))
    for _ in range(ROUNDS):
        offers = [(i, smaller(current[i].case.arguments)) for i in active]
        offers = [(i, calls) for i, calls in offers if calls]
        results = box.map(
            job(source, current[i].bug.program.entry_point, [Case(c) for c in calls])
            for i, calls in offers
            for source in (current[i].bug.buggy, current[i].bug.fixed)
        )
        active = []
        for i, calls in offers:
            better = _best(current[i], calls, next(results), next(results))
            if better is not None:
                current[i] = better
                active.append(i)
    return current


def _best(
    now: Failing,
    offers: list[tuple[Any, ...]],
    buggy: Sequence[Outcome],
    fixed: Sequence[Outcome],
) -> Failing | None:
    """The smallest of the calls on which it fails in the same way."""
    types = {type(c.output) for c in now.bug.cases}
    better = [
        Failing(now.bug, replace(now.case, arguments=arguments, output=right.value), ours)
        for arguments, ours, right in zip(offers, sound(buggy), sound(fixed), strict=True)
        if right.status is Status.OK
        and type(right.value) in types
        and fails(ours, right.value)
        and _ending(ours) == _ending(now.actual)
    ]
    return min(better, key=lambda f: size(f.case.arguments), default=None)


def _ending(outcome: Outcome) -> tuple[Status, str]:
    return outcome.status, outcome.exception.type if outcome.exception else ""


def gather(failures: Sequence[Failing], box: Sandbox) -> tuple[list[Evidence], Funnel]:
    """Traces both programs on the failing call and finds where they part. Drops a failure whose
    call or result is too long to show (`long_values`) or has no text (`unserializable`), whose run
    was too long to record (`cut`), whose runs do not differ in what was recorded (`no_divergence`),
    or whose traced run does not give what the plain run gave (`unstable`)."""
    unshown = [_unshown(failure) for failure in failures]
    drops = Funnel(filter(None, unshown))
    shown = [f for f, reason in zip(failures, unshown, strict=True) if not reason]
    traces = trace_many(
        [
            (replace(f.bug.program, source=source), f.case)
            for f in shown
            for source in (f.bug.buggy, f.bug.fixed)
        ],
        box,
    )
    gathered = []
    for f in shown:
        buggy, fixed = next(traces), next(traces)
        if buggy.cut or fixed.cut:
            drops["cut"] += 1
        elif fixed.result != values.encode(f.case.output) or buggy.result != f.actual.text:
            drops["unstable"] += 1
        elif (parted := parting(f.bug.buggy, f.bug.fixed, buggy, fixed)).index is None:
            drops["no_divergence"] += 1
        else:
            gathered.append(Evidence(f.bug, f.case, buggy, fixed, parted))
    return gathered, drops


def _unshown(failure: Failing) -> str:
    """Why a failure cannot be shown, or nothing."""
    try:
        call = values.show_call(failure.bug.program.entry_point, failure.case.arguments)
        output = values.encode(failure.case.output)
    except values.Unserializable:
        return "unserializable"
    longest = max(map(len, (call, output, failure.actual.text or "")))
    return "long_values" if longest > LONGEST_CALL else ""


# --- smaller arguments ----------------------------------------------------------------------------


def size(arguments: tuple[Any, ...]) -> tuple[int, str]:
    """What "smaller" means: fewer characters, then text order (3 is smaller than 5)."""
    text = values.encode(arguments)
    return len(text), text


def smaller(arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """At most `CANDIDATES` variants of the arguments that are smaller, the boldest first.

    Types are kept, tuples keep their length (they are records), and only one argument changes at a
    time. Whether a variant is a sensible input is for the right program to say.
    """
    bound = size(arguments)
    columns = [
        [(*arguments[:i], less, *arguments[i + 1 :]) for less in _smaller(value)]
        for i, value in enumerate(arguments)
    ]
    offers = (offer for row in itertools.zip_longest(*columns) for offer in row if offer)
    variants = {values.encode(offer): offer for offer in offers if size(offer) < bound}
    return list(variants.values())[:CANDIDATES]


def _smaller(value: Any) -> Iterator[Any]:
    kind = type(value)
    if kind is int:
        nearer = value - 1 if value > 0 else value + 1
        yield from (
            n for n in dict.fromkeys((0, 1, 2, abs(value), value // 2, nearer)) if n != value
        )
    elif kind is float and value == value and abs(value) < 10**9:
        yield from (float(n) for n in (0, int(value) // 2, int(value)) if float(n) != value)
    elif kind in (str, bytes, list):
        yield from _parts(value)
    elif kind in (set, frozenset):
        yield from map(kind, _parts(sorted(value, key=values.encode)))
    elif kind is dict:
        yield from map(dict, _parts(list(value.items())))
        for key, item in itertools.islice(value.items(), 4):
            for less in itertools.islice(_smaller(item), 3):
                yield {**value, key: less}
    if kind in (list, tuple):
        for i, item in enumerate(value[:6] if kind is list else value):
            for less in itertools.islice(_smaller(item), 3):
                yield kind((*value[:i], less, *value[i + 1 :]))


def _parts(value: Any) -> Iterator[Any]:
    n = len(value)
    if n > 0:
        yield value[:0]
    if n > 2:
        yield value[: n // 2]
        yield value[n // 2 :]
    if n > 1:
        for i in range(min(n, 8)):
            yield value[:i] + value[i + 1 :]
