"""Forward monologues: a trace told in execution order (paper section 4.2.1)."""

from __future__ import annotations

import ast
from random import Random

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues.forms import CLAUSES, CONCLUSION, SUMMARY, heading
from semcoder_lib.monologues.style import DEFAULT, Property, Style
from semcoder_lib.monologues.syntax import Syntax, parameters, readable
from semcoder_lib.monologues.write.simulation import simulation

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
    case = Case(case.arguments if case is not None else _traced(program, trace), None)
    case = Case(case.arguments, values.decode(trace.result), trace.program_id)
    call = call_text(program, case)
    steps = simulation(syntax, trace, style)
    rng = Random(f"{seed}:wording:{trace.program_id}") if style.vary else None
    parts = [] if style.brief else [heading("function"), summary(syntax, program.entry_point), "\n"]
    if not style.brief:
        parts.append(properties_section(style.properties))
    parts += [heading("simulation"), "\n".join(steps), "\n"]
    if not style.brief:
        parts += [heading("conclusion"), _conclusion(program, call, trace.result, rng), "\n"]
    parts.append(answer_block(call, trace.result))
    return Monologue("".join(parts), "forward", case, program.id or trace.program_id)


def answer_block(call: str, output: str) -> str:
    """The end of every monologue: the completed assertion."""
    return f"[/MONOLOGUE]\n[ANSWER]\nassert {call} == {output}\n[/ANSWER]"


def properties_section(properties: tuple[Property, ...]) -> str:
    """The section that lists properties; empty for none."""
    bullets = "".join(f"- {p.text}\n" for p in properties)
    return heading("properties") + bullets if properties else ""


def call_text(program: Program, case: Case) -> str:
    """The call of a case, as it stands in prompts and answers: `f([1, 2], 'a')`."""
    return values.show_call(program.entry_point, case.arguments)


def _traced(program: Program, trace: Trace) -> tuple[object, ...]:
    changes = trace.steps[0].changes
    if not all(c.exact for c in changes):
        raise UserError(f"{program.id or program.entry_point}: an argument has no exact text")
    return tuple(values.decode(c.text or "None") for c in changes)


def _conclusion(program: Program, call: str, result: str, rng: Random | None) -> str:
    if rng is not None and rng.random() < 0.5:
        return CONCLUSION["concludes.call"].say(c=call, v=result)
    return CONCLUSION["concludes"].say(f=program.entry_point, v=result)


# --- what a function does, from its syntax alone; no invented purpose -----------------------------


def summary(syntax: Syntax, entry_point: str) -> str:
    """Parameters, loops, early exits, result, in a sentence or two."""
    function = syntax.functions[entry_point]
    names = parameters(function)
    does = [clause for stmt in function.body for clause in clauses(stmt)][:_CLAUSES]
    form = "takes" + ("" if names else ".none") + (".does" if does else "")
    return SUMMARY[form].say(f=entry_point, p=listed(names), c=listed(does))


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def clauses(stmt: ast.stmt) -> list[str]:
    """What one statement of a function's body adds to its summary."""
    if isinstance(stmt, ast.For):
        return [_clause("over", "loop", stmt.iter)]
    if isinstance(stmt, ast.While):
        return [_clause("while", "repeat", stmt.test)]
    if isinstance(stmt, ast.If) and any(isinstance(s, ast.Return | ast.Raise) for s in stmt.body):
        text = _short(stmt.test)
        return [CLAUSES["early"].say(e=text)] if text else []
    if isinstance(stmt, ast.Return) and stmt.value is not None:
        return [_clause("gives", "result", stmt.value)]
    return []


def _clause(form: str, without: str, node: ast.expr) -> str:
    text = _short(node)
    return CLAUSES[form].say(e=text) if text else CLAUSES[without].say()


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= _CLAUSE_CHARS else ""
