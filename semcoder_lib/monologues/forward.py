"""Forward monologues: a trace told in execution order (paper section 4.2.1)."""

from __future__ import annotations

import ast
from random import Random

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, SUMMARY, heading
from semcoder_lib.monologues.properties import properties_section
from semcoder_lib.monologues.simulation import simulation
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.syntax import Syntax, parameters, readable

_CLAUSE_CHARS = 48
_CLAUSES = 5


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
    head = heading("function") + summary(syntax, entry_point) + "\n"
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


def summary(syntax: Syntax, entry_point: str) -> str:
    """What a function does, from its syntax alone, without an invented purpose: parameters, loops,
    early exits, result, in a sentence or two."""
    function = syntax.functions[entry_point]
    names = parameters(function)
    does = [clause for stmt in function.body if (clause := _clause(stmt))][:_CLAUSES]
    form = "takes" + ("" if names else ".none") + (".does" if does else "")
    return SUMMARY[form].say(f=entry_point, p=_listed(names), c=_listed(does))


def _listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _clause(stmt: ast.stmt) -> str:
    """What one statement of a function's body adds to its summary; empty for nothing."""
    form, without = "", ""  # the latter for an expression that is too long to be quoted
    match stmt:
        case ast.For(iter=node):
            form, without = "over", "loop"
        case ast.While(test=node):
            form, without = "while", "repeat"
        case ast.If(test=node) if any(isinstance(s, ast.Return | ast.Raise) for s in stmt.body):
            form = "early"
        case ast.Return(value=ast.expr() as node):
            form, without = "gives", "result"
    text = ast.unparse(node) if form else ""
    form = form if len(text) <= _CLAUSE_CHARS else without
    return CLAUSES[form].say(e=text) if form else ""
