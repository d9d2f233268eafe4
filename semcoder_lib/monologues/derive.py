"""Monologues for a whole corpus: traced, written, verified, and every drop counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

from semcoder_lib import tracing, values
from semcoder_lib.errors import UserError
from semcoder_lib.monologues import properties
from semcoder_lib.monologues.backward import Question, backward_many
from semcoder_lib.monologues.forward import forward
from semcoder_lib.monologues.property import with_properties
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.verify import Report, verify
from semcoder_lib.records import Case, Entry, Monologue, Program, Trace
from semcoder_lib.sandbox import Sandbox

BATCH = 64
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
) -> tuple[list[Monologue], dict[str, Any]]:
    """Monologues of up to `per_program` cases of every entry, in the order of the entries.

    Only monologues that the verifier accepts are returned. The funnel counts, for each direction,
    `asked`, `accepted`, the claims of the accepted ones by status, and `dropped` by reason. `bullets` is how many
    properties each text states (0 for none): those that hold on every case of the entry and on
    fresh inputs. A backward monologue is asked for with the output alone; the search may start
    from the other cases' inputs. The same arguments give the same list.
    """
    for direction in directions:
        if direction not in DIRECTIONS:
            raise UserError(f"direction {direction!r}: choose from {', '.join(DIRECTIONS)}")
    made: list[Monologue] = []
    funnel: dict[str, Any] = {d: _empty() for d in directions}
    for batch in _batches(entries):
        chosen = [(e, c) for e in batch for c in chosen_cases(e, per_program, seed)]
        told = _styles(batch, box, seed, style, bullets)
        if "forward" in directions:
            made += _forward(chosen, box, seed, told, funnel["forward"])
        if "backward" in directions:
            made += _backward(chosen, box, seed, told, funnel["backward"])
    for counts in funnel.values():
        counts["dropped"] = dict(counts["dropped"].most_common())
        counts["claims"] = dict(counts["claims"])
    return made, funnel


def _empty() -> dict[str, Any]:
    return {"asked": 0, "accepted": 0, "dropped": Counter(), "claims": Counter()}


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def chosen_cases(entry: Entry, count: int, seed: int) -> list[Case]:
    """Cases of an entry to tell, drawn by the seed, those with distinct outputs first."""
    order = list(entry.cases)
    Random(f"{seed}:cases:{entry.program.id}").shuffle(order)
    first, again, seen = [], [], set()
    for case in order:
        try:
            text = values.encode(case.output)
        except values.Unserializable:
            continue
        (again if text in seen else first).append(case)
        seen.add(text)
    return (first + again)[:count]


def _styles(
    batch: list[Entry], box: Sandbox, seed: int, style: Style, bullets: int
) -> dict[str, Style]:
    """The style of each program: with its own properties."""
    if not bullets or style.properties:
        return {e.program.id: style for e in batch}
    found = properties.infer_many(batch, box, seed=seed)
    return {
        e.program.id: style.but(properties=held[:bullets])
        for e, held in zip(batch, found, strict=True)
    }


def _forward(
    chosen: list[tuple[Entry, Case]],
    box: Sandbox,
    seed: int,
    styles: dict[str, Style],
    funnel: dict[str, Any],
) -> list[Monologue]:
    pairs = [(e.program, c) for e, c in chosen]
    made = []
    for (entry, case), trace in zip(chosen, tracing.trace_many(pairs, box, share=True), strict=True):
        funnel["asked"] += 1
        program, style = entry.program, styles[entry.program.id]
        reason = _untellable(trace, case)
        if reason:
            funnel["dropped"][reason] += 1
            continue
        try:
            told = forward(program, trace, seed=seed, style=style, case=case)
        except UserError:
            funnel["dropped"]["cannot be told"] += 1
            continue
        report = _checked(told, program, case, box, trace, style)
        if not report.accepted and style.properties:
            style = styles[program.id] = _without_refuted(style, told, report)
            told = forward(program, trace, seed=seed, style=style, case=case)
            report = _checked(told, program, case, box, trace, style)
        made += _kept(told, report, style, funnel)
    return made


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


def _backward(
    chosen: list[tuple[Entry, Case]],
    box: Sandbox,
    seed: int,
    styles: dict[str, Style],
    funnel: dict[str, Any],
) -> list[Monologue]:
    questions, kept_cases, seen = [], [], set()
    for entry, case in chosen:
        key = (entry.program.id, values.encode(case.output))
        if key in seen:
            continue
        seen.add(key)
        hidden = values.encode(case.arguments)
        others = [c.arguments for c in entry.cases if values.encode(c.arguments) != hidden]
        questions.append(Question(entry.program, case.output, tuple(others)))
        kept_cases.append(case)
    plain = next(iter(styles.values())).but(properties=()) if styles else DEFAULT
    made = []
    answers = backward_many(questions, box, seed=seed, style=plain)
    for question, told in zip(questions, answers, strict=True):
        funnel["asked"] += 1
        if told is None:
            funnel["dropped"]["no input found"] += 1
            continue
        style = styles[question.program.id]
        asked = Case((), question.output)
        full = with_properties(told, style.properties)
        report = _checked(full, question.program, asked, box, None, style)
        if not report.accepted and style.properties:
            style = styles[question.program.id] = _without_refuted(style, full, report)
            full = with_properties(told, style.properties)
            report = _checked(full, question.program, asked, box, None, style)
        made += _kept(full, report, style, funnel)
    return made


def _checked(
    told: Monologue, program: Program, case: Case, box: Sandbox, trace: Trace | None, style: Style
) -> Report:
    return verify(
        told.text, program, case, box,
        direction=told.direction, line_offset=style.line_offset, trace=trace,
    )  # fmt: skip


def _without_refuted(style: Style, told: Monologue, report: Report) -> Style:
    """The style without the properties that the verifier's own fresh runs contradicted: what held
    on our inputs did not hold on all."""
    refuted = {
        told.text[c.place[0] : c.place[1]].lstrip("- ")
        for c in report.claims
        if c.status == "contradicted" and c.kind == "property"
    }
    left = tuple(p for p in style.properties if not any(p.text.startswith(r[:40]) for r in refuted))
    return style.but(properties=left)


def _kept(
    told: Monologue, report: Report, style: Style, funnel: dict[str, Any]
) -> list[Monologue]:
    if len(told.text) > style.max_chars:
        funnel["dropped"]["longer than max_chars"] += 1
        return []
    if not report.accepted:
        funnel["dropped"][f"verifier: {report.reason.partition(':')[0]}"] += 1
        return []
    for status in ("supported", "contradicted", "unverifiable"):
        funnel["claims"][status] += getattr(report, status)
    funnel["accepted"] += 1
    return [told]
