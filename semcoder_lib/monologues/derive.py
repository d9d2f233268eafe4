"""Monologues for a whole corpus: traced, written, verified, and every drop counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import scale, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Claim, Entry, Monologue, Program, Trace
from semcoder_lib.monologues import properties
from semcoder_lib.monologues.backward import Question, backward_many
from semcoder_lib.monologues.forward import forward
from semcoder_lib.monologues.property import Property, claims, section, with_properties
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.verify import Report, Trials, verify
from semcoder_lib.sandbox import Sandbox, own

BATCH = 64
FORWARD_BATCH = 32  # entries that a worker traces, tells and verifies at a time
DIRECTIONS = ("forward", "backward")


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
    entries, then the backward ones.

    Only monologues that the verifier accepts are returned. The funnel counts, for each direction,
    `asked`, `accepted`, the claims of the accepted ones by status, and `dropped` by reason.
    `bullets` is how many properties each text states (0 for none): those that hold on every case
    of the entry and on fresh inputs, ours and the verifier's. A backward monologue is asked for
    with the output alone; the search may start from the other cases' inputs. `workers` processes,
    each with a sandbox of its own, trace, write and verify the forward ones; the list depends on
    everything else, not on them.
    """
    for direction in directions:
        if direction not in DIRECTIONS:
            raise UserError(f"direction {direction!r}: choose from {', '.join(DIRECTIONS)}")
    held = list(entries)
    made: list[Monologue] = []
    funnel: dict[str, Any] = {d: _empty() for d in directions}
    styles: dict[str, Style] = {}
    if "forward" in directions:
        batches = (
            Batch(tuple(some), seed, per_program, style, bullets, box.level)
            for some in _batches(held, FORWARD_BATCH)
        )
        made += _counted(_forward(batches, box, workers, styles), funnel["forward"])
    if "backward" in directions:
        for batch in _batches(held, BATCH):
            _style_all(batch, box, seed, style, bullets, styles)
            chosen = [(e, c) for e in batch for c in chosen_cases(e, per_program, seed)]
            made += _backward(chosen, box, seed, styles, funnel["backward"])
    for counts in funnel.values():
        counts["dropped"] = dict(counts["dropped"].most_common())
        counts["claims"] = dict(counts["claims"])
    return made, funnel


def _empty() -> dict[str, Any]:
    return {"asked": 0, "accepted": 0, "dropped": Counter(), "claims": Counter()}


def _batches(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    return (entries[at : at + size] for at in range(0, len(entries), size))


def chosen_cases(entry: Entry, count: int, seed: int) -> list[Case]:
    """Cases of an entry to tell, drawn by the seed, those with distinct outputs first."""
    order = list(entry.cases)
    Random(f"{seed}:cases:{entry.program.id}").shuffle(order)
    first: list[Case] = []
    again: list[Case] = []
    seen: set[str] = set()
    for case in order:
        try:
            text = values.encode(case.output)
        except values.Unserializable:
            continue
        (again if text in seen else first).append(case)
        seen.add(text)
    return (first + again)[:count]


def _style_all(
    batch: Sequence[Entry],
    box: Sandbox,
    seed: int,
    style: Style,
    bullets: int,
    styles: dict[str, Style],
) -> None:
    """Adds the style of each program, with its own properties: inferred, then put before the
    verifier, whose fresh runs are not ours."""
    new = [e for e in batch if e.program.id not in styles]
    if not bullets or style.brief or style.properties:
        styles.update((e.program.id, style) for e in new)
        return
    for entry, held in zip(new, properties.infer_many(new, box, seed=seed), strict=True):
        defended = _defended(entry, held[: bullets + 3], box)[:bullets]
        styles[entry.program.id] = style.but(properties=defended)


def _defended(entry: Entry, proposed: tuple[Property, ...], box: Sandbox) -> tuple[Property, ...]:
    """The properties that the verifier did not refute, those that it confirmed first."""
    if not proposed:
        return ()
    text = section(proposed)
    places = claims(proposed, 0)
    trials = Trials(entry.program, box, [c.arguments for c in entry.cases])
    report = verify(
        text, entry.program, entry.cases[0], box,
        direction="forward", line_offset=0, trace=Trace(()), trials=trials,
    )  # fmt: skip
    standing = {}
    for mine in places:
        said = {c.status for c in report.claims if c.kind == "property" and _overlap(c, mine)}
        standing[mine.value] = -1 if "contradicted" in said else int("supported" in said)
    kept = [p for p in proposed if standing[p.text] >= 0]
    return tuple(sorted(kept, key=lambda p: -standing[p.text]))


def _overlap(a: Claim, b: Claim) -> bool:
    return a.place[0] < b.place[1] and b.place[0] < a.place[1]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one telling."""

    monologue: Monologue | None
    reason: str = ""
    supported: int = 0
    contradicted: int = 0
    unverifiable: int = 0


Item = tuple[Program, Case, Trace, int, Style]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries whose cases a worker tells forwards, and how."""

    entries: tuple[Entry, ...]
    seed: int
    per_program: int
    style: Style
    bullets: int
    level: str  # of the sandbox


def _forward(
    batches: Iterable[Batch], box: Sandbox, workers: int, styles: dict[str, Style]
) -> Iterator[Told]:
    if workers <= 1:
        results: Iterator[Any] = (tell_batch(batch, box) for batch in batches)
    else:
        results = scale.mapped(tell_batch, batches, workers=workers, chunk=1)
    for told, mine in results:
        styles.update(mine)
        yield from told


def tell_batch(batch: Batch, box: Sandbox | None = None) -> tuple[list[Told], dict[str, Style]]:
    """What became of each telling of a batch, and each program's style."""
    box = box or own(batch.level)
    styles: dict[str, Style] = {}
    _style_all(batch.entries, box, batch.seed, batch.style, batch.bullets, styles)
    pairs = [
        (e.program, c)
        for e in batch.entries
        for c in chosen_cases(e, batch.per_program, batch.seed)
    ]
    traces = tracing.trace_many(pairs, box, share=True)
    told = [
        tell_forward((program, case, trace, batch.seed, styles[program.id]))
        for (program, case), trace in zip(pairs, traces, strict=True)
    ]
    return told, styles


def tell_forward(item: Item) -> Told:
    """One forward monologue, written and verified against its trace; needs no sandbox."""
    program, case, trace, seed, style = item
    reason = _untellable(trace, case)
    if reason:
        return Told(None, reason)
    try:
        told = forward(program, trace, seed=seed, style=style, case=case)
    except UserError:
        return Told(None, "cannot be told")
    if len(told.text) > style.max_chars:
        return Told(None, "longer than max_chars")
    report = verify(
        told.text, program, case, None,
        direction="forward", line_offset=style.line_offset, trace=trace,
    )  # fmt: skip
    return _judged(told, report, len(style.properties))


def _untellable(trace: Trace, case: Case) -> str:
    if trace.cut:
        return f"trace cut: {trace.cut}"
    if not trace.steps:
        return f"no trace: {trace.status.value}"
    if trace.result is None:
        return "raises" if trace.exception else f"no result: {trace.status.value}"
    if trace.result != values.encode(case.output):
        return "result differs from the recorded output"
    return ""


def _judged(told: Monologue, report: Report, bullets: int) -> Told:
    """The verdict; properties were decided once for the program, not again for each text."""
    if not report.accepted:
        return Told(None, f"verifier: {report.reason.partition(':')[0]}")
    open_ones = sum(1 for c in report.claims if c.kind == "property" and c.status == "unverifiable")
    settled = min(open_ones, bullets)
    return Told(
        told, "", report.supported + settled, report.contradicted, report.unverifiable - settled
    )


def _backward(
    chosen: list[tuple[Entry, Case]],
    box: Sandbox,
    seed: int,
    styles: dict[str, Style],
    funnel: dict[str, Any],
) -> list[Monologue]:
    questions, seen = [], set()
    for entry, case in chosen:
        key = (entry.program.id, values.encode(case.output))
        if key in seen:
            continue
        seen.add(key)
        hidden = values.encode(case.arguments)
        others = [c.arguments for c in entry.cases if values.encode(c.arguments) != hidden]
        questions.append(Question(entry.program, case.output, tuple(others)))
    plain = next(iter(styles.values())).but(properties=()) if styles else DEFAULT
    answers = backward_many(questions, box, seed=seed, style=plain)

    def told() -> Iterator[Told]:
        for question, answer in zip(questions, answers, strict=True):
            if answer is None:
                yield Told(None, "no input found")
                continue
            style = styles[question.program.id]
            full = with_properties(answer, style.properties)
            if len(full.text) > style.max_chars:
                yield Told(None, "longer than max_chars")
                continue
            report = verify(
                answer.text, question.program, Case((), question.output), box,
                direction="backward", line_offset=style.line_offset,
            )  # fmt: skip
            yield _judged(full, report, 0)

    return _counted(told(), funnel)


def _counted(results: Iterable[Told], funnel: dict[str, Any]) -> list[Monologue]:
    made = []
    for told in results:
        funnel["asked"] += 1
        if told.monologue is None:
            funnel["dropped"][told.reason] += 1
            continue
        funnel["accepted"] += 1
        for status in ("supported", "contradicted", "unverifiable"):
            funnel["claims"][status] += getattr(told, status)
        made.append(told.monologue)
    return made
