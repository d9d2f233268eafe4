"""A failing test, a fix one edit away, its rationale, and the model's own attempt."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semcoder_lib import faults as pyx_r
from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program, Status
from semcoder_lib.faults import evidence as runs
from semcoder_lib.models import prompts
from semcoder_lib.refinement import Check, from_assertions
from semcoder_lib.refinement.checks import assertion, run_checks
from semcoder_lib.run.demo.paste import (
    DEFAULT,
    Bounds,
    Engine,
    Told,
    completed,
    program_of,
    stopped,
    with_entry,
)
from semcoder_lib.sandbox import Sandbox

_STATUSES = frozenset(status.value for status in Status)


@dataclass(frozen=True, slots=True)
class Debugged:
    """Tests and which failed; the derived rationale with a fix that passes them all, where one
    edit is enough; the model's rationale and how its program does on the tests. `buggy` is the
    paste in the form that `fixed` has, so that the two can be laid side by side."""

    tests: tuple[tuple[str, bool, str], ...]
    derived: Told | None = None
    fixed: str = ""
    buggy: str = ""
    model: Told | None = None
    model_passes: int | None = None

    def _repr_html_(self) -> str:
        from semcoder_lib.run.demo import html  # it imports this module

        return html.cell(*html.debugged(self, loaded=False))


def debug(
    source: str,
    tests: str,
    box: Sandbox,
    *,
    problem: str = "",
    engine: Engine | None = None,
    bounds: Bounds = DEFAULT,
) -> Debugged:
    """Runs the tests (`assert f(1) == 2`, one a line), and for the first that fails looks for a
    fix one edit away that passes them all, with its rationale; the model is asked as well.
    Raises UserError as `examine`, and when no test can be read."""
    program = program_of(source, bounds)
    tree = ast.parse(source)
    names = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    read = {n: from_assertions(tests[: 20 * bounds.call_characters], [n], "public") for n in names}
    # the function that most tests are about; the last one defined where they are equally many
    name = max(reversed(names), key=lambda n: len(read[n]), default="")
    checks = read.get(name, [])[: bounds.tests]
    if not checks:
        raise UserError("write tests such as  assert f(1) == 2  with literal values, one a line")
    program = with_entry(program, name)
    (seen,) = run_checks([(source, name, checks, 1e-9)], box)
    listed = tuple(
        (assertion(name, c), passed, "" if passed else _got(outcome, bounds))
        for c, passed, outcome in zip(checks, seen.passed, seen.outcomes, strict=True)
    )
    place = seen.first_failure
    if place is None:
        return Debugged(listed)
    cases = tuple(Case(c.arguments, c.expected) for c in checks)
    derived, fixed = _mended(program, cases, problem, box, bounds)
    buggy = pyx_r.normal_form(source) if fixed else ""
    if engine is None:
        return Debugged(listed, derived, fixed, buggy)
    told, passes = _model_fix(program, checks, place, listed[place], problem, box, engine, bounds)
    return Debugged(listed, derived, fixed, buggy, told, passes)


def _got(outcome: Any, bounds: Bounds) -> str:
    if outcome.status is Status.OK:
        return f"gives {outcome.text}"
    if outcome.exception:
        return f"raises {outcome.exception.type}: {outcome.exception.message}"
    return stopped(outcome.status, bounds)


def _mended(
    program: Program, cases: tuple[Case, ...], problem: str, box: Sandbox, bounds: Bounds
) -> tuple[Told, str]:
    try:
        buggy = pyx_r.normal_form(program.source)
    except SyntaxError as error:
        return Told("", note=str(error)), ""
    pair = runs.Pair("paste", program.entry_point, buggy, "", cases)
    (found,) = list(runs.failing([pair], box))
    if isinstance(found, runs.Dropped):
        why = stopped(Status(found.reason), bounds) if found.reason in _STATUSES else found.reason
        return Told("", note=f"no rationale: a run {why}, so there is no end to tell"), ""
    (mended,) = pyx_r.repaired([found], box, seed=0, repairs=bounds.repairs)
    if mended is found:
        return Told(
            "", note=f"no fix: none of up to {bounds.repairs} single edits passes all tests"
        ), ""
    described = Program(program.source, program.entry_point, id="paste", description=problem)
    faults, dropped = pyx_r.accept([mended], box, {"paste": described}, "model", 20_000)
    if not faults:
        return Told("", note=f"a fix was found, but not told: {', '.join(dropped)}"), (
            mended.pair.fixed
        )
    return Told(faults[0].rationale, faults[0].claims), faults[0].fixed


def _model_fix(
    program: Program,
    checks: Sequence[Check],
    place: int,
    failing: tuple[str, bool, str],
    problem: str,
    box: Sandbox,
    engine: Engine,
    bounds: Bounds,
) -> tuple[Told, int | None]:
    try:
        buggy = pyx_r.normal_form(program.source)
    except SyntaxError:
        buggy = program.source
    asked = prompts.refine(problem or pyx_r.task_description(program), buggy, failing[0])
    text = completed(asked, engine, bounds)
    check = checks[place]
    trace = tracing.trace(Program(buggy, program.entry_point), check.case, box)
    report = pyx_r.check(
        text,
        buggy,
        call=values.show_call(program.entry_point, check.arguments),
        expected=values.encode(check.expected),
        actual=failing[2].removeprefix("gives "),
        buggy_trace=trace,
    )
    told = Told(text, report.claims, report.problem)
    if report.refined is None:
        return told, None
    (seen,) = run_checks([(report.refined, program.entry_point, list(checks), 1e-9)], box)
    return told, sum(seen.passed)
