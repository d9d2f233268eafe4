"""Runs bugs in batches: which fail, on what smallest case, and where a buggy run parts from the
right one (aligned differential tracing)."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import InfrastructureError
from semcoder_lib.core.records import Case, Status, Step, Trace
from semcoder_lib.faults.mutate import Bug, line_map
from semcoder_lib.sandbox import Job, Limits, Outcome, Sandbox
from semcoder_lib.tracing import trace_many

QUICK = Limits(cpu_seconds=0.5, wall_seconds=30.0, memory_mb=512, output_bytes=20_000)
ROUNDS = 3  # of shrinking
CANDIDATES = 12  # smaller arguments that are tried in a round
LONGEST_CALL = 200
Funnel = collections.Counter[str]  # how many were dropped, by reason
ALIKE = 0.5  # share of lines with a partner that a comparison step by step needs
Steps = tuple[Step, ...]
States = dict[int, dict[str, str | None]]  # what a run has set so far, by frame


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first step at which two traces differ.

    `index` counts the buggy trace's steps from 0 (it is the number of its steps when the buggy run
    ended too early), `fixed_index` the right trace's; both are None when the traces agree.
    `kind`: `value` (a variable), `path` (another line), `missing` (a change that the buggy run
    does not make), `extra` (one that it makes too many), `return` (of a function, or what it
    yields), `exception`, `end`, or `none`.
    `name`, `actual`, `wanted` say which variable has which text; None where there is none.
    `line` and `fixed_line` are the lines of the two steps.
    """

    kind: str
    index: int | None = None
    fixed_index: int | None = None
    line: int | None = None
    fixed_line: int | None = None
    name: str = ""
    actual: str | None = None
    wanted: str | None = None

    @property
    def form(self) -> str:
        """The row of `forms.txt` that says it."""
        if self.kind == "value":
            stays, changes = self.actual is None, self.wanted is None
            return "part.stays" if stays else "part.changes" if changes else "part.value"
        return f"part.{self.kind}" if self.kind in ("extra", "missing") else "part.path"


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


def passing(programs: Iterable[tuple[str | None, str, Sequence[Case]]], box: Sandbox) -> list[bool]:
    """Whether each `(source, entry point, cases)` passes all its cases; None as source does not."""
    programs = list(programs)
    results = box.map(job(s, name, cases) for s, name, cases in programs if s is not None)
    return [s is not None and passes(next(results), cases) for s, _, cases in programs]


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


# --- where two runs part --------------------------------------------------------------------------


def divergence(buggy: Trace, fixed: Trace, *, lines: Mapping[int, int] | None = None) -> Divergence:
    """The first step of `buggy` that differs from its partner in `fixed`.

    `lines` maps lines of the buggy program to those of the fixed one (`mutate.line_map`); without
    it the line numbers are taken as they are. Steps are paired in order. A step on a line without a
    partner, and one that changes nothing, is passed over, so an inserted or removed line counts
    only where it has an effect: a variable that both runs have, a jump, an error. A line that
    calls a function carries its change at the line's own place in the order, before the steps of
    the call: then the place is looked for inside that call first, so that the answer is the cause
    and not the caller.

    Does not judge which difference matters: a harmless one counts too. Two texts that were cut
    alike count as equal.
    """
    if lines is None:
        lines = {step.line: step.line for step in (*buggy.steps, *fixed.steps)}
    parted = _first(buggy.steps, fixed.steps, lines, 0, 0)
    if parted is None and (buggy.cut or fixed.cut or buggy.result == fixed.result):
        return Divergence("none")
    return parted or _ends(buggy, fixed)


def parting(buggy: str, fixed: str, trace: Trace, right: Trace) -> Divergence:
    """The divergence of the runs of two programs; how they end, where so few lines have a partner
    that comparing step by step says nothing."""
    lines = line_map(buggy, fixed)
    if 2 * len(lines) < ALIKE * len((buggy + fixed).splitlines()):
        return _ends(trace, right)
    return divergence(trace, right, lines=lines)


def _first(a: Steps, b: Steps, lines: Mapping[int, int], i: int, j: int) -> Divergence | None:
    """The first difference from the steps `i` and `j` on."""
    partners = set(lines.values())
    ours: States = {}
    theirs: States = {}
    while i < len(a) or j < len(b):
        x = a[i] if i < len(a) else None
        y = b[j] if j < len(b) else None
        here, there = (step.line if step else None for step in (x, y))
        if x is not None and x.event == "line" and x.line not in lines:
            if clash := _clash(x, theirs):
                return Divergence("extra", i, j, here, there, *clash)
            _apply(x, ours)
            i += 1
        elif y is not None and y.event == "line" and y.line not in partners:
            if clash := _clash(y, ours):
                name, wanted, actual = clash
                return Divergence("missing", i, j, here, there, name, actual, wanted)
            _apply(y, theirs)
            j += 1
        elif x is None or y is None:
            return Divergence("end", i, j, here, there)
        elif difference := _difference(x, y, lines):
            inside = None
            if difference[0] == "value":
                inside = _first(a[: _over(a, i)], b[: _over(b, j)], lines, i + 1, j + 1)
            if inside is not None and inside.kind != "end":
                return inside
            return Divergence(difference[0], i, j, here, there, *difference[1:])
        else:
            _apply(x, ours)
            _apply(y, theirs)
            i += 1
            j += 1
    return None


def _apply(step: Step, states: States) -> None:
    states.setdefault(step.frame, {}).update((c.name, c.text) for c in step.changes)


def _clash(step: Step, other: States) -> tuple[str, str | None, str | None] | None:
    """A change by a step without a partner that sets a variable of both runs to something else:
    name, what it is set to, what the other run has."""
    state = other.get(step.frame, {})
    for change in step.changes:
        if change.name in state and state[change.name] != change.text:
            return change.name, change.text, state[change.name]
    return None


def _difference(
    x: Step, y: Step, lines: Mapping[int, int]
) -> tuple[str, str, str | None, str | None] | None:
    """Kind, name, got and wanted of what differs in two steps."""
    if x.event != y.event or x.depth != y.depth or lines.get(x.line, -1) != y.line:
        if "exception" in (x.event, y.event) and x.event != y.event:
            actual, wanted = (s.value if s.event == "exception" else None for s in (x, y))
            return "exception", "", actual, wanted
        return "path", "", None, None
    if x.event in ("exception", "return", "yield") and x.value != y.value:
        return "exception" if x.event == "exception" else "return", "", x.value, y.value
    ours, theirs = ({c.name: c.text for c in s.changes} for s in (x, y))
    for name in [*ours, *theirs]:
        if name not in ours or name not in theirs or ours[name] != theirs[name]:
            return "value", name, ours.get(name), theirs.get(name)
    return None


def _over(steps: Steps, index: int) -> int:
    """The first step after the calls that this step's line makes."""
    after = (k for k in range(index + 1, len(steps)) if steps[k].depth <= steps[index].depth)
    return next(after, len(steps))


def _ends(buggy: Trace, fixed: Trace) -> Divergence:
    """How the two runs end."""
    i, j = len(buggy.steps) - 1, len(fixed.steps) - 1
    if i < 0 or j < 0 or buggy.cut or fixed.cut:
        return Divergence("none")
    x, y = buggy.steps[i], fixed.steps[j]
    kind = "exception" if "exception" in (x.event, y.event) else "return"
    return Divergence(kind, i, j, x.line, y.line, "", x.value, y.value)


def last_values(trace: Trace) -> dict[str, str]:
    """The exact locals of the entry point's frame when the run ended."""
    state: dict[str, str] = {}
    for step in trace.steps:
        for change in step.changes if step.frame == trace.steps[0].frame else ():
            state.pop(change.name, None)
            if change.text is not None and change.exact:
                state[change.name] = change.text
    return state
