"""The first things that a reader does with one program, with a sandbox that is there by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from semcoder_lib import monologues, tracing
from semcoder_lib.core.records import Case, Monologue, Program, Trace
from semcoder_lib.monologues import Report
from semcoder_lib.sandbox import Outcome, Sandbox, own

if TYPE_CHECKING:
    from semcoder_lib.tracing.viewer import Viewer


def default_sandbox() -> Sandbox:
    """One sandbox for all calls without one, closed when Python ends."""
    return own("auto")


def execute(program: Program, *arguments: Any) -> Outcome:
    """Run the program's function on the arguments, isolated and with limits. The outcome has a
    status, and the value or the exception."""
    return default_sandbox().call(program.source, program.entry_point, arguments)


def trace(program: Program, case: Case) -> Trace:
    """What the call does: each executed line, with the variables that it changes."""
    return tracing.trace(program, case, default_sandbox())


def show(program: Program, case: Case) -> Viewer:
    """The call to step through, in a notebook."""
    from semcoder_lib.tracing import viewer

    return viewer.show(program, case.arguments, default_sandbox())


def tell(program: Program, case: Case, style: str = "full") -> Monologue:
    """The forward monologue of the call. `style` is a name of `monologues.STYLES`. Raises UserError
    for a call that has no result, or whose execution cannot be told."""
    form = monologues.STYLES[style]
    return monologues.forward(program, trace(program, case), style=form, case=case)


def deduce(program: Program, output: Any, style: str = "full") -> Monologue | None:
    """The backward monologue: from an output to an input that gives it; None when none is found."""
    return monologues.backward(program, output, default_sandbox(), style=monologues.STYLES[style])


def verify(program: Program, monologue: Monologue) -> Report:
    """Every claim of a monologue, checked against an execution: supported, contradicted, or counted
    as unverifiable."""
    return monologues.verify(
        monologue.text, program, monologue.case, default_sandbox(), direction=monologue.direction
    )
