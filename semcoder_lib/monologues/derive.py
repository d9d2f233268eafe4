"""Monologues for a whole corpus: derived from traces or written by a teacher, verified, every drop
counted by reason; their rows in the hub's columns; and the formats of the ablation."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import scale
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Monologue, Program, Trace
from semcoder_lib.models import prompts, teachers
from semcoder_lib.monologues.properties import infer
from semcoder_lib.monologues.search import Question
from semcoder_lib.monologues.show import encoded
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.verify import Trials, verify
from semcoder_lib.monologues.verify.text import cut, read_answer
from semcoder_lib.monologues.writers import backward_many, call_text, forward
from semcoder_lib.sandbox import Sandbox, own
from semcoder_lib.tracing import formats

BATCH = 32  # entries that a worker traces, tells and verifies at a time
DIRECTIONS = ("forward", "backward")
STATUSES = ("supported", "contradicted", "unverifiable")
FORMATS = ("monologue", "direct", "scratchpad", "next", "concise")
CONTROLS = ("shuffled", "answer_only")
_BODY = re.compile(
    r"(?<=### Execution Simulation\n).*?(?=\n### Conclusion\n|\n\[/MONOLOGUE\]\n)", re.S
)
_STEPS = re.compile(r"^(\[L\d+\] |L\d+ |)(.*)$", re.M)  # labels, and what stands after each
_FILLER = "Let me think about this step by step before I give the answer.\n"


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
    text states (0 for none), see `infer`. A backward monologue is asked for with the output alone;
    the search may start from the other cases' inputs. `workers` processes, each with a sandbox of
    its own, share the batches; the list does not depend on them.
    """
    for direction in directions:
        if direction not in DIRECTIONS:
            raise UserError(f"direction {direction!r}: choose from {', '.join(DIRECTIONS)}")
    held = list(entries)
    batches = [held[at : at + BATCH] for at in range(0, len(held), BATCH)]
    derive = functools.partial(
        derive_batch, directions=directions, seed=seed, per_program=per_program, style=style,
        bullets=bullets, level=box.level, box=box if workers <= 1 else None,
    )  # fmt: skip
    with scale.workers(workers) as mapped:
        results = list(mapped(derive, batches, chunk=1))
    monologues: list[Monologue] = []
    funnel: dict[str, Any] = {}
    for direction in sorted(directions, key=DIRECTIONS.index):
        attempts = [attempt for result in results for attempt in result[direction]]
        accepted = [a.monologue for a in attempts if a.monologue is not None]
        monologues += accepted
        claims = sum((a.claims for a in attempts), Counter[str]())
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
        for entry in entries:
            held = infer(entry.program, entry.cases, box)[:bullets]
            styles[entry.program.id] = style.but(properties=held)
    pairs = [(e, c) for e in entries for c in chosen_cases(e, per_program, seed)]
    attempts: dict[str, list[Attempt]] = {}
    if "forward" in directions:
        traces = tracing.trace_many([(e.program, c) for e, c in pairs], box, share=True)
        attempts["forward"] = [
            _forward(e.program, c, trace, styles[e.program.id])
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
        text = encoded(case.output)
        if text and first.setdefault(text, case) is not case:
            again.append(case)
    return [*first.values(), *again][:count]


def _forward(program: Program, case: Case, trace: Trace, style: Style) -> Attempt:
    """One forward monologue, written and verified against its trace; needs no sandbox."""
    if trace.result not in (None, encoded(case.output)):
        return Attempt(None, "result differs from the recorded output")
    try:
        monologue = forward(program, trace, style=style, case=case)
    except UserError as error:
        return Attempt(None, str(error).rpartition(": ")[2])
    return _judged(monologue, program, case, style, None, trace)


def _judged(
    monologue: Monologue,
    program: Program,
    case: Case,
    style: Style,
    box: Sandbox | None,
    trace: Trace | None = None,
) -> Attempt:
    """The verdict. What the verifier cannot read is a reason to drop a text of our own, too;
    properties were decided once for the program, not again for each text."""
    if len(monologue.text) > style.max_chars:
        return Attempt(None, "longer than max_chars")
    report = verify(
        monologue.text, program, case, box,
        direction=monologue.direction, line_offset=style.line_offset, trace=trace,
    )  # fmt: skip
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
        output, hidden = encoded(case.output), encoded(case.arguments)
        others = [c.arguments for c in entry.cases if encoded(c.arguments) != hidden]
        stated = styles[entry.program.id].properties
        question = Question(entry.program, case.output, tuple(others), stated)
        questions.setdefault((entry.program.id, output), question)
    asked = list(questions.values())
    answers = backward_many(asked, box, seed=seed, style=style)
    for question, monologue in zip(asked, answers, strict=True):
        if monologue is None:
            yield Attempt(None, "no input found")
        else:
            program, asked_case = question.program, Case((), question.output)
            yield _judged(monologue, program, asked_case, styles[program.id], box)


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
        column = "fwd_mnl" if m.direction == "forward" else "bwd_mnl"
        prompt = prompts.of_case(m.direction, program, m.case)
        name = f"{column}_{m.program_id}_ipt"
        texts = {"nl": "", "fwd_mnl": "", "bwd_mnl": "", column: prompt.text, "response": m.text}
        yield {"id": f"{name}{counts[name]}", **texts}
        counts[name] += 1


# --- by a teacher ---------------------------------------------------------------------------------


def taught(
    pairs: Iterable[tuple[Program, Case]],
    teacher: teachers.Teacher,
    box: Sandbox,
    *,
    direction: str = "forward",
    shots: Sequence[teachers.Shot] = (),
    tries: int = 4,
    seed: int = 0,
    strict: bool = True,
) -> Iterator[Monologue | None]:
    """For each (program, case), in order, the accepted monologue, if there is one.

    With `strict` a text needs the verifier's `accepted` (right answer, nothing contradicted, lines
    covered); without it the right answer alone, which is the paper's rejection sampling. A backward
    chat is told the case's output and never its arguments. See `Teacher.ask`."""

    def task(number: int, program: Program, case: Case) -> teachers.Task:
        chat = teachers.chat(direction, program, case, shots)
        return teachers.Task(f"{program.id or program.entry_point}:{number}", chat, (program, case))

    # tasks of one program come together
    trials_of = functools.lru_cache(maxsize=1)(lambda program: Trials(program, box))

    def accept(task: teachers.Task, text: str) -> tuple[bool, str]:
        program, case = task.data
        report = verify(
            _closed(text), program, case, box, direction=direction, trials=trials_of(program)
        )
        return report.accepted if strict else report.answer_right, report.reason

    tasks = (task(number, *pair) for number, pair in enumerate(pairs))
    for asked, text in teacher.ask(tasks, accept, tries=tries, seed=seed):
        if text is None:
            yield None
            continue
        program, case = asked.data
        text = _closed(text)
        if direction == "backward":  # it is about the input that it arrived at
            case = Case(read_answer(cut(text).answer).arguments or (), case.output, program.id)
        yield Monologue(text, direction, case, program.id, writer=teacher.engine.name)


def _closed(text: str) -> str:
    """The text with the end tag that stop strings cut off."""
    text = text.strip().removeprefix("[MONOLOGUE]").lstrip()
    if "[ANSWER]" in text and "[/ANS" not in text.rpartition("[ANSWER]")[2]:
        text = text.rstrip() + "\n[/ANSWER]"
    return text


# --- the formats of the ablation ------------------------------------------------------------------


def ablation(
    program: Program,
    case: Case,
    trace: Trace,
    format: str,
    *,
    monologue: Monologue | None = None,
    style: Style = DEFAULT,
    seed: int = 0,
    prompt_style: str = "clean",
) -> tuple[str, str]:
    """(prompt, completion) of one forward execution in a format or as a control.

    Formats: `monologue`, `direct` (the answer alone), `scratchpad`, `next`, `concise` (see
    `tracing.formats`). Controls, both behind the monologue's prompt and with the right answer:
    `shuffled` is the monologue with its steps in random order and their values exchanged between
    steps (true form, wrong steps); `answer_only` says nothing in as many characters. `monologue`
    saves writing it again. Raises `UserError` for an unknown format or a trace without a result.
    """
    call, name = call_text(program, case), program.id or program.entry_point
    if trace.result is None:
        raise UserError(f"{name}: the trace has no result to answer with")
    if format in ("monologue", *CONTROLS):
        text = (monologue or forward(program, trace, style=style, case=case)).text
        if format == "shuffled":
            text = shuffled(text, Random(f"{seed}:shuffled:{program.id}:{call}"))
        elif format == "answer_only":
            text = wordless(text)
        return prompts.forward(program.source, call, style=prompt_style).text, text
    if format not in FORMATS:
        raise UserError(f"format {format!r}: choose from {', '.join((*FORMATS, *CONTROLS))}")
    prompt = prompts.forward(program.source, call, format=format, style=prompt_style).text
    answer = f"assert {call} == {trace.result}\n[/ANSWER]"
    if format == "direct":
        return prompt, answer
    return prompt, f"{formats.render(trace, program, case, format)}\n[/TRACE]\n[ANSWER]\n{answer}"


def shuffled(text: str, rng: Random) -> str:
    """A monologue with the sentences of its steps permuted and moved to other steps' labels. The
    sections, the words, the conclusion and the answer stay; a single step stays as it is."""
    steps = _BODY.search(text)
    if steps is None:
        return text
    parts = _STEPS.findall(steps[0])
    order = list(range(len(parts)))
    for _ in range(4):
        rng.shuffle(order)
        if order != list(range(len(parts))):
            break
    mixed = list(order)
    rng.shuffle(mixed)
    lines = [parts[a][0] + parts[b][1] for a, b in zip(order, mixed, strict=True)]
    return text[: steps.start()] + "\n".join(lines) + text[steps.end() :]


def wordless(text: str) -> str:
    """As many characters as the monologue, none of them about the program; then the answer."""
    body, mark, answer = text.partition("[/MONOLOGUE]")
    filler = (_FILLER * (len(body) // len(_FILLER) + 1))[: max(len(body) - 1, 0)]
    return f"{filler}\n{mark}{answer}"
