"""Monologues for a whole corpus: traced, written, verified, and every drop counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import scale, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Claim, Entry, Monologue, Program, Trace
from semcoder_lib.monologues import properties
from semcoder_lib.monologues.backward import Question, backward_many
from semcoder_lib.monologues.style import DEFAULT, Property, Style
from semcoder_lib.monologues.verify import Report, Trials, verify
from semcoder_lib.monologues.write.forward import forward, properties_section
from semcoder_lib.sandbox import Sandbox, own

BATCH = 32  # entries that a worker traces, tells and verifies at a time
DIRECTIONS = ("forward", "backward")
STATUSES = ("supported", "contradicted", "unverifiable")


@dataclass(slots=True)
class Funnel:
    """What became of the cases of one direction: how many were asked, accepted and dropped, by
    reason, and the claims of the accepted ones by status."""

    asked: int = 0
    accepted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    claims: Counter[str] = field(default_factory=Counter)

    def row(self) -> dict[str, Any]:
        return {
            "asked": self.asked,
            "accepted": self.accepted,
            "dropped": dict(self.dropped.most_common()),
            "claims": {status: self.claims[status] for status in STATUSES},
        }


@dataclass(frozen=True, slots=True)
class Attempt:
    """One case that was to be told: the accepted monologue, or why there is none."""

    monologue: Monologue | None
    reason: str = ""
    claims: tuple[tuple[str, int], ...] = ()  # counts by status


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries whose cases a worker tells, and how."""

    entries: tuple[Entry, ...]
    directions: tuple[str, ...]
    seed: int
    per_program: int
    style: Style
    bullets: int
    level: str  # of the sandbox


def derive_many(
    entries: Iterable[Entry],
    box: Sandbox,
    *,
    seed: int = 0,
    per_program: int = 1,
    directions: Sequence[str] = DIRECTIONS,
    style: Style = DEFAULT,
    bullets: int = 2,
    workers: int = 1,
) -> tuple[list[Monologue], dict[str, Any]]:
    """Monologues of up to `per_program` cases of every entry: the forward ones in the order of the
    entries, then the backward ones; and for each direction the row of its `Funnel`.

    Only monologues that the verifier accepts are returned. `bullets` is how many properties each
    text states (0 for none): those that hold on every case of the entry and on fresh inputs, ours
    and the verifier's. A backward monologue is asked for with the output alone; the search may
    start from the other cases' inputs. `workers` processes, each with a sandbox of its own, share
    the batches; the list does not depend on them.
    """
    for direction in directions:
        if direction not in DIRECTIONS:
            raise UserError(f"direction {direction!r}: choose from {', '.join(DIRECTIONS)}")
    held = list(entries)
    batches = [
        Batch(tuple(held[at : at + BATCH]), tuple(directions), seed, per_program, style, bullets,
              box.level)
        for at in range(0, len(held), BATCH)
    ]  # fmt: skip
    results: Iterable[dict[str, list[Attempt]]]
    if workers <= 1:
        results = (derive_batch(batch, box) for batch in batches)
    else:
        results = scale.mapped(derive_batch, batches, workers=workers, chunk=1)
    monologues: dict[str, list[Monologue]] = {d: [] for d in directions}
    funnels = {d: Funnel() for d in directions}
    for attempts in results:
        for direction in directions:
            for attempt in attempts[direction]:
                _count(attempt, funnels[direction], monologues[direction])
    ordered = [m for d in DIRECTIONS if d in monologues for m in monologues[d]]
    return ordered, {d: funnel.row() for d, funnel in funnels.items()}


def _count(attempt: Attempt, funnel: Funnel, monologues: list[Monologue]) -> None:
    funnel.asked += 1
    if attempt.monologue is None:
        funnel.dropped[attempt.reason] += 1
        return
    funnel.accepted += 1
    funnel.claims.update(dict(attempt.claims))
    monologues.append(attempt.monologue)


def derive_batch(batch: Batch, box: Sandbox | None = None) -> dict[str, list[Attempt]]:
    """What became of every case of a batch, by direction."""
    box = box or own(batch.level)
    styles = _styles(batch, box)
    pairs = [(e, c) for e in batch.entries for c in chosen_cases(e, batch.per_program, batch.seed)]
    attempts: dict[str, list[Attempt]] = {}
    if "forward" in batch.directions:
        traces = tracing.trace_many([(e.program, c) for e, c in pairs], box, share=True)
        attempts["forward"] = [
            _forward(e.program, c, trace, batch.seed, styles[e.program.id])
            for (e, c), trace in zip(pairs, traces, strict=True)
        ]
    if "backward" in batch.directions:
        attempts["backward"] = list(_backward(pairs, batch, styles, box))
    return attempts


def chosen_cases(entry: Entry, count: int, seed: int) -> list[Case]:
    """Cases of an entry to tell, drawn by the seed, those with distinct outputs first."""
    order = list(entry.cases)
    Random(f"{seed}:cases:{entry.program.id}").shuffle(order)
    first: list[Case] = []
    again: list[Case] = []
    seen: set[str] = set()
    for case in order:
        text = _encoded(case.output)
        if text is not None:
            (again if text in seen else first).append(case)
            seen.add(text)
    return (first + again)[:count]


def _encoded(value: Any) -> str | None:
    try:
        return values.encode(value)
    except values.Unserializable:
        return None


def _styles(batch: Batch, box: Sandbox) -> dict[str, Style]:
    """The style of each program, with its own properties: inferred, then put before the verifier,
    whose fresh runs are not ours."""
    style, bullets = batch.style, batch.bullets
    if not bullets or style.brief or style.properties:
        return {e.program.id: style for e in batch.entries}
    styles: dict[str, Style] = {}
    inferred = properties.infer_many(batch.entries, box, seed=batch.seed)
    for entry, proposed in zip(batch.entries, inferred, strict=True):
        standing = _standing(entry, proposed[: bullets + 3], box)[:bullets]
        styles[entry.program.id] = style.but(properties=standing)
    return styles


def _standing(entry: Entry, proposed: tuple[Property, ...], box: Sandbox) -> tuple[Property, ...]:
    """The properties that the verifier did not refute, those that it confirmed first."""
    if not proposed:
        return ()
    text = properties_section(proposed)
    trials = Trials(entry.program, box, [c.arguments for c in entry.cases])
    report = verify(
        text, entry.program, entry.cases[0], box,
        direction="forward", line_offset=0, trace=Trace(()), trials=trials,
    )  # fmt: skip
    ranks: list[tuple[int, Property]] = []
    for p in proposed:
        start = text.index(f"- {p.text}\n")
        said = {c.status for c in report.claims if _inside(c, start, start + len(p.text) + 2)}
        if "contradicted" not in said:
            ranks.append((-int(said == {"supported"}), p))
    return tuple(p for _, p in sorted(ranks, key=lambda rank: rank[0]))


def _inside(claim: Claim, start: int, end: int) -> bool:
    return claim.kind == "property" and start <= claim.place[0] < end


def _forward(program: Program, case: Case, trace: Trace, seed: int, style: Style) -> Attempt:
    """One forward monologue, written and verified against its trace; needs no sandbox."""
    reason = _untellable(trace, case)
    if reason:
        return Attempt(None, reason)
    try:
        monologue = forward(program, trace, seed=seed, style=style, case=case)
    except UserError:
        return Attempt(None, "cannot be told")
    if len(monologue.text) > style.max_chars:
        return Attempt(None, "longer than max_chars")
    report = verify(
        monologue.text, program, case, None,
        direction="forward", line_offset=style.line_offset, trace=trace,
    )  # fmt: skip
    return _judged(monologue, report, style)


def _untellable(trace: Trace, case: Case) -> str:
    if trace.cut:
        return f"trace cut: {trace.cut}"
    if not trace.steps:
        return f"no trace: {trace.status.value}"
    if trace.result is None:
        return "raises" if trace.exception else f"no result: {trace.status.value}"
    if trace.result != _encoded(case.output):
        return "result differs from the recorded output"
    return ""


def _judged(monologue: Monologue, report: Report, style: Style) -> Attempt:
    """The verdict. What the verifier cannot read is a reason to drop a text of our own, too;
    properties were decided once for the program, not again for each text."""
    if not report.accepted:
        return Attempt(None, f"verifier: {report.reason.partition(':')[0]}")
    counts = Counter(c.status for c in report.claims if c.kind != "property")
    counts["supported"] += len(style.properties)
    if counts["unverifiable"]:
        return Attempt(None, "verifier: not all of it can be checked")
    return Attempt(monologue, "", tuple(sorted(counts.items())))


def _backward(
    pairs: Sequence[tuple[Entry, Case]], batch: Batch, styles: dict[str, Style], box: Sandbox
) -> Iterator[Attempt]:
    questions: dict[tuple[str, str], Question] = {}
    for entry, case in pairs:
        output, hidden = _encoded(case.output), _encoded(case.arguments)
        others = [c.arguments for c in entry.cases if _encoded(c.arguments) != hidden]
        question = Question(
            entry.program, case.output, tuple(others), styles[entry.program.id].properties
        )
        questions.setdefault((entry.program.id, output or ""), question)
    asked = list(questions.values())
    answers = backward_many(asked, box, seed=batch.seed, style=batch.style)
    for question, monologue in zip(asked, answers, strict=True):
        style = styles[question.program.id]
        if monologue is None:
            yield Attempt(None, "no input found")
        elif len(monologue.text) > style.max_chars:
            yield Attempt(None, "longer than max_chars")
        else:
            report = verify(
                monologue.text, question.program, Case((), question.output), box,
                direction="backward", line_offset=style.line_offset,
            )  # fmt: skip
            yield _judged(monologue, report, style)
