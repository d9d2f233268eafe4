"""The same execution in every format of the format ablation (paper table 2, section 7 of the facts
on the paper), and two controls that tell form from content."""

from __future__ import annotations

from random import Random

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.models import prompts
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.write.forward import call_text, forward
from semcoder_lib.tracing import formats

FORMATS = ("monologue", "direct", "scratchpad", "next", "concise")
CONTROLS = ("shuffled", "answer_only")
_STEPS = "### Execution Simulation\n"
_ENDS = ("\n### Conclusion\n", "\n[/MONOLOGUE]\n")
_FILLER = "Let me think about this step by step before I give the answer.\n"


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
    call = call_text(program, case)
    if trace.result is None:
        raise UserError(
            f"{program.id or program.entry_point}: the trace has no result to answer with"
        )
    answer = f"assert {call} == {trace.result}\n[/ANSWER]"
    if format in ("monologue", *CONTROLS):
        told = monologue or forward(program, trace, seed=seed, style=style, case=case)
        prompt = prompts.forward(program.source, call, style=prompt_style).text
        if format == "monologue":
            return prompt, told.text
        if format == "shuffled":
            return prompt, shuffled(told.text, Random(f"{seed}:shuffled:{program.id}:{call}"))
        return prompt, wordless(told.text)
    if format not in FORMATS:
        raise UserError(f"format {format!r}: choose from {', '.join((*FORMATS, *CONTROLS))}")
    prompt = prompts.forward(program.source, call, format=format, style=prompt_style).text
    if format == "direct":
        return prompt, answer
    body = formats.render(trace, program, case, format)
    return prompt, f"{body}\n[/TRACE]\n[ANSWER]\n{answer}"


def shuffled(text: str, rng: Random) -> str:
    """A monologue with the sentences of its steps permuted and moved to other steps' labels. The
    sections, the words, the conclusion and the answer stay; a single step stays as it is."""
    head, found, rest = text.partition(_STEPS)
    end = next((e for e in _ENDS if e in rest), "")
    body, _, tail = rest.partition(end or _ENDS[0])
    if not found or not end:
        return text
    parts = [line.partition("] ") for line in body.split("\n")]
    labels = [p[0] for p in parts]
    sentences = [p[2] for p in parts]
    order = list(range(len(parts)))
    for _ in range(4):
        rng.shuffle(order)
        if order != list(range(len(parts))):
            break
    mixed = list(order)
    rng.shuffle(mixed)
    lines = [f"{labels[a]}] {sentences[b]}" for a, b in zip(order, mixed, strict=True)]
    return f"{head}{found}" + "\n".join(lines) + f"{end}{tail}"


def wordless(text: str) -> str:
    """As many characters as the monologue, none of them about the program; then the answer."""
    body, mark, answer = text.partition("[/MONOLOGUE]")
    room = len(body)
    filler = (_FILLER * (room // len(_FILLER) + 1))[: max(room - 1, 0)]
    return f"{filler}\n{mark}{answer}"


def answer_of(text: str) -> str | None:
    """The value on the right of a completion's assertion, as text; None without an answer."""
    block = text.rpartition("[ANSWER]\n")[2].partition("\n[/ANSWER]")[0]
    call, equals, value = block.partition(" == ")
    if not equals or not call.startswith("assert "):
        return None
    try:
        return values.encode(values.decode(value))
    except (values.NotALiteral, values.Unserializable):
        return None
