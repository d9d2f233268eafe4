"""Abstract semantics: what holds of every run, inferred from many (paper section 4.2, "properties
and constraints").

A property is proposed from the known cases, then tested on fresh inputs (mutations of the known
ones, made without looking at the property). It is kept only if no run contradicts it and at least
`MIN_SUPPORT` runs support it. That is evidence, not proof, which is why the count is kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from semcoder_lib.core import values
from semcoder_lib.core.errors import UserError
from semcoder_lib.core.records import Case, Entry, Program, Status
from semcoder_lib.monologues import relations
from semcoder_lib.monologues.mutation import mutated
from semcoder_lib.monologues.relations import Runs
from semcoder_lib.monologues.style import Property
from semcoder_lib.monologues.syntax import parameters, readable
from semcoder_lib.sandbox import Job, Limits, Sandbox

__all__ = ["MIN_SUPPORT", "Property", "infer", "infer_many"]

MIN_SUPPORT = 5
FRESH = 28
_LIMITS = Limits(cpu_seconds=0.1, wall_seconds=2.0, memory_mb=512, grace=0.0)


def infer(
    program: Program, cases: Sequence[Case], box: Sandbox, *, seed: int = 0
) -> tuple[Property, ...]:
    """Properties of one program, the most telling first. `cases` must be cases that ran; fresh
    inputs come from mutating theirs. No case, no property."""
    return infer_many([Entry(program, tuple(cases))], box, seed=seed)[0]


def infer_many(
    entries: Iterable[Entry], box: Sandbox, *, seed: int = 0
) -> list[tuple[Property, ...]]:
    """`infer` for many entries, their runs batched."""
    plans = [_Plan(entry, seed) for entry in entries]
    jobs = [
        Job(p.program.source, p.program.entry_point, p.calls, _LIMITS, share=True, give_up=2)
        for p in plans
        if p.calls
    ]
    outcomes = iter(box.map(jobs))
    found = []
    for plan in plans:
        if plan.calls:
            for key, outcome in zip(plan.keys, next(outcomes), strict=False):
                if outcome.status is Status.OK:
                    plan.runs.returned[key] = outcome.value
                elif outcome.status is Status.EXCEPTION and outcome.exception is not None:
                    plan.runs.raised[key] = outcome.exception.type
        found.append(_kept(plan))
    return found


class _Plan:
    """The runs that one entry needs."""

    def __init__(self, entry: Entry, seed: int) -> None:
        self.program = entry.program
        self.names: list[str] = []
        self.used: set[str] = set()
        self.runs = Runs()
        self.calls: list[tuple[Any, ...]] = []
        self.keys: list[str] = []
        try:
            syntax = readable(entry.program.source, entry.program.entry_point)
        except UserError:
            return
        function = syntax.functions[entry.program.entry_point]
        self.names = parameters(function)
        self.used = {
            n.id
            for n in ast.walk(function)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        rng = Random(f"{seed}:properties:{entry.program.id}")
        known = []
        for case in entry.cases:
            key = _key(case.arguments)
            if key is not None and len(key) < 2_000:
                self.runs.know(key, case.arguments)
                self.runs.returned[key] = case.output
                known.append(case.arguments)
        if not known:
            return
        pool = [v for arguments in known[:6] for v in arguments]
        self._mutate(known, pool, rng)
        self._edges(known)
        self._relate(known, rng)

    def _add(self, arguments: tuple[Any, ...]) -> str | None:
        key = _key(arguments)
        if key is None or len(key) > 2_000:
            return None
        if self.runs.know(key, arguments):
            self.calls.append(arguments)
            self.keys.append(key)
        return key

    def _mutate(self, known: list[tuple[Any, ...]], pool: list[Any], rng: Random) -> None:
        for _ in range(FRESH):
            arguments = list(rng.choice(known))
            if not arguments:
                return
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(arguments))
                arguments[at] = mutated(arguments[at], pool, rng)
            self._add(tuple(arguments))
        for given in known[:4]:
            for at, value in enumerate(given):
                for other in relations.telling(value):
                    self._add((*given[:at], other, *given[at + 1 :]))

    def _edges(self, known: list[tuple[Any, ...]]) -> None:
        """Empty, zero and negative values of each argument, for what raises."""
        for at in range(len(known[0])):
            for arguments in known[:3]:
                for edge in relations.edges(arguments[at] if at < len(arguments) else None):
                    self._add((*arguments[:at], edge, *arguments[at + 1 :]))

    def _relate(self, known: list[tuple[Any, ...]], rng: Random) -> None:
        """Pairs of runs: an argument reordered, an argument exchanged, the function run again."""
        for arguments in [*known[:6], *self.calls[:8]]:
            key = _key(arguments)
            if key is None:
                continue
            for at, value in enumerate(arguments):
                if isinstance(value, list | str) and 1 < len(value) <= 30:
                    items = list(value)
                    rng.shuffle(items)
                    other = "".join(items) if isinstance(value, str) else items
                    new = self._add((*arguments[:at], other, *arguments[at + 1 :]))
                    if new is not None and new != key:
                        self.runs.reordered.append((at, key, new))
                donor = rng.choice(known)
                if len(arguments) > 1 and at < len(donor):
                    new = self._add((*arguments[:at], donor[at], *arguments[at + 1 :]))
                    if new is not None and new != key:
                        self.runs.exchanged.append((at, key, new))
        for arguments in known:  # their outputs are known before anything runs
            key = _key(arguments)
            output = self.runs.returned.get(key or "")
            if key and len(arguments) == 1 and type(output) is type(arguments[0]):
                new = self._add((output,))
                if new is not None:
                    self.runs.repeated.append((key, new))


def _key(arguments: tuple[Any, ...]) -> str | None:
    try:
        return values.encode(arguments, max_bytes=4_000)
    except values.Unserializable:
        return None


def _kept(plan: _Plan) -> tuple[Property, ...]:
    if len(plan.runs.returned) < MIN_SUPPORT:
        return ()
    found = []
    used = plan.used
    for proposed in relations.all_of(plan.runs, plan.names, plan.program.entry_point):
        if proposed.kind == "irrelevant" and proposed.text.split(" ", 1)[0] in used:
            continue  # runs that agree by chance, for example on a prefix that is never there
        if proposed.support >= MIN_SUPPORT or (
            proposed.kind == "raises" and proposed.support >= relations.MIN_RAISES
        ):
            found.append(proposed)
    return tuple(found)
