"""Forward monologues: a trace told in execution order (paper section 4.2.1)."""

from __future__ import annotations

from random import Random

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Claim, Monologue, Program, Trace
from semcoder_lib.monologues.forward.narrate import Narrator
from semcoder_lib.monologues.forward.plan import plan
from semcoder_lib.monologues.property import claims as property_claims
from semcoder_lib.monologues.property import section
from semcoder_lib.monologues.reading import Reading, read
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.understanding import understanding

__all__ = ["call_text", "forward", "simulation"]

_UNDERSTANDING = "### Understanding the Function\n"
_SIMULATION = "### Execution Simulation\n"
_CONCLUSION = "### Conclusion\n"


def forward(
    program: Program,
    trace: Trace,
    *,
    seed: int = 0,
    style: Style = DEFAULT,
    case: Case | None = None,
) -> Monologue:
    """A natural-language simulation of one execution, in the paper's sections.

    Every value, branch and count in it is taken from the trace, or worked out from values in the
    trace and found to agree with it. `text` is what follows the prompt's `[MONOLOGUE]` line,
    `claims` the facts in it with their places. The same arguments give the same text. `case` gives
    the call as it was written; without it every parameter is written out, defaults included.

    Raises `UserError` when the program does not parse, and when the trace is empty, was cut, or
    has no returned value that can be written down exactly (an exception has no assertion).
    """
    reading = read(program.source, program.entry_point)
    if not trace.steps:
        raise UserError(f"{program.id or program.entry_point}: the trace is empty")
    if trace.cut or trace.result is None:
        why = trace.cut or trace.exception or trace.status.value
        raise UserError(
            f"{program.id or program.entry_point}: no complete execution to tell ({why})"
        )
    lines, claims = _fitted(reading, trace, style)
    call = call_text(program, case) if case is not None else _traced_call(program, trace)
    f = program.entry_point
    rng = Random(f"{seed}:wording:{trace.program_id}") if style.vary else None
    head, conclusion = "", ""
    bullets: list[Claim] = []
    if not style.brief:
        head = _UNDERSTANDING + understanding(reading, rng) + "\n"
        who = f if rng is None or rng.random() < 0.5 else call
        bullets = property_claims(style.properties, len(head))
        head += section(style.properties)
        conclusion = f"{_CONCLUSION}{who} returns {trace.result}.\n"
    head += _SIMULATION
    tail = f"[/MONOLOGUE]\n[ANSWER]\nassert {call} == {trace.result}\n[/ANSWER]"
    text = head + "\n".join(lines) + "\n" + conclusion + tail
    placed = _placed(claims, lines, len(head))
    start = text.rindex(f"assert {call}")
    placed.append(
        Claim("answer", call, trace.result, place=(start, len(text) - len("\n[/ANSWER]")))
    )
    return Monologue(
        text=text,
        direction="forward",
        claims=(*bullets, *placed),
        program_id=program.id or trace.program_id,
        call=call,
        output=trace.result,
    )


def simulation(program: Program, trace: Trace, *, style: Style = DEFAULT) -> str:
    """Only the steps, one per line, also of an execution that raised. For rationales."""
    return "\n".join(_fitted(read(program.source, program.entry_point), trace, style)[0])


_SHORTEST_STEP = 20  # characters
_LADDER = ((8, 12), (4, 12), (3, 6), (2, 3), (1, 1), (1, 0))


def _fitted(reading: Reading, trace: Trace, style: Style) -> tuple[list[str], list[Claim]]:
    """Tells the trace in full if that fits, else with shorter loops."""
    room = style.max_chars - (150 if style.brief else 400)
    told: tuple[list[str], list[Claim]] = ([], [])
    root = plan(trace, reading)
    for iterations, rows in _steps_down(style, len(trace.steps), room):
        narrator = Narrator(
            reading,
            style.but(
                iterations=iterations,
                rows=rows,
                calls=max(1, style.calls * iterations // max(1, style.iterations)),
            ),
        )
        if root is not None:
            narrator.activation(root)
        told = narrator.lines, narrator.claims
        if sum(map(len, told[0])) + len(told[0]) <= room:
            break
    return told


def _steps_down(style: Style, steps: int, room: int) -> list[tuple[int, int]]:
    """Rungs to try, in order. A trace so long that telling it in full cannot fit starts lower."""
    own = (style.iterations, style.rows)
    rungs = [own, *[s for s in _LADDER if s[0] < own[0]]]
    if steps * _SHORTEST_STEP > room and style.iterations < 100:
        return rungs[1:] or rungs
    return rungs


def call_text(program: Program, case: Case) -> str:
    """The call of a case, as it stands in prompts and answers: `f([1, 2], 'a')`."""
    return values.show_call(program.entry_point, case.arguments)


def _traced_call(program: Program, trace: Trace) -> str:
    changes = trace.steps[0].changes
    if not all(c.exact for c in changes):
        raise UserError(f"{program.id or program.entry_point}: an argument has no exact text")
    return f"{program.entry_point}({', '.join(c.text or '' for c in changes)})"


def _placed(claims: list[Claim], lines: list[str], start: int) -> list[Claim]:
    offsets = []
    at = start
    for line in lines:
        offsets.append((at, at + len(line)))
        at += len(line) + 1
    return [Claim(c.kind, c.subject, c.value, c.line, c.visit, offsets[c.place[0]]) for c in claims]
