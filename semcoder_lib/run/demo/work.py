"""What the page does with a paste: a call told and checked, a failing test explained.

Everything that is pasted is bounded, and runs in the sandbox alone. A paste that cannot be used
raises `UserError` with one line; a program that fails, hangs or attacks is an outcome like any
other.
"""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass
from typing import Any

from semcoder_lib import faults, monologues, tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Claim, Program, Status, Trace
from semcoder_lib.models import prompts
from semcoder_lib.refinement import run_checks
from semcoder_lib.sandbox import Limits, Sandbox

LONGEST = {"code": 8_000, "call": 1_000, "tests": 20_000, "text": 20_000}  # characters
LIMITS = Limits(cpu_seconds=2.0, wall_seconds=10.0, memory_mb=512, output_bytes=20_000)
STEPS = 500
TESTS = 20
REPAIRS = 80  # single edits that are tried
NEW_TOKENS = 400
_RANKS = ("supported", "unverifiable", "contradicted")  # what is painted later covers the rest
_NO_VALUE = "only a call that ends with a value, within the limits, is told"


@dataclass(frozen=True)
class Text:
    """A text with its claims. `note` is the verdict, or why there is no text."""

    text: str
    claims: tuple[Claim, ...] = ()
    note: str = ""

    def segments(self) -> list[tuple[str, str | None]]:
        """The text in pieces, each with the status of its claims: the worst where they overlap.
        A claim without a place is about the lines that it quotes."""
        paint: list[str | None] = [None] * len(self.text)
        lines = self.text.split("\n")
        starts = [0, *itertools.accumulate(len(line) + 1 for line in lines[:-1])]
        for claim in sorted(self.claims, key=lambda c: _RANKS.index(c.status)):
            quoted = [
                (a, a + len(x)) for a, x in zip(starts, lines, strict=True) if x == claim.value
            ]
            for start, end in [claim.place] if any(claim.place) else quoted:
                paint[start:end] = [claim.status] * (min(end, len(paint)) - start)
        groups = itertools.groupby(range(len(paint)), key=paint.__getitem__)
        return [("".join(self.text[at] for at in places), status) for status, places in groups]

    def contradictions(self) -> list[tuple[str, str]]:
        """(what the text says, what the trace says)."""
        wrong = [c for c in self.claims if c.status == "contradicted"]
        return [(self.text[slice(*c.place)] or c.value, c.evidence) for c in wrong]


@dataclass(frozen=True)
class Explained:
    """A call, what came of it, its trace, the monologue derived from it, and the model's own."""

    program: Program
    case: Case
    trace: Trace
    outcome: str
    derived: Text
    model: Text | None = None


def explain(source: str, call: str, box: Sandbox, engine: Any = None) -> Explained:
    """Traces `call` and tells it; with an engine, the model's own monologue is checked, too."""
    program, case, trace = _traced(source, call, box)
    outcome = _outcome(trace)
    if trace.result is None or trace.cut:
        return Explained(program, case, trace, outcome, Text("", note=f"none: {_NO_VALUE}"))
    case = Case(case.arguments, values.decode(trace.result))
    try:
        text = monologues.forward(program, trace, case=case).text
        derived = _checked(text, program, case, trace, box)
    except UserError as error:
        derived = Text("", note=str(error))
    model = None
    if engine is not None:
        from semcoder_lib.models import Request  # loads torch

        asked = prompts.forward(program.source, call)
        request = Request("demo", asked.text, asked.stop, max_new_tokens=NEW_TOKENS)
        model = _checked(engine.generate([request])[0][0].text, program, case, trace, box)
    return Explained(program, case, trace, outcome, derived, model)


def check(source: str, call: str, text: str, box: Sandbox) -> Text:
    """Anybody's forward monologue of `call`, checked."""
    if not text.strip():
        raise UserError("explain a call first, or write a monologue of your own")
    _bound("text", text)
    program, case, trace = _traced(source, call, box)
    if trace.result is None or trace.cut:
        raise UserError(f"{_NO_VALUE}; this one {_outcome(trace)}")
    return _checked(text, program, Case(case.arguments, values.decode(trace.result)), trace, box)


@dataclass(frozen=True)
class Debugged:
    """The tests (text, whether it passes, what came instead); for the first that fails, the
    rationale of a fix one edit away that passes all, and the program before and after it."""

    tests: tuple[tuple[str, bool, str], ...]
    rationale: Text = Text("", note="all tests pass: there is nothing to mend")
    buggy: str = ""
    fixed: str = ""


def debug(source: str, tests: str, box: Sandbox) -> Debugged:
    """Runs the tests (`assert f(1) == 2`, one a line) and looks for a fix of the first failure."""
    _bound("code", source)
    _bound("tests", tests)
    try:
        tree, buggy = ast.parse(source), faults.normal_form(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"the code does not parse: {error}") from None
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    written = faults.from_assertions(tests)
    read = {name: [case for n, case in written if n == name][:TESTS] for name in names}
    # the function that most tests are about; the last one defined where they are equally many
    name = max(reversed(names), key=lambda n: len(read[n]), default="")
    if not read.get(name):
        raise UserError("write tests such as  assert f(1) == 2  with literal values, one a line")
    (seen,) = run_checks([(source, name, read[name], 1e-9)], box)
    listed = tuple(
        (faults.assertion(name, case), passed, "" if passed else _got(outcome))
        for case, passed, outcome in zip(read[name], seen.passed, seen.outcomes, strict=True)
    )
    if seen.first_failure is None:
        return Debugged(listed)
    bug = faults.Bug(Program(source, name, id="paste"), buggy, "", tuple(read[name]))
    failing, dropped = faults.failing([bug], box)
    if not failing:
        return Debugged(listed, Text("", note=f"no rationale: {', '.join(dropped)}"))
    (mended,) = faults.repaired(failing, box, repairs=REPAIRS)
    if mended is failing[0]:
        return Debugged(listed, Text("", note=f"none of up to {REPAIRS} single edits passes all"))
    accepted, dropped = faults.accept([mended], box, "model", LONGEST["text"])
    if not accepted:
        note = f"a fix, without a rationale: {', '.join(dropped)}"
        return Debugged(listed, Text("", note=note), buggy, mended.bug.fixed)
    return Debugged(
        listed, Text(accepted[0].rationale, accepted[0].claims), buggy, accepted[0].fixed
    )


def _bound(what: str, text: str) -> None:
    if len(text) > LONGEST[what]:
        raise UserError(f"the {what} is longer than {LONGEST[what]:,} characters")


def _traced(source: str, call: str, box: Sandbox) -> tuple[Program, Case, Trace]:
    _bound("code", source)
    _bound("call", call)
    program, case = tracing.program_and_case(source, call)
    return program, case, tracing.trace(program, case, box, limits=tracing.TraceLimits(steps=STEPS))


def _checked(text: str, program: Program, case: Case, trace: Trace, box: Sandbox) -> Text:
    report = monologues.verify(text, program, case, box, direction="forward", trace=trace)
    note = "accepted" if report.accepted else f"not accepted: {report.reason}"
    return Text(text, tuple(report.claims), note)


def _got(outcome: Any) -> str:
    raised = outcome.exception
    if outcome.status is Status.OK:
        return f"gives {outcome.text}"
    return f"raises {raised.type}: {raised.message}" if raised else _ENDS[outcome.status]


def _outcome(trace: Trace) -> str:
    if trace.result is not None:
        cut = f" (only {len(trace.steps)} steps are kept)" if trace.cut else ""
        return f"returns {trace.result}{cut}"
    if trace.status is Status.LOAD_ERROR:
        return f"cannot be called: {trace.exception}"
    return f"raises {trace.exception}" if trace.exception else _ENDS[trace.status]


# what becomes of a run that has neither a value nor an exception
_ENDS = {status: f"ended as {status.value}" for status in Status} | {
    Status.TIMEOUT: f"was stopped: more than {LIMITS.cpu_seconds:g} s of processor time, or "
    f"{LIMITS.wall_seconds:g} s in all",
    Status.MEMORY: f"was stopped: more than {LIMITS.memory_mb} MB of memory",
    Status.OUTPUT_LIMIT: f"was stopped: it printed more than {LIMITS.output_bytes // 1000} kB",
    Status.CRASHED: "crashed its process",
    Status.EARLY_EXIT: "ended its process without returning",
    Status.UNSERIALIZABLE: "returns a value that cannot be written as a literal, or too large",
}
