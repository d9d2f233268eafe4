"""Monologues for a whole corpus: traced, written, verified, and every drop counted by reason; and
their rows in the columns of the hub's PyX."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import scale, values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Monologue, Program, Trace
from semcoder_lib.models import prompts
from semcoder_lib.monologues import properties
from semcoder_lib.monologues.backward import Question, backward_many
from semcoder_lib.monologues.style import DEFAULT, Property, Style
from semcoder_lib.monologues.verify import Report, Trials, verify
from semcoder_lib.monologues.write.forward import call_text, forward, properties_section
from semcoder_lib.sandbox import Sandbox, own

BATCH = 32  # entries that a worker traces, tells and verifies at a time
DIRECTIONS = ("forward", "backward")
STATUSES = ("supported", "contradicted", "unverifiable")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One case that was to be told: the accepted monologue with its claims counted by status, or
    why there is none."""

    monologue: Monologue | None
    reason: str = ""
    claims: Counter[str] = field(default_factory=Counter)


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
    entries, then the backward ones; and for each direction the funnel: how many cases were asked,
    accepted and dropped, by reason, and the claims of the accepted ones by status.

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
    batches = [held[at : at + BATCH] for at in range(0, len(held), BATCH)]
    derive = functools.partial(
        derive_batch, directions=directions, seed=seed, per_program=per_program, style=style,
        bullets=bullets, level=box.level,
    )  # fmt: skip
    if workers <= 1:
        results = [derive(batch, box=box) for batch in batches]
    else:
        results = list(scale.mapped(derive, batches, workers=workers, chunk=1))
    monologues: list[Monologue] = []
    funnel: dict[str, Any] = {}
    for direction in sorted(directions, key=DIRECTIONS.index):
        attempts = [attempt for result in results for attempt in result[direction]]
        accepted = [a for a in attempts if a.monologue is not None]
        monologues += [a.monologue for a in accepted if a.monologue is not None]
        claims = sum((a.claims for a in accepted), Counter[str]())
        funnel[direction] = {
            "asked": len(attempts),
            "accepted": len(accepted),
            "dropped": dict(Counter(a.reason for a in attempts if a.reason).most_common()),
            "claims": {status: claims[status] for status in STATUSES},
        }
    return monologues, funnel


def derive_batch(
    entries: Sequence[Entry],
    *,
    directions: Sequence[str],
    seed: int,
    per_program: int,
    style: Style,
    bullets: int,
    level: str,
    box: Sandbox | None = None,
) -> dict[str, list[Attempt]]:
    """What became of every case of some entries, by direction; in a sandbox of this process at a
    level where none is given."""
    box = box or own(level)
    styles = {e.program.id: style for e in entries}
    if bullets and not style.brief and not style.properties:
        inferred = properties.infer_many(entries, box, seed=seed)
        for entry, proposed in zip(entries, inferred, strict=True):
            standing = _standing(entry, proposed[: bullets + 3], box)[:bullets]
            styles[entry.program.id] = style.but(properties=standing)
    pairs = [(e, c) for e in entries for c in chosen_cases(e, per_program, seed)]
    attempts: dict[str, list[Attempt]] = {}
    if "forward" in directions:
        traces = tracing.trace_many([(e.program, c) for e, c in pairs], box, share=True)
        attempts["forward"] = [
            _forward(e.program, c, trace, seed, styles[e.program.id])
            for (e, c), trace in zip(pairs, traces, strict=True)
        ]
    if "backward" in directions:
        attempts["backward"] = list(_backward(pairs, seed, style, styles, box))
    return attempts


def chosen_cases(entry: Entry, count: int, seed: int) -> list[Case]:
    """Cases of an entry to tell, drawn by the seed, those with distinct outputs first."""
    order = list(entry.cases)
    Random(f"{seed}:cases:{entry.program.id}").shuffle(order)
    first: dict[str, Case] = {}
    again: list[Case] = []
    for case in order:
        text = _encoded(case.output)
        if text is not None and first.setdefault(text, case) is not case:
            again.append(case)
    return [*first.values(), *again][:count]


def _encoded(value: Any) -> str | None:
    try:
        return values.encode(value)
    except values.Unserializable:
        return None


def _standing(entry: Entry, proposed: tuple[Property, ...], box: Sandbox) -> tuple[Property, ...]:
    """The properties that the verifier, whose fresh runs are not ours, did not refute; those that
    it confirmed first."""
    if not proposed:
        return ()
    text = properties_section(proposed)
    trials = Trials(entry.program, box, [c.arguments for c in entry.cases])
    report = verify(
        text, entry.program, entry.cases[0], box,
        direction="forward", line_offset=0, trace=Trace(()), trials=trials,
    )  # fmt: skip
    confirmed: list[Property] = []
    undecided: list[Property] = []
    for p in proposed:
        place = range(text.index(f"- {p.text}\n"), text.index(f"- {p.text}\n") + len(p.text) + 2)
        claims = [c for c in report.claims if c.kind == "property" and c.place[0] in place]
        statuses = {c.status for c in claims}
        if "contradicted" not in statuses:
            (confirmed if statuses == {"supported"} else undecided).append(p)
    return (*confirmed, *undecided)


def _forward(program: Program, case: Case, trace: Trace, seed: int, style: Style) -> Attempt:
    """One forward monologue, written and verified against its trace; needs no sandbox."""
    if trace.cut:
        return Attempt(None, f"trace cut: {trace.cut}")
    if not trace.steps:
        return Attempt(None, f"no trace: {trace.status.value}")
    if trace.result is None:
        return Attempt(None, "raises" if trace.exception else f"no result: {trace.status.value}")
    if trace.result != _encoded(case.output):
        return Attempt(None, "result differs from the recorded output")
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


def _judged(monologue: Monologue, report: Report, style: Style) -> Attempt:
    """The verdict. What the verifier cannot read is a reason to drop a text of our own, too;
    properties were decided once for the program, not again for each text."""
    if not report.accepted:
        return Attempt(None, f"verifier: {report.reason.partition(':')[0]}")
    claims = Counter(c.status for c in report.claims if c.kind != "property")
    claims["supported"] += len(style.properties)
    if claims["unverifiable"]:
        return Attempt(None, "verifier: not all of it can be checked")
    return Attempt(monologue, "", claims)


def _backward(
    pairs: Sequence[tuple[Entry, Case]],
    seed: int,
    style: Style,
    styles: dict[str, Style],
    box: Sandbox,
) -> Iterator[Attempt]:
    questions: dict[tuple[str, str], Question] = {}
    for entry, case in pairs:
        output, hidden = _encoded(case.output), _encoded(case.arguments)
        others = [c.arguments for c in entry.cases if _encoded(c.arguments) != hidden]
        stated = styles[entry.program.id].properties
        question = Question(entry.program, case.output, tuple(others), stated)
        questions.setdefault((entry.program.id, output or ""), question)
    asked = list(questions.values())
    answers = backward_many(asked, box, seed=seed, style=style)
    for question, monologue in zip(asked, answers, strict=True):
        own_style = styles[question.program.id]
        if monologue is None:
            yield Attempt(None, "no input found")
        elif len(monologue.text) > own_style.max_chars:
            yield Attempt(None, "longer than max_chars")
        else:
            report = verify(
                monologue.text, question.program, Case((), question.output), box,
                direction="backward", line_offset=own_style.line_offset,
            )  # fmt: skip
            yield _judged(monologue, report, own_style)


def to_hub(
    monologues: Iterable[Monologue], programs: dict[str, Program]
) -> Iterator[dict[str, str]]:
    """Rows with `id`, `nl`, `fwd_mnl`, `bwd_mnl`, `response`; exactly one of the middle three is
    non-empty (`corpus.from_hub` reads them). `programs` are
    by id. The prompt column holds what stands before the response (the task sentence, the
    `[PYTHON]` block, the trigger). Raises `UserError` for an unknown program."""
    counts: Counter[str] = Counter()
    for m in monologues:
        program = programs.get(m.program_id)
        if program is None:
            raise UserError(f"monologue of {m.program_id!r}: no program with this id was given")
        if m.direction == "forward":
            column, prompt = "fwd_mnl", prompts.forward(program.source, call_text(program, m.case))
        else:
            output = values.encode(m.case.output)
            column = "bwd_mnl"
            prompt = prompts.backward(program.source, program.entry_point, output)
        name = f"{column}_{m.program_id}_ipt"
        texts = {"nl": "", "fwd_mnl": "", "bwd_mnl": "", column: prompt.text, "response": m.text}
        yield {"id": f"{name}{counts[name]}", **texts}
        counts[name] += 1
