"""Rounds of self-refinement (sections 6.3 and D of the paper), with the feedback named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcoder_lib.core import foreign, values, workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Program
from semcoder_lib.faults import (
    assertion,
    from_assertions,
    normal_form,
    refined_code,
    shown_trace,
)
from semcoder_lib.models import Engine, Request, prompts
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.curve import NO_PROGRAM, OTHER, PASSED, Curve, State, kind_of
from semcoder_lib.refinement.tasks import RefinementTask, run_checks
from semcoder_lib.sandbox import Sandbox
from semcoder_lib.tracing import trace_many

SOURCES = {
    "public": "the examples that the problem shows",
    "self": "tests that the model wrote itself",
    "trace": "the examples, with the trace of the failing run",
    "oracle": "the hidden tests (as the paper does); not available to a user",
}
ACCEPT = {
    "replace": lambda new, old: True,  # the paper's: whatever the model offers
    "keep_better": lambda new, old: (new.visible or 0.0) > (old.visible or 0.0),
}
"""When a new state takes the old one's place."""
LONGEST_TEST = 400
SELF_TESTS = 5
Texts = dict[str, str]  # by task
Checks = dict[str, tuple[Case, ...]]  # the visible cases by task
Verdicts = dict[tuple[str, str], tuple[bool, str]]
"""By task and solution: whether it is right, and the kind of its failure."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One curve to be made: every task's first greedy solution, refined for `rounds` rounds.

    `source` says what is visible, see `SOURCES`; with `self` the model is first asked for tests,
    once and greedily. `accept`: `replace` takes every program that the model offers (the paper),
    `keep_better` only one that passes more visible checks, so that what passes visibly never falls.
    `temperature` 0 is greedy; the first solution always is. `chat` says which prompts are put into
    the model's own chat: `none`, that of the `first` solution, or `all`.
    """

    tasks: Sequence[RefinementTask]
    rounds: int
    source: str = "public"
    accept: str = "replace"
    temperature: float = 0.0
    top_p: float = 0.95
    max_new_tokens: int = 512
    first_tokens: int = 256
    seed: int = 0
    style: str = "clean"
    chat: str = "none"

    def check(self) -> None:
        """Raises UserError for a source or rule that does not exist."""
        if self.source not in SOURCES:
            raise UserError(f"feedback source {self.source!r}: choose from {', '.join(SOURCES)}")
        if self.accept not in ACCEPT:
            raise UserError(f"acceptance rule {self.accept!r}: choose from {', '.join(ACCEPT)}")


def refine(plan: Plan, engine: Engine, box: Sandbox) -> Curve:
    """The curve of one plan, see `refine_all`."""
    return refine_all([plan], engine, box)[0]


def refine_all(plans: Sequence[Plan], engine: Engine, box: Sandbox) -> list[Curve]:
    """The curves of several plans, side by side: what all of them ask next is generated together.

    In each round every task with a failing visible check is put to the model again, with its
    problem, its present program and the first failing check. An answer without a program leaves the
    old one in place. Hidden verdicts are used for the curve only; nothing but `oracle` feeds them
    back. Completions are kept in the engine's cache, from which an interrupted run goes on.
    """
    for plan in plans:
        plan.check()
    verdicts: Verdicts = {}
    starts = _written(engine, [_first_requests(plan, engine) for plan in plans])
    tests = _written(engine, [_test_requests(plan, engine) for plan in plans])
    checks, history = [], []
    for plan, first, own in zip(plans, starts, tests, strict=True):
        shown = {
            t.id: visible(t, plan.source, self_tests(t, own[t.id]) if own else ())
            for t in plan.tasks
        }
        solutions = [
            (t, t.initial if t.initial is not None else t.extract(first[t.id]) or "")
            for t in plan.tasks
        ]
        checks.append(shown)
        history.append([_states(solutions, shown, verdicts, box)])
    for turn in range(1, max((plan.rounds for plan in plans), default=0) + 1):
        going = [n for n, plan in enumerate(plans) if turn <= plan.rounds]
        asked = [_requests(plans[n], history[n][-1], checks[n], turn, box, engine) for n in going]
        for n, texts in zip(going, _written(engine, asked), strict=True):
            plan, before = plans[n], history[n][-1]
            offers = [
                (task, code)
                for task in plan.tasks
                if task.id in texts and (code := offered(texts[task.id], plan.style))
            ]
            fresh = {state.task_id: state for state in _states(offers, checks[n], verdicts, box)}
            after = []
            for old in before:
                new = fresh.get(old.task_id)
                taken = new is not None and ACCEPT[plan.accept](new, old)
                state = new if new is not None and taken else old
                after.append(replace(state, asked=old.task_id in texts, changed=taken))
            history[n].append(after)
    return [
        Curve(engine.name, plan.source, plan.accept, plan.temperature, tuple(map(tuple, rounds)))
        for plan, rounds in zip(plans, history, strict=True)
    ]


def _written(engine: Engine, groups: list[list[Request]]) -> list[Texts]:
    """The texts by task of each group of requests, all generated in one call, since a small model
    writes a full batch as fast as a single text."""
    flat = [request for group in groups for request in group]
    texts = iter(engine.generate(flat) if flat else [])
    return [{request.task_id: next(texts)[0].text for request in group} for group in groups]


def _asked(plan: Plan, prompt: Prompt, engine: Engine, where: tuple[str, ...]) -> Prompt:
    """The prompt as it is, or in the chat where the plan's `chat` is one of these."""
    return prompts.in_chat(prompt, engine.tokenizer) if plan.chat in where else prompt


def _first_requests(plan: Plan, engine: Engine) -> list[Request]:
    requests = []
    for task in plan.tasks:
        if task.initial is None and task.start is not None:
            prompt = _asked(plan, task.start, engine, ("first", "all"))
            requests.append(Request(task.id, prompt.text, prompt.stop, plan.first_tokens))
    return requests


# --- feedback -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Feedback:
    """The failing test that is shown, and with `trace` the rendered run."""

    failed_test: str
    case: Case
    trace: str = ""


def visible(task: RefinementTask, source: str, written: Sequence[Case] = ()) -> tuple[Case, ...]:
    """The cases that a source may look at. `written` are the model's own (source `self`)."""
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


def _test_requests(plan: Plan, engine: Engine) -> list[Request]:
    tasks = plan.tasks if plan.source == "self" else ()
    asked = [(t, _asked(plan, self_test_prompt(t), engine, ("all",))) for t in tasks]
    return [Request(t.id, prompt.text, prompt.stop, 200) for t, prompt in asked]


def self_tests(task: RefinementTask, text: str) -> list[Case]:
    """The assertions of a response to the prompt for tests that can be read; they may be wrong."""
    tests = from_assertions(f"assert {task.entry_point}({text.partition('```')[0]}")
    return [case for name, case in tests if name == task.entry_point][:SELF_TESTS]


def feedbacks(
    items: Sequence[tuple[RefinementTask, str, Sequence[Case], Sequence[bool]]],
    source: str,
    box: Sandbox,
) -> list[Feedback | None]:
    """For every `(task, solution, visible cases, which of them pass)` the first failing case that
    is short enough to show; None where there is none. For `trace` its call is run once more under
    the tracer."""
    failing = [_first_failing(task, cases, passed) for task, _, cases, passed in items]
    if source != "trace":
        return failing
    runs = [
        (Program(solution, task.entry_point), feedback.case)
        for (task, solution, _, _), feedback in zip(items, failing, strict=True)
        if feedback is not None
    ]
    shown = (shown_trace(t, *run) for t, run in zip(trace_many(runs, box), runs, strict=True))
    return [f and replace(f, trace=next(shown)) for f in failing]


def _first_failing(
    task: RefinementTask, cases: Sequence[Case], passed: Sequence[bool]
) -> Feedback | None:
    for case, passes in zip(cases, passed, strict=True):
        try:
            text = "" if passes else assertion(task.entry_point, case)
        except values.Unserializable:
            continue
        if text and len(text) <= LONGEST_TEST:
            return Feedback(text, case)
    return None


def shown_solution(solution: str) -> str:
    """The program as the prompt shows it: without comments and docstrings, where it parses (as the
    paper's driver does, section 6.4), and without an endless tail."""
    try:
        return foreign.attempt(normal_form, solution)
    except foreign.Refused:
        return "\n".join(solution.splitlines()[:60]) + "\n"


def _requests(
    plan: Plan, states: Sequence[State], checks: Checks, turn: int, box: Sandbox, engine: Engine
) -> list[Request]:
    """One for every task that fails a visible check."""
    items = [
        (task, state.solution, checks[task.id], state.passed)
        for task, state in zip(plan.tasks, states, strict=True)
    ]
    requests = []
    shown = feedbacks(items, plan.source, box)
    for (task, solution, _, _), feedback in zip(items, shown, strict=True):
        if feedback is None:
            continue
        prompt = prompts.refine(
            task.problem, shown_solution(solution), feedback.failed_test,
            trace=feedback.trace, style=plan.style,
        )  # fmt: skip
        prompt = _asked(plan, prompt, engine, ("all",))
        # a sampled text depends on the item alone, not on its place in a batch
        seed = int(workspace.content_key(plan.seed, task.id, turn)[:7], 16)
        requests.append(
            Request(
                task.id, prompt.text, prompt.stop, plan.max_new_tokens, plan.temperature,
                plan.top_p, seed=seed if plan.temperature else 0,
            )
        )  # fmt: skip
    return requests


def offered(text: str, style: str) -> str | None:
    """The program in a completion. The authors' driver takes the first fenced block, whatever it
    is (style `faithful`); ours takes the one after `[Refined]`."""
    if style == "faithful":
        opened = text.partition("```python")[2] or text.partition("```")[2]
        code = opened.partition("```")[0].strip("\n")
        return code + "\n" if code.strip() else None
    return refined_code(text)


# --- verdicts -------------------------------------------------------------------------------------


def _states(
    items: Sequence[tuple[RefinementTask, str]], checks: Checks, verdicts: Verdicts, box: Sandbox
) -> list[State]:
    """The state of each `(task, solution)`; a solution is judged once for all plans."""
    _judge([(t, s) for t, s in items if (t.id, s) not in verdicts], verdicts, box)
    looked = run_checks([(s, t.entry_point, checks[t.id], t.tolerance) for t, s in items], box)
    return [
        State(t.id, *verdicts[t.id, s], solution=s, passed=checked.passed)
        for (t, s), checked in zip(items, looked, strict=True)
    ]


def _judge(items: Sequence[tuple[RefinementTask, str]], verdicts: Verdicts, box: Sandbox) -> None:
    """Hidden verdicts, by the task's judge or else by its hidden cases; and the kind of each
    failure, by the first hidden case that fails."""
    right: dict[tuple[str, str], bool] = {}
    for judge in {id(t.judge): t.judge for t, _ in items if t.judge is not None}.values():
        judged = [(t.id, s) for t, s in items if t.judge is judge]
        right.update(zip(judged, judge(judged, box), strict=True))
    failing = [(t, s) for t, s in items if not right.get((t.id, s))]
    runs = run_checks([(s, t.entry_point, t.hidden, t.tolerance) for t, s in failing], box)
    for (task, solution), run in zip(failing, runs, strict=True):
        passed = right.setdefault((task.id, solution), all(run.passed))
        kind = PASSED if passed else OTHER if solution.strip() else NO_PROGRAM
        if kind == OTHER and (place := run.first_failure) is not None:
            kind = kind_of(run.outcomes[place], task.hidden[place].output)
        verdicts[task.id, solution] = passed, kind
    for key, passed in right.items():
        verdicts.setdefault(key, (passed, PASSED))
