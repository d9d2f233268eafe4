"""Candidates that a teacher wrote: proposed from snippets, repaired until they run, with inputs
that the teacher and mutation gave in turns (paper section 3.1)."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.corpus.grow import add_mutations, best_inputs
from semcoder_lib.corpus.propose import Message, Taught, propose
from semcoder_lib.corpus.prospect import Prospect, run_inputs
from semcoder_lib.corpus.seeds.packages import Candidate, hints
from semcoder_lib.corpus.seeds.packages.hints import Hint
from semcoder_lib.corpus.seeds.snippets import Seed, snippets
from semcoder_lib.models.teachers import Task, Teacher, ask
from semcoder_lib.sandbox import Sandbox

A_TURN = 10  # inputs that either side may add at once
SHOWN = 6  # known calls in a request
MOST_TURNS = 8


def taught(
    count: int,
    teacher: Teacher,
    box: Sandbox,
    *,
    seed: int = 0,
    repairs: int = 3,
    wanted: int = 30,
    sources: Iterable[Seed] | None = None,
    **asking: Any,
) -> Taught:
    """What the teacher makes of `count` snippets of installed packages (or of `sources`).

    A solution that fails goes back with its error up to `repairs` times; then the teacher's inputs
    and mutations of them `alternate` until `wanted` of them run, and the teacher's become the first
    inputs of the corpus's own growth. `asking` (`cache`, `usage`) goes to `teachers.ask`, which
    makes it resumable and raises InfrastructureError when the teacher is gone.
    """
    asked = itertools.islice(snippets(seed=seed) if sources is None else sources, count)
    result = propose(list(asked), teacher, box, rounds=repairs, seed=seed, **asking)
    alternate(result.prospects, teacher, box, wanted=wanted, seed=seed, **asking)
    result.candidates = [_candidate(prospect) for prospect in result.prospects]
    return result


def alternate(
    prospects: Sequence[Prospect],
    teacher: Teacher,
    box: Sandbox,
    *,
    wanted: int = 30,
    seed: int = 0,
    **asking: Any,
) -> None:
    """Adds inputs to programs that have some: the teacher sees the calls that reach the most so far
    and proposes others; mutations of all that ran follow; and so on until `wanted` inputs run, or
    the teacher has none left that do."""
    going = _surviving(prospects, box)
    for turn in range(MOST_TURNS):
        going = [p for p in going if len(p.good()) < wanted]
        before = {p: len(p.good()) for p in going}
        tasks = [Task(f"{p.program.id}#inputs{turn}", inputs_chat(p), p) for p in going]
        for reply in ask(tasks, teacher, lambda *_: (True, ""), tries=1, seed=seed, **asking):
            prospect = reply.task.data
            calls = read_calls(reply.text, prospect.program.entry_point)
            prospect.add(calls, "teacher", A_TURN)
        going = [p for p in _surviving(going, box) if len(p.good()) > before[p]]
        for prospect in going:
            rng = random.Random(f"{seed}:alternate:{prospect.program.id}:{turn}")
            add_mutations(prospect, rng, A_TURN)
        going = _surviving(going, box)


def _surviving(prospects: Sequence[Prospect], box: Sandbox) -> list[Prospect]:
    """Runs what has not run yet; those whose program survives it."""
    return [prospect for prospect, failed in run_inputs(prospects, box) if not failed]


def teachers_calls(prospect: Prospect) -> tuple[tuple[Any, ...], ...]:
    """The teacher's argument tuples on which a program runs, those that reach the most first."""
    best = best_inputs(prospect, len(prospect.inputs))
    return tuple(i.arguments for i in best if i.source == "teacher")


def _candidate(prospect: Prospect) -> Candidate:
    """A teacher's program with its calls where a real function has its doctests: their types come
    first, what the text says of the arguments after them."""
    program = prospect.program
    functions = (n for n in ast.parse(program.source).body if isinstance(n, ast.FunctionDef))
    function = next(n for n in functions if n.name == program.entry_point)
    signature = hints.read(function, program.entry_point)
    seen = tuple(
        Hint((kind, *(t for t in hint.types if t != kind)), "doctest")
        for kind, hint in zip(program.argument_types, signature.hints, strict=False)
    )
    merged = seen + signature.hints[len(seen) :]
    signature = replace(signature, hints=merged, examples=teachers_calls(prospect))
    return Candidate(replace(program, argument_types=(), types_from=""), signature)


def inputs_chat(prospect: Prospect) -> tuple[Message, ...]:
    """The request for more inputs of a program, beside those that reach the most."""
    program = prospect.program
    known = best_inputs(prospect, SHOWN) or prospect.inputs[:SHOWN]
    calls = "\n".join(values.show_call(program.entry_point, i.arguments) for i in known)
    text = (
        f"```python\n{program.source.rstrip()}\n```\nKnown calls:\n{calls}\n"
        f"Give up to ten more calls of `{program.entry_point}` with short literal arguments that "
        f"take other branches, one a line, nothing else."
    )
    return ({"role": "user", "content": text},)


def read_calls(text: str, entry_point: str) -> list[tuple[Any, ...]]:
    """The argument tuples of the calls in a reply; other lines are passed over."""
    calls = []
    for line in text.splitlines():
        try:
            name, arguments, named = values.parse_call(line.strip().strip("`- ").rstrip(";,"))
            values.encode(arguments)
        except (values.NotALiteral, values.Unserializable):
            continue
        if name == entry_point and not named:
            calls.append(arguments)
    return calls
