"""The same execution in every format of the format ablation (paper, table 2), and two
controls that tell form from content."""

from __future__ import annotations

import re
from random import Random

from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.models import prompts
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.write.forward import call_text, forward
from semcoder_lib.tracing import formats

FORMATS = ("monologue", "direct", "scratchpad", "next", "concise")
CONTROLS = ("shuffled", "answer_only")
_BODY = re.compile(
    r"(?<=### Execution Simulation\n).*?(?=\n### Conclusion\n|\n\[/MONOLOGUE\]\n)", re.S
)
_STEPS = re.compile(r"^(\[L\d+\] |L\d+ |)(.*)$", re.M)  # labels, and what stands after each
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
    call, name = call_text(program, case), program.id or program.entry_point
    if trace.result is None:
        raise UserError(f"{name}: the trace has no result to answer with")
    if format in ("monologue", *CONTROLS):
        text = (monologue or forward(program, trace, seed=seed, style=style, case=case)).text
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
