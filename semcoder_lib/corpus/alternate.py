"""Inputs of a teacher's programs: what the teacher proposes and what mutation makes of it take
turns (paper section 3.1)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from semcoder_lib.core import values, workspace
from semcoder_lib.core.records import Program
from semcoder_lib.corpus import execute, grow
from semcoder_lib.corpus.execute import Failed, Request
from semcoder_lib.corpus.grow import Growing
from semcoder_lib.corpus.propose import Message
from semcoder_lib.models.teachers import Task, Teacher, Usage, ask

if TYPE_CHECKING:
    from semcoder_lib.sandbox import Sandbox

Calls = tuple[tuple[Any, ...], ...]
A_TURN = 10  # inputs that either side may add at once
SHOWN = 6  # known calls in a request
MOST_TURNS = 8


def alternate(
    programs: Sequence[tuple[Program, Calls]],
    teacher: Teacher,
    box: Sandbox,
    *,
    wanted: int = 30,
    seed: int = 0,
    cache: workspace.ItemCache | None = None,
    usage: Usage | None = None,
) -> list[Calls]:
    """For each program, given with its first calls, the teacher's argument tuples on which it runs,
    those that reach the most first.

    The teacher sees the calls that reach the most so far and proposes others; mutations of all that
    ran follow; and so on until `wanted` inputs run, or the teacher has none left that do.
    """
    states = [Growing.of(program) for program, _ in programs]
    for state, (_, calls) in zip(states, programs, strict=True):
        state.add(calls, "teacher", wanted)
    going = _ran(states, box)
    for turn in range(MOST_TURNS):
        going = [s for s in going if len(s.good()) < wanted]
        tasks = [
            Task(f"{s.program.id}#inputs{turn}", inputs_chat(s.program, _shown(s))) for s in going
        ]
        replies = ask(
            tasks,
            teacher,
            lambda task, text: (True, ""),
            tries=1,
            seed=seed,
            cache=cache,
            usage=usage,
        )
        before = {s.program.id: len(s.good()) for s in going}
        for state, taught in zip(going, replies, strict=True):
            state.add(read_calls(taught.text, state.program.entry_point), "teacher", A_TURN)
        going = [s for s in _ran(going, box) if len(s.good()) > before[s.program.id]]
        for state in going:
            rng = random.Random(f"{seed}:alternate:{state.program.id}:{turn}")
            grow.mutate_best(state, rng, A_TURN)
        going = _ran(going, box)
    return [_taught(state) for state in states]


def _ran(states: Iterable[Growing], box: Sandbox) -> list[Growing]:
    """Runs what was not run yet; the states whose program survives it. What a failed request was
    to run is forgotten."""
    going = list(states)
    requests = [Request(s.program, s.tried[len(s.ran) :]) for s in going]
    left = []
    for state, ran in zip(going, execute.run(box, requests), strict=True):
        if isinstance(ran, Failed):
            done = len(state.ran)
            del state.tried[done:], state.texts[done:], state.sources[done:]
        else:
            state.ran.extend(ran)
            left.append(state)
    return left


def _shown(state: Growing) -> list[tuple[Any, ...]]:
    return [state.tried[i] for i in grow.chosen(state, SHOWN)] or state.tried[:SHOWN]


def _taught(state: Growing) -> Calls:
    best = grow.chosen(state, len(state.tried))
    return tuple(state.tried[i] for i in best if state.sources[i] == "teacher")


def inputs_chat(program: Program, known: Iterable[tuple[Any, ...]]) -> tuple[Message, ...]:
    """The request for more inputs of a program."""
    calls = "\n".join(values.show_call(program.entry_point, c) for c in known)
    text = (
        f"```python\n{program.source.rstrip()}\n```\nKnown calls:\n{calls}\n"
        f"Give up to ten more calls of `{program.entry_point}` with short literal arguments that "
        f"take other branches, one a line, nothing else."
    )
    return ({"role": "user", "content": text},)


def read_calls(text: str, entry_point: str) -> list[tuple[Any, ...]]:
    """The argument tuples of the calls in a reply; other lines are passed over."""
    found = []
    for line in text.splitlines():
        try:
            name, arguments, named = values.parse_call(line.strip().strip("`- ").rstrip(";,"))
            values.encode(arguments)
        except (values.NotALiteral, values.Unserializable):
            continue
        if name == entry_point and not named:
            found.append(arguments)
    return found
