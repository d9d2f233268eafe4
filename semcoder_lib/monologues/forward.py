"""Forward monologues: a trace told in execution order (paper section 4.2.1)."""

from __future__ import annotations

from random import Random

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues.forms import CONCLUSION, SUMMARY, heading
from semcoder_lib.monologues.properties import properties_section
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.syntax import Syntax, readable


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
    trace and found to agree with it. `text` is what follows the prompt's `[MONOLOGUE]` line. The
    same arguments give the same text. `case` gives the call as it was written; without it every
    parameter is written out, defaults included.

    Raises `UserError` when the program cannot be read, when the trace is empty or was cut, and when
    it has no returned value that can be written down exactly (an exception has no assertion).
    """
    name = program.id or program.entry_point
    syntax = readable(program.source, program.entry_point)
    if not trace.steps:
        raise UserError(f"{name}: the trace is empty")
    if trace.cut or trace.result is None:
        why = trace.cut or trace.exception or trace.status.value
        raise UserError(f"{name}: no complete execution to tell ({why})")
    arguments = case.arguments if case is not None else _traced(name, trace)
    case = Case(arguments, values.decode(trace.result), trace.program_id)
    call = call_text(program, case)
    rng = Random(f"{seed}:wording:{trace.program_id}")
    if style.vary and rng.random() < 0.5:
        conclusion = CONCLUSION["concludes.call"].say(c=call, v=trace.result)
    else:
        conclusion = CONCLUSION["concludes"].say(f=program.entry_point, v=trace.result)
    steps = simulation(syntax, trace, style)
    about = sections(syntax, program.entry_point, style, "simulation", steps, conclusion)
    text = about + answer_block(call, trace.result)
    return Monologue(text, "forward", case, program.id or trace.program_id)


def sections(
    syntax: Syntax, entry_point: str, style: Style, kind: str, lines: list[str], conclusion: str
) -> str:
    """The section of a kind with its lines, and those round it that the style asks for."""
    text = heading(kind) + "\n".join(lines) + "\n"
    if style.brief:
        return text
    slots = syntax.summary(entry_point)
    form = "takes" + ("" if "p" in slots else ".none") + (".does" if "c" in slots else "")
    head = heading("function") + SUMMARY[form].say(**slots) + "\n"
    end = heading("conclusion") + conclusion + "\n"
    return head + properties_section(style.properties) + text + end


def answer_block(call: str, output: str) -> str:
    """The end of every monologue: the completed assertion."""
    return f"[/MONOLOGUE]\n[ANSWER]\nassert {call} == {output}\n[/ANSWER]"


def call_text(program: Program, case: Case) -> str:
    """The call of a case, as it stands in prompts and answers: `f([1, 2], 'a')`."""
    return values.show_call(program.entry_point, case.arguments)


def _traced(name: str, trace: Trace) -> tuple[object, ...]:
    changes = trace.steps[0].changes
    if not all(c.exact for c in changes):
        raise UserError(f"{name}: an argument has no exact text")
    return tuple(values.decode(c.text or "None") for c in changes)
