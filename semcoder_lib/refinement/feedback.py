"""What a refining model is shown, by named source, and whether it may look at hidden tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcoder_lib.core import values
from semcoder_lib.core.records import Case, Program, Trace
from semcoder_lib.faults import normal_form
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.checks import Check, Seen, assertion, case_of, from_assertions
from semcoder_lib.refinement.tasks import RefinementTask
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace_many
from semcoder_lib.tracing.formats import render

SOURCES = {
    "public": "the examples that the problem shows",
    "self": "tests that the model wrote itself",
    "trace": "the examples, with the trace of the failing run",
    "oracle": "the hidden tests (as the paper does); not available to a user",
}
LONGEST_TEST = 400
LONGEST_TRACE = 1_600
SELF_TESTS = 5


@dataclass(frozen=True, slots=True)
class Feedback:
    """The failing test that is shown, and with `trace` the rendered run."""

    failed_test: str
    check: Check
    trace: str = ""


def visible(task: RefinementTask, source: str, written: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that a source may look at. `written` are the model's own (source `self`)."""
    if source == "oracle":
        return task.hidden
    if source == "self":
        return tuple(written)
    return task.public


def self_test_prompt(task: RefinementTask) -> Prompt:
    """Asks the model for assertions; its response is begun with the first one's call."""
    opening = f"```python\nassert {task.entry_point}("
    return Prompt(
        f"Write {SELF_TESTS} assertions that test the function.\n### Problem\n"
        f"{task.problem.strip()}\n### Tests\n{opening}",
        ("\n```", "\ndef ", "\n#"),
        opening,
    )


def self_tests(task: RefinementTask, text: str) -> list[Check]:
    """The assertions of a response to `self_test_prompt` that can be read; they may be wrong."""
    opening = f"assert {task.entry_point}("
    found = from_assertions(opening + text.partition("```")[0], [task.entry_point], "self")
    return found[:SELF_TESTS]


def feedbacks(
    items: Sequence[tuple[RefinementTask, str, Sequence[Check], Seen]], source: str, box: Sandbox
) -> list[Feedback | None]:
    """The first failing visible check of each solution, short enough to show; None where nothing
    visible fails. For `trace` the failing call is run once more under the tracer."""
    found = [_first(task, checks, seen) for task, _, checks, seen in items]
    if source != "trace":
        return list(found)
    wanted = [n for n, f in enumerate(found) if f is not None]
    pairs = []
    for n in wanted:
        task, solution, _, _ = items[n]
        feedback = found[n]
        assert feedback is not None
        pairs.append((Program(solution, task.entry_point), case_of(feedback.check)))
    for n, (program, case), trace in zip(wanted, pairs, trace_many(pairs, box), strict=True):
        feedback = found[n]
        assert feedback is not None
        text = shown_trace(trace, program, case)
        found[n] = Feedback(feedback.failed_test, feedback.check, text)
    return list(found)


def shown_trace(trace: Trace, program: Program, case: Case) -> str:
    """The run in NExT's format, as table 4 has it; empty where nothing was recorded or where it is
    too long to show."""
    if not trace.steps:
        return ""
    text = render(trace, program, case, "next")
    return text if len(text) <= LONGEST_TRACE else ""


def _first(task: RefinementTask, checks: Sequence[Check], seen: Seen) -> Feedback | None:
    for check, passed in zip(checks, seen.passed, strict=True):
        if passed:
            continue
        try:
            text = assertion(task.entry_point, check)
        except values.Unserializable:
            continue
        if len(text) <= LONGEST_TEST:
            return Feedback(text, check)
    return None


def shown_solution(solution: str) -> str:
    """The program as the prompt shows it: without comments and docstrings, where it parses (as the
    paper's driver does, section 6.4), and without an endless tail."""
    try:
        return normal_form(solution)
    except (SyntaxError, ValueError, RecursionError):
        return "\n".join(solution.splitlines()[:60]) + "\n"
