"""Backward monologues: from an output to an input that gives it (paper section 4.2.2).

The functions here take a program and an output, never the input that made it. They walk back from
each `return`, undo what can be undone, say what is asked where the earlier state is not determined,
search where undoing does not lead to an input, and check every candidate by running it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from semcoder_lib import tracing
from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Monologue, Program
from semcoder_lib.monologues.backward.deduction import deduction
from semcoder_lib.monologues.backward.search import Question, Search
from semcoder_lib.monologues.style import DEFAULT, Style
from semcoder_lib.monologues.syntax import readable
from semcoder_lib.sandbox import Job, Limits, Sandbox

__all__ = ["Question", "backward", "backward_many"]

LIMITS = Limits(cpu_seconds=0.1, wall_seconds=2.0, memory_mb=512, grace=0.0)


def backward(
    program: Program,
    output: Any,
    box: Sandbox,
    seeds: Sequence[tuple[Any, ...]] = (),
    *,
    seed: int = 0,
    style: Style = DEFAULT,
) -> Monologue | None:
    """A deduction of one input that gives `output`, in the paper's sections; None when none was
    found within the budget (at most some 300 runs of the program).

    Promises that the input in the answer was run and gave the output exactly. Does not promise the
    simplest input, nor that the sentences name the only way. Raises `UserError` for a program that
    cannot be read and for an output without an exact text.
    """
    readable(program.source, program.entry_point)
    try:
        values.encode(output)
    except values.Unserializable as error:
        raise UserError(f"the output has no exact text: {error}") from None
    question = Question(program, output, tuple(seeds))
    return backward_many([question], box, seed=seed, style=style)[0]


def backward_many(
    questions: Iterable[Question], box: Sandbox, *, seed: int = 0, style: Style = DEFAULT
) -> list[Monologue | None]:
    """`backward` for many questions at once, their runs batched. None also for a question that
    cannot be asked (the program cannot be read, the output has no exact text)."""
    searches: list[Search | None] = []
    for question in questions:
        try:
            syntax = readable(question.program.source, question.program.entry_point)
            searches.append(Search(question, syntax, seed))
        except (UserError, values.Unserializable):
            searches.append(None)
    _run([search for search in searches if search is not None], box)
    answered = [search for search in searches if search is not None and search.found]
    pairs = [(s.question.program, Case(s.found[0].arguments)) for s in answered]
    limits = LIMITS.but(cpu_seconds=1.0)
    traces = tracing.trace_many(pairs, box, share=True, sandbox_limits=limits)
    written: dict[Search | None, Monologue] = {}
    for search, trace in zip(answered, traces, strict=True):
        own = style.but(properties=search.question.properties or style.properties)
        written[search] = deduction(search, trace, own)
    return [written.get(search) for search in searches]


def _run(searches: list[Search], box: Sandbox) -> None:
    """Brings searches to their ends, round by round, one batch of jobs for each round."""
    rounds = {search: search.rounds() for search in searches}
    while rounds:
        asked = {s: candidates for s, more in rounds.items() if (candidates := next(more, None))}
        rounds = {search: rounds[search] for search in asked}
        jobs = []
        for search, candidates in asked.items():
            program, calls = search.question.program, [c.arguments for c in candidates]
            job = Job(program.source, program.entry_point, calls, LIMITS, share=True, give_up=2)
            jobs.append(job)
        for (search, candidates), outcomes in zip(asked.items(), box.map(jobs), strict=True):
            for candidate, outcome in zip(candidates, outcomes, strict=False):
                search.tell(candidate, outcome)
