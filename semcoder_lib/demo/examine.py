"""A call, its trace, the monologue derived from it, and the model's own, both checked."""

from __future__ import annotations

from dataclasses import dataclass

from semcoder_lib import monologues, prompts, tracing, values
from semcoder_lib.demo.paste import (
    DEFAULT,
    Bounds,
    Engine,
    Told,
    call_of,
    completed,
    program_of,
    with_entry,
)
from semcoder_lib.errors import UserError
from semcoder_lib.records import Case, Program, Trace
from semcoder_lib.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Examined:
    """A call, what came of it, its trace, the derived monologue, and the model's own."""

    call: str
    outcome: str
    trace: Trace
    derived: Told
    model: Told | None = None


def examine(
    source: str,
    call: str,
    box: Sandbox,
    *,
    engine: Engine | None = None,
    bounds: Bounds = DEFAULT,
) -> Examined:
    """Traces `call` and tells it. Raises UserError with one clear line for a paste that is no
    program, a call that has no literal arguments, or one that is too long; a program that fails,
    hangs or attacks is an outcome like any other."""
    program = program_of(source, bounds)
    name, arguments = call_of(call, bounds)
    program = with_entry(program, name)
    case = Case(arguments)
    limits = tracing.TraceLimits(steps=bounds.steps)
    trace = tracing.trace(program, case, box, limits=limits)
    shown = values.show_call(name, arguments)
    outcome = _outcome(trace)
    if trace.result is None or trace.cut:
        missing = Told("", note="A monologue tells a call that ends with a value. " + outcome)
        return Examined(shown, outcome, trace, missing, None)
    case = Case(arguments, values.decode(trace.result))
    derived = _derived(program, case, trace, box)
    model = None if engine is None else _asked(program, case, shown, trace, box, engine, bounds)
    return Examined(shown, outcome, trace, derived, model)


def _outcome(trace: Trace) -> str:
    if trace.result is not None:
        cut = f" (the trace was cut: {trace.cut})" if trace.cut else ""
        return f"returns {trace.result}{cut}"
    if trace.exception:
        return f"raises {trace.exception}"
    return f"ends as {trace.status.value}"


def _derived(program: Program, case: Case, trace: Trace, box: Sandbox) -> Told:
    try:
        text = monologues.forward(program, trace, case=case).text
    except UserError as error:
        return Told("", note=str(error))
    return _checked(text, program, case, trace, box)


def _checked(text: str, program: Program, case: Case, trace: Trace, box: Sandbox) -> Told:
    report = monologues.verify(text, program, case, box, direction="forward", trace=trace)
    note = "accepted" if report.accepted else f"not accepted: {report.reason}"
    return Told(text, tuple(report.claims), note)


def _asked(
    program: Program,
    case: Case,
    call: str,
    trace: Trace,
    box: Sandbox,
    engine: Engine,
    bounds: Bounds,
) -> Told:
    prompt = prompts.forward(program.source, call)
    return _checked(completed(prompt, engine, bounds), program, case, trace, box)
