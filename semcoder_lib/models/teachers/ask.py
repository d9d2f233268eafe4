"""Rejection sampling: ask a teacher until a text is accepted, resumably and within a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from semcoder_lib.core import workspace
from semcoder_lib.core.errors import InfrastructureError, UserError
from semcoder_lib.models.teachers.replies import Message, Price, Reply, Teacher, Unanswered, Usage

SILENCES = 16  # requests in a row without an answer, after which nobody is there

Accept = Callable[["Task", str], "tuple[bool, str]"]


@dataclass(frozen=True, slots=True)
class Task:
    """A chat to be answered. `data` is the caller's own and travels along."""

    id: str
    messages: tuple[Message, ...]
    data: Any = None


@dataclass(frozen=True, slots=True)
class Taught:
    """What became of a task. `status` is `accepted`, `rejected` (every try was), `failed` (the
    teacher did not answer) or `budget` (nothing was left to ask with). `text` is the accepted
    text, `reasons` why each earlier try was not."""

    task: Task
    status: str
    text: str = ""
    tries: int = 0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Where asking stops. None is no bound. Cost is in US dollars, by `price`; what is already
    being asked when a bound is reached is still finished, so it may be passed by `parallel`
    replies."""

    cost: float | None = None
    tokens: int | None = None
    replies: int | None = None
    price: Price = field(default_factory=Price)

    def spent(self, usage: Usage) -> bool:
        """Whether a bound is reached."""
        return (
            (self.cost is not None and usage.cost >= self.cost)
            or (self.tokens is not None and usage.tokens >= self.tokens)
            or (self.replies is not None and usage.asked + usage.cached >= self.replies)
        )


@dataclass(slots=True)
class _Going:
    task: Task
    number: int
    attempt: int = 0
    reasons: list[str] = field(default_factory=list)
    key: str = ""


def ask(
    tasks: Iterable[Task],
    teacher: Teacher,
    accept: Accept,
    *,
    tries: int = 4,
    seed: int = 0,
    cache: workspace.ItemCache | None = None,
    budget: Budget | None = None,
    usage: Usage | None = None,
) -> Iterator[Taught]:
    """For each task, in order, the first reply that `accept` takes, out of at most `tries`.

    `accept(task, text)` gives (accepted, reason) and is called from the caller's thread only, so
    it may use a sandbox. At most `teacher.parallel` requests are under way. Every reply goes to
    `cache` when it arrives and is counted in `usage` once: run again after an interruption, the
    same tasks, teacher, seed and tries ask only for what is missing. A teacher that does not
    answer costs the task a `failed`; it is asked again the next time. Raises InfrastructureError
    when so many in a row get no answer that the teacher is gone; what it said before is kept.
    Section 3.3 of the facts on the paper (rejection sampling).
    """
    if tries < 1:
        raise UserError("tries must be at least 1")
    budget = budget or Budget()
    usage = usage if usage is not None else Usage()
    source = enumerate(tasks)
    finished: dict[int, Taught] = {}
    waiting: dict[Future[Reply], _Going] = {}
    following = silent = 0
    exhausted = False
    pool = ThreadPoolExecutor(teacher.parallel)
    try:
        while True:
            # finished results wait for earlier tasks, so that memory stays bounded, too
            while len(waiting) < teacher.parallel and len(finished) < 8 * teacher.parallel + 64:
                number, task = next(source, (-1, None))
                if task is None:
                    exhausted = True
                    break
                going = _Going(task, number)
                done = _step(
                    going, teacher, accept, tries, seed, cache, budget, usage, pool, waiting
                )
                if done is not None:
                    finished[number] = done
            while following in finished:
                yield finished.pop(following)
                following += 1
            if not waiting:
                if exhausted:
                    return
                continue
            ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in sorted(ready, key=lambda f: waiting[f].number):
                going = waiting.pop(future)
                done = _arrived(future, going, accept, cache, budget, usage)
                silent = silent + 1 if done is not None and done.status == "failed" else 0
                if silent >= max(SILENCES, 2 * teacher.parallel):
                    raise InfrastructureError(
                        f"the teacher is gone: {done.reasons[-1] if done else ''}; "
                        f"start again when it answers, nothing is asked twice"
                    )
                if done is None and going.attempt < tries:
                    done = _step(
                        going, teacher, accept, tries, seed, cache, budget, usage, pool, waiting
                    )
                elif done is None:
                    done = _rejected(going)
                if done is not None:
                    finished[going.number] = done
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        _save(waiting, cache)
        if cache is not None:
            cache.flush()


def _step(
    going: _Going,
    teacher: Teacher,
    accept: Accept,
    tries: int,
    seed: int,
    cache: workspace.ItemCache | None,
    budget: Budget,
    usage: Usage,
    pool: ThreadPoolExecutor,
    waiting: dict[Future[Reply], _Going],
) -> Taught | None:
    """Use cached replies as far as they go, then ask for the next. A result, or None when a
    request is under way."""
    while going.attempt < tries:
        number = going.attempt
        going.key = workspace.content_key(
            "teacher", teacher.identity, list(going.task.messages), seed, number
        )
        if cache is not None and going.key in cache:
            reply = Reply(**cache.get(going.key))
            usage.add(reply, budget.price, cached=True)
            going.attempt += 1
            done = _judged(reply, going, accept, usage)
            if done is not None:
                return done
            continue
        if budget.spent(usage):
            return Taught(going.task, "budget", "", going.attempt, tuple(going.reasons))
        going.attempt += 1
        future = pool.submit(teacher.sample, list(going.task.messages), seed=seed + number)
        waiting[future] = going
        return None
    return _rejected(going)


def _arrived(
    future: Future[Reply],
    going: _Going,
    accept: Accept,
    cache: workspace.ItemCache | None,
    budget: Budget,
    usage: Usage,
) -> Taught | None:
    try:
        reply = future.result()
    except Unanswered as error:
        usage.failures += 1
        reasons = (*going.reasons, str(error))
        return Taught(going.task, "failed", "", going.attempt, reasons)
    usage.add(reply, budget.price, cached=False)
    if cache is not None:
        cache.put(going.key, reply.row())
        cache.flush()
    return _judged(reply, going, accept, usage)


def _judged(reply: Reply, going: _Going, accept: Accept, usage: Usage) -> Taught | None:
    if reply.finish == "length":
        accepted, reason = False, "cut off by the token limit"
    else:
        accepted, reason = accept(going.task, reply.text)
    if accepted:
        return Taught(going.task, "accepted", reply.text, going.attempt, tuple(going.reasons))
    going.reasons.append(reason)
    short = reason.split(":")[0][:60]
    usage.reasons[short] = usage.reasons.get(short, 0) + 1
    return None


def _rejected(going: _Going) -> Taught:
    return Taught(going.task, "rejected", "", going.attempt, tuple(going.reasons))


def _save(waiting: dict[Future[Reply], _Going], cache: workspace.ItemCache | None) -> None:
    """Replies that arrived while the caller was stopping are paid for: keep them."""
    if cache is None:
        return
    for future, going in waiting.items():
        if future.done() and not future.cancelled() and future.exception() is None:
            cache.put(going.key, future.result().row())
