"""Rounds of self-refinement (sections 6.3 and D of the paper), with the feedback named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import UserError
from semcoder_lib.faults import refined_code
from semcoder_lib.models import Engine, Request, prompts
from semcoder_lib.models.prompts import Prompt
from semcoder_lib.refinement.checks import Check, run_checks
from semcoder_lib.refinement.curve import Curve, State
from semcoder_lib.refinement.kinds import NO_PROGRAM, OTHER, PASSED, kind_of
from semcoder_lib.refinement.sources import (
    SOURCES,
    feedbacks,
    self_test_prompt,
    self_tests,
    shown_solution,
    visible,
)
from semcoder_lib.refinement.tasks import RefinementTask
from semcoder_lib.sandbox import Sandbox

ACCEPT = {
    "replace": lambda new, old: True,  # the paper's: whatever the model offers
    "keep_better": lambda new, old: (new.visible or 0.0) > (old.visible or 0.0),
}
"""When a new state takes the old one's place."""


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
        """Raises UserError for a source or rule that does not exist, and for tasks that cannot be
        told apart or begun."""
        if self.source not in SOURCES:
            raise UserError(f"feedback source {self.source!r}: choose from {', '.join(SOURCES)}")
        if self.accept not in ACCEPT:
            raise UserError(f"acceptance rule {self.accept!r}: choose from {', '.join(ACCEPT)}")
        if len({t.id for t in self.tasks}) != len(self.tasks):
            raise UserError("two refinement tasks have the same id")
        for task in self.tasks:
            if task.initial is None and task.start is None:
                raise UserError(f"refinement task {task.id}: no first solution and no prompt")


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
    judge = _Judge(box)
    starts = _written(engine, [_first_requests(plan, engine) for plan in plans])
    tests = _written(engine, [_test_requests(plan, engine) for plan in plans])
    checks = [_visible(plan, texts) for plan, texts in zip(plans, tests, strict=True)]
    history = [
        [judge.states([(t, _first(t, texts)) for t in plan.tasks], shown)]
        for plan, texts, shown in zip(plans, starts, checks, strict=True)
    ]
    for turn in range(1, max((plan.rounds for plan in plans), default=0) + 1):
        going = [n for n, plan in enumerate(plans) if turn <= plan.rounds]
        asked = [_requests(plans[n], history[n][-1], checks[n], turn, box, engine) for n in going]
        answers = _written(engine, asked)
        for n, texts in zip(going, answers, strict=True):
            history[n].append(_next(plans[n], history[n][-1], texts, checks[n], judge))
    return [
        Curve(engine.name, plan.source, plan.accept, plan.temperature, tuple(map(tuple, rounds)))
        for plan, rounds in zip(plans, history, strict=True)
    ]


Checks = dict[str, tuple[Check, ...]]
"""The visible checks by task."""


def _written(engine: Engine, groups: list[list[Request]]) -> list[dict[str, str]]:
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


def _first(task: RefinementTask, texts: dict[str, str]) -> str:
    return task.initial if task.initial is not None else task.extract(texts[task.id]) or ""


def _test_requests(plan: Plan, engine: Engine) -> list[Request]:
    if plan.source != "self":
        return []
    asked = [(t, _asked(plan, self_test_prompt(t), engine, ("all",))) for t in plan.tasks]
    return [Request(t.id, prompt.text, prompt.stop, 200) for t, prompt in asked]


def _visible(plan: Plan, tests: dict[str, str]) -> Checks:
    return {
        t.id: visible(t, plan.source, self_tests(t, tests[t.id]) if t.id in tests else ())
        for t in plan.tasks
    }


def _requests(
    plan: Plan,
    states: Sequence[State],
    checks: Checks,
    turn: int,
    box: Sandbox,
    engine: Engine,
) -> list[Request]:
    """One for every task that fails a visible check."""
    items = [
        (task, state.solution, checks[task.id], state.passed)
        for task, state in zip(plan.tasks, states, strict=True)
    ]
    requests = []
    for (task, solution, _, _), feedback in zip(
        items, feedbacks(items, plan.source, box), strict=True
    ):
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


def _next(
    plan: Plan, states: Sequence[State], texts: dict[str, str], checks: Checks, judge: _Judge
) -> list[State]:
    """The states after a round's answers."""
    offers = [
        (task, code)
        for task in plan.tasks
        if task.id in texts and (code := offered(texts[task.id], plan.style))
    ]
    fresh = {state.task_id: state for state in judge.states(offers, checks)}
    after = []
    for old in states:
        new = fresh.get(old.task_id, old)
        changed = new is not old and ACCEPT[plan.accept](new, old)
        asked = old.task_id in texts
        after.append(replace(new if changed else old, asked=asked, changed=changed))
    return after


def offered(text: str, style: str) -> str | None:
    """The program in a completion. The authors' driver takes the first fenced block, whatever it
    is (style `faithful`); ours takes the one after `[Refined]`."""
    if style == "faithful":
        opened = text.partition("```python")[2] or text.partition("```")[2]
        code = opened.partition("```")[0].strip("\n")
        return code + "\n" if code.strip() else None
    return refined_code(text)


class _Judge:
    """Says of solutions what passes, visible and hidden; of each only once."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._known: dict[tuple[str, str], tuple[dict[str, bool], str]] = {}

    def states(self, items: Sequence[tuple[RefinementTask, str]], checks: Checks) -> list[State]:
        """The state of each `(task, solution)`."""
        self._judge([(t, s) for t, s in items if (t.id, s) not in self._known])
        looked = run_checks(
            [(s, t.entry_point, checks[t.id], t.tolerance) for t, s in items], self.box
        )
        return [
            State(t.id, *self._known[t.id, s], solution=s, passed=seen.passed)
            for (t, s), seen in zip(items, looked, strict=True)
        ]

    def _judge(self, items: Sequence[tuple[RefinementTask, str]]) -> None:
        """Hidden verdicts, by the task's judge or else by its hidden checks; and the kind of each
        failure, by the first hidden check that fails."""
        right: dict[tuple[str, str], dict[str, bool]] = {}
        for judge in {id(t.judge): t.judge for t, _ in items if t.judge is not None}.values():
            mine = [(t.id, s) for t, s in items if t.judge is judge]
            right.update(zip(mine, judge(mine, self.box), strict=True))
        failing = [(t, s) for t, s in items if not all(right.get((t.id, s), {"": False}).values())]
        runs = run_checks([(s, t.entry_point, t.hidden, t.tolerance) for t, s in failing], self.box)
        kinds = {}
        for (task, solution), run in zip(failing, runs, strict=True):
            right.setdefault((task.id, solution), {"base": all(run.passed)})
            place = run.first_failure
            kinds[task.id, solution] = (
                NO_PROGRAM if not solution.strip() else OTHER if place is None
                else kind_of(run.outcomes[place], task.hidden[place].expected)
            )  # fmt: skip
        for key, verdicts in right.items():
            kind = PASSED if all(verdicts.values()) else kinds[key]
            self._known[key] = (verdicts, kind)
