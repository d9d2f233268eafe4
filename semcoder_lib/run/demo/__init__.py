"""A small local page: paste a function and a call, see its execution in words, checked.

`explain`, `check` and `debug` do its work: a call told and checked, a failing test explained.
Everything that is pasted is bounded, and runs in the sandbox alone. A paste that cannot be used
raises `UserError` with one line; a program that fails, hangs or attacks is an outcome like any
other.
"""

from __future__ import annotations

import ast
import collections
from dataclasses import dataclass

from semcoder_lib import faults, monologues, tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Claim, Program, Status, Trace
from semcoder_lib.refinement import run_checks
from semcoder_lib.sandbox import Limits, Outcome, Sandbox

LONGEST = {"code": 8_000, "call": 1_000, "tests": 20_000, "text": 20_000}  # characters
LIMITS = Limits(cpu_seconds=2.0, wall_seconds=10.0, memory_mb=512, output_bytes=20_000)
STEPS = 500
TESTS = 20
REPAIRS = 80  # single edits that are tried
_NO_VALUE = "only a call that ends with a value, within the limits, is told"


@dataclass(frozen=True)
class Text:
    """A text with its claims. `note` is the verdict, or why there is no text."""

    text: str = ""
    claims: tuple[Claim, ...] = ()
    note: str = ""

    def contradictions(self) -> list[tuple[str, str]]:
        """(what the text says, what the trace says)."""
        wrong = [c for c in self.claims if c.status == "contradicted"]
        return [(self.text[slice(*c.place)] or c.value, c.evidence) for c in wrong]


@dataclass(frozen=True)
class Explained:
    """A call, what came of it, its trace, and the monologue derived from it."""

    program: Program
    case: Case
    trace: Trace
    outcome: str
    derived: Text


def explain(source: str, call: str, box: Sandbox) -> Explained:
    """Traces `call` and tells it."""
    _bound("code", source)
    _bound("call", call)
    program, case = tracing.program_and_case(source, call)
    trace = tracing.trace(program, case, box, limits=tracing.TraceLimits(steps=STEPS))
    derived = Text(note=f"none: {_NO_VALUE}")
    if trace.result is not None and not trace.cut:
        case = Case(case.arguments, values.decode(trace.result))
        try:
            text = monologues.forward(program, trace, case=case).text
            derived = _checked(text, program, case, trace, box)
        except UserError as error:
            derived = Text(note=str(error))
    return Explained(program, case, trace, _outcome(trace), derived)


def check(source: str, call: str, text: str, box: Sandbox) -> Text:
    """Anybody's forward monologue of `call`, checked."""
    if not text.strip():
        raise UserError("explain a call first, or write a monologue of your own")
    _bound("text", text)
    seen = explain(source, call, box)
    if seen.trace.result is None or seen.trace.cut:
        raise UserError(f"{_NO_VALUE}; this one {seen.outcome}")
    return _checked(text, seen.program, seen.case, seen.trace, box)


@dataclass(frozen=True)
class Debugged:
    """The tests (text, whether it passes, what came instead); for the first that fails, the
    rationale of a fix one edit away that passes all, and the program before and after it."""

    tests: tuple[tuple[str, bool, str], ...]
    rationale: Text = Text(note="all tests pass: there is nothing to mend")
    buggy: str = ""
    fixed: str = ""


def debug(source: str, tests: str, box: Sandbox) -> Debugged:
    """Runs the tests (`assert f(1) == 2`, one a line) of the function that most of them are about,
    and looks for a fix of the first failure."""
    _bound("code", source)
    _bound("tests", tests)
    try:
        tree, buggy = ast.parse(source), faults.normal_form(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"the code does not parse: {error}") from None
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    written = [(name, case) for name, case in faults.from_assertions(tests) if name in defined]
    if not written:
        raise UserError("write tests such as  assert f(1) == 2  with literal values, one a line")
    ((name, _),) = collections.Counter(name for name, _ in written).most_common(1)
    cases = [case for called, case in written if called == name][:TESTS]
    (seen,) = run_checks([(source, name, cases, 1e-9)], box)
    listed = tuple(
        (faults.assertion(name, case), passed, "" if passed else _instead(outcome))
        for case, passed, outcome in zip(cases, seen.passed, seen.outcomes, strict=True)
    )
    if seen.first_failure is None:
        return Debugged(listed)
    bug = faults.Bug(Program(source, name, id="paste"), buggy, "", tuple(cases))
    failing, dropped = faults.failing([bug], box)
    mended = faults.repaired(failing, box, repairs=REPAIRS)
    if mended == failing:
        why = ", ".join(dropped) or f"none of up to {REPAIRS} single edits passes all"
        return Debugged(listed, Text(note=f"no fix: {why}"))
    accepted, dropped = faults.accept(mended, box, "model", LONGEST["text"])
    rationale = Text(note=f"a fix, without a rationale: {', '.join(dropped)}")
    if accepted:
        rationale = Text(accepted[0].rationale, accepted[0].claims)
    return Debugged(listed, rationale, buggy, mended[0].bug.fixed)


def _bound(what: str, text: str) -> None:
    if len(text) > LONGEST[what]:
        raise UserError(f"the {what} is longer than {LONGEST[what]:,} characters")


def _checked(text: str, program: Program, case: Case, trace: Trace, box: Sandbox) -> Text:
    report = monologues.verify(text, program, case, box, direction="forward", trace=trace)
    note = "accepted" if report.accepted else f"not accepted: {report.reason}"
    return Text(text, tuple(report.claims), note)


def _instead(outcome: Outcome) -> str:
    if outcome.status is Status.OK:
        return f"gives {outcome.text}"
    raised = outcome.exception
    return f"raises {raised.type}: {raised.message}" if raised else f"ended as {outcome.status}"


def _outcome(trace: Trace) -> str:
    if trace.result is not None:
        cut = f" (only {len(trace.steps)} steps are kept)" if trace.cut else ""
        return f"returns {trace.result}{cut}"
    if trace.exception:
        loaded = trace.status is not Status.LOAD_ERROR
        return f"{'raises' if loaded else 'cannot be called:'} {trace.exception}"
    return f"ended as {trace.status}"
