"""A call, its trace, the monologue derived from it, and the model's own, both checked."""

from __future__ import annotations

from dataclasses import dataclass

from semcoder_lib import monologues, tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.models import prompts
from semcoder_lib.run.demo.paste import (
    DEFAULT,
    Bounds,
    Engine,
    Told,
    call_of,
    completed,
    program_of,
    stopped,
    with_entry,
)
from semcoder_lib.sandbox import Sandbox

NO_VALUE = "a monologue tells only a call that ends with a value and whose trace is whole"


@dataclass(frozen=True, slots=True)
class Examined:
    """A call, what came of it, its trace, the derived monologue, and the model's own."""

    call: str
    outcome: str
    program: Program
    case: Case
    trace: Trace
    derived: Told
    model: Told | None = None

    def _repr_html_(self) -> str:
        from semcoder_lib.run.demo import html  # it imports this module

        return html.cell(*html.examined(self, loaded=False)[:4])


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
    program, case, trace = _traced(source, call, box, bounds)
    shown = values.show_call(program.entry_point, case.arguments)
    outcome = _outcome(trace, bounds)
    if trace.result is None or trace.cut:
        missing = Told("", note=f"none: {NO_VALUE}")
        return Examined(shown, outcome, program, case, trace, missing, None)
    case = Case(case.arguments, values.decode(trace.result))
    derived = _derived(program, case, trace, box)
    model = None if engine is None else _asked(program, case, shown, trace, box, engine, bounds)
    return Examined(shown, outcome, program, case, trace, derived, model)


def check(source: str, call: str, text: str, box: Sandbox, *, bounds: Bounds = DEFAULT) -> Told:
    """Anybody's forward monologue of `call`, checked. Raises UserError as `examine`, and for a
    text that is empty or too long, or a call that ends without a value."""
    if not text.strip():
        raise UserError("explain a call first, or write a monologue of your own")
    if len(text) > bounds.text_characters:
        raise UserError(f"the monologue is longer than {bounds.text_characters:,} characters")
    program, case, trace = _traced(source, call, box, bounds)
    if trace.result is None or trace.cut:
        raise UserError(f"{NO_VALUE}; this one {_outcome(trace, bounds)}")
    case = Case(case.arguments, values.decode(trace.result))
    return _checked(text, program, case, trace, box)


def _traced(source: str, call: str, box: Sandbox, bounds: Bounds) -> tuple[Program, Case, Trace]:
    program = program_of(source, bounds)
    name, arguments = call_of(call, bounds)
    program = with_entry(program, name)
    case = Case(arguments)
    limits = tracing.TraceLimits(steps=bounds.steps)
    return program, case, tracing.trace(program, case, box, limits=limits)


def _outcome(trace: Trace, bounds: Bounds) -> str:
    if trace.result is not None:
        cut = f" (too long to tell: only {len(trace.steps)} steps are kept)" if trace.cut else ""
        return f"returns {trace.result}{cut}"
    if trace.exception:
        return f"raises {trace.exception}"
    return stopped(trace.status, bounds)


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
