"""Rounds of self-refinement (sections 6.3 and D of the paper), with the feedback named."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from semcoder_lib.core.errors import UserError
from semcoder_lib.faults import refined_code
from semcoder_lib.models import prompts
from semcoder_lib.refinement.checks import Check, Seen, run_checks
from semcoder_lib.refinement.curve import Curve, State
from semcoder_lib.refinement.feedback import (
    SOURCES,
    Feedback,
    feedbacks,
    self_test_prompt,
    self_tests,
    shown_solution,
    visible,
)
from semcoder_lib.refinement.kinds import NO_PROGRAM, PASSED, kind_of
from semcoder_lib.refinement.store import Ask, Engine, Row, Store, complete
from semcoder_lib.refinement.tasks import RefinementTask
from semcoder_lib.sandbox import Sandbox

T = TypeVar("T")
ACCEPT = ("replace", "keep_better")


@dataclass(frozen=True, slots=True)
class _Now:
    """A task's present solution and what is known of it."""

    solution: str
    seen: Seen
    right: dict[str, bool]
    kind: str

    @property
    def score(self) -> float | None:
        passed = self.seen.passed
        return sum(passed) / len(passed) if passed else None


@dataclass(frozen=True, slots=True)
class Plan:
    """One curve to be made; the fields are those of `refine`."""

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
    store: Path | str | None = None


def refine(
    tasks: Sequence[RefinementTask],
    engine: Engine | None,
    box: Sandbox,
    *,
    rounds: int,
    source: str = "public",
    accept: str = "replace",
    temperature: float = 0.0,
    top_p: float = 0.95,
    max_new_tokens: int = 512,
    first_tokens: int = 256,
    seed: int = 0,
    style: str = "clean",
    store: Path | str | None = None,
) -> Curve:
    """Refines every task's first greedy solution for `rounds` rounds.

    In each round every task with a failing visible check is put to the model again, with its
    problem, its present program and the first failing check. `source` says what is visible:
    `public`, `self`, `trace` or `oracle` (see `SOURCES`); with `self` the model is first asked for
    tests, once and greedily. `accept`: `replace` takes every program that the model offers (the
    paper), `keep_better` only one that passes more visible checks, so that what passes visibly
    never falls. An answer without a program leaves the old one in place. `temperature` 0 is greedy;
    the first solution always is.

    All completions go to `store` (JSONL), from which an interrupted run goes on, and from which the
    same curve comes again without an engine (`engine=None`). Hidden verdicts are used for the
    curve only; nothing but `oracle` feeds them back. Raises UserError for an unknown source or
    rule, and when completions are missing without an engine.
    """
    plan = Plan(
        tasks, rounds, source, accept, temperature, top_p, max_new_tokens, first_tokens, seed,
        style, store,
    )  # fmt: skip
    return refine_all([plan], engine, box)[0]


def refine_all(plans: Sequence[Plan], engine: Engine | None, box: Sandbox) -> list[Curve]:
    """The curves of several plans, each as `refine` makes it, side by side: the texts that all of
    them want next are generated together."""
    stores = []
    for plan in plans:
        _check(plan)
        stores.append(Store(plan.store, engine))
    courses = [_course(plan, kept.model, box) for plan, kept in zip(plans, stores, strict=True)]
    asks = {n: next(course) for n, course in enumerate(courses)}
    curves: dict[int, Curve] = {}
    while asks:
        places = list(asks)
        rows = complete([(stores[n], asks.pop(n)) for n in places], engine)
        for n, some in zip(places, rows, strict=True):
            try:
                asks[n] = courses[n].send(some)
            except StopIteration as end:
                curves[n] = end.value
    return [curves[n] for n in range(len(plans))]


def _check(plan: Plan) -> None:
    if plan.source not in SOURCES:
        raise UserError(f"feedback source {plan.source!r}: choose from {', '.join(SOURCES)}")
    if plan.accept not in ACCEPT:
        raise UserError(f"acceptance rule {plan.accept!r}: choose from {', '.join(ACCEPT)}")
    if len({t.id for t in plan.tasks}) != len(plan.tasks):
        raise UserError("two refinement tasks have the same id")


Course = Generator[Ask, list[Row], T]


def _course(plan: Plan, model: str, box: Sandbox) -> Course[Curve]:
    """The way of one curve; it yields what it asks of the model and is sent the answers."""
    tasks = plan.tasks
    first = yield from _first_solutions(plan)
    checks = yield from _checks(plan)
    judged: dict[tuple[str, str], dict[str, bool]] = {}
    now = _look(tasks, first, checks, box, judged)
    history = [_states(tasks, now, asked=set(), changed=set())]
    for turn in range(1, plan.rounds + 1):
        items = [
            (task, state.solution, checks[task.id], state.seen)
            for task, state in zip(tasks, now, strict=True)
        ]
        given = feedbacks(items, plan.source, box)
        asked = [n for n, feedback in enumerate(given) if feedback is not None]
        prompted = [(tasks[n].id, turn, _prompt(tasks[n], now[n], given[n], plan.style))
                    for n in asked]  # fmt: skip
        rows = yield Ask(prompted, plan.max_new_tokens, plan.temperature, plan.top_p, plan.seed)
        offered = {
            n: code
            for n, row in zip(asked, rows, strict=True)
            if (code := _offer(row["text"], plan.style))
        }
        order = sorted(offered)
        fresh = _look([tasks[n] for n in order], [offered[n] for n in order], checks, box, judged)
        changed = set()
        for n, new in zip(order, fresh, strict=True):
            if plan.accept == "replace" or _better(new, now[n]):
                changed.add(n)
                now[n] = new
        history.append(_states(tasks, now, set(asked), changed))
    settings = {
        "rounds": plan.rounds, "max_new_tokens": plan.max_new_tokens,
        "first_tokens": plan.first_tokens, "top_p": plan.top_p, "seed": plan.seed,
        "style": plan.style, "tasks": len(tasks),
        "visible_checks": sum(len(c) for c in checks.values()),
        "without_visible": sum(not c for c in checks.values()),
    }  # fmt: skip
    return Curve(model, plan.source, plan.accept, plan.temperature, tuple(history), settings)


def _first_solutions(plan: Plan) -> Course[list[str]]:
    asked = []
    for task in plan.tasks:
        if task.initial is not None:
            continue
        if task.start is None:
            raise UserError(f"refinement task {task.id}: neither a first solution nor a prompt")
        asked.append((task.id, 0, task.start))
    rows = iter((yield Ask(asked, plan.first_tokens)))
    return [
        t.initial if t.initial is not None else (t.extract(next(rows)["text"]) or "")
        for t in plan.tasks
    ]


def _checks(plan: Plan) -> Course[dict[str, tuple[Check, ...]]]:
    written: dict[str, list[Check]] = {}
    if plan.source == "self":
        asked = [(t.id, -1, self_test_prompt(t)) for t in plan.tasks]
        rows = yield Ask(asked, max_new_tokens=200)
        for task, row in zip(plan.tasks, rows, strict=True):
            written[task.id] = self_tests(task, row["text"])
    return {t.id: visible(t, plan.source, written.get(t.id, ())) for t in plan.tasks}


def _prompt(
    task: RefinementTask, now: _Now, feedback: Feedback | None, style: str
) -> prompts.Prompt:
    assert feedback is not None
    return prompts.refine(
        task.problem,
        shown_solution(now.solution),
        feedback.failed_test,
        trace=feedback.trace,
        style=style,
    )


def _offer(text: str, style: str) -> str | None:
    """The program in a completion. The authors' driver takes the first fenced block, whatever it
    is (style `faithful`); ours takes the one after `[Refined]`."""
    if style == "faithful":
        opened = text.partition("```python")[2] or text.partition("```")[2]
        code = opened.partition("```")[0].strip("\n")
        return code + "\n" if code.strip() else None
    return refined_code(text)


def _better(new: _Now, old: _Now) -> bool:
    return (new.score or 0.0) > (old.score or 0.0)


def _look(
    tasks: Sequence[RefinementTask],
    solutions: Sequence[str],
    checks: dict[str, tuple[Check, ...]],
    box: Sandbox,
    judged: dict[tuple[str, str], dict[str, bool]],
) -> list[_Now]:
    """Runs the visible checks, asks the judges, and names the kind of each failure."""
    programs = [
        (solution, task.entry_point, checks[task.id], task.tolerance)
        for task, solution in zip(tasks, solutions, strict=True)
    ]
    seen = run_checks(programs, box)
    _judge(tasks, solutions, box, judged)
    kinds = _kinds(tasks, solutions, box, judged)
    return [
        _Now(solution, looked, judged[task.id, solution], kind)
        for task, solution, looked, kind in zip(tasks, solutions, seen, kinds, strict=True)
    ]


def _judge(
    tasks: Sequence[RefinementTask],
    solutions: Sequence[str],
    box: Sandbox,
    judged: dict[tuple[str, str], dict[str, bool]],
) -> None:
    groups: dict[int, list[tuple[RefinementTask, str]]] = {}
    for task, solution in zip(tasks, solutions, strict=True):
        if (task.id, solution) not in judged:
            groups.setdefault(id(task.judge), []).append((task, solution))
    for members in groups.values():
        found = members[0][0].judge.judge([(t.id, s) for t, s in members], box)
        for (task, solution), right in zip(members, found, strict=True):
            judged[task.id, solution] = right


def _kinds(
    tasks: Sequence[RefinementTask],
    solutions: Sequence[str],
    box: Sandbox,
    judged: dict[tuple[str, str], dict[str, bool]],
) -> list[str]:
    """By the first hidden check that fails; a failure that no hidden check shows (a special test
    of the benchmark) is `other`. For the atlas only."""
    failing = [
        (n, task, solution)
        for n, (task, solution) in enumerate(zip(tasks, solutions, strict=True))
        if not all(judged[task.id, solution].values())
    ]
    kinds = [PASSED] * len(tasks)
    runs = run_checks([(s, t.entry_point, t.hidden, t.tolerance) for _, t, s in failing], box)
    for (n, task, solution), looked in zip(failing, runs, strict=True):
        place = looked.first_failure
        if not solution.strip():
            kinds[n] = NO_PROGRAM
        elif place is None:
            kinds[n] = "other"
        else:
            kinds[n] = kind_of(looked.outcomes[place], task.hidden[place].expected)
    return kinds


def _states(
    tasks: Sequence[RefinementTask], now: Sequence[_Now], asked: set[int], changed: set[int]
) -> tuple[State, ...]:
    return tuple(
        State(task.id, x.right, x.score, x.kind, n in asked, n in changed, x.solution)
        for n, (task, x) in enumerate(zip(tasks, now, strict=True))
    )
