"""What a refining model is shown, by named source, and whether it may look at hidden tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcoder_lib.core import foreign, values
from semcoder_lib.core.records import Program
from semcoder_lib.faults import normal_form, shown_trace
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.checks import Check, assertion, from_assertions
from semcoder_lib.refinement.tasks import RefinementTask
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace_many

SOURCES = {
    "public": "the examples that the problem shows",
    "self": "tests that the model wrote itself",
    "trace": "the examples, with the trace of the failing run",
    "oracle": "the hidden tests (as the paper does); not available to a user",
}
LONGEST_TEST = 400
SELF_TESTS = 5


@dataclass(frozen=True, slots=True)
class Feedback:
    """The failing test that is shown, and with `trace` the rendered run."""

    failed_test: str
    check: Check
    trace: str = ""


def visible(task: RefinementTask, source: str, written: Sequence[Check] = ()) -> tuple[Check, ...]:
    """The checks that a source may look at. `written` are the model's own (source `self`)."""
    return {"oracle": task.hidden, "self": tuple(written)}.get(source, task.public)


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
    written = f"assert {task.entry_point}({text.partition('```')[0]}"
    return from_assertions(written, [task.entry_point], "self")[:SELF_TESTS]


def feedbacks(
    items: Sequence[tuple[RefinementTask, str, Sequence[Check], Sequence[bool]]],
    source: str,
    box: Sandbox,
) -> list[Feedback | None]:
    """For every `(task, solution, visible checks, which of them pass)` the first failing check that
    is short enough to show; None where there is none. For `trace` its call is run once more under
    the tracer."""
    given = [_first_failing(task, checks, passed) for task, _, checks, passed in items]
    if source != "trace":
        return given
    runs = {
        n: (Program(items[n][1], items[n][0].entry_point), feedback.check.case)
        for n, feedback in enumerate(given)
        if feedback is not None
    }
    traces = trace_many(list(runs.values()), box)
    for (n, (program, case)), trace in zip(runs.items(), traces, strict=True):
        given[n] = replace(given[n], trace=shown_trace(trace, program, case))  # type: ignore[type-var]
    return given


def _first_failing(
    task: RefinementTask, checks: Sequence[Check], passed: Sequence[bool]
) -> Feedback | None:
    for check, passes in zip(checks, passed, strict=True):
        if passes:
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
        return foreign.attempt(normal_form, solution)
    except foreign.Refused:
        return "\n".join(solution.splitlines()[:60]) + "\n"
